//! Counting one new event: whether it counts, whether a quota allows it, and which thresholds it crosses.
//!
//! Owns: the order of checks. First the metric, then the timestamp, the amount, the limit; then the count, the thresholds and the line in
//! the log, which commit together.

use rating::Quantity;

use super::book::{Entry, Impossible};
use super::commit_context::CommitContext;
use super::log::{Line, MetricPeriod};
use super::outcome::{Mode, Outcome};
use super::refusals::{Quota, unknown_metric};
use super::requests::Event;
use super::rules::{Period, Rule};
use super::seat_state::counted_here;
use super::thresholds::raise_thresholds;
use super::uniques;
use crate::events::UsageStarted;
use crate::kernel::problem::Problem;
use crate::meter::vocabulary::{Aggregation, Enforcement, MetricKind};

impl CommitContext<'_, '_> {
    /// Counts an event that is new.
    pub fn count(&mut self, event: &Event<'_>) -> Result<Outcome, Problem> {
        let rule = self.rules.rule(&event.metric).ok_or_else(|| unknown_metric(self.rules, &event.metric))?;
        if rule.is_counted_here {
            return Err(counted_here(&event.metric));
        }
        self.count_by(rule, event)
    }

    /// Counts an event of a metric for which `rule` holds.
    pub fn count_by(&mut self, rule: &Rule, event: &Event<'_>) -> Result<Outcome, Problem> {
        let (rules, metric) = (self.rules, event.metric.as_ref());
        let at = rules.instant_of(event.timestamp, self.now)?;
        let period = rules.period_of(at);
        let amount = self.amount_of(rule, event, period)?;
        let is_current = period == rules.period_of(self.now);
        // A change of a level reaches the present, whatever its timestamp.
        let is_held = is_current || rule.kind == MetricKind::Level;
        let reserved = if is_held { self.reservations.held(metric) } else { Quantity::ZERO };
        let account = self.book.account_mut(metric);
        let before = account.reading(rule, period);
        let draft = account.draft(rule, Entry { amount, at, period }, rules).map_err(|impossible| impossible.problem(metric, before))?;
        let held = draft.highest.checked_add(reserved).unwrap_or(draft.highest);
        if let (Some(limit), Mode::Consumption, Enforcement::Hard) = (rule.limit, event.mode, rule.enforcement)
            && !amount.is_negative()
            && held > limit
        {
            let current = if rule.is_additive() { draft.highest.checked_sub(amount).unwrap_or(before) } else { before };
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
        let metric_period = MetricPeriod { metric, aggregation, kind, period, limit, enforcement, mode: event.mode };
        let (key, metadata) = (event.key.as_deref(), event.metadata.as_ref().map(|metadata| metadata.text.as_str()));
        self.draft.event(metric_period, Line { amount, current, key, timestamp: event.timestamp, reserved, metadata });
        Ok(Outcome { sequence, current, limit: rule.limit, reserved, period })
    }

    /// The amount that an event counts for: its own amount, or of a unique metric whether its value is new.
    fn amount_of(&mut self, rule: &Rule, event: &Event<'_>, period: Period) -> Result<Quantity, Problem> {
        let amount = event.amount;
        // Except for a settlement, whose amount is its number of events.
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
