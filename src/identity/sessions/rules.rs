//! What a session is, and how it goes on and ends.

use std::time::Duration;

use super::session::Session;
use super::store;
use crate::events::{SessionCreated, SessionEndReason, SessionEnded};
use crate::kernel::decision::Decision;
use crate::kernel::time::{Timestamp, seconds};

/// Two requests of one client may refresh at the same time: the one that comes second this soon is told so, and ends nothing.
pub const RACE_MAX: Duration = seconds(10);

/// The session that `person` begins. `email` is what they proved to have.
pub fn begin(session: &Session, email: &str) -> Decision {
    Decision::new()
        .guard(store::not_begun_yet(session.id))
        .write(store::insert(session))
        .raise(SessionCreated { session: session.id, person: session.person, email: email.to_owned() })
        .audit("session.created", session.id.to_string(), None, Some(serde_json::json!({"person": session.person})))
}

/// What comes of a refresh token.
#[derive(Clone, Debug, PartialEq)]
pub enum Refresh {
    /// It was the good one: the session goes on with the next.
    Renewed(Session, Decision),
    /// The good one was used a moment ago; whoever did it has the next.
    TooLate,
    /// It was used long ago: the session ends.
    Reused(Decision),
    /// The session is over.
    Over,
}

/// Uses the refresh token of `generation`.
pub fn refresh(session: &Session, generation: u32, now: Timestamp) -> Refresh {
    if !session.is_live(now) || generation > session.generation {
        return Refresh::Over;
    }
    if generation == session.generation {
        let next = Session { generation: generation.saturating_add(1), last_used_at: now, ..session.clone() };
        let decision = Decision::new().guard(store::unchanged(session)).write(store::renew(&next));
        return Refresh::Renewed(next, decision);
    }
    let is_race = generation.saturating_add(1) == session.generation && now < session.last_used_at.plus(RACE_MAX);
    if is_race { Refresh::TooLate } else { Refresh::Reused(end(session, SessionEndReason::TokenReused, now)) }
}

/// Ends a session; nothing to do when it has ended.
pub fn end(session: &Session, because: SessionEndReason, now: Timestamp) -> Decision {
    if session.ended.is_some() {
        return Decision::new();
    }
    Decision::new()
        .guard(store::unchanged(session))
        .write(store::end(session.id, because, now))
        .raise(SessionEnded { session: session.id, person: session.person, because })
        .audit("session.ended", session.id.to_string(), None, Some(serde_json::json!({"person": session.person, "because": because})))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::sessions::session::{IDLE_MAX, LIFETIME};
    use crate::kernel::ids::PersonId;
    use crate::kernel::ids::SessionId;
    use crate::kernel::time::{days, hours};

    const NOON: Timestamp = Timestamp::from_millis(1_800_000_000_000);

    fn session(generation: u32) -> Session {
        Session {
            id: SessionId::from_bytes([1; 16]),
            person: PersonId::from_bytes([2; 16]),
            generation,
            created_at: NOON,
            last_used_at: NOON,
            expires_at: NOON.plus(LIFETIME),
            ip: None,
            user_agent: None,
            ended: None,
        }
    }

    #[test]
    fn a_session_lives_as_long_as_it_is_used_and_no_longer_than_its_lifetime() {
        let check = |session: &Session, after: Duration, expected| assert_eq!(session.is_live(NOON.plus(after)), expected, "{after:?}");
        let unused = session(1);
        check(&unused, IDLE_MAX - seconds(1), true);
        check(&unused, IDLE_MAX, false);
        let used = Session { last_used_at: NOON.plus(days(29)), ..session(9) };
        check(&used, LIFETIME - seconds(1), true);
        check(&used, LIFETIME, false);
        let ended = Session { ended: Some((NOON, SessionEndReason::Revoked)), ..session(1) };
        check(&ended, seconds(0), false);
    }

    #[test]
    fn one_refresh_token_is_good() {
        let at = |generation, after| refresh(&session(3), generation, NOON.plus(after));
        let Refresh::Renewed(next, _) = at(3, hours(1)) else { panic!("the present one is good") };
        assert_eq!((next.generation, next.last_used_at, next.expires_at), (4, NOON.plus(hours(1)), NOON.plus(LIFETIME)));
        assert_eq!(at(2, RACE_MAX - seconds(1)), Refresh::TooLate);
        assert!(matches!(at(2, RACE_MAX), Refresh::Reused(_)));
        assert!(matches!(at(1, seconds(0)), Refresh::Reused(_)), "only the one before can be a race");
        assert_eq!(at(4, seconds(0)), Refresh::Over);
        assert_eq!(at(3, IDLE_MAX), Refresh::Over);
        assert_eq!(at(1, IDLE_MAX), Refresh::Over, "there is nothing left to end");
    }

    #[test]
    fn what_has_ended_does_not_end_again() {
        let ended = Session { ended: Some((NOON, SessionEndReason::LoggedOut)), ..session(1) };
        assert_eq!(end(&ended, SessionEndReason::Revoked, NOON), Decision::new());
    }
}
