//! What a change in the middle of a period credits and charges.
//!
//! The old plan was paid until the end of the period; from the change on, its share goes back and the new plan's
//! share is due. A [`ProrationPolicy`] says how the shares of a period are measured: four of our own, and five
//! dialects that give the figures of other billing systems to the cent, so that a customer can move here from there.
//!
//! | policy | the new plan's and the unused share of a change | the share that the old plan used |
//! |---|---|---|
//! | `second` | (end − change) / (end − start), each truncated to whole seconds first | 1 − that |
//! | `day` | local days from the change day to the end / local days of the period | 1 − that |
//! | `day_fixed_30` | the same days / 30 for each month of the period; at most 1, and 1 on the first day | 1 − that |
//! | `none` | 0: nothing is credited, and the new price applies from the next period | 1 |
//! | `lago` | as `day`; but the day of a *termination* was used: only the days after it are unused | days up to the end |
//! | `killbill` | as `day`, rounded to 9 decimals | days before, rounded to 9 decimals |
//! | `killbill_fixed30` | Kill Bill's days of months of 30 days / 30, rounded to 9 decimals | the same |
//! | `openmeter_seconds` | as `second` | seconds before / seconds, at most 1 |
//! | `flexprice` | (days from the change to the last day + 1) / (days from the start to the last day + 1) | 1 − that |
//!
//! With days, the change day belongs to the new plan: a change on August 21 leaves 11 of 31 days to it and 20
//! to the old one, at whatever hour it happens. [`dialects`] has each dialect's formula with its source, [`killbill`]
//! also Kill Bill's billing cycles around a cycle day.
//!
//! Every share of an amount is rounded once, by [`prorate`]. Where several shares of one amount are billed, [`split`]
//! makes them sum to it.
//!
//! Architecture Invariant: a share is always from 0 to 1, and a credit is never more than what was paid.

pub mod dialects;
pub mod killbill;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::calendar::{Period, calendar_days_between, months_between};
use crate::exact::Exact;
use crate::money::{Money, MoneyError};

/// How the part of a period is measured that a change leaves to the new plan. In JSON as in the module's table.
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
    /// As Lago bills: [`dialects::lago`].
    Lago,
    /// As Kill Bill bills: [`dialects::killbill`].
    Killbill,
    /// As Kill Bill bills with `org.killbill.invoice.proration.fixed.days=30`: [`dialects::killbill_fixed30`].
    #[serde(rename = "killbill_fixed30")]
    KillbillFixed30,
    /// As OpenMeter bills: [`dialects::openmeter_seconds`].
    OpenmeterSeconds,
    /// As Flexprice bills by days: [`dialects::flexprice`].
    Flexprice,
}

/// What ends the time of the old plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ending {
    /// Another plan, price or quantity takes its place.
    Change,
    /// Nothing follows.
    Termination,
}

/// How an instant divides a period. Each share is from 0 to 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shares {
    /// What the old plan owes when it is paid in arrears.
    pub used: Exact,
    /// What goes back of the old plan when it was paid in advance.
    pub unused: Exact,
    /// What the new plan owes until the end of the period; after a termination, nothing.
    pub remaining: Exact,
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

/// How an ending at `at` divides the period; see the module for the formula of each policy. At or before the start
/// of the period nothing was used (but for Lago's termination day), at or after its end everything was.
#[must_use]
pub fn shares(period: Period, at: DateTime<Utc>, time_zone: Tz, policy: ProrationPolicy, ending: Ending) -> Shares {
    let Shares { used, unused, remaining } = match policy {
        ProrationPolicy::None => Shares { used: Exact::one(), unused: Exact::zero(), remaining: Exact::zero() },
        _ if at >= period.end() => Shares { used: Exact::one(), unused: Exact::zero(), remaining: Exact::zero() },
        ProrationPolicy::Lago => dialects::lago(period, at, time_zone, ending),
        _ if at <= period.start() => Shares { used: Exact::zero(), unused: Exact::one(), remaining: Exact::one() },
        ProrationPolicy::Second => complementary(seconds_between(at, period.end()), seconds_between(period.start(), period.end())),
        ProrationPolicy::Day => complementary(calendar_days_between(at, period.end(), time_zone), period.calendar_days(time_zone)),
        ProrationPolicy::DayFixed30 => day_fixed_30(period, at, time_zone),
        ProrationPolicy::Killbill => dialects::killbill(period, at, time_zone),
        ProrationPolicy::KillbillFixed30 => dialects::killbill_fixed30(period, at, time_zone),
        ProrationPolicy::OpenmeterSeconds => dialects::openmeter_seconds(period, at),
        ProrationPolicy::Flexprice => dialects::flexprice(period, at, time_zone),
    };
    let within = |share: Exact| share.max(Exact::zero()).min(Exact::one());
    let remaining = if ending == Ending::Termination { Exact::zero() } else { within(remaining) };
    Shares { used: within(used), unused: within(unused), remaining }
}

