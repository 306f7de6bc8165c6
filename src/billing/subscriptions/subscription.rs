//! A subscription: what is sold, for which period, and what is scheduled.

use std::collections::BTreeMap;

use rating::{BillingCalendar, BillingInterval, Currency, Quantity, Tz, parse_time_zone};
use serde::{Deserialize, Serialize};

use super::lifecycle;
use super::lifecycle::{Status, Trigger};
use crate::events::SubscriptionExpiring;
use crate::kernel::error::{OrInternal, Result};
use crate::kernel::ids::{InvoiceId, SubscriptionId, TestClockId};
use crate::kernel::period::Period;
use crate::kernel::time::{Timestamp, days};

/// The subscribed plan, quantity and add-ons. Two subscriptions of one shape cost the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Shape {
    pub plan: String,
    pub plan_version: u32,
    pub interval: BillingInterval,
    /// The quantity of the plan: seats, where it is sold per seat.
    pub quantity: u32,
    /// The quantity of each add-on, by its key; never 0.
    pub add_ons: BTreeMap<String, u32>,
}

/// The shape of a subscription from an instant up to the next phase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phase {
    pub starts_at: Timestamp,
    pub shape: Shape,
}

/// A change scheduled for the end of the billing period.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScheduledChange {
    pub to: Shape,
    pub effective_at: Timestamp,
    pub requested_at: Timestamp,
}

/// A cancellation scheduled for the end of the billing period.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Cancellation {
    pub effective_at: Timestamp,
    pub requested_at: Timestamp,
    pub reason: Option<String>,
}

/// A pause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Pause {
    pub paused_at: Timestamp,
    /// The instant at which the subscription resumes by itself; None until it is resumed.
    pub resumes_at: Option<Timestamp>,
    pub policy: PausePolicy,
    /// The interrupted billing period.
    pub billing_period: Period,
}

/// The treatment of paid time during a pause.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PausePolicy {
    /// Its price is credited, and resuming starts a new billing period.
    #[default]
    CreditUnused,
    /// It is kept: the rest of the billing period follows the pause.
    KeepTime,
}

/// An amount charged in advance that is not used up: the most that a change can credit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Advance {
    /// The plan's key, or `plan/add-on`.
    pub item: String,
    pub invoice: InvoiceId,
    /// The price of a whole billing period, before discounts.
    #[serde(default)]
    pub price_minor: i64,
    /// The charged amount, before discounts.
    #[serde(default)]
    pub charged_minor: i64,
    /// The charged amount in minor units, after discounts and before tax, less later credits.
    pub left_minor: i64,
    pub period: Period,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Subscription {
    pub id: SubscriptionId,
    pub shape: Shape,
    pub currency: Currency,
    pub status: Status,
    pub trial_ends_at: Option<Timestamp>,
    pub started_at: Timestamp,
    pub ended_at: Option<Timestamp>,
    pub time_zone: String,
    /// The instant from which paid periods are counted; None while on trial.
    pub anchored_at: Option<Timestamp>,
    /// The number of the current usage period since the anchor, from 0; 0 while on trial.
    pub period_index: u32,
    /// The usage period that limits and usage charges refer to: a month, or the trial.
    pub period: Period,
    /// The starts of earlier usage periods, oldest first, as many as late usage may belong to.
    pub earlier_periods: Vec<Timestamp>,
    pub next_billing_at: Option<Timestamp>,
    pub scheduled: Option<ScheduledChange>,
    pub cancellation: Option<Cancellation>,
    pub pause: Option<Pause>,
    pub advance: Vec<Advance>,
    /// The billed usage of the current usage period, by metric.
    pub usage_billed: BTreeMap<String, Quantity>,
    pub payment_method: Option<String>,
    pub auto_renew: bool,
    pub test_clock: Option<TestClockId>,
    pub version: i64,
}

/// The latest starts, as many as late usage may belong to.
pub(super) fn remembered(mut starts: Vec<Timestamp>) -> Vec<Timestamp> {
    let forgotten = starts.len().saturating_sub(EARLIER_PERIODS_MAX);
    starts.drain(..forgotten);
    starts
}

impl Subscription {
    /// Whether no paid period has started yet.
    pub fn is_trial(&self) -> bool {
        self.anchored_at.is_none() && self.trial_ends_at.is_some()
    }

    /// Whether a period is due for billing at `now`.
    pub fn is_due(&self, now: Timestamp) -> bool {
        self.next_billing_at.is_some_and(|due| due <= now)
    }

    pub fn zone(&self) -> Result<Tz> {
        parse_time_zone(&self.time_zone).or_internal()
    }

    /// The usage period that follows the current one: the first one after a trial, else the next.
    pub fn next_period(&self) -> Result<(u32, Period)> {
        let index = if self.is_trial() { 0 } else { self.period_index.saturating_add(1) };
        Ok((index, self.usage_period(index)?))
    }

    /// The n-th usage period. On trial: as if the trial converted at its end.
    pub fn usage_period(&self, index: u32) -> Result<Period> {
        self.nth(BillingInterval::Month, index)
    }

