//! The effect of another plan version on one subscription. Pure.

use std::collections::BTreeSet;

use rating::{Currency, Money, Quantity};
use serde_json::json;

use crate::billing::subscriptions::entitlements::allowance;
use crate::billing::subscriptions::lifecycle::Status;
use crate::billing::subscriptions::store;
use crate::billing::subscriptions::subscription::{ScheduledChange, Shape, Subscription};
use crate::catalog::plans::plan::{Plan, PlanMetric, price_of};
use crate::kernel::decision::Decision;
use crate::kernel::error::{Error, OrInternal, Result};
use crate::kernel::time::Timestamp;

/// A subscription before and after a migration.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    pub fate: Fate,
    pub to: Shape,
    /// The instant of the change: the end of the billing period.
    pub effective_at: Timestamp,
    /// The price of a billing period, with add-ons.
    pub price_before: Money,
    /// None where it is not sold.
    pub price_after: Option<Money>,
    /// The limits that differ.
    pub limits: Vec<LimitChange>,
    /// The keys of features that are lost.
    pub features_lost: Vec<String>,
}

/// The result of a migration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    Moves,
    /// The same change is scheduled already.
    Scheduled,
    /// Another change of the subscription is pending.
    Skipped(Skip),
    Refused(Obstacle),
}

/// The reason to skip a subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Skip {
    /// Another change is scheduled.
    ChangeScheduled,
    /// The subscription ends with its period, or has ended.
    Ends,
    /// The end of its period is not known.
    Paused,
}

/// The reason to refuse a subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// The plan is not sold in its currency and interval.
    NotSold,
    /// The add-on no longer exists, or is not sold in its currency and interval.
    AddOnGone(String),
}

/// A limit that differs; None is unlimited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitChange {
    pub metric: String,
    pub before: Option<Quantity>,
    pub after: Option<Quantity>,
}

impl LimitChange {
    pub fn is_lower(&self) -> bool {
        self.after.is_some_and(|after| self.before.is_none_or(|before| after < before))
    }
}

/// Compares the subscription under the version `from` with the same subscription under `to`.
pub fn compare(subscription: &Subscription, from: &Plan, to: &Plan) -> Result<Comparison> {
    let shape = Shape { plan: to.key.clone(), plan_version: to.version, ..subscription.shape.clone() };
    let obstacle = obstacle(to, &shape, subscription.currency);
    let price_after = match obstacle {
        Some(_) => None,
        None => Some(price(to, &shape, subscription.currency)?),
    };
    Ok(Comparison {
        fate: fate(subscription, &shape, obstacle),
        effective_at: subscription.current_billing_period()?.ends_at,
        price_before: price(from, &subscription.shape, subscription.currency)?,
        price_after,
        limits: limit_changes((from, &subscription.shape), (to, &shape))?,
        features_lost: features(from, &subscription.shape).difference(&features(to, &shape)).map(|key| (*key).to_owned()).collect(),
        to: shape,
    })
}

/// Schedules the change for the end of the billing period; nothing unless the result is [`Fate::Moves`].
pub fn schedule(subscription: &Subscription, comparison: &Comparison, now: Timestamp) -> Decision {
    if comparison.fate != Fate::Moves {
        return Decision::new();
    }
    let change = ScheduledChange { to: comparison.to.clone(), effective_at: comparison.effective_at, requested_at: now };
    let after = json!({"plan": change.to.plan, "planVersion": change.to.plan_version, "effectiveAt": change.effective_at});
    let before = json!({"plan": subscription.shape.plan, "planVersion": subscription.shape.plan_version});
    let next = Subscription { scheduled: Some(change), ..subscription.clone() };
    Decision::new().guard(store::unchanged(subscription)).write(store::update(&next)).audit(
        "subscription.migration_scheduled",
        subscription.id.to_string(),
        Some(before),
        Some(after),
    )
}

fn fate(subscription: &Subscription, to: &Shape, obstacle: Option<Obstacle>) -> Fate {
    match subscription.status {
        Status::Cancelled | Status::Expired => return Fate::Skipped(Skip::Ends),
        Status::Paused => return Fate::Skipped(Skip::Paused),
        Status::Trialing | Status::Active | Status::PastDue | Status::Suspended => {}
    }
    if subscription.cancellation.is_some() || !subscription.auto_renew {
        return Fate::Skipped(Skip::Ends);
    }
    match (&subscription.scheduled, obstacle) {
        (Some(scheduled), _) if scheduled.to == *to => Fate::Scheduled,
        (Some(_), _) => Fate::Skipped(Skip::ChangeScheduled),
        (None, Some(obstacle)) => Fate::Refused(obstacle),
        (None, None) => Fate::Moves,
    }
}

