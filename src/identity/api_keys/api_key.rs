//! An API key.

use crate::identity::key_lifecycle::rules::Lifetime;
use crate::kernel::ids::{KeyId, PersonId};
use crate::kernel::time::Timestamp;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    pub id: KeyId,
    pub name: String,
    pub scopes: Vec<String>,
    /// Who made it; None for those made before that was recorded.
    pub created_by: Option<String>,
    /// In whose hands it is: it ends with their membership.
    pub person: Option<PersonId>,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
    pub last_used_at: Option<Timestamp>,
}

impl ApiKey {
    pub fn lifetime(&self) -> Lifetime {
        Lifetime { created_at: self.created_at, expires_at: self.expires_at, revoked_at: self.revoked_at }
    }

    /// Whether requests may be made with it at `now` of the wall clock: keys protect real systems, so no test clock counts.
    pub fn is_usable(&self, now: Timestamp) -> bool {
        self.lifetime().is_usable(now)
    }
}
