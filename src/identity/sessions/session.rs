//! A session.

use std::time::Duration;

use crate::events::SessionEndReason;
use crate::kernel::ids::{PersonId, SessionId};
use crate::kernel::time::{Timestamp, days};

/// A session ends this long after the login, however much it is used.
pub const LIFETIME: Duration = days(30);
/// A session that is not refreshed for this long ends.
pub const IDLE_MAX: Duration = days(7);

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    pub id: SessionId,
    pub person: PersonId,
    pub generation: u32,
    pub created_at: Timestamp,
    pub last_used_at: Timestamp,
    pub expires_at: Timestamp,
    pub ip: Option<String>,
    pub user_agent: Option<String>,
    pub ended: Option<(Timestamp, SessionEndReason)>,
}

impl Session {
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.ended.is_none() && now < self.expires_at && now < self.idle_until()
    }

    /// When it ends unless it is refreshed before.
    pub fn idle_until(&self) -> Timestamp {
        self.last_used_at.plus(IDLE_MAX)
    }
}
