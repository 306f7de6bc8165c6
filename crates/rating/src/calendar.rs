//! Billing periods: where each one starts and ends in the customer's time zone.
//!
//! A subscription is anchored on the instant at which its first paid period started, or, aligned to the calendar, on
//! the midnight that began the month (day, week, quarter, year) in which it did. Every later boundary is
//! computed from the anchor, never from the boundary before it, so a month that is too short moves only its
//! own boundary: January 31, February 28, March 31.
//!
//! The boundary keeps the anchor's local time of day. Where a clock change leaves that time out, the boundary is
//! the first instant after the gap; where it repeats that time, the earlier of the two.
//!
//! Architecture Invariant: periods are half-open and tile time from the anchor on: the end of one is the start
//! of the next, and both are functions of the anchor alone.

use std::str::FromStr;

use chrono::{DateTime, Datelike, Days, LocalResult, Months, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Utc};
use chrono_tz::{GapInfo, Tz};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// How long a billing period is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BillingInterval {
    /// One local day, of 23 to 25 hours.
    Day,
    /// Seven local days.
    Week,
    /// One calendar month.
    Month,
    /// Three calendar months.
    Quarter,
    /// Twelve calendar months.
    Year,
}

/// Where the boundaries of periods lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Alignment {
    /// At the day and time of the start: a subscription of the 15th renews on every 15th.
    #[default]
    Anniversary,
    /// At the local midnight that begins a day, a week (Monday), a month, a quarter or a year: the first period is
    /// what is left of the one in which the start lies.
    Calendar,
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

/// The first instant after a trial of so many local days that began at `start`. A trial counts from the original
/// start, also when the plan changes during it (Lago: `Subscription#trial_end_date`).
///
/// # Errors
/// The start or the end is outside the years 1970 to 9999.
pub fn trial_end(start: DateTime<Utc>, days: u32, time_zone: Tz) -> Result<DateTime<Utc>, CalendarError> {
    BillingCalendar { anchor: start, interval: BillingInterval::Day, time_zone }.boundary(days)
}

/// The local midnight that begins the day in which the instant lies.
///
/// # Errors
/// The instant is outside the years 1970 to 9999.
pub fn day_start(instant: DateTime<Utc>, time_zone: Tz) -> Result<DateTime<Utc>, CalendarError> {
    let date = billable(instant)?.with_timezone(&time_zone).date_naive();
    midnight(date, time_zone)
}

/// How far one boundary is from the next.
enum Step {
    Days(u32),
    Months(u32),
}

impl BillingInterval {
    /// The name that JSON has for it: `month`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Quarter => "quarter",
            Self::Year => "year",
        }
    }

    const fn step(self) -> Step {
        match self {
            Self::Day => Step::Days(1),
            Self::Week => Step::Days(7),
            Self::Month => Step::Months(1),
            Self::Quarter => Step::Months(3),
            Self::Year => Step::Months(12),
        }
    }

    /// The first day of the calendar's own day, week, month, quarter or year that holds the date.
    fn calendar_start(self, date: NaiveDate) -> Option<NaiveDate> {
        match self {
            Self::Day => Some(date),
            Self::Week => date.checked_sub_days(Days::new(u64::from(date.weekday().num_days_from_monday()))),
            Self::Month => date.with_day(1),
            Self::Quarter => date.with_day(1)?.with_month0(date.month0().checked_div(3)?.checked_mul(3)?),
            Self::Year => NaiveDate::from_ymd_opt(date.year(), 1, 1),
        }
    }
}

impl BillingCalendar {
    /// The calendar of a subscription that starts at `start`. With [`Alignment::Calendar`] the anchor lies at or
    /// before the start; [`BillingCalendar::service_period`] cuts the first period to what is left of it.
    ///
    /// # Errors
    /// The start is outside the years 1970 to 9999.
    pub fn starting(start: DateTime<Utc>, interval: BillingInterval, time_zone: Tz, alignment: Alignment) -> Result<Self, CalendarError> {
        let anchor = match alignment {
            Alignment::Anniversary => billable(start)?,
            Alignment::Calendar => {
                let date = billable(start)?.with_timezone(&time_zone).date_naive();
                midnight(interval.calendar_start(date).ok_or(CalendarError::OutOfRange)?, time_zone)?
            }
        };
        Ok(Self { anchor, interval, time_zone })
    }

    /// The n-th period less what lies before `start`: what a subscription that starts there is served.
    ///
    /// # Errors
    /// The period is out of range, or it lies wholly before the start.
    pub fn service_period(&self, n: u32, start: DateTime<Utc>) -> Result<Period, CalendarError> {
        let period = self.period(n)?;
        Period::new(period.start().max(start), period.end())
    }

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
        let local = match self.interval.step() {
            Step::Days(days) => anchor.checked_add_days(Days::new(u64::from(days).saturating_mul(u64::from(n)))),
            // Adding months to the anchor clamps to the last day of a shorter month.
            Step::Months(months) => months.checked_mul(n).and_then(|months| anchor.checked_add_months(Months::new(months))),
        };
        let local = local.filter(|local| local.year() <= YEAR_MAX).ok_or(CalendarError::OutOfRange)?;
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
        let [anchor, local] = [self.anchor, instant].map(|instant| instant.with_timezone(&self.time_zone).naive_local());
        // The calendar difference is off by at most one: the instant may lie before that day's or month's boundary,
        // and a clock change may move the boundary into the next local day. Looking at both neighbours settles it.
        let guess = match self.interval.step() {
            Step::Days(days) => {
                let between = local.date().signed_duration_since(anchor.date()).num_days();
                u32::try_from(between).ok()?.checked_div(days)?
            }
            Step::Months(months) => months_between(anchor, local)?.checked_div(months)?,
        };
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

/// The first instant of a local date.
fn midnight(date: NaiveDate, time_zone: Tz) -> Result<DateTime<Utc>, CalendarError> {
    let resolved = resolve(date.and_time(NaiveTime::MIN), time_zone).ok_or(CalendarError::OutOfRange)?;
    billable(resolved)
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
