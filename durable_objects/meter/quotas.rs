//! Answers without counting: quotas, the summary of all metrics, and the changes for the live feed.

use std::collections::BTreeMap;

use rating::Quantity;
use serde_json::Map;

use super::answers::{Answered, Explanation, MetricAnswer, MetricUsage, QuotaAnswer, Summary, body};
use super::book::Book;
use super::commit_context::CommitContext;
use super::refusals::unknown_metric;
use super::reservations::Reservations;
use super::rules::{Rule, Rules};
use crate::kernel::problem::Problem;
use crate::kernel::time::Timestamp;
use crate::meter::contract::UsageChange;
use crate::meter::vocabulary::{Aggregation, Enforcement};

impl CommitContext<'_, '_> {
    pub(super) fn quota(&self, metric: &str, amount: Quantity, explain: bool) -> Result<Answered, Problem> {
        let not_found = |problem| Problem { status: 404, errors: Vec::new(), title: "Not found", ..problem };
        let rule = self.rules.rule(metric).ok_or_else(|| not_found(unknown_metric(self.rules, metric)))?;
        let period = self.rules.text_of(self.rules.period_of(self.now));
        let (current, reserved) = (self.current(metric), self.reservations.held(metric));
        let entitlements = self.rules.entitlements();
        let explanation = || Explanation {
            plan: &entitlements.plan,
            plan_version: entitlements.plan_version,
            source: rule.source,
            enforcement: rule.enforcement,
            kind: rule.kind,
            aggregation: rule.aggregation,
            amount,
            limit: rule.base,
            grants: self.rules.grants_of(metric, self.now).map(Into::into).collect(),
        };
        let answer = QuotaAnswer {
            type_name: "QuotaCheck",
            allowed: is_allowed(rule, current, reserved, amount),
            metric,
            current,
            limit: rule.limit,
            remaining: MetricUsage::of(current, rule.limit, reserved).remaining,
            reserved,
            period: &period,
            explanation: explain.then(explanation),
        };
        Ok(Answered::ok(body(&answer)))
    }

    pub(super) fn summary(&self) -> Answered {
        let period = self.rules.text_of(self.rules.period_of(self.now));
        let metrics = metrics(self.rules, self.book, self.reservations, self.now, |_| true);
        Answered::ok(body(&Summary { kind: "UsageSummary", period: &period, metrics }))
    }
}

/// Whether `amount` would be admitted now; of a weighted sum, whether it would be at the period's start.
fn is_allowed(rule: &Rule, current: Quantity, reserved: Quantity, amount: Quantity) -> bool {
    let after = match rule.aggregation {
        _ if rule.is_additive() => current.checked_add(reserved).and_then(|taken| taken.checked_add(amount)),
        Aggregation::Max => Ok(current.max(amount)),
        Aggregation::Latest => Ok(amount),
        _ => current.checked_add(amount),
    };
    rule.enforcement == Enforcement::Soft || rule.limit.is_none_or(|limit| after.is_ok_and(|after| after <= limit))
}

fn metrics<'a>(
    rules: &'a Rules,
    book: &Book,
    reservations: &Reservations,
    now: Timestamp,
    is_wanted: impl Fn(&str) -> bool,
) -> BTreeMap<&'a str, MetricAnswer> {
    let period = rules.period_of(now);
    let answer = |metric: &str, rule: &Rule| {
        let reserved = reservations.held(metric);
        MetricAnswer { usage: MetricUsage::of(book.reading(metric, rule, period), rule.limit, reserved), reserved }
    };
    rules.iter().filter(|(metric, _)| is_wanted(metric)).map(|(metric, rule)| (metric, answer(metric, rule))).collect()
}

/// A message of the live feed: the metrics that changed after the event `since`; all of them when it is 0.
pub(super) fn changes(
    rules: &Rules,
    book: &Book,
    reservations: &Reservations,
    now: Timestamp,
    (since, sequence): (u64, u64),
) -> UsageChange {
    let moved: Vec<&str> = book.moved_since(since).collect();
    let metrics = metrics(rules, book, reservations, now, |metric| since == 0 || moved.contains(&metric));
    let metrics: Map<_, _> =
        metrics.into_iter().filter_map(|(metric, answer)| Some((metric.to_owned(), serde_json::to_value(answer).ok()?))).collect();
    let period = serde_json::to_value(rules.text_of(rules.period_of(now)).as_ref()).unwrap_or_default();
    UsageChange { kind: "UsageChange".to_owned(), period, metrics, sequence }
}
