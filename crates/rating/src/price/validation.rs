//! Whether a price model makes sense. Every refusal names the field by a JSON pointer.

use super::{Charge, Percentage, PercentageTier, PriceError, PriceModel, PriceProblem, Tier};
use crate::currency::Currency;
use crate::decimal::Decimal;
use crate::quantity::Quantity;

/// More tiers than any published price has, few enough for an invoice that a person reads.
pub const TIERS_MAX: usize = 100;

/// A rate in percent becomes a unit price of at most twelve decimals when divided by a hundred.
const PERCENT: i128 = 100;

impl PriceModel {
    /// Checks that every quantity has exactly one price under this model and that no amount is negative.
    ///
    /// # Errors
    /// The first field that is wrong, as [`PriceError::Invalid`].
    pub fn validate(&self) -> Result<(), PriceError> {
        match &self.charge {
            Charge::Flat { amount } => not_negative("/amount", *amount)?,
            Charge::PerUnit { unit_amount, free_units } => {
                not_negative("/unitAmount", *unit_amount)?;
                ensure(!free_units.is_negative(), "/freeUnits", PriceProblem::Negative)?;
            }
            Charge::Graduated { tiers } | Charge::Volume { tiers } => validate_tiers(tiers)?,
            Charge::Package { package_size, amount, free_units, rounding: _ } => {
                ensure(*package_size > Quantity::ZERO, "/packageSize", PriceProblem::PackageSizeNotPositive)?;
                not_negative("/amount", *amount)?;
                ensure(!free_units.is_negative(), "/freeUnits", PriceProblem::Negative)?;
            }
            Charge::Percentage(percentage) => validate_percentage(percentage)?,
            Charge::GraduatedPercentage { tiers } => validate_percentage_tiers(tiers)?,
            Charge::Dynamic { multiplier } => not_negative("/multiplier", *multiplier)?,
        }
        validate_limits(("/minimumAmount", self.minimum_amount), ("/maximumAmount", self.maximum_amount))
    }
}

/// Finds the currency of a price by its code.
///
/// # Errors
/// The code is unknown, as [`PriceError::Invalid`] at `/currency`.
pub fn price_currency(code: &str) -> Result<Currency, PriceError> {
    Currency::parse(code).map_err(|_| invalid("/currency", PriceProblem::UnknownCurrency))
}

fn validate_percentage(percentage: &Percentage) -> Result<(), PriceError> {
    validate_rate(percentage.rate, || "/rate".to_owned())?;
    not_negative("/fixedAmount", percentage.fixed_amount)?;
    ensure(!percentage.free_value.is_negative(), "/freeValue", PriceProblem::Negative)?;
    validate_limits(("/minimumPerEvent", percentage.minimum_per_event), ("/maximumPerEvent", percentage.maximum_per_event))
}

fn validate_rate(rate: Decimal, pointer: impl Fn() -> String) -> Result<(), PriceError> {
    if rate.is_negative() {
        return Err(invalid(&pointer(), PriceProblem::Negative));
    }
    if rate.trillionths().checked_rem(PERCENT) != Some(0) {
        return Err(invalid(&pointer(), PriceProblem::RateTooPrecise));
    }
    Ok(())
}

fn validate_tiers(tiers: &[Tier]) -> Result<(), PriceError> {
    validate_bounds(tiers.len(), tiers.iter().map(|tier| tier.up_to))?;
    for (position, tier) in tiers.iter().enumerate() {
        not_negative_in_tier(position, "unitAmount", tier.unit_amount)?;
        not_negative_in_tier(position, "flatAmount", tier.flat_amount)?;
        if tier.package_size.is_some_and(|size| size <= Quantity::ZERO) {
            return Err(invalid_in_tier(position, "packageSize", PriceProblem::PackageSizeNotPositive));
        }
    }
    Ok(())
}

fn validate_percentage_tiers(tiers: &[PercentageTier]) -> Result<(), PriceError> {
    validate_bounds(tiers.len(), tiers.iter().map(|tier| tier.up_to))?;
    for (position, tier) in tiers.iter().enumerate() {
        validate_rate(tier.rate, || format!("/tiers/{position}/rate"))?;
        not_negative_in_tier(position, "flatAmount", tier.flat_amount)?;
    }
    Ok(())
}

/// Tiers are told by their upper bounds alone, so ascending bounds are all it takes for them to tile the quantities:
/// no gap, no overlap.
fn validate_bounds(count: usize, bounds: impl Iterator<Item = Option<Quantity>>) -> Result<(), PriceError> {
    let last = count.checked_sub(1).ok_or_else(|| invalid("/tiers", PriceProblem::NoTiers))?;
    ensure(count <= TIERS_MAX, "/tiers", PriceProblem::TooManyTiers)?;
    let mut floor = Quantity::ZERO;
    for (position, bound) in bounds.enumerate() {
        let problem = match bound {
            None if position < last => PriceProblem::BoundMissing,
            Some(_) if position == last => PriceProblem::LastTierBounded,
            Some(bound) if bound <= floor => PriceProblem::BoundsNotAscending,
            _ => {
                floor = bound.unwrap_or(floor);
                continue;
            }
        };
        return Err(invalid_in_tier(position, "upTo", problem));
    }
    Ok(())
}

fn validate_limits(
    (minimum_pointer, minimum): (&str, Option<Decimal>),
    (maximum_pointer, maximum): (&str, Option<Decimal>),
) -> Result<(), PriceError> {
    not_negative(minimum_pointer, minimum.unwrap_or_default())?;
    not_negative(maximum_pointer, maximum.unwrap_or_default())?;
    match (minimum, maximum) {
        (Some(minimum), Some(maximum)) => ensure(minimum <= maximum, minimum_pointer, PriceProblem::MinimumAboveMaximum),
        _ => Ok(()),
    }
}

fn not_negative(pointer: &str, decimal: Decimal) -> Result<(), PriceError> {
    ensure(!decimal.is_negative(), pointer, PriceProblem::Negative)
}

/// The pointer is written only when it is needed: prices are validated on every use.
fn not_negative_in_tier(position: usize, field: &str, decimal: Decimal) -> Result<(), PriceError> {
    if decimal.is_negative() { Err(invalid_in_tier(position, field, PriceProblem::Negative)) } else { Ok(()) }
}

fn invalid_in_tier(position: usize, field: &str, problem: PriceProblem) -> PriceError {
    invalid(&format!("/tiers/{position}/{field}"), problem)
}

fn ensure(holds: bool, pointer: &str, problem: PriceProblem) -> Result<(), PriceError> {
    if holds { Ok(()) } else { Err(invalid(pointer, problem)) }
}

fn invalid(pointer: &str, problem: PriceProblem) -> PriceError {
    PriceError::Invalid { pointer: pointer.to_owned(), problem }
}
