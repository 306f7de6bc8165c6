//! What the Meter decides of an event: whether it counts, whether a quota allows it, and which thresholds it crosses.
//!
//! Owns: the order of checks. First the claim (a repeated request gets its first answer, whatever has changed since), then the metric,
//! the timestamp, the amount, the limit; then the count, the thresholds and the line in the log, which commit together.

use std::collections::BTreeMap;

use rating::Quantity;

use super::answers::{Answered, BatchAnswer, Rejected, body, receipt};
use super::book::{Book, Counter, Entry, Impossible};
use super::claims::{Claims, Taken, TakenEvent};
use super::facts::Facts;
use super::log::{Draft, Line, Standing};
use super::outcome::{Mode, Outcome};
use super::plan::{Period, Plan, Rule};
use super::requests::{Ask, Batch, Claim, Event, shortened};
use super::reservations::Reservations;
use super::seat_state::counted_here;
use super::uniques;
use super::uniques::Uniques;
use crate::events::{Event as BusinessEvent, UsageApproaching, UsageExceeded, UsageStarted, UsageWarning};
use crate::kernel::idempotency::mismatch;
use crate::kernel::ids::Entropy;
use crate::kernel::problem::Problem;
use crate::kernel::time::Timestamp;
use crate::meter::contract::{Aggregation, Enforcement, MetricKind};

/// Everything that one commit is decided with.
pub(super) struct Desk<'a, 'k> {
    pub plan: &'a Plan,
    pub book: &'a mut Book,
    pub facts: &'a mut Facts,
    pub reservations: &'a mut Reservations,
    pub claims: Claims<'k>,
    pub uniques: Uniques,
    pub draft: Draft,
    pub entropy: &'a dyn Entropy,
    /// The organization's time.
    pub now: Timestamp,
    pub wall: Timestamp,
}