fn obstacle(to: &Plan, shape: &Shape, currency: Currency) -> Option<Obstacle> {
    if to.price(currency, shape.interval).is_none() {
        return Some(Obstacle::NotSold);
    }
    let is_sold = |key: &&String| to.add_on(key).is_some_and(|add_on| add_on.price(currency, shape.interval).is_some());
    shape.add_ons.keys().find(|key| !is_sold(key)).map(|key| Obstacle::AddOnGone(key.clone()))
}

/// The price of a billing period of a shape.
fn price(plan: &Plan, shape: &Shape, currency: Currency) -> Result<Money> {
    let mut sum = plan.base_price(currency, shape.interval, shape.quantity)?;
    for (key, quantity) in &shape.add_ons {
        let price = plan.add_on(key).and_then(|add_on| add_on.price(currency, shape.interval));
        let price = price.ok_or_else(|| Error::internal(format!("{key} of {} v{} is not sold", plan.key, plan.version)))?;
        let amount = price_of(price, Quantity::from(*quantity), currency)?;
        sum = sum.checked_add(amount).or_internal()?;
    }
    Ok(sum)
}

fn limit_changes((from, shape): (&Plan, &Shape), (to, next): (&Plan, &Shape)) -> Result<Vec<LimitChange>> {
    let names: BTreeSet<&str> = from.metrics.iter().chain(&to.metrics).map(|metric| metric.metric.as_str()).collect();
    let limit = |plan: &Plan, shape: &Shape, name: &str| {
        let of = |metric: &PlanMetric| allowance(plan, shape, metric).map(|allowance| allowance.limit);
        plan.metric(name).map(of).transpose().map(Option::flatten)
    };
    let mut changes = Vec::new();
    for name in names {
        let (before, after) = (limit(from, shape, name)?, limit(to, next, name)?);
        if before != after {
            changes.push(LimitChange { metric: name.to_owned(), before, after });
        }
    }
    Ok(changes)
}

