//! Reservations: amounts held for work whose size is known afterwards. A held amount counts against the limit, not as usage.
//!
//! Invariants:
//! - What is held, what is used and what is admitted never add up to more than a hard limit, unless a settlement was allowed to.
//! - A reservation ends once: settled, released, or expired by the organization's time.
//! - The active ones are in memory, at most `ACTIVE_MAX`; those that ended are rows, kept as long as idempotency keys.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use rating::Quantity;
use serde::Deserialize;

use super::book::{optional_quantity, quantity};
use super::outcome::{Outcome, Status};
use super::rules::REMEMBERED;
use super::seat_state::is_seat;
use crate::kernel::ids::ReservationId;
use crate::kernel::sql as columns;
use crate::kernel::sql::{LocalSql, SqlError, Value, decode};
use crate::kernel::time::Timestamp;

/// Held at once by one organization, and as many seats.
pub(super) const ACTIVE_MAX: usize = 1_000;
/// Old ones that one alarm looks at; stands in the statement below as well.
const SLICE: usize = 500;

#[derive(Default)]
pub(super) struct Reservations {
    active: BTreeMap<ReservationId, Reservation>,
    held: HashMap<String, Quantity>,
    /// How many of the active ones are seats.
    seats: usize,
    /// The first to expire.
    next_expiry: Option<Timestamp>,
    /// Written when the group is.
    changed: Vec<Reservation>,
    /// Seats that are free again; their rows are deleted.
    freed: Vec<ReservationId>,
    /// Ended ones that this group names.
    ended: BTreeMap<ReservationId, Reservation>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Reservation {
    pub id: ReservationId,
    pub metric: String,
    #[serde(deserialize_with = "quantity")]
    pub amount: Quantity,
    pub status: Status,
    #[serde(with = "columns::millis")]
    pub created_at: Timestamp,
    #[serde(with = "columns::millis")]
    pub expires_at: Timestamp,
    #[serde(deserialize_with = "optional_quantity")]
    pub settled: Option<Quantity>,
    /// The outcome of the settlement, as a record.
    pub receipt: Option<String>,
}

const COLUMNS_OF_ACTIVE: &str = "SELECT id, metric, amount, status, created_at, expires_at, settled, receipt
                                 FROM reservations
                                 WHERE status = 'active' AND expires_at > ?1";
const COLUMNS_OF_ONE: &str = "SELECT id, metric, amount, status, created_at, expires_at, settled, receipt
                              FROM reservations
                              WHERE id = ?1 AND created_at > ?2";

impl Reservations {
    pub fn load<S: LocalSql>(sql: &S, now: Timestamp) -> Result<Self, SqlError> {
        let mut reservations = Self::default();
        for row in sql.run(COLUMNS_OF_ACTIVE, &[now.into()])? {
            let reservation: Reservation = decode(row)?;
            reservations.active.insert(reservation.id, reservation);
        }
        reservations.count();
        Ok(reservations)
    }

    /// Frees expired reservations, and finds those of `asked` that have ended. Called before a group is decided.
    pub fn prepare<S: LocalSql>(&mut self, sql: &S, asked: impl Iterator<Item = ReservationId>, now: Timestamp) -> Result<(), SqlError> {
        self.ended.clear();
        if self.next_expiry.is_some_and(|expiry| expiry <= now) {
            self.active.retain(|_, reservation| reservation.expires_at > now);
            self.count();
        }
        for id in asked {
            if self.active.contains_key(&id) {
                continue;
            }
            if let Some(row) = sql.run(COLUMNS_OF_ONE, &[id.into(), now.minus(REMEMBERED).into()])?.into_iter().next() {
                let mut reservation: Reservation = decode(row)?;
                if reservation.status == Status::Active {
                    reservation.status = Status::Expired;
                }
                self.ended.insert(id, reservation);
            }
        }
        Ok(())
    }

    pub fn find(&self, id: ReservationId) -> Option<&Reservation> {
        self.active.get(&id).or_else(|| self.ended.get(&id))
    }

    /// The amount that is held of a metric.
    pub fn held(&self, metric: &str) -> Quantity {
        if self.held.is_empty() { Quantity::ZERO } else { self.held.get(metric).copied().unwrap_or_default() }
    }

    pub fn is_full(&self) -> bool {
        self.active.len().saturating_sub(self.seats) >= ACTIVE_MAX
    }

