//! The share of a period that a change leaves, takes or has passed, by each policy, written from the definitions in `rating::proration`.
//!
//! | policy | used | unused = remaining |
//! |---|---|---|
//! | `second`, `openmeter_seconds` | the rest | whole seconds left / seconds |
//! | `day` | the rest | local days left / days |
//! | `day_fixed_30` | the rest | days left / 30 a month, at most 1; 1 on the first day |
//! | `lago` | the rest | as `day`; the day of a termination is used |
//! | `killbill`, `killbill_fixed30` | days before, to nine decimals | days left, to nine decimals |
//! | `flexprice` | the rest | as `day`, from the first through the last day |

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Utc};
use rating::{Exact, ProrationPolicy, Tz};

use super::document::Span;

/// What an instant makes of a period.
pub(crate) struct Parts {
    pub used: Exact,
    pub unused: Exact,
    pub remaining: Exact,
}

/// None where the period is none, or out of the years that there are.
pub(crate) fn parts(period: Span, at: i64, zone: Tz, policy: ProrationPolicy, is_end: bool) -> Option<Parts> {
    let (start, at, end) = (utc(period.starts_at.0)?, utc(at)?, utc(period.ends_at.0)?);
    if start >= end {
        return None;
    }
    let (used, left) = measured(start, at, end, zone, policy, is_end)?;
    let within = |share: Exact| share.max(Exact::zero()).min(Exact::one());
    let (used, left) = (within(used), within(left));
    let remaining = if is_end { Exact::zero() } else { left.clone() };
    Some(Parts { used, unused: left, remaining })
}

/// Used and unused.
fn measured(
    start: DateTime<Utc>,
    at: DateTime<Utc>,
    end: DateTime<Utc>,
    zone: Tz,
    policy: ProrationPolicy,
    is_end: bool,
) -> Option<(Exact, Exact)> {
    use ProrationPolicy as Policy;
    if policy == Policy::None || at >= end {
        return Some((Exact::one(), Exact::zero()));
    }
    if at < start || (at == start && policy != Policy::Lago) {
        return Some((Exact::zero(), Exact::one()));
    }
    let [first, day, last] = [start, at, end].map(|instant| instant.with_timezone(&zone).date_naive());
    let (before, left, whole) = (days(first, day), days(day, last), days(first, last));
    let months = month_count(last).saturating_sub(month_count(first)).max(1);
    let thirties = months.saturating_mul(30);
    let nine = |part, whole| fraction(part, whole).rounded_to(9);
    match policy {
        Policy::None => None,
        Policy::Second | Policy::OpenmeterSeconds => {
            let seconds = |from: DateTime<Utc>, to: DateTime<Utc>| to.timestamp().saturating_sub(from.timestamp());
            Some(rest_of(fraction(seconds(at, end), seconds(start, end))))
        }
        Policy::Day => Some(rest_of(fraction(left, whole))),
        Policy::DayFixed30 => Some(rest_of(fraction(left, if left >= whole { left } else { thirties }))),
        Policy::Lago => Some(rest_of(fraction(left.saturating_sub(i64::from(is_end)), whole))),
        Policy::Killbill => Some((nine(before, whole), nine(left, whole))),
        Policy::KillbillFixed30 if first == day => Some((Exact::zero(), Exact::one())),
        Policy::KillbillFixed30 => Some((nine(days_of_30(first, day), thirties), nine(days_of_30(day, last), thirties))),
        Policy::Flexprice => {
            let through = end.checked_sub_signed(TimeDelta::seconds(1)).unwrap_or(start).with_timezone(&zone).date_naive();
            let both = |from| days(from, through).saturating_add(1);
            Some(rest_of(fraction(both(day), both(first))))
        }
    }
}

/// What is left, at most everything, and the rest before it.
fn rest_of(left: Exact) -> (Exact, Exact) {
    let left = left.min(Exact::one());
    (Exact::one().minus(&left), left)
}

fn fraction(part: i64, whole: i64) -> Exact {
    Exact::ratio(i128::from(part), i128::from(whole)).unwrap_or_else(Exact::zero)
}

fn days(from: NaiveDate, to: NaiveDate) -> i64 {
    to.signed_duration_since(from).num_days()
}

fn month_count(date: NaiveDate) -> i64 {
    i64::from(date.year()).saturating_mul(12).saturating_add(i64::from(date.month0()))
}

fn days_of_30(from: NaiveDate, to: NaiveDate) -> i64 {
    let months = month_count(to).saturating_sub(month_count(from)).saturating_mul(30);
    months.saturating_add(i64::from(to.day())).saturating_sub(i64::from(from.day()))
}

pub(crate) fn utc(millis: i64) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_millis(millis)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rating::{Ending, Period};

    use super::super::document::Instant;
    use super::*;

    const POLICIES: [ProrationPolicy; 9] = [
        ProrationPolicy::Second,
        ProrationPolicy::Day,
        ProrationPolicy::DayFixed30,
        ProrationPolicy::None,
        ProrationPolicy::Lago,
        ProrationPolicy::Killbill,
        ProrationPolicy::KillbillFixed30,
        ProrationPolicy::OpenmeterSeconds,
        ProrationPolicy::Flexprice,
    ];

    proptest! {
        /// Two readings of one definition.
        #[test]
        fn shares_are_those_of_rating(
            start in 0..4_000_000_000_000_i64,
            length in 1_000..40_000_000_000_i64,
            at in -1_000_000_000..42_000_000_000_i64,
            policy in prop::sample::select(POLICIES.to_vec()),
            zone in prop::sample::select(vec!["UTC", "Europe/Vienna", "America/New_York", "Asia/Kolkata"]),
            is_end: bool,
        ) {
            let zone = rating::parse_time_zone(zone).unwrap();
            let (end, at) = (start + length, start + at);
            prop_assume!(at > 0);
            let span = Span { starts_at: Instant(start), ends_at: Instant(end) };
            let ours = parts(span, at, zone, policy, is_end).unwrap();
            let period = Period::new(utc(start).unwrap(), utc(end).unwrap()).unwrap();
            let ending = if is_end { Ending::Termination } else { Ending::Change };
            let theirs = rating::shares(period, utc(at).unwrap(), zone, policy, ending);
            prop_assert_eq!((ours.used, ours.unused, ours.remaining), (theirs.used, theirs.unused, theirs.remaining));
        }
    }
}