impl<'k> Desk<'_, 'k> {
    pub fn decide(&mut self, ask: &'k Ask<'k>) -> Result<Answered, Problem> {
        match ask {
            Ask::Event(event) => {
                let (outcome, replayed) = self.event(event)?;
                Ok(receipt(self.plan, event.mode, &event.metric, &outcome, None, replayed))
            }
            Ask::Batch(batch) => self.once(batch.claim.as_ref(), |desk| desk.batch(batch)),
            Ask::Reserve(reserve) => self.once(reserve.claim.as_ref(), |desk| desk.reserve(reserve)),
            Ask::Settle(settle) => self.once(settle.claim.as_ref(), |desk| desk.settle(settle)),
            Ask::Release(id) => self.release(*id),
            Ask::Reservation(id) => self.reservation(*id),
            Ask::Quota { metric, required, explain } => self.quota(metric, *required, *explain),
            Ask::Summary => Ok(self.summary()),
        }
    }

    /// Decides a request whose whole answer is kept under its key, or gives the answer that it had.
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

    /// Counts one event, or finds the outcome that it had already (and says so).
    fn event(&mut self, event: &'k Event<'k>) -> Result<(Outcome, bool), Problem> {
        if event.amount.is_zero() && !self.plan.rule(&event.metric).is_some_and(|rule| rule.aggregation == Aggregation::Latest) {
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

    /// Counts an event that is new.
    pub fn count(&mut self, event: &Event<'_>) -> Result<Outcome, Problem> {
        let rule = self.plan.rule(&event.metric).ok_or_else(|| unknown_metric(self.plan, &event.metric))?;
        if rule.is_counted_here {
            return Err(counted_here(&event.metric));
        }
        self.count_by(rule, event)
    }

    /// Counts an event of a metric for which `rule` holds.
    pub fn count_by(&mut self, rule: &Rule, event: &Event<'_>) -> Result<Outcome, Problem> {
        let (plan, metric) = (self.plan, event.metric.as_ref());
        let at = plan.instant_of(event.timestamp, self.now)?;
        let period = plan.period_of(at);
        let amount = self.amount_of(rule, event, period)?;
        let is_current = period == plan.period_of(self.now);
        // A level goes on into the present, whenever it was changed.
        let is_held = is_current || rule.kind == MetricKind::Level;
        let reserved = if is_held { self.reservations.held(metric) } else { Quantity::ZERO };
        let account = self.book.account_mut(metric);
        let before = account.reading(rule, period);
        let draft = account.draft(rule, Entry { amount, at, period }, plan).map_err(|impossible| impossible.problem(metric, before))?;
        let held = draft.highest.checked_add(reserved).unwrap_or(draft.highest);
        if let (Some(limit), Mode::Consumption, Enforcement::Hard) = (rule.limit, event.mode, rule.enforcement)
            && !amount.is_negative()
            && held > limit
        {
            let current = if is_additive(rule) { draft.highest.checked_sub(amount).unwrap_or(before) } else { before };
            let quota = Quota { metric, kind: rule.kind, current, reserved, limit, required: event.amount };
            return Err(quota.exceeded(self.now, period));
        }
        if !account.is_started() {
            self.facts.raise(&UsageStarted { metric: metric.to_owned() }.into(), self.now, self.wall);
        }
        let current = draft.current;
        let sequence = self.draft.next_sequence();
        let counter = account.accept(draft, sequence);
        if !amount.is_negative() && is_current {
            let raised = raise_thresholds(counter, metric, rule, period, current);
            raised.iter().for_each(|fact| self.facts.raise(fact, self.now, self.wall));
        }
        let Rule { aggregation, kind, enforcement, limit, .. } = *rule;
        let standing = Standing { metric, aggregation, kind, period, limit, enforcement, mode: event.mode };
        let (key, metadata) = (event.key.as_deref(), event.metadata.as_ref().map(|metadata| metadata.text.as_str()));
        self.draft.event(standing, Line { amount, current, key, timestamp: event.timestamp, reserved, metadata });
        Ok(Outcome { sequence, current, limit: rule.limit, reserved, period })
    }

    /// The amount that an event counts for: what it says, or whether its value is new.
    fn amount_of(&mut self, rule: &Rule, event: &Event<'_>, period: Period) -> Result<Quantity, Problem> {
        let amount = event.amount;
        // Except for a settlement, which stands for as many events as it says.
        let is_one = amount == Quantity::ONE || event.mode == Mode::Settlement;
        if matches!(rule.aggregation, Aggregation::Count | Aggregation::Unique) && !is_one {
            let detail = format!("{} counts events, not amounts. Leave the amount out.", event.metric);
            return Err(Problem::refused("/amount", "amount_not_counted", detail));
        }
        if amount.is_negative() && rule.kind == MetricKind::Consumable {
            let detail = format!("{} starts anew each period and can't be lowered. Send a positive amount.", event.metric);
            return Err(Problem::refused("/amount", "amount_negative", detail));
        }
        let Some(value) = uniques::value_of(rule, event)? else { return Ok(amount) };
        if !self.uniques.is_new(&event.metric, period.starts_at, &value) {
            return Ok(Quantity::ZERO);
        }
        let is_refused = event.mode == Mode::Consumption && rule.enforcement == Enforcement::Hard;
        let current = self.book.reading(&event.metric, rule, period);
        let is_admitted = rule.limit.is_none_or(|limit| current.checked_add(amount).is_ok_and(|after| after <= limit));
        if !is_refused || is_admitted {
            self.uniques.add(&event.metric, period.starts_at, value);
        }
        Ok(amount)
    }

    /// Counts the good events of a batch and names the bad ones.
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

    /// The count in the current period.
    pub fn current(&self, metric: &str) -> Quantity {
        let period = self.plan.period_of(self.now);
        self.plan.rule(metric).map_or(Quantity::ZERO, |rule| self.book.reading(metric, rule, period))
    }
}

/// The values of unique metrics that requests may count.
pub(super) fn values_of<'a>(plan: &Plan, asks: impl Iterator<Item = &'a Ask<'a>>, now: Timestamp) -> Vec<(String, Timestamp, String)> {
    if !plan.counts_values() {
        return Vec::new();
    }
    let events = asks.flat_map(|ask| {
        let (one, many) = match ask {
            Ask::Event(event) => (Some(event), None),
            Ask::Batch(batch) => (None, Some(batch.events.iter().flatten())),
            _ => (None, None),
        };
        one.into_iter().chain(many.into_iter().flatten())
    });
    let value = |event: &Event<'_>| {
        let value = uniques::value_of(plan.rule(&event.metric)?, event).ok()??;
        let at = plan.instant_of(event.timestamp, now).ok()?;
        Some((event.metric.clone().into_owned(), plan.period_of(at).starts_at, value))
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

    /// Whether the same is asked, however it is spelled: an event of a batch and the same event alone are one request.
    fn is(&self, event: &Event<'_>) -> bool {
        let metadata = event.metadata.as_ref().map(|metadata| metadata.text.as_str());
        self.mode == event.mode
            && self.metric == event.metric
            && self.amount == event.amount
            && self.timestamp == event.timestamp
            && self.metadata.as_deref() == metadata
    }
}

