//! How a subscription is created, with or without a trial.

use std::collections::BTreeMap;

use rating::{BillingInterval, Currency, parse_time_zone};

use super::lifecycle::Status;
use super::store;
use super::subscription::{Shape, Subscription, remembered};
use crate::catalog::plans::plan::Plan;
use crate::events::{SubscriptionCreated, TrialEnding};
use crate::kernel::decision::Decision;
use crate::kernel::error::{OrInternal, Result};
use crate::kernel::ids::{Moment, SubscriptionId, TestClockId};
use crate::kernel::period::Period;
use crate::kernel::time::{Timestamp, days};

/// The notice before a trial ends.
pub const TRIAL_ENDING_NOTICE: std::time::Duration = days(3);

/// The largest quantity of a plan or an add-on.
pub const QUANTITY_MAX: u32 = 1_000_000;

/// A subscription to create.
pub struct NewSubscription<'a> {
    pub plan: &'a Plan,
    pub currency: Currency,
    pub interval: BillingInterval,
    pub quantity: u32,
    pub add_ons: BTreeMap<String, u32>,
    pub time_zone: &'a str,
    pub test_clock: Option<TestClockId>,
    /// The previous subscription, which has ended.
    pub before: Option<&'a Subscription>,
}

/// Starts the trial of the plan now.
pub fn start_trial(new: &NewSubscription<'_>, moment: Moment<'_>) -> Result<(Subscription, Decision)> {
    let now = moment.now;
    let zone = parse_time_zone(new.time_zone).or_internal()?;
    let end = rating::trial_end(now.to_chrono(), new.plan.trial.days, zone).or_internal()?;
    let trial_ends_at = Timestamp::from_chrono(end);
    let period = Period { starts_at: now, ends_at: trial_ends_at };
    let subscription = Subscription {
        status: Status::Trialing,
        trial_ends_at: Some(trial_ends_at),
        next_billing_at: Some(trial_ends_at),
        ..begun(new, period, moment)
    };
    let ending = TrialEnding { subscription: subscription.id, trial_ends_at };
    let decision = created(&subscription, moment).later(trial_ends_at.minus(TRIAL_ENDING_NOTICE), ending);
    Ok((subscription, decision))
}

/// The commit that creates a subscription, unless another one is running by then.
pub fn created(subscription: &Subscription, moment: Moment<'_>) -> Decision {
    let Subscription { id, shape, .. } = subscription;
    let is_trial = subscription.is_trial();
    Decision::new()
        .guard(store::none_runs())
        .write(store::insert(subscription))
        .write(store::insert_phase(subscription, moment.now))
        .raise(SubscriptionCreated { subscription: *id, plan: shape.plan.clone(), is_trial })
        .audit("subscription.created", id.to_string(), None, Some(serde_json::json!({"plan": shape.plan, "isTrial": is_trial})))
}

/// A subscription that starts with `period`; the caller sets its status.
pub fn begun(new: &NewSubscription<'_>, period: Period, moment: Moment<'_>) -> Subscription {
    let shape = Shape {
        plan: new.plan.key.clone(),
        plan_version: new.plan.version,
        interval: new.interval,
        quantity: new.quantity,
        add_ons: new.add_ons.clone(),
    };
    Subscription {
        id: SubscriptionId::new(moment),
        shape,
        currency: new.currency,
        status: Status::Active,
        trial_ends_at: None,
        started_at: moment.now,
        ended_at: None,
        time_zone: new.time_zone.to_owned(),
        anchored_at: None,
        period_index: 0,
        period,
        earlier_periods: new.before.map_or_else(Vec::new, |before| periods_of(before, period.starts_at)),
        next_billing_at: None,
        scheduled: None,
        cancellation: None,
        pause: None,
        advance: Vec::new(),
        usage_billed: BTreeMap::new(),
        payment_method: None,
        auto_renew: true,
        test_clock: new.test_clock,
        // The Meter knows the version of the previous subscription; this version has to be higher.
        version: new.before.map_or(0, |before| before.version).saturating_add(1),
    }
}

/// The starts of the usage periods of an ended subscription and of the time since, so that its usage stays apart.
fn periods_of(before: &Subscription, until: Timestamp) -> Vec<Timestamp> {
    let mut starts = before.earlier_periods.clone();
    starts.extend([before.period.starts_at, before.period.ends_at]);
    starts.retain(|start| *start < until);
    remembered(starts)
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// A trial that ends at `trial_ends_at`.
    pub fn trial(trial_ends_at: &str, time_zone: &str) -> Subscription {
        let ends_at = Timestamp::parse(trial_ends_at).unwrap();
        let starts_at = ends_at.minus(days(14));
        let plan = crate::catalog::plans::built_in::built_in("professional").unwrap();
        let new = NewSubscription {
            plan: &plan,
            currency: Currency::USD,
            interval: BillingInterval::Month,
            quantity: 1,
            add_ons: BTreeMap::new(),
            time_zone,
            test_clock: None,
            before: None,
        };
        let moment = Moment { now: starts_at, entropy: &crate::kernel::ids::Fixed };
        Subscription {
            status: Status::Trialing,
            trial_ends_at: Some(ends_at),
            next_billing_at: Some(ends_at),
            ..begun(&new, Period { starts_at, ends_at }, moment)
        }
    }

    #[test]
    fn periods_follow_the_trial_and_snap_back_to_the_anchor() {
        let mut subscription = trial("2026-01-31T09:00:00Z", "UTC");
        let mut starts = Vec::new();
        for _ in 0..4 {
            let renewed = subscription.renewed().unwrap();
            assert_eq!(renewed.period.starts_at, subscription.period.ends_at, "no gap");
            assert!(!renewed.is_trial());
            starts.push(renewed.period.starts_at.date());
            subscription = renewed;
        }
        assert_eq!(starts, ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30"]);
        assert_eq!(subscription.earlier_periods.len(), 4);
        let february = subscription.period_starting(subscription.earlier_periods[2]).unwrap();
        assert_eq!((february.starts_at.date(), february.ends_at.date()), ("2026-02-28".into(), "2026-03-31".into()));
    }

    #[test]
    fn a_year_is_twelve_usage_periods() {
        let mut subscription = trial("2024-02-29T00:00:00Z", "UTC").renewed().unwrap();
        subscription.shape.interval = BillingInterval::Year;
        let year = subscription.billing_period(0).unwrap();
        assert_eq!((year.starts_at.date(), year.ends_at.date()), ("2024-02-29".into(), "2025-02-28".into()));
        assert_eq!(subscription.billing_period(11).unwrap(), year);
        assert_eq!(subscription.usage_period(12).unwrap().starts_at, year.ends_at);
        assert!(subscription.begins_billing_period(24) && !subscription.begins_billing_period(13));
    }
}
