//! What a change in the middle of a period credits and charges.
//!
//! The old plan was paid until the end of the period; from the change on, its share goes back and the new plan's
//! share is due. Both shares are the same fraction of the period, and a [`ProrationPolicy`] says how it is
//! measured:
//!
//! | policy | remaining fraction |
//! |---|---|
//! | `second` | (end − change) / (end − start), each truncated to whole seconds first, as Stripe and OpenMeter do |
//! | `day` | calendar days from the change day to the end / calendar days of the period, in the customer's zone |
//! | `day_fixed_30` | the same days / 30 for each month of the period, as Kill Bill with fixed days; at most 1, and 1 on the first day |
//! | `none` | 0: nothing is credited, and the new price applies from the next period |
//!
//! With days, the change day belongs to the new plan: a change on August 21 leaves 11 of 31 days to it and 20
//! to the old one, at whatever hour it happens.
//!
//! Architecture Invariant: a fraction is always from 0 to 1, and a credit is never more than what was paid.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::calendar::{Period, calendar_days_between, months_between};
use crate::exact::Exact;
use crate::money::{Money, MoneyError};

/// How the part of a period is measured that a change leaves to the new plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProrationPolicy {
    /// By elapsed time in whole seconds.
    #[default]
    Second,
    /// By calendar days of the customer; the change day belongs to the new plan.
    Day,
    /// By calendar days, where every month counts as 30.
    #[serde(rename = "day_fixed_30")]
    DayFixed30,
    /// Not at all: nothing is credited or charged before the next period.
    None,
}

/// What a change bills at once. Either line may be zero.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeLines {
    /// The part of the period that is left to the new plan, from 0 to 1.
    pub fraction: Exact,
    /// What goes back for the old plan's unused time: zero or below.
    pub credit: Money,
    /// What is due for the new plan until the end of the period.
    pub charge: Money,
}

/// The part of the period that is left at the change, from 0 (at or after its end) to 1 (at or before its
/// start). See the module for the formula of each policy.
#[must_use]
pub fn remaining_fraction(period: Period, change_at: DateTime<Utc>, time_zone: Tz, policy: ProrationPolicy) -> Exact {
    if policy == ProrationPolicy::None || change_at >= period.end() {
        return Exact::zero();
    }
    if change_at <= period.start() {
        return Exact::one();
    }
    // Inside the period every instant is one that the calendar can compute with.
    let days_left = calendar_days_between(change_at, period.end(), time_zone);
    let days = period.calendar_days(time_zone);
    let (left, whole) = match policy {
        ProrationPolicy::Second => (seconds_between(change_at, period.end()), seconds_between(period.start(), period.end())),
        // A whole period is a whole price, February's 28 days included.
        ProrationPolicy::DayFixed30 if days_left < days => (days_left, fixed_days(period, time_zone)),
        ProrationPolicy::Day | ProrationPolicy::DayFixed30 => (days_left, days),
        ProrationPolicy::None => (0, 1),
    };
    // A period within one day or second can't be divided: it belongs whole to who had its start.
    let fraction = Exact::ratio(i128::from(left), i128::from(whole)).unwrap_or_else(Exact::zero);
    fraction.min(Exact::one())
}

/// The part of the period that the old plan used: 1 − [`remaining_fraction`].
#[must_use]
pub fn used_fraction(period: Period, change_at: DateTime<Utc>, time_zone: Tz, policy: ProrationPolicy) -> Exact {
    Exact::one().minus(&remaining_fraction(period, change_at, time_zone, policy))
}

/// The share of an amount, rounded once, halves away from zero.
///
/// # Errors
/// The share is out of range, which takes a fraction above 1.
pub fn prorate(amount: Money, fraction: &Exact) -> Result<Money, MoneyError> {
    amount.scaled_by(fraction)
}

/// The credit and the charge of a change from one price to another. `paid` is what was paid for the old plan in
/// this period and not yet credited.
///
/// # Errors
/// The three amounts are not in one currency.
pub fn change_lines(
    old_price: Money,
    new_price: Money,
    period: Period,
    change_at: DateTime<Utc>,
    time_zone: Tz,
    policy: ProrationPolicy,
    paid: Money,
) -> Result<ChangeLines, MoneyError> {
    let fraction = remaining_fraction(period, change_at, time_zone, policy);
    let unused = prorate(old_price, &fraction)?;
    let nothing = Money::zero(old_price.currency());
    let credit = creditable(unused, paid, nothing)?.checked_neg()?;
    let charge = prorate(new_price, &fraction)?;
    // Both lines go on one bill, so a currency that differs is refused here and not there.
    credit.checked_add(charge)?;
    Ok(ChangeLines { fraction, credit, charge })
}

/// How much of a computed credit may be given: never below zero, and with the credits given before never more
/// than what was paid.
///
/// # Errors
/// The amounts are not in one currency, or out of range.
pub fn creditable(computed: Money, paid: Money, credited_before: Money) -> Result<Money, MoneyError> {
    let left = paid.checked_sub(credited_before)?;
    // Subtracting proves that the currencies agree, so that minor units can be compared.
    computed.checked_sub(left)?;
    let minor = computed.minor().min(left.minor()).max(0);
    Ok(Money::new(minor, computed.currency()))
}

impl ChangeLines {
    /// What the change costs at once, or gives back when it is negative: credit plus charge.
    ///
    /// # Errors
    /// The sum is out of range.
    pub fn net(&self) -> Result<Money, MoneyError> {
        self.credit.checked_add(self.charge)
    }
}

fn seconds_between(from: DateTime<Utc>, to: DateTime<Utc>) -> i64 {
    to.timestamp().saturating_sub(from.timestamp())
}

/// Thirty days for each month between the local dates of start and end, at least one month.
fn fixed_days(period: Period, time_zone: Tz) -> i64 {
    let start = period.start().with_timezone(&time_zone).naive_local();
    let end = period.end().with_timezone(&time_zone).naive_local();
    let months = months_between(start, end).unwrap_or_default().max(1);
    i64::from(months).saturating_mul(30)
}