struct Threshold {
    bit: u32,
    tenths: i128,
    event: fn(String, Quantity, Quantity, Timestamp) -> BusinessEvent,
}

/// Lowest first.
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

const ALL_RAISED: u32 = 7;

/// Marks each threshold that is reached and was not told in this period yet, and gives what to tell, lowest first.
fn raise_thresholds(counter: &mut Counter, metric: &str, rule: &Rule, period: Period, current: Quantity) -> Vec<BusinessEvent> {
    let Some(limit) = rule.limit.filter(|_| counter.raised != ALL_RAISED) else { return Vec::new() };
    let tenfold = current.nanos().saturating_mul(10);
    let reached = THRESHOLDS.iter().take_while(|threshold| tenfold >= limit.nanos().saturating_mul(threshold.tenths));
    let mut raised = Vec::new();
    for threshold in reached {
        if counter.raised & threshold.bit == 0 {
            counter.mark_raised(threshold.bit);
            raised.push((threshold.event)(metric.to_owned(), current, limit, period.starts_at));
        }
    }
    raised
}

/// Whether what is asked for comes on top of what is used.
pub(super) fn is_additive(rule: &Rule) -> bool {
    matches!(rule.aggregation, Aggregation::Sum | Aggregation::Count)
}

pub(super) fn unknown_metric(plan: &Plan, metric: &str) -> Problem {
    let known: Vec<&str> = plan.rules().map(|(metric, _)| metric).collect();
    let detail = format!("There is no metric {}. Use one of: {}.", shortened(metric), shortened_list(&known));
    Problem::refused("/metric", "unknown_metric", detail)
}

/// The first twenty names.
fn shortened_list(names: &[&str]) -> String {
    let shown: Vec<&str> = names.iter().take(20).copied().collect();
    if shown.len() < names.len() { format!("{}, …", shown.join(", ")) } else { shown.join(", ") }
}

impl Impossible {
    fn problem(self, metric: &str, current: Quantity) -> Problem {
        match self {
            Self::TooLarge => {
                let detail =
                    format!("With this amount {metric} would pass {}, the largest count. Send a smaller amount.", Quantity::UNITS_MAX);
                Problem::refused("/amount", "amount_too_large", detail)
            }
            Self::BelowZero => {
                let detail = format!("{metric} is at {current} and can't go below 0. Lower it by at most that.");
                Problem::refused("/amount", "level_below_zero", detail)
            }
        }
    }
}

/// A quota that does not allow what is asked.
pub(super) struct Quota<'a> {
    pub metric: &'a str,
    pub kind: MetricKind,
    pub current: Quantity,
    pub reserved: Quantity,
    pub limit: Quantity,
    pub required: Quantity,
}

impl Quota<'_> {
    /// A level is freed by the client, a period by time: so 403 for the one and 429 with `Retry-After` for the other.
    pub fn exceeded(&self, now: Timestamp, period: Period) -> Problem {
        let Self { metric, kind, current, reserved, limit, required } = self;
        let held = if reserved.is_zero() { String::new() } else { format!(", {reserved} are reserved") };
        let used = format!("{metric}: {current} of {limit} are used{held}, {required} more would pass the limit.");
        let (status, detail) = match kind {
            MetricKind::Level => (403, format!("{used} Free some, or change to a plan with a higher limit.")),
            MetricKind::Consumable => (429, format!("{used} Wait until {}, or change to a plan with a higher limit.", period.ends_at)),
        };
        let problem = Problem::new(status, "quota_exceeded", "The quota is used up", detail)
            .with_member("metric", *metric)
            .with_member("current", json(*current))
            .with_member("reserved", json(*reserved))
            .with_member("limit", json(*limit))
            .with_member("required", json(*required));
        match kind {
            MetricKind::Level => problem,
            MetricKind::Consumable => problem.with_header("Retry-After", seconds_until(now, period.ends_at).to_string()),
        }
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
