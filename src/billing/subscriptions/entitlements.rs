//! The entitlements of a subscription, as the Meter receives them.

use std::collections::BTreeMap;

use rating::Quantity;

use super::lifecycle::Status;
use super::subscription::{Shape, Subscription};
use crate::catalog::metrics::built_in::built_in_metrics;
use crate::catalog::plans::plan::{Plan, PlanMetric};
use crate::kernel::error::{Error, Result};
use crate::kernel::time::Timestamp;
use crate::meter::vocabulary::{Entitlements, MetricRule};

/// Future usage periods that the Meter receives.
const PERIODS_AHEAD: u32 = 14;

/// The limit and the included amount of a metric in a usage period, from the plan and its add-ons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// None when unlimited.
    pub limit: Option<Quantity>,
    pub included: Quantity,
}

/// The allowance of a metric of the plan under a shape.
pub fn allowance(plan: &Plan, shape: &Shape, metric: &PlanMetric) -> Result<Allowance> {
    let mut allowance = Allowance { limit: metric.limit, included: metric.included };
    for (key, count) in &shape.add_ons {
        let Some(one) = plan.add_on(key).and_then(|add_on| add_on.limits.get(&metric.metric)) else { continue };
        let out_of_range = || Error::internal(format!("{} of {key} are out of range", metric.metric));
        let nanos = one.nanos().checked_mul(i128::from(*count)).ok_or_else(out_of_range)?;
        let more = Quantity::from_nanos(nanos).map_err(|_| out_of_range())?;
        let raised = |amount: Quantity| amount.checked_add(more).map_err(|_| out_of_range());
        allowance = Allowance { limit: allowance.limit.map(raised).transpose()?, included: raised(allowance.included)? };
    }
    Ok(allowance)
}

/// The entitlements of `subscription` to its `plan`, at `clock` if it is on a test clock.
pub fn of(subscription: &Subscription, plan: &Plan, clock: Option<Timestamp>) -> Result<Entitlements> {
    // A metric that the plan does not mention is counted without a limit, built-in or not.
    let unlimited = built_in_metrics().into_iter().map(|metric| (metric.key, MetricRule::of(metric.kind, None)));
    let mut metrics: BTreeMap<String, MetricRule> = unlimited.collect();
    for metric in &plan.metrics {
        let rule = MetricRule {
            kind: metric.kind,
            limit: allowance(plan, &subscription.shape, metric)?.limit,
            aggregation: metric.aggregation,
            unique_property: metric.unique_property.clone(),
            enforcement: metric.enforcement,
        };
        metrics.insert(metric.metric.clone(), rule);
    }
    Ok(Entitlements {
        version: subscription.version,
        plan: subscription.shape.plan.clone(),
        plan_version: subscription.shape.plan_version,
        subscription_started_at: subscription.started_at,
        boundaries: boundaries(subscription)?,
        metrics,
        clock,
        rate_limits: Some(plan.rate_limits),
        admits_nothing: !is_in_use(subscription.status),
    })
}

/// Whether usage is admitted.
pub fn is_in_use(status: Status) -> bool {
    match status {
        Status::Trialing | Status::Active | Status::PastDue => true,
        Status::Paused | Status::Suspended | Status::Cancelled | Status::Expired => false,
    }
}

/// The starts of usage periods: earlier ones that are kept, the current one, and those of about a year ahead.
fn boundaries(subscription: &Subscription) -> Result<Vec<Timestamp>> {
    let mut boundaries = subscription.earlier_periods.clone();
    boundaries.push(subscription.period.starts_at);
    boundaries.push(subscription.period.ends_at);
    let (next, _) = subscription.next_period()?;
    for index in next..next.saturating_add(PERIODS_AHEAD) {
        let ends_at = subscription.usage_period(index)?.ends_at;
        if ends_at > subscription.period.ends_at {
            boundaries.push(ends_at);
        }
    }
    Ok(boundaries)
}

#[cfg(test)]
mod tests {
    use super::super::rules::tests::trial;
    use super::*;
    use crate::catalog::plans::built_in::built_in;

    #[test]
    fn boundaries_begin_with_the_trial_and_go_a_year_ahead() {
        let plan = built_in("professional").unwrap();
        let subscription = trial("2026-03-15T00:00:00Z", "UTC");
        let starts: Vec<String> = of(&subscription, &plan, None).unwrap().boundaries.iter().take(3).map(|at| at.date()).collect();
        assert_eq!(starts, ["2026-03-01", "2026-03-15", "2026-04-15"]);
        let renewed = subscription.renewed().unwrap().renewed().unwrap();
        let entitlements = of(&renewed, &plan, None).unwrap();
        let starts: Vec<String> = entitlements.boundaries.iter().take(4).map(|at| at.date()).collect();
        assert_eq!(starts, ["2026-03-01", "2026-03-15", "2026-04-15", "2026-05-15"]);
        assert!(entitlements.boundaries.windows(2).all(|pair| pair[0] < pair[1]) && entitlements.boundaries.len() > 14);
    }
}
