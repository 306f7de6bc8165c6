//! What the Meter decides: whether an event counts, whether a quota allows it, and which thresholds it crosses.
//!
//! Owns: the order of checks. First the claim (a repeated request gets its first answer, whatever has changed since), then the metric,
//! the timestamp, the amount, the limit; then the count, the thresholds and the claim, which commit together.

use std::collections::BTreeMap;

use rating::Quantity;

use crate::events::{Event as BusinessEvent, UsageApproaching, UsageExceeded, UsageStarted, UsageWarning};
use crate::kernel::idempotency::mismatch;
use crate::kernel::problem::Problem;
use crate::kernel::time::Timestamp;
use crate::usage::meter::{MetricKind, MetricRule};

use super::answers::{Answered, BatchAnswer, Explanation, Outcome, QuotaAnswer, Rejected, Standing, Summary, body, receipt};
use super::book::{Book, Impossible};
use super::facts::Facts;
use super::plan::{Period, Plan};
use super::replays::Claims;
use super::requests::{Ask, Batch, Event, Mode, shortened};

/// Everything that one group is decided with.
pub(super) struct Desk<'a> {
    pub plan: &'a Plan,
    pub book: &'a mut Book,
    pub facts: &'a mut Facts,
    pub claims: &'a mut Claims,
    /// The organization's time.
    pub now: Timestamp,
    pub wall: Timestamp,
}

