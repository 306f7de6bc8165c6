//! Discounts: percentages and fixed amounts off the lines of a bill, once, for some periods or for ever.
//!
//! Stacking order, always the same: first all percentages, then all fixed amounts, each kind in the order of the
//! list (the order in which they were granted). Each discount looks at what those before it left, so ten percent and
//! then five dollars off 100 leave 85, whichever was granted first, and nothing falls below zero.
//!
//! A line below zero gives back what was billed, after its discounts, and is not discounted again.
//!
//! A discount is rounded once, over all the lines that it is for, and then divided among them by the largest
//! remainder, so that the lines' discounts sum to the discount's.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::decimal::Decimal;
use crate::exact::Exact;
use crate::money::{Money, MoneyError};

/// What is taken off, on which lines' bills and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Discount {
    /// How much.
    pub off: Off,
    /// On how many bills.
    pub duration: DiscountDuration,
    /// Not before this instant.
    pub valid_from: Option<DateTime<Utc>>,
    /// Not after this instant; at it, still.
    pub valid_through: Option<DateTime<Utc>>,
}

/// How much a discount takes off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Off {
    /// Percent of what is left of the lines: from 0 to 100.
    Percentage(Decimal),
    /// An amount, at most what is left of the lines.
    Fixed(Money),
}

/// On how many bills a discount is taken off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DiscountDuration {
    /// On one bill.
    #[default]
    Once,
    /// On so many bills.
    Repeating(u32),
    /// On every bill.
    Forever,
}

/// A discount and the positions of the lines that it is for; `None` is all of them.
#[derive(Debug, Clone, Copy)]
pub struct Scoped<'a> {
    /// The discount.
    pub discount: &'a Discount,
    /// Positions in the list of lines. One that does not exist is ignored.
    pub lines: Option<&'a [usize]>,
}

/// Lines after discounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discounted {
    /// What each discount takes off each line, at zero or above, in the order in which the discounts were given.
    pub off: Vec<Vec<Money>>,
    /// What is left of each line.
    pub left: Vec<Money>,
}

/// Why discounts can't be taken off.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DiscountError {
    /// A percentage is below zero or above a hundred.
    #[error("a percentage discount lies between 0 and 100")]
    PercentageOutOfRange,
    /// A fixed discount is below zero.
    #[error("a discount is not below zero; bill the difference as a line of its own")]
    Negative,
    /// The discount ends before it begins.
    #[error("the discount ends before it begins; swap or correct `validFrom` and `validThrough`")]
    EndsBeforeItBegins,
    /// Amounts can't be combined.
    #[error(transparent)]
    Money(#[from] MoneyError),
}

/// The bills on which a discount was taken off. Computing a bill again does not count again.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Redemptions {
    bills: BTreeSet<String>,
}

/// Takes the discounts off the lines, in the order that the module defines.
///
/// # Errors
/// A discount is invalid, or a currency differs.
pub fn discounted(lines: &[Money], discounts: &[Scoped<'_>]) -> Result<Discounted, DiscountError> {
    let mut left = lines.to_vec();
    let mut off: Vec<Vec<Money>> = vec![lines.iter().map(|line| Money::zero(line.currency())).collect(); discounts.len()];
    let is_fixed = |scoped: &Scoped<'_>| matches!(scoped.discount.off, Off::Fixed(_));
    for fixed in [false, true] {
        for (scoped, off) in discounts.iter().zip(&mut off).filter(|(scoped, _)| is_fixed(scoped) == fixed) {
            scoped.discount.validate()?;
            take_off(scoped, &mut left, off)?;
        }
    }
    Ok(Discounted { off, left })
}

fn take_off(scoped: &Scoped<'_>, left: &mut [Money], off: &mut [Money]) -> Result<(), DiscountError> {
    let is_meant = |position: usize| scoped.lines.is_none_or(|lines| lines.contains(&position));
    // A line below zero (a credit) is not discounted, and weighs nothing.
    let weight = |(position, line): (usize, &Money)| if is_meant(position) { line.minor().max(0).unsigned_abs() } else { 0 };
    let weights: Vec<u64> = left.iter().enumerate().map(weight).collect();
    let Some(currency) = left.first().map(|line| line.currency()) else { return Ok(()) };
    let positive = left.iter().zip(&weights).filter(|(_, weight)| **weight > 0);
    let base = Money::sum(positive.map(|(line, _)| *line), currency)?;
    if base.is_zero() {
        return Ok(());
    }
    let taken = match scoped.discount.off {
        Off::Percentage(rate) => base.scaled_by(&hundredth(rate))?,
        Off::Fixed(amount) => amount,
    };
    let shares = taken.checked_min(base)?.allocate(&weights)?;
    for ((line, off), share) in left.iter_mut().zip(off).zip(shares) {
        *line = line.checked_sub(share)?;
        *off = share;
    }
    Ok(())
}

fn hundredth(rate: Decimal) -> Exact {
    Exact::from_scaled(rate.trillionths(), Decimal::DECIMALS_MAX.saturating_add(2))
}

impl Discount {
    /// Checks that the discount makes sense.
    ///
    /// # Errors
    /// The percentage is not between 0 and 100, the amount is below zero, or the end lies before the beginning.
    pub fn validate(&self) -> Result<(), DiscountError> {
        match self.off {
            Off::Percentage(rate) if rate.is_negative() || hundredth(rate) > Exact::one() => {
                return Err(DiscountError::PercentageOutOfRange);
            }
            Off::Fixed(amount) if amount.is_negative() => return Err(DiscountError::Negative),
            Off::Percentage(_) | Off::Fixed(_) => {}
        }
        match (self.valid_from, self.valid_through) {
            (Some(from), Some(through)) if through < from => Err(DiscountError::EndsBeforeItBegins),
            _ => Ok(()),
        }
    }

    /// Whether the discount is valid at the instant at which a bill is made.
    #[must_use]
    pub fn is_valid_at(&self, at: DateTime<Utc>) -> bool {
        self.valid_from.is_none_or(|from| from <= at) && self.valid_through.is_none_or(|through| at <= through)
    }

    /// Whether the bill may have the discount: it is valid, and either has it already or there is one left. Counts
    /// it as redeemed if so. `redemptions_max` is a limit of the offer, beside the discount's own duration.
    pub fn redeem(&self, redemptions: &mut Redemptions, bill: &str, at: DateTime<Utc>, redemptions_max: Option<u32>) -> bool {
        if redemptions.bills.contains(bill) {
            return true;
        }
        let own = match self.duration {
            DiscountDuration::Once => Some(1),
            DiscountDuration::Repeating(bills) => Some(bills),
            DiscountDuration::Forever => None,
        };
        let most = [own, redemptions_max].into_iter().flatten().min();
        let may = self.is_valid_at(at) && most.is_none_or(|most| redemptions.count() < most);
        may && redemptions.bills.insert(bill.to_owned())
    }
}

impl Redemptions {
    /// On how many bills the discount was taken off.
    #[must_use]
    pub fn count(&self) -> u32 {
        u32::try_from(self.bills.len()).unwrap_or(u32::MAX)
    }
}
