//! What a subscription entitles to, in the words of the Meter.

use super::rules::Subscription;
use crate::kernel::error::Result;
use crate::kernel::time::Timestamp;
use crate::usage::meter::{Entitlements, MetricRule};

/// Periods before the present one that late usage may still belong to (35 days back), and periods ahead of it.
const PERIODS_BACK: u32 = 3;
const PERIODS_AHEAD: u32 = 14;

/// The entitlements of `subscription`, at `clock` if it is on a test clock.
pub fn of(subscription: &Subscription, clock: Option<Timestamp>) -> Result<Entitlements> {
    let plan = subscription.pinned_plan()?;
    let metrics = plan.metrics.iter().map(|metric| (metric.metric.to_owned(), MetricRule::of(metric.kind, metric.limit))).collect();
    Ok(Entitlements {
        version: subscription.version,
        plan: subscription.plan.clone(),
        plan_version: subscription.plan_version,
        subscription_started_at: subscription.started_at,
        boundaries: boundaries(subscription)?,
        metrics,
        clock,
        rate_limits: Some(plan.rate_limits),
    })
}

/// Where periods start: the trial's start (when it is near enough), then the paid periods'.
fn boundaries(subscription: &Subscription) -> Result<Vec<Timestamp>> {
    let first = subscription.period_index.saturating_sub(PERIODS_BACK);
    let last = subscription.period_index.saturating_add(PERIODS_AHEAD);
    let mut boundaries = Vec::new();
    if first == 0 && subscription.trial_ends_at.is_some() {
        boundaries.push(subscription.started_at);
    }
    for index in first..=last {
        boundaries.push(subscription.paid_period(index)?.starts_at);
    }
    Ok(boundaries)
}

#[cfg(test)]
mod tests {
    use super::super::rules::tests::trial;
    use super::*;

    #[test]
    fn boundaries_begin_with_the_trial_and_go_a_year_ahead() {
        let subscription = trial("2026-03-15T00:00:00Z", "UTC");
        let starts: Vec<String> = of(&subscription, None).unwrap().boundaries.iter().take(3).map(|at| at.date()).collect();
        assert_eq!(starts, ["2026-03-01", "2026-03-15", "2026-04-15"]);
        assert!(of(&subscription, None).unwrap().boundaries.windows(2).all(|pair| pair[0] < pair[1]));
    }
}
