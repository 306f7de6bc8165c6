//! Seats: `users`, where the organization's members are known. The Worker sends the number of members, the Meter holds seats for
//! invitations, so that of two invitations for the last seat one is refused.
//!
//! Words: a *seat* is held as a reservation whose id is derived from the address it is for; it is *confirmed* by the Worker once the
//! invitation is committed, and lapses by itself if that never happens.
//! Invariants:
//! - Members, seats held and what is admitted never add up to more than a hard limit; a limit that is lowered later takes no seat away.
//! - The Worker sends all seats with a version: a call that arrives late or twice changes nothing.
//! - From the first member on, only the Worker's number changes `users`, each difference as one event of the log.

use std::collections::BTreeSet;

use rating::Quantity;
use serde_json::Value;

use super::claims::Claims;
use super::commit_context::CommitContext;
use super::memory::Memory;
use super::outcome::{Mode, Status};
use super::replies::{refused, reply};
use super::request_ids::Drawn;
use super::requests::Event;
use super::reservations::Reservation;
use super::rules::Rule;
use super::seat_state::Seats;
use super::uniques::Uniques;
use crate::catalog::metrics::keys::USERS;
use crate::kernel::ids::ReservationId;
use crate::kernel::sql::{LocalSql, SqlError};
use crate::kernel::time::{Timestamp, hours};
use crate::meter::contract::{Done, SeatHold, SeatUsage};
use crate::meter::vocabulary::{Enforcement, MetricKind};

/// How long a seat is held for an invitation that may never be committed.
const UNCONFIRMED: std::time::Duration = hours(1);

impl Memory {
    pub(super) fn hold_seat<S: LocalSql>(&mut self, sql: &S, seat: ReservationId, wall: Timestamp) -> Result<Value, SqlError> {
        let Self { rules: Some(rules), book, reservations, pruning, .. } = self else {
            return refused("not_configured", "Configure the Meter before a seat is held.");
        };
        rules.refresh(wall);
        let now = rules.now(wall);
        reservations.prepare(sql, std::iter::empty(), now)?;
        let Some(rule) = rules.rule(USERS).filter(|rule| rule.is_additive()) else {
            return reply(&SeatHold { is_held: true, taken: Quantity::ZERO, held: Quantity::ZERO, limit: None });
        };
        let taken = book.reading(USERS, rule, rules.period_of(now));
        let answer = |is_held, held| reply(&SeatHold { is_held, taken, held, limit: rule.limit });
        let held = reservations.held(USERS);
        if reservations.is_active(seat) {
            return answer(true, held);
        }
        let after = taken.checked_add(held).and_then(|taken| taken.checked_add(Quantity::ONE));
        let is_free = |limit| rule.enforcement == Enforcement::Soft || after.is_ok_and(|after| after <= limit);
        if !rule.limit.is_none_or(is_free) {
            return answer(false, held);
        }
        if reservations.is_full_of_seats() {
            return refused("too_many_seats_held", "Too many seats are held for invitations.");
        }
        reservations.hold(Reservation { expires_at: now.plus(UNCONFIRMED), ..held_seat(seat, now) });
        reservations.store(sql)?;
        pruning.expect(sql, wall)?;
        answer(true, reservations.held(USERS))
    }

    pub(super) fn put_seats<S: LocalSql>(
        &mut self,
        sql: &S,
        (version, members): (i64, u32),
        held: Vec<ReservationId>,
        wall: Timestamp,
    ) -> Result<Value, SqlError> {
        if version <= self.seats.version {
            return reply(&Done {});
        }
        self.create_tables(sql)?;
        let is_counted = self.seats.is_counted || members > 0;
        self.seats = Seats { version, members, is_counted };
        self.seats.store(sql)?;
        let now = self.rules.as_ref().map_or(wall, |rules| rules.now(wall));
        self.reservations.prepare(sql, std::iter::empty(), now)?;
        let wanted: BTreeSet<ReservationId> = held.into_iter().collect();
        self.reservations.keep_seats(&wanted, |seat| held_seat(seat, now));
        self.reservations.store(sql)?;
        if let Some(rules) = &mut self.rules {
            rules.set_counts_members(is_counted, wall);
        }
        self.count_members(sql, wall)?;
        reply(&Done {})
    }

    pub(super) fn seats<S: LocalSql>(&mut self, sql: &S, wall: Timestamp) -> Result<Value, SqlError> {
        let Seats { version, is_counted, .. } = self.seats;
        let Some(rules) = &mut self.rules else {
            return reply(&SeatUsage { version, is_counted, ..SeatUsage::default() });
        };
        rules.refresh(wall);
        let now = rules.now(wall);
        self.reservations.prepare(sql, std::iter::empty(), now)?;
        let rule = rules.rule(USERS);
        let taken = rule.map_or(Quantity::ZERO, |rule| self.book.reading(USERS, rule, rules.period_of(now)));
        let limit = rule.and_then(|rule| rule.limit);
        reply(&SeatUsage { version, is_counted, taken, held: self.reservations.confirmed_seats().collect(), limit })
    }

    /// Makes `users` the number of members: the difference is one event.
    pub(super) fn count_members<S: LocalSql>(&mut self, sql: &S, wall: Timestamp) -> Result<(), SqlError> {
        let Self { rules: Some(rules), book, log, facts, reservations, pruning, roll_up, seats, .. } = self else { return Ok(()) };
        let Some(rule) = rules.rule(USERS).filter(|rule| seats.is_counted && is_level(rule)) else { return Ok(()) };
        let now = rules.now(wall);
        let difference = Quantity::from(seats.members).checked_sub(book.reading(USERS, rule, rules.period_of(now))).unwrap_or_default();
        if difference.is_zero() {
            return Ok(());
        }
        let event = Event { mode: Mode::Usage, metric: USERS.into(), amount: difference, timestamp: None, key: None, metadata: None };
        let draft = log.draft(now);
        let (claims, uniques, entropy) = (Claims::default(), Uniques::default(), &Drawn([0; 16]));
        let mut context = CommitContext { rules: &*rules, book, facts, reservations, claims, uniques, draft, entropy, now, wall };
        // Only where the vendor's own usage in a future period stands in the way, which is temporary.
        context.count_by(rule, &event).map_err(|problem| SqlError::Unavailable(format!("members can't be counted: {}", problem.detail)))?;
        let draft = context.draft;
        log.append(sql, draft)?;
        book.store(sql)?;
        facts.store(sql)?;
        pruning.expect(sql, wall)?;
        roll_up.note(log.number, wall);
        Ok(())
    }
}

fn is_level(rule: &Rule) -> bool {
    rule.is_additive() && rule.kind == MetricKind::Level
}

/// Held until the Worker frees it.
fn held_seat(id: ReservationId, now: Timestamp) -> Reservation {
    Reservation {
        id,
        metric: USERS.to_owned(),
        amount: Quantity::ONE,
        status: Status::Active,
        created_at: now,
        expires_at: Timestamp::LATEST,
        settled: None,
        receipt: None,
    }
}
