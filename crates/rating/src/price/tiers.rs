//! Prices in tiers, and units sold in packages.

use super::lines::{PricedLine, line};
use super::percentage::share_of_one;
use super::{PackageRounding, PercentageTier, PriceError, Tier};
use crate::currency::Currency;
use crate::decimal::Decimal;
use crate::quantity::{Quantity, QuantityError};

/// Each tier charges the units between the bound before it and its own.
pub(super) fn graduated_lines(tiers: &[Tier], used: Quantity, currency: Currency) -> Result<Vec<PricedLine>, PriceError> {
    let mut lines = Vec::new();
    let mut floor = Quantity::ZERO;
    for (position, tier) in tiers.iter().enumerate() {
        if position > 0 && used <= floor {
            break;
        }
        let reached = tier.up_to.map_or(used, |bound| bound.min(used));
        push_tier(&mut lines, tier, floor, reached.above(floor)?, currency)?;
        floor = tier.up_to.unwrap_or(floor);
    }
    Ok(lines)
}

/// The tier in which the total lies charges all units.
pub(super) fn volume_lines(tiers: &[Tier], used: Quantity, currency: Currency) -> Result<Vec<PricedLine>, PriceError> {
    let mut lines = Vec::new();
    let mut floor = Quantity::ZERO;
    for tier in tiers {
        if tier.up_to.is_none_or(|bound| used <= bound) {
            push_tier(&mut lines, tier, floor, used, currency)?;
            break;
        }
        floor = tier.up_to.unwrap_or(floor);
    }
    Ok(lines)
}

/// Each tier charges its rate on the value between the bound before it and its own.
pub(super) fn graduated_percentage_lines(
    tiers: &[PercentageTier],
    value: Quantity,
    currency: Currency,
) -> Result<Vec<PricedLine>, PriceError> {
    let mut lines = Vec::new();
    let mut floor = Quantity::ZERO;
    for (position, tier) in tiers.iter().enumerate() {
        if position > 0 && value <= floor {
            break;
        }
        let reached = tier.up_to.map_or(value, |bound| bound.min(value));
        let range = range(floor, tier.up_to);
        push_flat(&mut lines, tier.flat_amount, &range, currency)?;
        let description = format!("{}% of the value, {range}", tier.rate);
        lines.push(line(&description, reached.above(floor)?, share_of_one(tier.rate), currency)?);
        floor = tier.up_to.unwrap_or(floor);
    }
    Ok(lines)
}

/// How many packages the units take.
pub(super) fn packages(units: Quantity, package_size: Quantity, rounding: PackageRounding) -> Result<Quantity, PriceError> {
    let full = units.nanos().checked_div(package_size.nanos());
    let rest = units.nanos().checked_rem(package_size.nanos());
    let started = i128::from(rounding == PackageRounding::Up && rest.is_some_and(|rest| rest > 0));
    let packages = full.and_then(|full| full.checked_add(started)).and_then(|packages| i64::try_from(packages).ok());
    Ok(Quantity::try_from(packages.ok_or(QuantityError::OutOfRange)?)?)
}

fn push_tier(lines: &mut Vec<PricedLine>, tier: &Tier, floor: Quantity, units: Quantity, currency: Currency) -> Result<(), PriceError> {
    let range = range(floor, tier.up_to);
    push_flat(lines, tier.flat_amount, &range, currency)?;
    lines.push(match tier.package_size {
        None => line(&format!("Units, {range}"), units, tier.unit_amount, currency)?,
        Some(size) => {
            let description = format!("Packages of {size} units, {range}");
            line(&description, packages(units, size, PackageRounding::Up)?, tier.unit_amount, currency)?
        }
    });
    Ok(())
}

fn push_flat(lines: &mut Vec<PricedLine>, flat_amount: Decimal, range: &str, currency: Currency) -> Result<(), PriceError> {
    if !flat_amount.is_zero() {
        lines.push(line(&format!("Flat fee, {range}"), Quantity::ONE, flat_amount, currency)?);
    }
    Ok(())
}

fn range(floor: Quantity, up_to: Option<Quantity>) -> String {
    match (floor.is_zero(), up_to) {
        (true, None) => "any quantity".to_owned(),
        (true, Some(bound)) => format!("up to {bound}"),
        (false, None) => format!("above {floor}"),
        (false, Some(bound)) => format!("above {floor} up to {bound}"),
    }
}
