//! Whether a price model makes sense. Every refusal names the field by a JSON pointer.

use super::{Charge, Percentage, PriceError, PriceModel, PriceProblem, Tier};
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
            Charge::Package { package_size, amount, free_units } => {
                ensure(*package_size > Quantity::ZERO, "/packageSize", PriceProblem::PackageSizeNotPositive)?;
                not_negative("/amount", *amount)?;
                ensure(!free_units.is_negative(), "/freeUnits", PriceProblem::Negative)?;
            }
            Charge::Percentage(percentage) => validate_percentage(percentage)?,
        }
        validate_limits(("/minimumAmount", self.minimum_amount), ("/maximumAmount", self.maximum_amount))
    }
}

fn validate_percentage(percentage: &Percentage) -> Result<(), PriceError> {
    let rate = percentage.rate;
    not_negative("/rate", rate)?;
    let fits = rate.trillionths().checked_rem(PERCENT) == Some(0);
    ensure(fits, "/rate", PriceProblem::RateTooPrecise)?;
    not_negative("/fixedAmount", percentage.fixed_amount)?;
    validate_limits(("/minimumPerEvent", percentage.minimum_per_event), ("/maximumPerEvent", percentage.maximum_per_event))
}

fn validate_tiers(tiers: &[Tier]) -> Result<(), PriceError> {
    let last = tiers.len().checked_sub(1);
    let last = last.ok_or_else(|| invalid("/tiers", PriceProblem::NoTiers))?;
    ensure(tiers.len() <= TIERS_MAX, "/tiers", PriceProblem::TooManyTiers)?;
    let mut floor = Quantity::ZERO;
    for (position, tier) in tiers.iter().enumerate() {
        let at = |field: &str| format!("/tiers/{position}/{field}");
        not_negative(&at("unitAmount"), tier.unit_amount)?;
        not_negative(&at("flatAmount"), tier.flat_amount)?;
        match tier.up_to {
            None if position == last => {}
            None => return Err(invalid(&at("upTo"), PriceProblem::BoundMissing)),
            Some(_) if position == last => {
                return Err(invalid(&at("upTo"), PriceProblem::LastTierBounded));
            }
            Some(bound) => {
                ensure(bound > floor, &at("upTo"), PriceProblem::BoundsNotAscending)?;
                floor = bound;
            }
        }
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

fn ensure(holds: bool, pointer: &str, problem: PriceProblem) -> Result<(), PriceError> {
    if holds { Ok(()) } else { Err(invalid(pointer, problem)) }
}

fn invalid(pointer: &str, problem: PriceProblem) -> PriceError {
    PriceError::Invalid { pointer: pointer.to_owned(), problem }
}
