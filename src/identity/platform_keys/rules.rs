//! What a platform key is, and what may be asked of one.

use std::time::Duration;

use crate::identity::api_keys::rules::{check_end, check_name};
use crate::kernel::audit::Audit;
use crate::kernel::ids::{Moment, PlatformKeyId};
use crate::kernel::problem::Problem;
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
    pub fn is_usable(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| now < end)
    }

    fn audit(&self, action: &'static str, after: Option<serde_json::Value>) -> Audit {
        let before = (action != "platformKey.created").then(|| serde_json::json!({"name": self.name, "expiresAt": self.expires_at}));
        Audit { action, target: self.id.to_string(), before, after }
    }
}

pub fn create(name: &str, expires_at: Option<Timestamp>, maker: String, moment: Moment<'_>) -> Result<(PlatformKey, Audit), Problem> {
    let name = check_name(name)?;
    check_end(expires_at, moment.now)?;
    let key = new(name, expires_at, maker, moment);
    let audit = key.audit("platformKey.created", Some(serde_json::json!({"name": key.name, "expiresAt": key.expires_at})));
    Ok((key, audit))
}

/// The key that takes the place of `old`, and `old` with its end.
pub fn rotate(
    old: &PlatformKey,
    overlap: Duration,
    maker: String,
    moment: Moment<'_>,
) -> Result<(PlatformKey, PlatformKey, Audit), Problem> {
    if !old.is_usable(moment.now) {
        return Err(Problem::conflict("key_ended", "This key is expired or revoked, so there is nothing to rotate. Create a new one."));
    }
    let expires_at = old.expires_at.map(|end| moment.now.plus(old.created_at.until(end)));
    let key = new(old.name.clone(), expires_at, maker, moment);
    let until = moment.now.plus(overlap);
    let ending = PlatformKey { expires_at: Some(old.expires_at.map_or(until, |end| end.min(until))), ..old.clone() };
    let audit = old.audit("platformKey.rotated", Some(serde_json::json!({"replacedBy": key.id, "expiresAt": ending.expires_at})));
    Ok((key, ending, audit))
}

/// None when it is revoked already.
pub fn revoke(key: &PlatformKey) -> Option<Audit> {
    key.revoked_at.is_none().then(|| key.audit("platformKey.revoked", None))
}

fn new(name: String, expires_at: Option<Timestamp>, maker: String, moment: Moment<'_>) -> PlatformKey {
    PlatformKey {
        id: PlatformKeyId::new(moment),
        name,
        created_by: maker,
        created_at: moment.now,
        expires_at,
        revoked_at: None,
        last_used_at: None,
    }
}