    /// The billing period of the n-th usage period: a month, or the year that contains the month.
    pub fn billing_period(&self, index: u32) -> Result<Period> {
        let months = months(self.shape.interval);
        self.nth(self.shape.interval, index.checked_div(months).unwrap_or(index))
    }

    /// The current billing period; the trial while on trial, the interrupted one while paused.
    pub fn current_billing_period(&self) -> Result<Period> {
        match &self.pause {
            Some(pause) => Ok(pause.billing_period),
            None if self.is_trial() => Ok(self.period),
            None => self.billing_period(self.period_index),
        }
    }

    /// The current usage period. While paused, with the end it would have had.
    pub fn current_usage_period(&self) -> Result<Period> {
        match &self.pause {
            Some(_) if !self.is_trial() => Ok(Period { ends_at: self.usage_period(self.period_index)?.ends_at, ..self.period }),
            _ => Ok(self.period),
        }
    }

    /// Whether a billing period begins with the n-th usage period.
    pub fn begins_billing_period(&self, index: u32) -> bool {
        index.checked_rem(months(self.shape.interval)) == Some(0)
    }

    fn nth(&self, interval: BillingInterval, index: u32) -> Result<Period> {
        let anchor = self.anchored_at.or(self.trial_ends_at).unwrap_or(self.started_at);
        let calendar = BillingCalendar { anchor: anchor.to_chrono(), interval, time_zone: self.zone()? };
        let period = calendar.period(index).or_internal()?;
        Ok(Period { starts_at: Timestamp::from_chrono(period.start()), ends_at: Timestamp::from_chrono(period.end()) })
    }

    /// The subscription after its current usage period: converted from a trial, or renewed.
    pub fn renewed(&self) -> Result<Subscription> {
        let (period_index, period) = self.next_period()?;
        let trigger = if self.is_trial() { Trigger::Convert } else { Trigger::Renew };
        Ok(Subscription {
            status: lifecycle::step(self.status, trigger)?,
            anchored_at: Some(self.anchored_at.unwrap_or(period.starts_at)),
            period_index,
            next_billing_at: Some(period.ends_at),
            usage_billed: BTreeMap::new(),
            version: self.version.saturating_add(1),
            ..self.moved_to(period)
        })
    }

    /// The subscription in another usage period; the start of the current one is kept.
    pub fn moved_to(&self, period: Period) -> Subscription {
        let mut earlier_periods = self.earlier_periods.clone();
        earlier_periods.push(self.period.starts_at);
        Subscription { period, earlier_periods: remembered(earlier_periods), ..self.clone() }
    }

    /// The subscription in a billing period that starts at `now`. A usage period that started this instant continues in it.
    pub fn restarted(&self, now: Timestamp) -> Result<Subscription> {
        let anchored = Subscription { anchored_at: Some(now), period_index: 0, ..self.clone() };
        let period = anchored.usage_period(0)?;
        let is_moved = self.period.starts_at < now;
        let moved = if is_moved { anchored.moved_to(period) } else { Subscription { period, ..anchored } };
        let usage_billed = if is_moved { BTreeMap::new() } else { self.usage_billed.clone() };
        Ok(Subscription { next_billing_at: Some(period.ends_at), usage_billed, ..moved })
    }

    /// The end of a paid year and the instant of its notice; None for months, and after the notice.
    pub fn expiring(&self, now: Timestamp) -> Result<Option<(Timestamp, SubscriptionExpiring)>> {
        if self.shape.interval != BillingInterval::Year || self.is_trial() {
            return Ok(None);
        }
        let ends_at = self.current_billing_period()?.ends_at;
        let at = ends_at.minus(EXPIRING_NOTICE);
        Ok((at > now).then_some((at, SubscriptionExpiring { subscription: self.id, ends_at })))
    }

    /// The usage period that starts at `starts_at`, if it is the current one or a kept one.
    pub fn period_starting(&self, starts_at: Timestamp) -> Option<Period> {
        let starts: Vec<Timestamp> = self.earlier_periods.iter().copied().chain([self.period.starts_at]).collect();
        let position = starts.iter().position(|start| *start == starts_at)?;
        let ends_at = starts.get(position.saturating_add(1)).copied().unwrap_or(self.period.ends_at);
        Some(Period { starts_at, ends_at })
    }
}

/// Usage periods in a billing period.
pub fn months(interval: BillingInterval) -> u32 {
    match interval {
        BillingInterval::Year => 12,
        BillingInterval::Quarter => 3,
        // Plans are sold per month and per year; `catalog` refuses periods shorter than a usage period.
        BillingInterval::Month | BillingInterval::Week | BillingInterval::Day => 1,
    }
}

/// The notice before a paid year ends.
pub const EXPIRING_NOTICE: std::time::Duration = days(30);

/// Starts of earlier usage periods that are kept: late usage reaches 35 days back.
pub(super) const EARLIER_PERIODS_MAX: usize = 4;