impl Desk<'_> {
    pub fn decide(&mut self, ask: Ask) -> Result<Answered, Problem> {
        match ask {
            Ask::Event(mode, event) => {
                let (outcome, replayed) = self.event(mode, &event)?;
                Ok(receipt(self.plan, mode, &event.metric, &outcome, replayed))
            }
            Ask::Batch(batch) => self.batch(batch),
            Ask::Quota { metric, required, explain } => self.quota(&metric, required, explain),
            Ask::Summary => Ok(self.summary()),
        }
    }

    /// Counts one event, or finds the outcome that it had already (and says so).
    fn event(&mut self, mode: Mode, event: &Event) -> Result<(Outcome, bool), Problem> {
        if let Some(claim) = &event.claim
            && let Some(record) = self.claims.recorded(claim)?
        {
            let outcome = Outcome::from_record(record).ok_or_else(Problem::internal)?;
            return Ok((outcome, true));
        }
        let rule = self.plan.rule(&event.metric).ok_or_else(|| unknown_metric(self.plan, &event.metric))?;
        let instant = self.plan.instant_of(event.timestamp, self.now)?;
        let period = self.plan.period_of(instant);
        self.check_amount(mode, rule, event, period)?;
        if !self.book.is_started(&event.metric) {
            self.raise(UsageStarted { metric: event.metric.clone() });
        }
        self.book.record(&event.metric, rule.kind, period.starts_at, event.amount);
        let current = self.book.reading(&event.metric, rule.kind, period.starts_at);
        if !event.amount.is_negative() && period == self.plan.period_of(self.now) {
            self.raise_thresholds(&event.metric, rule, period, current);
        }
        let outcome = Outcome { sequence: self.book.sequence, current, limit: rule.limit, period };
        if let Some(claim) = &event.claim {
            self.claims.record(claim, &outcome.to_record());
        }
        Ok((outcome, false))
    }

    fn check_amount(&self, mode: Mode, rule: &MetricRule, event: &Event, period: Period) -> Result<(), Problem> {
        let amount = event.amount;
        if amount.is_negative() && rule.kind == MetricKind::Consumable {
            let detail = format!("{} starts anew each period and can't be lowered. Send a positive amount.", event.metric);
            return Err(Problem::refused("/amount", "amount_negative", detail));
        }
        let highest =
            self.book.highest_after(&event.metric, rule.kind, period.starts_at, amount).map_err(|impossible| match impossible {
                Impossible::TooLarge => {
                    let detail = format!(
                        "With this amount {} would pass {}, the largest count. Send a smaller amount.",
                        event.metric,
                        Quantity::UNITS_MAX
                    );
                    Problem::refused("/amount", "amount_too_large", detail)
                }
                Impossible::BelowZero => {
                    let current = self.book.reading(&event.metric, rule.kind, period.starts_at);
                    let detail = format!("{} is at {current} and can't go below 0. Lower it by at most that.", event.metric);
                    Problem::refused("/amount", "level_below_zero", detail)
                }
            })?;
        match rule.limit {
            Some(limit) if mode == Mode::Consumption && !amount.is_negative() && highest > limit => {
                Err(quota_exceeded(event, rule.kind, highest, limit, self.now, period))
            }
            _ => Ok(()),
        }
    }

    /// Tells each threshold that is reached and was not told in this period yet, lowest first.
    fn raise_thresholds(&mut self, metric: &str, rule: &MetricRule, period: Period, current: Quantity) {
        let Some(limit) = rule.limit else { return };
        for threshold in THRESHOLDS {
            let is_reached = current.nanos().saturating_mul(10) >= limit.nanos().saturating_mul(threshold.tenths);
            let raised = self.book.open(metric, rule.kind, period.starts_at).raised;
            if is_reached && raised & threshold.bit == 0 {
                self.book.open(metric, rule.kind, period.starts_at).raised = raised | threshold.bit;
                self.raise((threshold.event)(metric.to_owned(), current, limit, period.starts_at));
            }
        }
    }

    fn raise(&mut self, event: impl Into<BusinessEvent>) {
        self.facts.raise(&event.into(), self.now, self.wall);
    }

    /// Counts the good events of a batch and names the bad ones.
    fn batch(&mut self, batch: Batch) -> Result<Answered, Problem> {
        let Batch { events, claim } = batch;
        if let Some(claim) = &claim
            && let Some(record) = self.claims.recorded(claim)?
        {
            return Ok(Answered { body: record.to_owned(), replayed: true });
        }
        let mut answer = BatchAnswer { accepted: 0, replayed: 0, rejected: Vec::new(), current: BTreeMap::new() };
        for (index, event) in events.into_iter().enumerate() {
            let counted = event.and_then(|event| {
                let is_batch_key = claim.as_ref().zip(event.claim.as_ref()).is_some_and(|(whole, own)| whole.key == own.key);
                let (_, replayed) = if is_batch_key { Err(mismatch()) } else { self.event(Mode::Usage, &event) }?;
                Ok((event.metric, replayed))
            });
            match counted {
                Ok((metric, replayed)) => {
                    let count = if replayed { &mut answer.replayed } else { &mut answer.accepted };
                    *count = count.saturating_add(1);
                    if let Some((metric, _)) = self.plan.entitlements().metrics.get_key_value(&metric) {
                        answer.current.insert(metric, Quantity::ZERO);
                    }
                }
                Err(problem) => answer.rejected.push(rejected(index, &problem)),
            }
        }
        for (metric, current) in &mut answer.current {
            *current = self.current(metric);
        }
        let body = body(&answer);
        if let Some(claim) = &claim {
            self.claims.record(claim, &body);
        }
        Ok(Answered { body, replayed: false })
    }

    /// The count in the current period.
    fn current(&self, metric: &str) -> Quantity {
        let starts_at = self.plan.period_of(self.now).starts_at;
        self.plan.rule(metric).map_or(Quantity::ZERO, |rule| self.book.reading(metric, rule.kind, starts_at))
    }

    fn quota(&self, metric: &str, required: Quantity, explain: bool) -> Result<Answered, Problem> {
        let rule = self.plan.rule(metric).ok_or_else(|| Problem {
            status: 404,
            errors: Vec::new(),
            title: "Not found",
            ..unknown_metric(self.plan, metric)
        })?;
        let period = self.plan.text_of(self.plan.period_of(self.now));
        let current = self.current(metric);
        let entitlements = self.plan.entitlements();
        let answer = QuotaAnswer {
            type_name: "QuotaCheck",
            allowed: rule.limit.is_none_or(|limit| current.checked_add(required).is_ok_and(|after| after <= limit)),
            metric,
            current,
            limit: rule.limit,
            remaining: QuotaAnswer::remaining(current, rule.limit),
            period: &period,
            explanation: explain.then_some(Explanation {
                plan: &entitlements.plan,
                plan_version: entitlements.plan_version,
                source: "plan",
                kind: rule.kind,
                required,
            }),
        };
        Ok(Answered { body: body(&answer), replayed: false })
    }

    fn summary(&self) -> Answered {
        let period = self.plan.text_of(self.plan.period_of(self.now));
        let metrics = self.plan.entitlements().metrics.iter();
        let metrics = metrics.map(|(metric, rule)| (metric.as_str(), Standing::of(self.current(metric), rule.limit))).collect();
        Answered { body: body(&Summary { kind: "UsageSummary", period: &period, metrics }), replayed: false }
    }
}

