//! Kill Bill's billing cycles: what a subscription that starts and ends anywhere owes around its cycle day.
//!
//! A subscription from `start` to `end` with a bill cycle day is billed in advance as a leading part up to the first
//! cycle day, whole cycles, and a trailing part up to the end. Each part is a number of cycles with nine decimals;
//! an item is round(rate × cycles), so three months and two days at 10 are 10 + 10 + 10 + round(10 × 0.064516129).
//!
//! A cycle day past the end of a month is that month's last day, and the next cycle returns to it: 31, 30, 31. A
//! leading part is measured against one interval before the first cycle day, a trailing part against one after the
//! last, both without returning to the cycle day: a part that ends on April 30 of cycle day 31 is measured from
//! March 30.
//!
//! Source: killbill/killbill, `FixedAndRecurringInvoiceItemGenerator.generateInvoiceItemData`,
//! `BillingIntervalDetail`, `InvoiceDateUtils`, `BillCycleDayCalculator.alignProposedBillCycleDate`.

use chrono::{Datelike, Months, NaiveDate};

use super::dialects::{days_of_30, rounded};
use crate::calendar::CalendarError;
use crate::exact::Exact;

/// What is to be billed in advance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cycles {
    /// The first day of the subscription.
    pub start: NaiveDate,
    /// The first day after it, if it ends.
    pub end: Option<NaiveDate>,
    /// The day of the bill: cycles that have begun by then are billed.
    pub target: NaiveDate,
    /// The day of the month on which cycles begin, 1 to 31.
    pub cycle_day: u32,
    /// How many months a cycle has: 1, 3, 12.
    pub months: u32,
    /// Whether months count as 30 days.
    pub fixed_30: bool,
}

/// A span that is billed as one item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CycleTerm {
    /// The first day.
    pub start: NaiveDate,
    /// The first day after it.
    pub end: NaiveDate,
    /// How many cycles it is: 1, or less with nine decimals.
    pub cycles: Exact,
}

/// More cycles than anyone is billed for at once: a century of months.
const CYCLES_MAX: u32 = 1200;

impl Cycles {
    /// The items of the bill, in the order of time. None when the subscription has no day.
    ///
    /// # Errors
    /// The target or the end lies before the start, the cycle day or the months are none, or there are too many
    /// cycles to bill.
    pub fn terms(&self) -> Result<Vec<CycleTerm>, CalendarError> {
        if self.target < self.start
            || self.end.is_some_and(|end| end < self.start)
            || !(1..=31).contains(&self.cycle_day)
            || self.months == 0
        {
            return Err(CalendarError::EmptyPeriod);
        }
        if self.end == Some(self.start) {
            return Ok(Vec::new());
        }
        let first = self.first_cycle_date()?;
        if let Some(end) = self.end.filter(|end| *end <= first) {
            return Ok(vec![self.part(self.start, end, before(end, self.months)?, end)]);
        }
        let mut terms = Vec::new();
        if first > self.start {
            let leading = self.part(self.start, first, before(first, self.months)?, first);
            terms.extend((!leading.cycles.is_zero()).then_some(leading));
        }
        self.push_whole_and_trailing(first, &mut terms)?;
        Ok(terms)
    }

    /// The cycles that have begun by the target, whole up to the end of the subscription and then a part.
    fn push_whole_and_trailing(&self, first: NaiveDate, terms: &mut Vec<CycleTerm>) -> Result<(), CalendarError> {
        // With an end that is due already, everything up to it is billed; otherwise what has begun by the target.
        let is_ended = self.end.is_some_and(|end| self.target >= end);
        let mut start = first;
        for n in 1..=CYCLES_MAX {
            let is_due = if is_ended { self.end.is_some_and(|end| start < end) } else { start <= self.target };
            if !is_due {
                return Ok(());
            }
            let next = self.aligned(after(first, self.months.saturating_mul(n))?)?;
            if let Some(end) = self.end.filter(|end| *end < next) {
                let trailing = self.part(start, end, start, after(start, self.months)?);
                terms.extend((trailing.cycles > Exact::zero()).then_some(trailing));
                return Ok(());
            }
            terms.push(CycleTerm { start, end: next, cycles: Exact::one() });
            start = next;
        }
        Err(CalendarError::OutOfRange)
    }

    /// The first cycle day at or after the start.
    fn first_cycle_date(&self) -> Result<NaiveDate, CalendarError> {
        let mut proposed = self.aligned(self.start)?;
        while proposed < self.start {
            proposed = after(proposed, self.months)?;
        }
        self.aligned(proposed)
    }

    /// The cycle day of the month of a date, or the last day of a month that is shorter.
    fn aligned(&self, date: NaiveDate) -> Result<NaiveDate, CalendarError> {
        let day = self.cycle_day.min(u32::from(date.num_days_in_month()));
        date.with_day(day).ok_or(CalendarError::OutOfRange)
    }

    fn part(&self, start: NaiveDate, end: NaiveDate, cycle_start: NaiveDate, cycle_end: NaiveDate) -> CycleTerm {
        let days = |from: NaiveDate, to: NaiveDate| to.signed_duration_since(from).num_days();
        let cycles = if self.fixed_30 {
            rounded(days_of_30(start, end), i64::from(self.months).saturating_mul(30))
        } else {
            rounded(days(start, end), days(cycle_start, cycle_end))
        };
        CycleTerm { start, end, cycles }
    }
}

fn after(date: NaiveDate, months: u32) -> Result<NaiveDate, CalendarError> {
    date.checked_add_months(Months::new(months)).ok_or(CalendarError::OutOfRange)
}

fn before(date: NaiveDate, months: u32) -> Result<NaiveDate, CalendarError> {
    date.checked_sub_months(Months::new(months)).ok_or(CalendarError::OutOfRange)
}
