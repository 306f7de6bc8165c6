//! What may be asked of a platform key.

use std::time::Duration;

use super::platform_key::PlatformKey;
use crate::identity::key_lifecycle::rules::{check_end, check_name};
use crate::kernel::audit::Audit;
use crate::kernel::ids::{Moment, PlatformKeyId};
use crate::kernel::problem::Problem;
use crate::kernel::time::Timestamp;

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
    let rotation = old.lifetime().rotate(overlap, moment.now)?;
    let key = new(old.name.clone(), rotation.new_expires_at, maker, moment);
    let ending = PlatformKey { expires_at: Some(rotation.old_expires_at), ..old.clone() };
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
