//! How long a key is good, and what may be asked of one.

use std::time::Duration;

use crate::identity::permissions::is_scope;
use crate::kernel::problem::Problem;
use crate::kernel::time::{Timestamp, days, minutes, seconds};

const NAME_LENGTH_MAX: usize = 200;
const SCOPES_MAX: usize = 50;
/// How long the old secret stays good after a rotation, where nothing else is asked for, and at most.
pub const OVERLAP: Duration = days(1);
pub const OVERLAP_MAX: Duration = days(30);
/// A use is written down unless one was this shortly before.
const USE_NOTED_EVERY: Duration = minutes(5);

/// From when and until when a key is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetime {
    pub created_at: Timestamp,
    /// None: it does not expire.
    pub expires_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
}

/// When the two keys of a rotation end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rotation {
    pub new_expires_at: Option<Timestamp>,
    pub old_expires_at: Timestamp,
}

impl Lifetime {
    /// Whether requests may be made with the key at `now` of the wall clock.
    pub fn is_usable(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| now < end)
    }

    /// The new key is good for as long as the old one was made for. The old one ends after `overlap`, or when it would have ended anyway.
    pub fn rotate(&self, overlap: Duration, now: Timestamp) -> Result<Rotation, Problem> {
        if !self.is_usable(now) {
            return Err(Problem::conflict("key_ended", "This key is expired or revoked, so there is nothing to rotate. Create a new one."));
        }
        let until = now.plus(overlap);
        Ok(Rotation {
            new_expires_at: self.expires_at.map(|end| now.plus(self.created_at.until(end))),
            old_expires_at: self.expires_at.map_or(until, |end| end.min(until)),
        })
    }
}

/// Whether a use at `now` is to be written down, after the last one that was.
pub fn is_use_to_be_noted(last: Option<Timestamp>, now: Timestamp) -> bool {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn lifetime(expires_at: Option<i64>) -> Lifetime {
        Lifetime { created_at: Timestamp::from_millis(0), expires_at: expires_at.map(Timestamp::from_millis), revoked_at: None }
    }

    #[test]
    fn a_rotation_gives_the_new_key_the_old_ones_span() {
        let check = |expires_at: Option<i64>, overlap: u64, new_end: Option<i64>, old_end: i64| {
            let rotation = lifetime(expires_at).rotate(seconds(overlap), Timestamp::from_millis(1_000)).unwrap();
            let expected =
                Rotation { new_expires_at: new_end.map(Timestamp::from_millis), old_expires_at: Timestamp::from_millis(old_end) };
            assert_eq!(rotation, expected, "{expires_at:?} {overlap}");
        };
        check(None, 60, None, 61_000);
        check(None, 0, None, 1_000);
        check(Some(10_000), 60, Some(11_000), 10_000);
        check(Some(100_000), 60, Some(101_000), 61_000);
    }

    #[test]
    fn a_key_that_has_ended_is_not_rotated() {
        let at = Timestamp::from_millis;
        assert!(lifetime(Some(5)).rotate(OVERLAP, at(4)).is_ok());
        assert!(lifetime(Some(5)).rotate(OVERLAP, at(5)).is_err());
        let revoked = Lifetime { revoked_at: Some(at(1)), ..lifetime(None) };
        assert!(revoked.rotate(OVERLAP, at(4)).is_err() && !revoked.is_usable(at(4)));
    }

    #[test]
    fn an_overlap_is_at_most_thirty_days() {
        assert_eq!(check_overlap(None), Ok(OVERLAP));
        assert_eq!(check_overlap(Some(0)), Ok(Duration::ZERO));
        assert_eq!(check_overlap(Some(2_592_000)), Ok(OVERLAP_MAX));
        assert!(check_overlap(Some(2_592_001)).is_err() && check_overlap(Some(u64::MAX)).is_err());
    }
}