    pub fn is_full_of_seats(&self) -> bool {
        self.seats >= ACTIVE_MAX
    }

    pub fn is_active(&self, id: ReservationId) -> bool {
        self.active.contains_key(&id)
    }

    /// Seats of invitations that are committed.
    pub fn confirmed_seats(&self) -> impl Iterator<Item = ReservationId> {
        self.active.values().filter(|held| is_confirmed_seat(held)).map(|held| held.id)
    }

    /// Holds exactly these seats for good, beside those that wait to be confirmed.
    pub fn keep_seats(&mut self, wanted: &BTreeSet<ReservationId>, seat: impl Fn(ReservationId) -> Reservation) {
        let over: Vec<ReservationId> = self.confirmed_seats().filter(|id| !wanted.contains(id)).collect();
        for id in over {
            self.active.remove(&id);
            self.freed.push(id);
        }
        for id in wanted {
            if !self.active.get(id).is_some_and(is_confirmed_seat) {
                let seat = seat(*id);
                self.changed.push(seat.clone());
                self.active.insert(*id, seat);
            }
        }
        self.count();
    }

    pub fn hold(&mut self, reservation: Reservation) {
        self.changed.push(reservation.clone());
        self.active.insert(reservation.id, reservation);
        self.count();
    }

    /// Ends an active one.
    pub fn end(&mut self, id: ReservationId, status: Status, settled: Option<(Quantity, &Outcome)>) {
        let Some(mut reservation) = self.active.remove(&id) else { return };
        reservation.status = status;
        reservation.settled = settled.map(|(amount, _)| amount);
        reservation.receipt = settled.map(|(_, outcome)| outcome.to_record());
        self.changed.push(reservation.clone());
        self.ended.insert(id, reservation);
        self.count();
    }

    /// Writes the changed reservations, and gives whether there were any.
    pub fn store<S: LocalSql>(&mut self, sql: &S) -> Result<bool, SqlError> {
        let is_changed = !self.changed.is_empty();
        let text = "INSERT OR REPLACE INTO reservations
                      (id, metric, amount, status, created_at, expires_at, settled, receipt)
                    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
        for reservation in self.changed.drain(..) {
            let Reservation { id, metric, amount, status, created_at, expires_at, settled, receipt } = reservation;
            let status = match status {
                Status::Settled => "settled",
                Status::Released => "released",
                Status::Active | Status::Expired => "active",
            };
            let (amount, settled) = (Value::Text(amount.to_string()), settled.map(|amount| amount.to_string()));
            let values =
                [id.into(), metric.into(), amount, status.into(), created_at.into(), expires_at.into(), settled.into(), receipt.into()];
            sql.run(text, &values)?;
        }
        for id in self.freed.drain(..) {
            sql.run("DELETE FROM reservations WHERE id = ?1", &[id.into()])?;
        }
        Ok(is_changed)
    }

    /// Deletes old ones that ended, a slice of them.
    pub fn prune<S: LocalSql>(sql: &S, now: Timestamp) -> Result<(), SqlError> {
        let rows = sql.run("SELECT id, created_at, expires_at FROM reservations ORDER BY id LIMIT 500", &[])?;
        let bound = now.minus(REMEMBERED).as_millis();
        let column = |row: &columns::Row, name: &str| row.get(name).and_then(serde_json::Value::as_i64).unwrap_or(i64::MAX);
        let is_old = |row: &&columns::Row| column(row, "created_at") <= bound && column(row, "expires_at") <= now.as_millis();
        for row in rows.iter().take(SLICE).filter(is_old) {
            let id = row.get("id").and_then(serde_json::Value::as_str).unwrap_or_default();
            sql.run("DELETE FROM reservations WHERE id = ?1", &[id.into()])?;
        }
        Ok(())
    }

    fn count(&mut self) {
        self.held.clear();
        self.seats = self.active.keys().filter(|id| is_seat(**id)).count();
        for reservation in self.active.values() {
            let held = self.held.entry(reservation.metric.clone()).or_default();
            *held = held.checked_add(reservation.amount).unwrap_or(*held);
        }
        self.next_expiry = self.active.values().map(|reservation| reservation.expires_at).min();
    }
}

/// A seat that is held until the Worker frees it.
fn is_confirmed_seat(held: &Reservation) -> bool {
    is_seat(held.id) && held.expires_at == Timestamp::LATEST
}
