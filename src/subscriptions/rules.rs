//! What a subscription is, and how it goes from trial to paid period to paid period.

use rating::{BillingCalendar, BillingInterval, parse_time_zone};

use super::store;
use crate::catalog::rules::{Plan, pinned};
use crate::events::{SubscriptionCreated, TrialEnding};
use crate::kernel::decision::Decision;
use crate::kernel::error::{Error, Result};
use crate::kernel::ids::{Moment, SubscriptionId, TestClockId};
use crate::kernel::time::{Timestamp, days};

/// How long before its end a trial is announced to end.
pub const TRIAL_ENDING_NOTICE: std::time::Duration = days(3);

/// The columns' words for a subscription's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = SubscriptionStatus)]
pub enum Status {
    Active,
    Paused,
    Suspended,
    Cancelled,
}

/// A stretch of time that is counted and billed as one; includes its start, excludes its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    pub starts_at: Timestamp,
    pub ends_at: Timestamp,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Subscription {
    pub id: SubscriptionId,
    pub plan: String,
    pub plan_version: u32,
    pub status: Status,
    pub is_trial: bool,
    pub trial_ends_at: Option<Timestamp>,
    pub started_at: Timestamp,
    pub ended_at: Option<Timestamp>,
    pub billing_period: BillingInterval,
    pub time_zone: String,
    /// Where paid periods are counted from; None while on trial.
    pub anchored_at: Option<Timestamp>,
    /// Which paid period it is in, from 0; 0 while on trial.
    pub period_index: u32,
    pub period: Period,
    pub next_billing_at: Option<Timestamp>,
    pub payment_method: Option<String>,
    pub auto_renew: bool,
    pub test_clock: Option<TestClockId>,
    pub version: i64,
}

/// Starts a trial of `plan` now.
pub fn start_trial(
    plan: &Plan,
    length: std::time::Duration,
    time_zone: &str,
    test_clock: Option<TestClockId>,
    moment: Moment<'_>,
) -> Decision {
    let now = moment.now;
    let trial_ends_at = now.plus(length);
    let subscription = Subscription {
        id: SubscriptionId::new(moment),
        plan: plan.key.to_owned(),
        plan_version: plan.version,
        status: Status::Active,
        is_trial: true,
        trial_ends_at: Some(trial_ends_at),
        started_at: now,
        ended_at: None,
        billing_period: BillingInterval::Month,
        time_zone: time_zone.to_owned(),
        anchored_at: None,
        period_index: 0,
        period: Period { starts_at: now, ends_at: trial_ends_at },
        next_billing_at: Some(trial_ends_at),
        payment_method: None,
        auto_renew: true,
        test_clock,
        version: 1,
    };
    Decision::new()
        .write(store::insert(&subscription))
        .raise(SubscriptionCreated { subscription: subscription.id, plan: subscription.plan.clone(), is_trial: true })
        .later(trial_ends_at.minus(TRIAL_ENDING_NOTICE), TrialEnding { subscription: subscription.id, trial_ends_at })
        .audit("subscription.created", subscription.id.to_string(), None, Some(serde_json::json!({"plan": plan.key, "isTrial": true})))
}

impl Subscription {
    pub fn pinned_plan(&self) -> Result<Plan> {
        pinned(&self.plan, self.plan_version)
            .ok_or_else(|| Error::internal(format!("{} pins {} v{}, which is not in the catalogue", self.id, self.plan, self.plan_version)))
    }

    /// Whether the billing run has something to do at `now`.
    pub fn is_due(&self, now: Timestamp) -> bool {
        self.next_billing_at.is_some_and(|due| due <= now)
    }

    /// The paid period that starts where the present one ends: the first one after a trial, else the next.
    pub fn next_period(&self) -> Result<(u32, Period)> {
        let index = if self.is_trial { 0 } else { self.period_index.saturating_add(1) };
        Ok((index, self.paid_period(index)?))
    }

    /// The n-th paid period. On trial: as if it converted at the trial's end.
    pub fn paid_period(&self, index: u32) -> Result<Period> {
        let anchor = self.anchored_at.or(self.trial_ends_at).unwrap_or(self.started_at);
        let time_zone = parse_time_zone(&self.time_zone).map_err(|error| Error::internal(error.to_string()))?;
        let calendar = BillingCalendar { anchor: anchor.to_chrono(), interval: self.billing_period, time_zone };
        let period = calendar.period(index).map_err(|error| Error::internal(error.to_string()))?;
        Ok(Period { starts_at: Timestamp::from_chrono(period.start()), ends_at: Timestamp::from_chrono(period.end()) })
    }

    /// The subscription after its present period: converted if it was on trial, renewed otherwise.
    pub fn renewed(&self) -> Result<Subscription> {
        let (period_index, period) = self.next_period()?;
        Ok(Subscription {
            is_trial: false,
            anchored_at: Some(self.anchored_at.unwrap_or(period.starts_at)),
            period_index,
            period,
            next_billing_at: Some(period.ends_at),
            version: self.version.saturating_add(1),
            ..self.clone()
        })
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// A trial that ends at `trial_ends_at`.
    pub fn trial(trial_ends_at: &str, time_zone: &str) -> Subscription {
        let ends_at = Timestamp::parse(trial_ends_at).unwrap();
        let starts_at = ends_at.minus(days(14));
        Subscription {
            id: SubscriptionId::from_bytes([1; 16]),
            plan: "professional".into(),
            plan_version: 1,
            status: Status::Active,
            is_trial: true,
            trial_ends_at: Some(ends_at),
            started_at: starts_at,
            ended_at: None,
            billing_period: BillingInterval::Month,
            time_zone: time_zone.into(),
            anchored_at: None,
            period_index: 0,
            period: Period { starts_at, ends_at },
            next_billing_at: Some(ends_at),
            payment_method: None,
            auto_renew: true,
            test_clock: None,
            version: 1,
        }
    }

    #[test]
    fn periods_follow_the_trial_and_snap_back_to_the_anchor() {
        let mut subscription = trial("2026-01-31T09:00:00Z", "UTC");
        let mut starts = Vec::new();
        for _ in 0..4 {
            let renewed = subscription.renewed().unwrap();
            assert_eq!(renewed.period.starts_at, subscription.period.ends_at, "no gap");
            assert!(!renewed.is_trial);
            starts.push(renewed.period.starts_at.date());
            subscription = renewed;
        }
        assert_eq!(starts, ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30"]);
    }
}