struct Threshold {
    bit: u32,
    tenths: i128,
    event: fn(String, Quantity, Quantity, Timestamp) -> BusinessEvent,
}

const THRESHOLDS: [Threshold; 3] = [
    Threshold {
        bit: 1,
        tenths: 8,
        event: |metric, current, limit, period_starts_at| UsageApproaching { metric, current, limit, period_starts_at }.into(),
    },
    Threshold {
        bit: 2,
        tenths: 9,
        event: |metric, current, limit, period_starts_at| UsageWarning { metric, current, limit, period_starts_at }.into(),
    },
    Threshold {
        bit: 4,
        tenths: 10,
        event: |metric, current, limit, period_starts_at| UsageExceeded { metric, current, limit, period_starts_at }.into(),
    },
];

fn unknown_metric(plan: &Plan, metric: &str) -> Problem {
    let known: Vec<&str> = plan.entitlements().metrics.keys().map(String::as_str).collect();
    let detail = format!("There is no metric {} in this plan. Use one of: {}.", shortened(metric), known.join(", "));
    Problem::refused("/metric", "unknown_metric", detail)
}

/// A level is freed by the client, a period by time: so 403 for the one and 429 with `Retry-After` for the other.
fn quota_exceeded(event: &Event, kind: MetricKind, highest: Quantity, limit: Quantity, now: Timestamp, period: Period) -> Problem {
    let Event { metric, amount, .. } = event;
    let current = highest.checked_sub(*amount).unwrap_or(highest);
    let used = format!("{metric}: {current} of {limit} are used, {amount} more would pass the limit.");
    let (status, detail) = match kind {
        MetricKind::Level => (403, format!("{used} Free some, or change to a plan with a higher limit.")),
        MetricKind::Consumable => (429, format!("{used} Wait until {}, or change to a plan with a higher limit.", period.ends_at)),
    };
    let problem = Problem::new(status, "quota_exceeded", "The quota is used up", detail)
        .with_member("metric", metric.as_str())
        .with_member("current", json(current))
        .with_member("limit", json(limit))
        .with_member("required", json(*amount));
    match kind {
        MetricKind::Level => problem,
        MetricKind::Consumable => problem.with_header("Retry-After", seconds_until(now, period.ends_at).to_string()),
    }
}

/// Whole seconds, a started one counts; at least one.
fn seconds_until(now: Timestamp, end: Timestamp) -> u128 {
    now.until(end).as_millis().div_ceil(1_000).max(1)
}

fn json(quantity: Quantity) -> serde_json::Value {
    serde_json::to_value(quantity).unwrap_or_default()
}

fn rejected(index: usize, problem: &Problem) -> Rejected {
    let code = problem.errors.first().map_or_else(|| problem.code.to_owned(), |error| error.code.clone());
    Rejected { index, code, detail: shortened(&problem.detail) }
}
