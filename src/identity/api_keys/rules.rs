//! What an API key is, and what may be asked of one.

use std::time::Duration;

use super::api_key::ApiKey;
use super::store;
use crate::events::{ApiKeyCreated, ApiKeyRevoked, ApiKeyRotated};
use crate::identity::key_lifecycle::maker::Maker;
use crate::identity::key_lifecycle::rules::{check_end, check_name, check_scopes};
use crate::identity::members;
use crate::kernel::decision::Decision;
use crate::kernel::ids::{KeyId, Moment};
use crate::kernel::problem::Problem;
use crate::kernel::time::Timestamp;

/// Makes a key.
pub fn create(
    name: &str,
    scopes: Vec<String>,
    expires_at: Option<Timestamp>,
    maker: Maker,
    moment: Moment<'_>,
) -> Result<(ApiKey, Decision), Problem> {
    let name = check_name(name)?;
    check_scopes(&scopes)?;
    check_end(expires_at, moment.now)?;
    let key = new(name, scopes, expires_at, maker, moment);
    let decision = written(&key).audit("apiKey.created", key.id.to_string(), None, Some(described(&key)));
    Ok((key, decision))
}

/// Makes the key that takes the place of `old`: the same but for its secret, and good for as long as the old one was made for. The old one
/// ends after `overlap`, or when it would have ended anyway.
pub fn rotate(old: &ApiKey, overlap: Duration, maker: Maker, moment: Moment<'_>) -> Result<(ApiKey, ApiKey, Decision), Problem> {
    let rotation = old.lifetime().rotate(overlap, moment.now)?;
    // In the hands of whoever had the old one, too: a rotation by somebody else must not let it outlive their membership.
    let maker = Maker { person: old.person.or(maker.person), ..maker };
    let key = new(old.name.clone(), old.scopes.clone(), rotation.new_expires_at, maker, moment);
    let ending = ApiKey { expires_at: Some(rotation.old_expires_at), ..old.clone() };
    let after = serde_json::json!({"replacedBy": key.id, "expiresAt": ending.expires_at});
    let decision = written(&key)
        .guard(store::is_as_read(old))
        .write(store::end_at(old.id, ending.expires_at))
        .raise(ApiKeyRotated { key: old.id, replaced_by: key.id })
        .audit("apiKey.rotated", old.id.to_string(), Some(serde_json::json!({"expiresAt": old.expires_at})), Some(after));
    Ok((key, ending, decision))
}

/// Revokes a key for good; nothing to do when it is revoked.
pub fn revoke(key: &ApiKey, moment: Moment<'_>) -> Decision {
    if key.revoked_at.is_some() {
        return Decision::new();
    }
    Decision::new().write(store::revoke(key.id, moment.now)).raise(ApiKeyRevoked { key: key.id }).audit(
        "apiKey.revoked",
        key.id.to_string(),
        Some(described(key)),
        None,
    )
}

fn new(name: String, scopes: Vec<String>, expires_at: Option<Timestamp>, maker: Maker, moment: Moment<'_>) -> ApiKey {
    ApiKey {
        id: KeyId::new(moment),
        name,
        scopes,
        created_by: Some(maker.name),
        person: maker.person,
        created_at: moment.now,
        expires_at,
        revoked_at: None,
        last_used_at: None,
    }
}

/// The key's row and fact. A key in somebody's hands is made only while they are a member.
fn written(key: &ApiKey) -> Decision {
    let decision = key.person.map_or_else(Decision::new, |person| Decision::new().guard(members::store::is_still_member(person)));
    decision.write(store::insert(key)).raise(ApiKeyCreated { key: key.id })
}

fn described(key: &ApiKey) -> serde_json::Value {
    serde_json::json!({"name": key.name, "scopes": key.scopes, "expiresAt": key.expires_at})
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::ids::Fixed;
    use crate::kernel::time::seconds;

    fn at(millis: i64) -> Moment<'static> {
        Moment { now: Timestamp::from_millis(millis), entropy: &Fixed }
    }

    fn maker() -> Maker {
        Maker { name: "platform".into(), person: None }
    }

    #[test]
    fn a_rotated_key_is_replaced_by_one_like_it() {
        let (old, _) = create("k", vec!["usage.read".into()], Some(Timestamp::from_millis(10_000)), maker(), at(0)).unwrap();
        let (new, ending, _) = rotate(&old, seconds(1), maker(), at(1_000)).unwrap();
        assert_eq!((&new.name, &new.scopes), (&old.name, &old.scopes));
        let time = |millis| Some(Timestamp::from_millis(millis));
        assert_eq!((ending.id, new.expires_at, ending.expires_at), (old.id, time(11_000), time(2_000)));
        let revoked = ApiKey { revoked_at: time(1), ..old };
        assert_eq!(rotate(&revoked, seconds(1), maker(), at(1_000)).unwrap_err().code, "key_ended");
    }
}
