//! The Meter's memory: everything that SQL holds of the organization.
//!
//! Owns: the parts of the Meter's state, and reading them. Does not own: what changes them (`group.rs`, `calls.rs`, `seats.rs`).

use super::book::Book;
use super::facts::Facts;
use super::keys::Keys;
use super::log::Log;
use super::pruning::Pruning;
use super::reservations::Reservations;
use super::roll_up::RollUp;
use super::rules::Rules;
use super::schema;
use super::seat_state::Seats;
use super::status::KnownStatus;
use crate::kernel::ids::OrganizationId;
use crate::kernel::sql::{LocalSql, SqlError};
use crate::kernel::time::Timestamp;

/// The state of one Meter. `rules` is None until the organization is configured.
pub(super) struct Memory {
    pub has_tables: bool,
    pub rules: Option<Rules>,
    pub keys: Keys,
    pub book: Book,
    pub log: Log,
    pub facts: Facts,
    pub reservations: Reservations,
    pub seats: Seats,
    pub pruning: Pruning,
    pub roll_up: RollUp,
    pub status: KnownStatus,
    pub is_erased: bool,
}

impl Memory {
    pub fn loaded<'a, S: LocalSql>(
        memory: &'a mut Option<Self>,
        sql: &S,
        organization: OrganizationId,
        wall: Timestamp,
    ) -> Result<&'a mut Self, SqlError> {
        let known = match memory.take() {
            Some(known) => known,
            None => Self::load(sql, organization, wall)?,
        };
        Ok(memory.insert(known))
    }

    fn load<S: LocalSql>(sql: &S, organization: OrganizationId, wall: Timestamp) -> Result<Self, SqlError> {
        if schema::exists(sql)? {
            let (rules, log) = (Rules::load(sql, wall)?, Log::load(sql, organization)?);
            let now = rules.as_ref().map_or(wall, |rules| rules.now(wall));
            Ok(Self {
                has_tables: true,
                rules,
                keys: Keys::load(sql)?,
                book: Book::load(sql)?,
                facts: Facts::load(sql, wall)?,
                reservations: Reservations::load(sql, now)?,
                seats: Seats::load(sql)?,
                pruning: Pruning::load(sql)?,
                roll_up: RollUp::load(sql, log.number, wall)?,
                log,
                status: KnownStatus::load(sql)?,
                is_erased: false,
            })
        } else {
            Ok(Self::empty(organization, schema::is_erased(sql)?))
        }
    }

    /// The state of a Meter that is not configured yet, or that was erased.
    pub fn empty(organization: OrganizationId, is_erased: bool) -> Self {
        Self {
            has_tables: false,
            rules: None,
            keys: Keys::default(),
            book: Book::default(),
            log: Log::new(organization),
            facts: Facts::default(),
            reservations: Reservations::default(),
            seats: Seats::default(),
            pruning: Pruning::default(),
            roll_up: RollUp::default(),
            status: KnownStatus::default(),
            is_erased,
        }
    }

    /// Storage begins here: with a call, never with a hot request.
    pub fn create_tables<S: LocalSql>(&mut self, sql: &S) -> Result<(), SqlError> {
        if !self.has_tables {
            schema::create(sql)?;
            self.has_tables = true;
        }
        Ok(())
    }
}