fn features<'a>(plan: &'a Plan, shape: &Shape) -> BTreeSet<&'a str> {
    let brought = shape.add_ons.keys().filter_map(|key| plan.add_on(key)).flat_map(|add_on| &add_on.features);
    plan.features.iter().chain(brought).map(|feature| feature.key.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::billing::subscriptions::rules::tests::trial;
    use crate::billing::subscriptions::subscription::{Cancellation, Pause, PausePolicy};
    use crate::catalog::plans::built_in::built_in;
    use crate::catalog::plans::plan::AddOn;
    use rating::BillingInterval;

    fn version(number: u32) -> Plan {
        Plan { version: number, ..built_in("professional").unwrap() }
    }

    /// Version 2: dearer, fewer calls, users without limit, no single sign-on.
    fn second() -> Plan {
        let mut plan = version(2);
        plan.prices = built_in("enterprise").unwrap().prices;
        plan.metrics[0].limit = Some(Quantity::from(50_000));
        plan.metrics[2].limit = None;
        plan.features.retain(|feature| feature.key != "sso");
        plan
    }

    fn subscriber() -> Subscription {
        trial("2026-03-15T00:00:00Z", "UTC")
    }

    #[test]
    fn differences_between_versions_are_listed() {
        let comparison = compare(&subscriber(), &version(1), &second()).unwrap();
        assert_eq!((comparison.fate, comparison.to.plan_version), (Fate::Moves, 2));
        assert_eq!(comparison.effective_at, Timestamp::parse("2026-03-15T00:00:00Z").unwrap());
        assert_eq!((comparison.price_before.minor(), comparison.price_after.map(Money::minor)), (19_900, Some(99_900)));
        let of = |metric: &str, before: Option<i32>, after: Option<i32>| LimitChange {
            metric: metric.into(),
            before: before.map(Quantity::from),
            after: after.map(Quantity::from),
        };
        assert_eq!(comparison.limits, [of("apiCalls", Some(100_000), Some(50_000)), of("users", Some(25), None)]);
        let lower: Vec<bool> = comparison.limits.iter().map(LimitChange::is_lower).collect();
        assert_eq!(lower, [true, false]);
        assert!(of("users", None, Some(1)).is_lower());
        assert_eq!(comparison.features_lost, ["sso"]);
    }

    #[test]
    fn the_same_again_changes_nothing_but_the_version() {
        let comparison = compare(&subscriber(), &version(1), &version(2)).unwrap();
        assert_eq!((comparison.limits, comparison.features_lost), (Vec::new(), Vec::<String>::new()));
        assert_eq!(Some(comparison.price_before), comparison.price_after);
    }

    #[test]
    fn obstacles_are_listed() {
        let to = second();
        let fate = |subscriber: &Subscription| compare(subscriber, &version(1), &to).unwrap().fate;
        let in_euros = Plan { prices: vec![], ..version(2) };
        assert_eq!(compare(&subscriber(), &version(1), &in_euros).unwrap().fate, Fate::Refused(Obstacle::NotSold));
        let paused = Pause {
            paused_at: subscriber().started_at,
            resumes_at: None,
            policy: PausePolicy::KeepTime,
            billing_period: subscriber().period,
        };
        let paused = Subscription { status: Status::Paused, pause: Some(paused), ..subscriber() };
        assert_eq!(fate(&paused), Fate::Skipped(Skip::Paused));
        for status in [Status::Cancelled, Status::Expired] {
            assert_eq!(fate(&Subscription { status, ..subscriber() }), Fate::Skipped(Skip::Ends));
        }
        assert_eq!(fate(&Subscription { auto_renew: false, ..subscriber() }), Fate::Skipped(Skip::Ends));
        let at = subscriber().period.ends_at;
        let cancellation = Some(Cancellation { effective_at: at, requested_at: at, reason: None });
        assert_eq!(fate(&Subscription { cancellation, ..subscriber() }), Fate::Skipped(Skip::Ends));
        let scheduled =
            |to: Shape| Subscription { scheduled: Some(ScheduledChange { to, effective_at: at, requested_at: at }), ..subscriber() };
        let yearly = Shape { interval: BillingInterval::Year, ..subscriber().shape };
        assert_eq!(fate(&scheduled(yearly)), Fate::Skipped(Skip::ChangeScheduled));
        assert_eq!(fate(&scheduled(Shape { plan_version: 2, ..subscriber().shape })), Fate::Scheduled);
    }

    #[test]
    fn an_add_on_has_to_be_sold_still_and_counts() {
        let extra = AddOn {
            key: "extra".into(),
            name: "Extra".into(),
            prices: built_in("starter").unwrap().prices,
            limits: [("apiCalls".to_owned(), Quantity::from(1_000))].into(),
            features: Vec::new(),
        };
        let with = |plan: Plan| Plan { add_ons: vec![extra.clone()], ..plan };
        let mut subscriber = subscriber();
        subscriber.shape.add_ons.insert("extra".into(), 2);
        let comparison = compare(&subscriber, &with(version(1)), &with(second())).unwrap();
        assert_eq!(
            (comparison.price_before.minor(), comparison.price_after.map(Money::minor)),
            (24_800, Some(104_800)),
            "a flat price is one, however many"
        );
        assert_eq!(
            (comparison.limits[0].before, comparison.limits[0].after),
            (Some(Quantity::from(102_000)), Some(Quantity::from(52_000)))
        );
        let comparison = compare(&subscriber, &with(version(1)), &second()).unwrap();
        assert_eq!((comparison.fate, comparison.price_after), (Fate::Refused(Obstacle::AddOnGone("extra".into())), None));
    }

    #[test]
    fn only_what_moves_is_scheduled() {
        let (subscriber, now) = (subscriber(), Timestamp::parse("2026-03-02T00:00:00Z").unwrap());
        let comparison = compare(&subscriber, &version(1), &second()).unwrap();
        assert_ne!(schedule(&subscriber, &comparison, now), Decision::new());
        for fate in [Fate::Scheduled, Fate::Skipped(Skip::Ends), Fate::Refused(Obstacle::NotSold)] {
            assert_eq!(schedule(&subscriber, &Comparison { fate, ..comparison.clone() }, now), Decision::new());
        }
    }
}
