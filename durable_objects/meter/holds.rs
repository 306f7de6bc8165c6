//! Decisions on reservations: holding an amount, settling and releasing it.

use rating::Quantity;

use super::answers::{Answered, Held, MetricUsage, ReservationAnswer, body, receipt};
use super::commit_context::CommitContext;
use super::outcome::{Mode, Outcome, Status};
use super::refusals::{Quota, unknown_metric};
use super::requests::{Event, Reserve, Settle};
use super::reservations::{ACTIVE_MAX, Reservation};
use super::seat_state::{counted_here, is_seat};
use crate::kernel::ids::{Moment, ReservationId};
use crate::kernel::problem::Problem;
use crate::meter::vocabulary::Enforcement;

impl CommitContext<'_, '_> {
    pub(super) fn reserve(&mut self, reserve: &Reserve<'_>) -> Result<Answered, Problem> {
        let Reserve { metric, amount, ttl, .. } = reserve;
        let rule = self.rules.rule(metric).ok_or_else(|| unknown_metric(self.rules, metric))?;
        if rule.is_counted_here {
            return Err(counted_here(metric));
        }
        if !rule.is_additive() {
            let detail = format!("{metric} is not a sum or a count, so nothing of it can be held back. Reserve another metric.");
            return Err(Problem::refused("/metric", "reservation_unsupported", detail));
        }
        if self.reservations.is_full() {
            let detail = format!("{ACTIVE_MAX} reservations are active. Settle or release some, or let them expire sooner.");
            return Err(Problem::conflict("too_many_reservations", detail));
        }
        let (current, held) = (self.current(metric), self.reservations.held(metric));
        let after = current.checked_add(held).and_then(|taken| taken.checked_add(*amount));
        let period = self.rules.period_of(self.now);
        if let (Some(limit), Enforcement::Hard) = (rule.limit, rule.enforcement)
            && after.as_ref().map_or(true, |after| *after > limit)
        {
            return Err(Quota { metric, kind: rule.kind, current, reserved: held, limit, required: *amount }.exceeded(self.now, period));
        }
        if after.is_err() {
            let detail = "With this amount the metric would pass the largest count. Reserve less.";
            return Err(Problem::refused("/amount", "amount_too_large", detail));
        }
        let reservation = Reservation {
            id: ReservationId::new(Moment { now: self.wall, entropy: self.entropy }),
            metric: metric.clone().into_owned(),
            amount: *amount,
            status: Status::Active,
            created_at: self.now,
            expires_at: self.now.plus(*ttl),
            settled: None,
            receipt: None,
        };
        self.reservations.hold(reservation.clone());
        let reserved = self.reservations.held(metric);
        let remaining = MetricUsage::of(current, rule.limit, reserved).remaining;
        let held = Held { reserved, current, limit: rule.limit, remaining };
        Ok(Answered { status: 201, body: document(&reservation, Some(held)), replayed: false })
    }

    pub(super) fn settle(&mut self, settle: &Settle<'_>) -> Result<Answered, Problem> {
        let Settle { id, amount, allow_overage, .. } = settle;
        let reservation = self.find(*id)?.clone();
        let metric = reservation.metric.as_str();
        match reservation.status {
            Status::Active => {}
            Status::Settled => return self.settled_before(&reservation, *amount),
            Status::Released => {
                return Err(Problem::conflict(
                    "reservation_released",
                    "This reservation was released. Record the usage with POST /v1/usage.",
                ));
            }
            Status::Expired => {
                let detail = format!("This reservation expired at {}. Record the usage with POST /v1/usage.", reservation.expires_at);
                return Err(Problem::conflict("reservation_expired", detail));
            }
        }
        if *amount > reservation.amount && !allow_overage {
            let detail = format!("{} are reserved. Settle with at most that, or send \"allowOverage\": true.", reservation.amount);
            return Err(Problem::refused("/amount", "settlement_exceeds_reservation", detail));
        }
        // A settled amount is used now and no longer held.
        let outcome = if amount.is_zero() { self.nothing_counted(metric, *id)? } else { self.count_settled(metric, *amount, *id)? };
        self.reservations.end(*id, Status::Settled, Some((*amount, &outcome)));
        Ok(receipt(self.rules, Mode::Settlement, metric, &outcome, Some(*id), false))
    }

    fn count_settled(&mut self, metric: &str, amount: Quantity, id: ReservationId) -> Result<Outcome, Problem> {
        let event = Event { mode: Mode::Settlement, metric: metric.into(), amount, timestamp: None, key: None, metadata: None };
        let outcome = self.count(&event)?;
        Ok(Outcome { reserved: self.held_beside(metric, id), ..outcome })
    }

    /// What other reservations hold of the metric.
    fn held_beside(&self, metric: &str, id: ReservationId) -> Quantity {
        let own = self.reservations.find(id).map(|reservation| reservation.amount).unwrap_or_default();
        self.reservations.held(metric).checked_sub(own).unwrap_or_default()
    }

    fn nothing_counted(&self, metric: &str, id: ReservationId) -> Result<Outcome, Problem> {
        let rule = self.rules.rule(metric).ok_or_else(|| unknown_metric(self.rules, metric))?;
        let sequence = self.draft.next_sequence().saturating_sub(1);
        let (current, period) = (self.current(metric), self.rules.period_of(self.now));
        Ok(Outcome { sequence, current, limit: rule.limit, reserved: self.held_beside(metric, id), period })
    }

    fn settled_before(&self, reservation: &Reservation, amount: Quantity) -> Result<Answered, Problem> {
        let outcome = reservation.receipt.as_deref().and_then(Outcome::from_record).ok_or_else(Problem::internal)?;
        if reservation.settled == Some(amount) {
            return Ok(receipt(self.rules, Mode::Settlement, &reservation.metric, &outcome, Some(reservation.id), true));
        }
        let settled = reservation.settled.unwrap_or_default();
        Err(Problem::conflict(
            "reservation_settled",
            format!("This reservation is settled with {settled} already. Record more with POST /v1/usage."),
        ))
    }

    pub(super) fn release(&mut self, id: ReservationId) -> Result<Answered, Problem> {
        let status = self.find(id)?.status;
        match status {
            Status::Active => self.reservations.end(id, Status::Released, None),
            Status::Released | Status::Expired => {}
            Status::Settled => {
                return Err(Problem::conflict("reservation_settled", "This reservation is settled; what was counted stays."));
            }
        }
        Ok(Answered { status: 204, body: String::new(), replayed: false })
    }

    pub(super) fn reservation(&self, id: ReservationId) -> Result<Answered, Problem> {
        Ok(Answered::ok(document(self.find(id)?, None)))
    }

    fn find(&self, id: ReservationId) -> Result<&Reservation, Problem> {
        // Seats belong to invitations; no client's request ends one.
        self.reservations.find(id).filter(|found| !is_seat(found.id)).ok_or_else(|| Problem::not_found("reservation"))
    }
}

fn document(reservation: &Reservation, held: Option<Held>) -> String {
    let Reservation { id, metric, amount, status, created_at, expires_at, settled, .. } = reservation;
    body(&ReservationAnswer {
        kind: "Reservation",
        id: *id,
        metric,
        amount: *amount,
        status: *status,
        created_at: *created_at,
        expires_at: *expires_at,
        settled_amount: *settled,
        held,
    })
}
