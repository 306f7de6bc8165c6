//! A platform key.

use crate::identity::key_lifecycle::rules::Lifetime;
use crate::kernel::audit::Audit;
use crate::kernel::ids::PlatformKeyId;
use crate::kernel::time::Timestamp;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlatformKey {
    pub id: PlatformKeyId,
    pub name: String,
    /// `platform` for the root key, or the id of another one.
    pub created_by: String,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
    pub last_used_at: Option<Timestamp>,
}

impl PlatformKey {
    pub fn lifetime(&self) -> Lifetime {
        Lifetime { created_at: self.created_at, expires_at: self.expires_at, revoked_at: self.revoked_at }
    }

    pub fn is_usable(&self, now: Timestamp) -> bool {
        self.lifetime().is_usable(now)
    }

    pub(super) fn audit(&self, action: &'static str, after: Option<serde_json::Value>) -> Audit {
        let before = (action != "platformKey.created").then(|| serde_json::json!({"name": self.name, "expiresAt": self.expires_at}));
        Audit { action, target: self.id.to_string(), before, after }
    }
}
