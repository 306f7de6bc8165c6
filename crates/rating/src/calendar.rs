//! Billing periods: where each one starts and ends in the customer's time zone.
//!
//! A subscription is anchored on the instant at which its first paid period started. Every later boundary is
//! computed from the anchor, never from the boundary before it, so a month that is too short moves only its
//! own boundary: January 31, February 28, March 31.
//!
//! The boundary keeps the anchor's local time of day. Where a clock change leaves that time out, the boundary is
//! the first instant after the gap; where it repeats that time, the earlier of the two.
//!
//! Architecture Invariant: periods are half-open and tile time from the anchor on: the end of one is the start
//! of the next, and both are functions of the anchor alone.

use std::str::FromStr;

use chrono::{DateTime, Datelike, LocalResult, Months, NaiveDateTime, TimeZone, Utc};
use chrono_tz::{GapInfo, Tz};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// How long a billing period is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BillingInterval {
    /// One calendar month.
    Month,
    /// Twelve calendar months.
    Year,
}

/// The rule that places the billing periods of one subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BillingCalendar {
    /// When the first period starts.
    pub anchor: DateTime<Utc>,
    /// How long each period is.
    pub interval: BillingInterval,
    /// Where the customer's days begin.
    pub time_zone: Tz,
}

/// A span of time that includes its start and excludes its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Period {
    start: DateTime<Utc>,
    end: DateTime<Utc>,
}

/// Why a period can't be given.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CalendarError {
    /// The name is not in the IANA database.
    #[error("`{name}` is not a time zone; send an IANA name such as \"Europe/Vienna\" or \"UTC\"")]
    UnknownTimeZone {
        /// What was sent, cut to the length of a sensible message.
        name: String,
    },
    /// An instant lies outside the years that can be billed.
    #[error("the date is out of range; use one from {YEAR_MIN} to {YEAR_MAX}")]
    OutOfRange,
    /// A period would end before it starts.
    #[error("a period must end after it starts; swap or correct its bounds")]
    EmptyPeriod,
}

/// Bills before the epoch of our timestamps make no sense.
const YEAR_MIN: i32 = 1970;
/// The last year that RFC 3339 can write. It also keeps every local time far from the limits of the date type.
const YEAR_MAX: i32 = 9999;
/// Longer than the longest name in the database.
const ZONE_NAME_SHOWN_CHARS_MAX: usize = 40;

/// Finds a time zone by its IANA name.
///
/// # Errors
/// No zone has this name. Names are case-sensitive.
pub fn parse_time_zone(name: &str) -> Result<Tz, CalendarError> {
    Tz::from_str(name).map_err(|_| CalendarError::UnknownTimeZone { name: name.chars().take(ZONE_NAME_SHOWN_CHARS_MAX).collect() })
}

impl BillingInterval {
    /// How many calendar months the interval has.
    #[must_use]
    pub const fn months(self) -> u32 {
        match self {
            Self::Month => 1,
            Self::Year => 12,
        }
    }
}

impl BillingCalendar {
    /// The start of the n-th period, which is the end of the one before. The 0-th is the anchor itself.
    ///
    /// # Errors
    /// The anchor or the boundary is outside the years 1970 to 9999.
    pub fn boundary(&self, n: u32) -> Result<DateTime<Utc>, CalendarError> {
        billable(self.anchor)?;
        if n == 0 {
            return Ok(self.anchor);
        }
        let anchor = self.anchor.with_timezone(&self.time_zone).naive_local();
        let months = self.interval.months().checked_mul(n);
        // Adding months to the anchor clamps to the last day of a shorter month.
        let local = months
            .and_then(|months| anchor.checked_add_months(Months::new(months)))
            .filter(|local| local.year() <= YEAR_MAX)
            .ok_or(CalendarError::OutOfRange)?;
        billable(resolve(local, self.time_zone).ok_or(CalendarError::OutOfRange)?)
    }

