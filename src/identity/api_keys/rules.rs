//! What an API key is, and what may be asked of one.

use std::time::Duration;

use super::api_key::ApiKey;
use super::store;
use crate::events::{ApiKeyCreated, ApiKeyRevoked, ApiKeyRotated};
use crate::identity::callers::permissions::is_scope;
use crate::kernel::decision::Decision;
use crate::kernel::ids::{KeyId, Moment, PersonId};
use crate::kernel::problem::Problem;
use crate::kernel::time::{Timestamp, days, minutes, seconds};

const NAME_LENGTH_MAX: usize = 200;
const SCOPES_MAX: usize = 50;
/// How long the old secret stays good after a rotation, where nothing else is asked for, and at most.
pub const OVERLAP: Duration = days(1);
pub const OVERLAP_MAX: Duration = days(30);
/// A use is written down unless one was this shortly before.
pub const USE_NOTED_EVERY: Duration = minutes(5);

/// Who makes a key: what stands in its row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Maker {
    pub name: String,
    pub person: Option<PersonId>,
}

/// Whether a use at `now` is to be written down, after the last one that was.
pub fn is_to_be_noted(last: Option<Timestamp>, now: Timestamp) -> bool {
    last.is_none_or(|last| last.plus(USE_NOTED_EVERY) <= now)
}

/// The name of a key or of a client, as it is kept.
pub fn check_name(name: &str) -> Result<String, Problem> {
    if name.trim().is_empty() || name.chars().count() > NAME_LENGTH_MAX {
        return Err(Problem::invalid("/name", "invalid_value", "Send a name of 1 to 200 characters."));
    }
    Ok(name.trim().to_owned())
}

pub fn check_scopes(scopes: &[String]) -> Result<(), Problem> {
    if scopes.is_empty() || scopes.len() > SCOPES_MAX {
        return Err(Problem::invalid("/scopes", "invalid_value", "Send 1 to 50 scopes; GET /v1/permissions lists them."));
    }
    match scopes.iter().position(|scope| !is_scope(scope)) {
        Some(index) => {
            Err(Problem::invalid(format!("/scopes/{index}"), "unknown_permission", "GET /v1/permissions lists the permissions."))
        }
        None => Ok(()),
    }
}

pub fn check_end(expires_at: Option<Timestamp>, now: Timestamp) -> Result<(), Problem> {
    if expires_at.is_some_and(|end| end <= now) {
        return Err(Problem::invalid("/expiresAt", "invalid_value", "Send a time in the future, or leave it out."));
    }
    Ok(())
}

/// How long the old secret is to stay good.
pub fn check_overlap(asked: Option<u64>) -> Result<Duration, Problem> {
    match asked.map(seconds) {
        None => Ok(OVERLAP),
        Some(overlap) if overlap <= OVERLAP_MAX => Ok(overlap),
        Some(_) => {
            let detail = format!("Send 0 to {} seconds; 0 ends the old secret at once.", OVERLAP_MAX.as_secs());
            Err(Problem::invalid("/overlapSeconds", "invalid_value", detail))
        }
    }
}

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
    if !old.is_usable(moment.now) {
        return Err(Problem::conflict("key_ended", "This key is expired or revoked, so there is nothing to rotate. Create a new one."));
    }
    let expires_at = old.expires_at.map(|end| moment.now.plus(old.created_at.until(end)));
    // In the hands of whoever had the old one, too: a rotation by somebody else must not let it outlive their membership.
    let maker = Maker { person: old.person.or(maker.person), ..maker };
    let key = new(old.name.clone(), old.scopes.clone(), expires_at, maker, moment);
    let until = moment.now.plus(overlap);
    let ending = ApiKey { expires_at: Some(old.expires_at.map_or(until, |end| end.min(until))), ..old.clone() };
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
    let decision = key.person.map_or_else(Decision::new, |person| Decision::new().guard(store::is_member(person)));
    decision.write(store::insert(key)).raise(ApiKeyCreated { key: key.id })
}

fn described(key: &ApiKey) -> serde_json::Value {
    serde_json::json!({"name": key.name, "scopes": key.scopes, "expiresAt": key.expires_at})
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::ids::Fixed;

    fn at(millis: i64) -> Moment<'static> {
        Moment { now: Timestamp::from_millis(millis), entropy: &Fixed }
    }

    fn maker() -> Maker {
        Maker { name: "platform".into(), person: None }
    }

    #[test]
    fn a_rotation_gives_the_new_key_the_old_ones_span() {
        let check = |expires_at: Option<i64>, overlap: u64, new_end: Option<i64>, old_end: i64| {
            let time = |millis: Option<i64>| millis.map(Timestamp::from_millis);
            let (old, _) = create("k", vec!["usage.read".into()], time(expires_at), maker(), at(0)).unwrap();
            let (new, ending, _) = rotate(&old, seconds(overlap), maker(), at(1_000)).unwrap();
            assert_eq!((new.expires_at, ending.expires_at), (time(new_end), time(Some(old_end))), "{expires_at:?} {overlap}");
            assert_eq!((&new.name, &new.scopes), (&old.name, &old.scopes));
        };
        check(None, 60, None, 61_000);
        check(None, 0, None, 1_000);
        check(Some(10_000), 60, Some(11_000), 10_000);
        check(Some(100_000), 60, Some(101_000), 61_000);
    }

    #[test]
    fn what_has_ended_is_not_rotated() {
        let (key, _) = create("k", vec!["usage.read".into()], Some(Timestamp::from_millis(5)), maker(), at(0)).unwrap();
        let revoked = ApiKey { revoked_at: Some(Timestamp::from_millis(1)), expires_at: None, ..key.clone() };
        assert!(rotate(&key, OVERLAP, maker(), at(4)).is_ok());
        assert!(rotate(&key, OVERLAP, maker(), at(5)).is_err());
        assert!(rotate(&revoked, OVERLAP, maker(), at(4)).is_err());
    }

    #[test]
    fn an_overlap_is_at_most_thirty_days() {
        assert_eq!(check_overlap(None), Ok(OVERLAP));
        assert_eq!(check_overlap(Some(0)), Ok(Duration::ZERO));
        assert_eq!(check_overlap(Some(2_592_000)), Ok(OVERLAP_MAX));
        assert!(check_overlap(Some(2_592_001)).is_err() && check_overlap(Some(u64::MAX)).is_err());
    }
}
