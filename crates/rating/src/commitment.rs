//! Minimum commitments and maximum spends over what was billed.
//!
//! A minimum that a price carries itself is [`PriceModel::minimum_amount`](crate::PriceModel); these are the ones
//! that span several lines, several prices or several bills of one period.

use crate::exact::Exact;
use crate::money::{Money, MoneyError};

/// What is missing up to a minimum: max(0, round(minimum × share) − billed). `share` is the part of the period that
/// was served, 1 for a whole one; `billed` is the sum of the period's lines, each already rounded.
///
/// Source: Lago, `Commitments::Minimum::CalculateTrueUpFeeService` (round(commitment × days / days of the period) −
/// rounded fees) and `Fees::CreateTrueUpService` for the minimum of one charge.
///
/// # Errors
/// The currencies differ, or an amount is out of range.
pub fn true_up(minimum: Money, share: &Exact, billed: Money) -> Result<Money, MoneyError> {
    Ok(minimum.scaled_by(share)?.checked_sub(billed)?.at_least_zero())
}

/// The discount of each line that keeps a period's spend at its maximum: the lines are billed in their order until
/// `maximum` less `billed_before` is used up, the rest is taken off. Lines below zero stay as they are and make room for
/// as much, wherever they stand.
///
/// Source: OpenMeter, `DetailedLine.AddDiscountForOverage`: after percentage discounts, before credits.
///
/// # Errors
/// The currencies differ, or the sum is out of range.
pub fn maximum_discounts(lines: &[Money], billed_before: Money, maximum: Money) -> Result<Vec<Money>, MoneyError> {
    let given_back = Money::sum(lines.iter().copied().filter(|line| line.is_negative()), maximum.currency())?;
    let mut left = maximum.checked_sub(billed_before)?.checked_sub(given_back)?.at_least_zero();
    let mut discounts = Vec::with_capacity(lines.len());
    for line in lines {
        let billed = line.checked_min(left)?.at_least_zero();
        left = left.checked_sub(billed)?;
        discounts.push(line.at_least_zero().checked_sub(billed)?);
    }
    Ok(discounts)
}
