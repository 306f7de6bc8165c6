//! The reference's reservations: what is held of a metric is what its reservations hold that are neither ended nor expired.

use rating::Quantity;
use serde_json::{Value, json};
use tenantry::kernel::time::{Timestamp, days, seconds};

use super::asks::Event;
use super::history::plus;
use super::reference::{Expected, Outcome, Reference, Refusal, remaining};
use super::rules::limit_or_minus_one;

pub struct Reservation {
    pub metric: String,
    pub amount: Quantity,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    pub end: Option<End>,
}

/// How it was ended by somebody.
pub enum End {
    Settled(Quantity, Outcome),
    Released,
}

impl Reservation {
    fn status(&self, now: Timestamp) -> &'static str {
        match self.end {
            Some(End::Settled(..)) => "settled",
            Some(End::Released) => "released",
            None if self.expires_at <= now => "expired",
            None => "active",
        }
    }

    fn document(&self, id: &str, now: Timestamp) -> Value {
        let settled = match &self.end {
            Some(End::Settled(amount, _)) => Some(amount),
            _ => None,
        };
        json!({
            "$type": "Reservation", "$id": id, "metric": self.metric, "amount": self.amount, "status": self.status(now),
            "createdAt": self.created_at, "expiresAt": self.expires_at, "settledAmount": settled,
        })
    }
}

impl Reference {
    /// The amount that is held of a metric.
    pub fn held(&self, metric: &str) -> Quantity {
        let holds = self.reservations.values().filter(|held| held.metric == metric && held.status(self.now) == "active");
        holds.fold(Quantity::ZERO, |sum, held| plus(sum, held.amount))
    }

    pub fn reserve(&mut self, metric: &str, amount: Quantity, ttl: Option<i64>, id: Option<&str>) -> Result<Expected, Refusal> {
        let rule = self.rules.rule(metric, self.now).ok_or((400, "unknown_metric"))?;
        if !rule.is_additive() {
            return Err((400, "reservation_unsupported"));
        }
        let current = self.current(metric);
        let taken = plus(plus(current, self.held(metric)), amount);
        if rule.is_hard() && rule.limit.is_some_and(|limit| taken > limit) {
            return Err(self.exceeded(&rule));
        }
        let expires_at = self.now.plus(seconds(ttl.unwrap_or(300) as u64));
        let reservation = Reservation { metric: metric.to_owned(), amount, created_at: self.now, expires_at, end: None };
        let id = id.unwrap_or_default().to_owned();
        let mut body = reservation.document(&id, self.now);
        assert!(self.reservations.insert(id, reservation).is_none(), "an id is drawn once");
        let reserved = self.held(metric);
        body["reserved"] = json!(reserved);
        body["current"] = json!(current);
        body["limit"] = limit_or_minus_one(rule.limit);
        body["remaining"] = json!(remaining(current, rule.limit, reserved));
        Ok(Expected::Told { status: 201, body, replayed: false })
    }

    fn find(&self, id: &str) -> Result<&Reservation, Refusal> {
        let found = self.reservations.get(id).filter(|held| held.created_at > self.now.minus(days(35)));
        found.ok_or((404, "not_found"))
    }

    pub fn settle(&mut self, id: &str, amount: Quantity, allow_overage: bool) -> Result<Expected, Refusal> {
        let reservation = self.find(id)?;
        let metric = reservation.metric.clone();
        match (&reservation.end, reservation.status(self.now)) {
            (Some(End::Settled(settled, outcome)), _) if *settled == amount => {
                return Ok(Expected::Told { status: 200, body: self.settlement(&metric, outcome, id, true), replayed: true });
            }
            (Some(End::Settled(..)), _) => return Err((409, "reservation_settled")),
            (Some(End::Released), _) => return Err((409, "reservation_released")),
            (None, "expired") => return Err((409, "reservation_expired")),
            _ => {}
        }
        if amount > reservation.amount && !allow_overage {
            return Err((400, "settlement_exceeds_reservation"));
        }
        let (own, held) = (reservation.amount, self.held(&metric));
        let others = held.checked_sub(own).unwrap();
        let outcome = if amount.is_zero() {
            let rule = self.rules.rule(&metric, self.now).ok_or((400, "unknown_metric"))?;
            let (sequence, period) = (self.history.counted().count() as u64, self.history.period_of(self.now));
            Outcome { sequence, current: self.current(&metric), limit: rule.limit, reserved: others, period }
        } else {
            let event = Event { metric: metric.clone(), amount, key: None, timestamp: None, metadata: None };
            Outcome { reserved: others, ..self.count(&event, "settlement")? }
        };
        let body = self.settlement(&metric, &outcome, id, false);
        self.reservations.get_mut(id).unwrap().end = Some(End::Settled(amount, outcome));
        Ok(Expected::Told { status: 200, body, replayed: false })
    }

    fn settlement(&self, metric: &str, outcome: &Outcome, id: &str, replayed: bool) -> Value {
        let mut receipt = self.receipt("settlement", metric, outcome, replayed);
        receipt["reservation"] = json!(id);
        receipt
    }

    pub fn release(&mut self, id: &str) -> Result<Expected, Refusal> {
        let status = self.find(id)?.status(self.now);
        match status {
            "settled" => return Err((409, "reservation_settled")),
            "active" => self.reservations.get_mut(id).unwrap().end = Some(End::Released),
            _ => {}
        }
        Ok(Expected::Told { status: 204, body: Value::Null, replayed: false })
    }

    pub fn reservation(&self, id: &str) -> Result<Expected, Refusal> {
        let body = self.find(id)?.document(id, self.now);
        Ok(Expected::Told { status: 200, body, replayed: false })
    }
}