    /// The n-th period, counted from zero.
    ///
    /// # Errors
    /// The period reaches beyond the year 9999.
    pub fn period(&self, n: u32) -> Result<Period, CalendarError> {
        let next = n.checked_add(1).ok_or(CalendarError::OutOfRange)?;
        Period::new(self.boundary(n)?, self.boundary(next)?)
    }

    /// The period in which the instant lies, or `None` before the anchor and beyond the year 9999.
    #[must_use]
    pub fn period_containing(&self, instant: DateTime<Utc>) -> Option<Period> {
        self.period(self.index_containing(instant)?).ok()
    }

    /// The number of the period in which the instant lies, counted from zero.
    #[must_use]
    pub fn index_containing(&self, instant: DateTime<Utc>) -> Option<u32> {
        if instant < self.anchor {
            return None;
        }
        billable(self.anchor).ok()?;
        billable(instant).ok()?;
        let months =
            months_between(self.anchor.with_timezone(&self.time_zone).naive_local(), instant.with_timezone(&self.time_zone).naive_local())?;
        // The calendar difference is off by at most one: the instant may lie before that month's boundary, and a
        // clock change may move the boundary into the next local day. Looking at both neighbours settles it.
        let guess = months.checked_div(self.interval.months())?;
        (guess.saturating_sub(1)..=guess.saturating_add(1)).find(|n| self.period(*n).is_ok_and(|period| period.contains(instant)))
    }
}

impl Period {
    /// A period from `start` to just before `end`.
    ///
    /// # Errors
    /// The end is not after the start, or one of them is outside the years 1970 to 9999.
    pub fn new(start: DateTime<Utc>, end: DateTime<Utc>) -> Result<Self, CalendarError> {
        let (start, end) = (billable(start)?, billable(end)?);
        if start >= end {
            return Err(CalendarError::EmptyPeriod);
        }
        Ok(Self { start, end })
    }

    /// The first instant of the period.
    #[must_use]
    pub const fn start(self) -> DateTime<Utc> {
        self.start
    }

    /// The first instant after the period.
    #[must_use]
    pub const fn end(self) -> DateTime<Utc> {
        self.end
    }

    /// Whether the instant lies in the period.
    #[must_use]
    pub fn contains(self, instant: DateTime<Utc>) -> bool {
        self.start <= instant && instant < self.end
    }

    /// How many calendar days lie between the local dates of start and end. A day of 23 or 25 hours is one day.
    #[must_use]
    pub fn calendar_days(self, time_zone: Tz) -> i64 {
        calendar_days_between(self.start, self.end, time_zone)
    }
}

/// Days from the local date of `from` to the local date of `to`. Both must be [`billable`].
pub(crate) fn calendar_days_between(from: DateTime<Utc>, to: DateTime<Utc>, time_zone: Tz) -> i64 {
    let from = from.with_timezone(&time_zone).date_naive();
    let to = to.with_timezone(&time_zone).date_naive();
    to.signed_duration_since(from).num_days()
}

/// Months from one local date to another by year and month alone, `None` when the second is earlier.
pub(crate) fn months_between(from: NaiveDateTime, to: NaiveDateTime) -> Option<u32> {
    let count = |local: NaiveDateTime| i64::from(local.year()).checked_mul(12)?.checked_add(i64::from(local.month0()));
    u32::try_from(count(to)?.checked_sub(count(from)?)?).ok()
}

fn billable(instant: DateTime<Utc>) -> Result<DateTime<Utc>, CalendarError> {
    if (YEAR_MIN..=YEAR_MAX).contains(&instant.year()) {
        return Ok(instant);
    }
    Err(CalendarError::OutOfRange)
}

/// The instant at which local clocks show `local`: the earlier one when they do so twice, the first one after
/// the gap when they never do.
fn resolve(local: NaiveDateTime, time_zone: Tz) -> Option<DateTime<Utc>> {
    let resolved = match time_zone.from_local_datetime(&local) {
        LocalResult::Single(instant) | LocalResult::Ambiguous(instant, _) => instant,
        LocalResult::None => GapInfo::new(&local, &time_zone)?.end?,
    };
    Some(resolved.with_timezone(&Utc))
}
