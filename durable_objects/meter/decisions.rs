//! Decisions on hot requests: the answer to each, and the answer that is kept under its idempotency key.
//!
//! Owns: repeated requests. A repeated request gets its first answer, whatever has changed since.

use std::collections::BTreeMap;

use rating::Quantity;

use super::answers::{Answered, BatchAnswer, Rejected, body, receipt};
use super::claims::{Taken, TakenEvent};
use super::commit_context::CommitContext;
use super::outcome::Outcome;
use super::refusals::shortened;
use super::requests::{Batch, Claim, Event, Operation};
use super::rules::Rules;
use super::uniques;
use crate::kernel::idempotency::mismatch;
use crate::kernel::problem::Problem;
use crate::kernel::time::Timestamp;
use crate::meter::vocabulary::Aggregation;

impl<'k> CommitContext<'_, 'k> {
    pub fn decide(&mut self, operation: &'k Operation<'k>) -> Result<Answered, Problem> {
        match operation {
            Operation::Event(event) => {
                let (outcome, replayed) = self.event(event)?;
                Ok(receipt(self.rules, event.mode, &event.metric, &outcome, None, replayed))
            }
            Operation::Batch(batch) => self.once(batch.claim.as_ref(), |context| context.batch(batch)),
            Operation::Reserve(reserve) => self.once(reserve.claim.as_ref(), |context| context.reserve(reserve)),
            Operation::Settle(settle) => self.once(settle.claim.as_ref(), |context| context.settle(settle)),
            Operation::Release(id) => self.release(*id),
            Operation::Reservation(id) => self.reservation(*id),
            Operation::Quota { metric, amount, explain } => self.quota(metric, *amount, *explain),
            Operation::Summary => Ok(self.summary()),
        }
    }

    /// Decides a request whose whole answer is kept under its key, or gives its first answer.
    fn once(
        &mut self,
        claim: Option<&'k Claim<'k>>,
        decide: impl FnOnce(&mut Self) -> Result<Answered, Problem>,
    ) -> Result<Answered, Problem> {
        let Some(claim) = claim else { return decide(self) };
        match self.claims.taken(&claim.key) {
            Some(Taken::Answer { fingerprint, status, body }) if *fingerprint == claim.fingerprint => {
                return Ok(Answered { status: *status, body: body.clone(), replayed: true });
            }
            Some(_) => return Err(mismatch()),
            None => {}
        }
        let answered = decide(self).inspect_err(|_| self.claims.refuse(&claim.key))?;
        self.draft.answer(claim, answered.status, &answered.body);
        if self.claims.is_repeated(&claim.key) {
            let (fingerprint, body) = (claim.fingerprint.clone(), answered.body.clone());
            self.claims.note(&claim.key, Taken::Answer { fingerprint, status: answered.status, body });
        }
        Ok(answered)
    }

    /// Counts one event, or finds the outcome of its first request; the flag says which.
    fn event(&mut self, event: &'k Event<'k>) -> Result<(Outcome, bool), Problem> {
        if event.amount.is_zero() && !self.rules.rule(&event.metric).is_some_and(|rule| rule.aggregation == Aggregation::Latest) {
            event.key.as_deref().inspect(|key| self.claims.refuse(key));
            return Err(Problem::refused("/amount", "amount_zero", "An amount of 0 counts nothing. Send a positive amount."));
        }
        let Some(key) = event.key.as_deref() else { return Ok((self.count(event)?, false)) };
        if let Some(taken) = self.claims.taken(key) {
            return match taken {
                Taken::Event(taken) if taken.is(event) => Ok((taken.outcome, true)),
                _ => Err(mismatch()),
            };
        }
        let outcome = self.count(event).inspect_err(|_| self.claims.refuse(key))?;
        if self.claims.is_repeated(key) {
            self.claims.note(key, Taken::Event(Box::new(TakenEvent::from_event(event, outcome))));
        }
        Ok((outcome, false))
    }

    /// Counts the valid events of a batch and lists the invalid ones.
    fn batch(&mut self, batch: &'k Batch<'k>) -> Result<Answered, Problem> {
        let Batch { events, claim } = batch;
        let mut answer = BatchAnswer { accepted: 0, replayed: 0, rejected: Vec::new(), current: BTreeMap::new() };
        for (index, event) in events.iter().enumerate() {
            let counted = event.as_ref().map_err(Clone::clone).and_then(|event| {
                let is_batch_key = claim.as_ref().is_some_and(|whole| event.key.as_ref() == Some(&whole.key));
                let (_, replayed) = if is_batch_key { Err(mismatch()) } else { self.event(event) }?;
                Ok((event.metric.as_ref(), replayed))
            });
            match counted {
                Ok((metric, replayed)) => {
                    let count = if replayed { &mut answer.replayed } else { &mut answer.accepted };
                    *count = count.saturating_add(1);
                    if !answer.current.contains_key(metric) {
                        answer.current.insert(metric, Quantity::ZERO);
                    }
                }
                Err(problem) => answer.rejected.push(rejected(index, &problem)),
            }
        }
        for (metric, current) in &mut answer.current {
            *current = self.current(metric);
        }
        Ok(Answered::ok(body(&answer)))
    }
}

/// The values of unique metrics that requests may count.
pub(super) fn values_of<'a>(
    rules: &Rules,
    operations: impl Iterator<Item = &'a Operation<'a>>,
    now: Timestamp,
) -> Vec<(String, Timestamp, String)> {
    if !rules.counts_values() {
        return Vec::new();
    }
    let events = operations.flat_map(|operation| {
        let (one, many) = match operation {
            Operation::Event(event) => (Some(event), None),
            Operation::Batch(batch) => (None, Some(batch.events.iter().flatten())),
            _ => (None, None),
        };
        one.into_iter().chain(many.into_iter().flatten())
    });
    let value = |event: &Event<'_>| {
        let value = uniques::value_of(rules.rule(&event.metric)?, event).ok()??;
        let at = rules.instant_of(event.timestamp, now).ok()?;
        Some((event.metric.clone().into_owned(), rules.period_of(at).starts_at, value))
    };
    events.filter_map(value).collect()
}

impl TakenEvent {
    fn from_event(event: &Event<'_>, outcome: Outcome) -> Self {
        Self {
            metric: event.metric.clone().into_owned(),
            mode: event.mode,
            amount: event.amount,
            timestamp: event.timestamp,
            metadata: event.metadata.as_ref().map(|metadata| metadata.text.clone()),
            outcome,
        }
    }

    /// Whether this is the same event: one of a batch and the same event alone are one request.
    fn is(&self, event: &Event<'_>) -> bool {
        let metadata = event.metadata.as_ref().map(|metadata| metadata.text.as_str());
        self.mode == event.mode
            && self.metric == event.metric
            && self.amount == event.amount
            && self.timestamp == event.timestamp
            && self.metadata.as_deref() == metadata
    }
}

fn rejected(index: usize, problem: &Problem) -> Rejected {
    let code = problem.errors.first().map_or_else(|| problem.code.to_owned(), |error| error.code.clone());
    Rejected { index, code, detail: shortened(&problem.detail) }
}
