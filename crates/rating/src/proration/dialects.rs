//! How other billing systems divide a period: each dialect's formula, where it stands, and where it differs from
//! `second` and `day`. Read in the sources of August 2026; formulas are facts, the code is ours.
//!
//! Every function expects an instant inside of the period; [`shares`](super::shares) sees to that and keeps all
//! shares between 0 and 1. Periods are half-open, so a period whose last day is March 31 ends on April 1.

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;

use super::{Ending, Shares, complementary, fixed_days, ratio, seconds_between};
use crate::calendar::{Period, calendar_days_between};
use crate::exact::Exact;

/// Lago: fee = round(days × plan amount / days of the whole period). Days are those of the customer's time zone,
/// first and last included.
///
/// - The day of a change belongs to the new plan: the old one used the days before it, and the days from it on are
///   unused and the new plan's.
/// - The day of a termination was used: the plan owes it, and only the days after it are unused.
/// - A period is measured whole, also when the subscription began in the middle of it (365 or 366 days for a year).
///
/// Source: getlago/lago-api, `Fees::SubscriptionService` (`terminated_amount`, `upgraded_amount`),
/// `CreditNotes::CreateFromTermination#remaining_duration`, `Utils::Datetime.date_diff_with_timezone` (rounds up to
/// whole days, so both ends count), `Subscriptions::Dates::*Service#compute_duration`. Lago multiplies floats; here
/// the share is exact.
#[must_use]
pub fn lago(period: Period, at: DateTime<Utc>, time_zone: Tz, ending: Ending) -> Shares {
    if at < period.start() {
        return Shares { used: Exact::zero(), unused: Exact::one(), remaining: Exact::one() };
    }
    let days = period.calendar_days(time_zone);
    let before = calendar_days_between(period.start(), at, time_zone);
    let used = before.saturating_add(i64::from(ending == Ending::Termination));
    complementary(days.saturating_sub(used), days)
}

/// Kill Bill: item = round(rate × round9(days / days of the period)), where round9 keeps nine decimals, halves up.
/// Intervals include their first day and exclude their last, in the account's time zone, so the day of a change or
/// a cancellation belongs to what follows. Used and unused share are rounded apart: 7/31 and 24/31 sum to
/// 1.000000000 here, 1/3 and 2/3 do not have to elsewhere. What was paid and is not used goes back as REPAIR_ADJ, at
/// most what is left of the item after adjustments ([`creditable`](super::creditable)).
///
/// Source: killbill/killbill, `InvoiceDateUtils.calculateProrationBetweenDates`, `KillBillMoney.MAX_SCALE` and
/// `FixedAndRecurringInvoiceItemGenerator`; the repaired part by the same function in `tree/Item`.
#[must_use]
pub fn killbill(period: Period, at: DateTime<Utc>, time_zone: Tz) -> Shares {
    let days = period.calendar_days(time_zone);
    let unused = rounded(calendar_days_between(at, period.end(), time_zone), days);
    let used = rounded(calendar_days_between(period.start(), at, time_zone), days);
    Shares { used, unused: unused.clone(), remaining: unused }
}

/// Kill Bill where every month has 30 days (`org.killbill.invoice.proration.fixed.days=30`): round9(days / 30), with
/// days as they are within one month, and otherwise less what the first month has more than 30.
///
/// Source: killbill/killbill, `InvoiceDateUtils.daysBetweenWithFixedDaysInMonth`. Kill Bill divides by 30 and corrects
/// one month only also where the period is a quarter or a year, which charges a part more than the whole; here a
/// period of n months has 30 × n days.
#[must_use]
pub fn killbill_fixed30(period: Period, at: DateTime<Utc>, time_zone: Tz) -> Shares {
    let [start, change, end] = [period.start(), at, period.end()].map(|instant| date(instant, time_zone));
    let whole = fixed_days(period, time_zone);
    if change == start {
        return Shares { used: Exact::zero(), unused: Exact::one(), remaining: Exact::one() };
    }
    let unused = rounded(days_of_30(change, end), whole);
    Shares { used: rounded(days_of_30(start, change), whole), unused: unused.clone(), remaining: unused }
}

/// OpenMeter: amount × seconds of the service period / seconds of the full one, timestamps truncated to seconds
/// before anything is subtracted, and never more than the amount.
///
/// Source: openmeterio/openmeter, `flatfee.Intent.CalculateAmountAfterProration` and its normalization of timestamps.
/// There, a service period of less than a second is not prorated at all and costs the full amount; here it is none.
#[must_use]
pub fn openmeter_seconds(period: Period, at: DateTime<Utc>) -> Shares {
    let whole = seconds_between(period.start(), period.end());
    let unused = ratio(seconds_between(at, period.end()), whole);
    Shares { used: ratio(seconds_between(period.start(), at), whole), unused: unused.clone(), remaining: unused }
}

/// Flexprice, strategy `day_based`: days from the change to the last day / days from the start to the last day, first
/// and last included, in calendar days of the customer, where the last day is that of one second before the end. For a
/// period from midnight to midnight this is `day`; for one from ten to ten o'clock, its last day counts once more.
/// Credits and charges take the same share, each rounded by itself, and credits are capped by what was paid and not
/// credited ([`creditable`](super::creditable)), but for changes of a quantity, where the caller passes the price as
/// paid.
///
/// Source: flexprice/flexprice, `proration/coefficient_helper.go`, `calculator.go` (`daysInDurationWithDST`), and
/// `service/proration.go`, which passes the end less a second. The used share is the rest: Flexprice has none.
#[must_use]
pub fn flexprice(period: Period, at: DateTime<Utc>, time_zone: Tz) -> Shares {
    let last = period.end().checked_sub_signed(TimeDelta::seconds(1)).unwrap_or(period.start());
    let days_until_last = |from| calendar_days_between(from, last, time_zone).saturating_add(1);
    complementary(days_until_last(at), days_until_last(period.start()))
}

fn date(instant: DateTime<Utc>, time_zone: Tz) -> NaiveDate {
    instant.with_timezone(&time_zone).date_naive()
}

/// Kill Bill's fractions of a period have nine decimals, halves up.
pub(super) fn rounded(days: i64, of: i64) -> Exact {
    ratio(days, of).rounded_to(KILLBILL_DECIMALS)
}

const KILLBILL_DECIMALS: u8 = 9;

/// Days between two dates when every month has 30: thirty for each month between theirs, and the difference of the
/// days of the month. Within a month and across one month's end this is what Kill Bill computes.
pub(super) fn days_of_30(from: NaiveDate, to: NaiveDate) -> i64 {
    let months = |date: NaiveDate| i64::from(date.year()).saturating_mul(12).saturating_add(i64::from(date.month0()));
    let days = i64::from(to.day()).saturating_sub(i64::from(from.day()));
    months(to).saturating_sub(months(from)).saturating_mul(30).saturating_add(days)
}