/// The part of the period that is left at the change, from 0 (at or after its end) to 1 (at or before its
/// start). See the module for the formula of each policy.
#[must_use]
pub fn remaining_fraction(period: Period, change_at: DateTime<Utc>, time_zone: Tz, policy: ProrationPolicy) -> Exact {
    shares(period, change_at, time_zone, policy, Ending::Change).remaining
}

/// The part of the period that the old plan used until the change.
#[must_use]
pub fn used_fraction(period: Period, change_at: DateTime<Utc>, time_zone: Tz, policy: ProrationPolicy) -> Exact {
    shares(period, change_at, time_zone, policy, Ending::Change).used
}

/// The share of an amount, rounded once, halves away from zero.
///
/// # Errors
/// The share is out of range, which takes a fraction above 1.
pub fn prorate(amount: Money, fraction: &Exact) -> Result<Money, MoneyError> {
    amount.scaled_by(fraction)
}

/// Divides the amount of a period at instants in it: what is due until the first, between each two, and from the last
/// to the end. Each part is what is due until its end less what is due until its beginning, each rounded once, so the
/// parts sum to the amount whatever the policy. Instants are taken in the order of time.
///
/// # Errors
/// Never for amounts that [`Money`] holds, but arithmetic says so with types.
pub fn split(
    amount: Money,
    period: Period,
    at: &[DateTime<Utc>],
    time_zone: Tz,
    policy: ProrationPolicy,
) -> Result<Vec<Money>, MoneyError> {
    let mut instants = at.to_vec();
    instants.sort_unstable();
    let mut before = Money::zero(amount.currency());
    let mut parts = Vec::with_capacity(instants.len().saturating_add(1));
    for instant in instants {
        let until = prorate(amount, &used_fraction(period, instant, time_zone, policy))?;
        parts.push(until.checked_sub(before)?);
        before = until;
    }
    parts.push(amount.checked_sub(before)?);
    Ok(parts)
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
    let Shares { unused, remaining, .. } = shares(period, change_at, time_zone, policy, Ending::Change);
    let nothing = Money::zero(old_price.currency());
    let credit = creditable(prorate(old_price, &unused)?, paid, nothing)?.checked_neg()?;
    let charge = prorate(new_price, &remaining)?;
    // Both lines go on one bill, so a currency that differs is refused here and not there.
    credit.checked_add(charge)?;
    Ok(ChangeLines { fraction: remaining, credit, charge })
}

/// How much of a computed credit may be given: never below zero, and with the credits given before never more
/// than what was paid. Source: Flexprice, `calculator.capCreditAmount`.
///
/// # Errors
/// The amounts are not in one currency, or out of range.
pub fn creditable(computed: Money, paid: Money, credited_before: Money) -> Result<Money, MoneyError> {
    let left = paid.checked_sub(credited_before)?;
    Ok(computed.checked_min(left)?.at_least_zero())
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

/// By calendar days of which every month has 30. A whole period is a whole price, February's 28 days included.
fn day_fixed_30(period: Period, at: DateTime<Utc>, time_zone: Tz) -> Shares {
    let days_left = calendar_days_between(at, period.end(), time_zone);
    let is_first_day = days_left >= period.calendar_days(time_zone);
    complementary(days_left, if is_first_day { days_left } else { fixed_days(period, time_zone) })
}

/// Shares of which the new plan's is `left` / `whole` and the old one's is the rest. A period within one day or
/// second can't be divided: it belongs whole to who had its start.
fn complementary(left: i64, whole: i64) -> Shares {
    let remaining = ratio(left, whole).min(Exact::one());
    Shares { used: Exact::one().minus(&remaining), unused: remaining.clone(), remaining }
}

/// `part` / `whole`, and 0 of a whole that is nothing.
fn ratio(part: i64, whole: i64) -> Exact {
    Exact::ratio(i128::from(part), i128::from(whole)).unwrap_or_else(Exact::zero)
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
