//! One period's usage billed in several parts, and one usage priced bucket by bucket.
//!
//! A part costs what all usage so far costs less what the parts before it cost: so the parts sum to the price of
//! the whole, to the cent, whatever the tiers, packages, free units and limits between them. OpenMeter bills split
//! lines the same way (`openmeter/billing/rating`: total so far minus already billed).

use super::lines::{PricedLine, apply_limits, price};
use super::{PriceError, PriceModel, Usage};
use crate::currency::Currency;
use crate::money::Money;
use crate::quantity::Quantity;

/// The lines of one part. `billed` is the usage that earlier parts of the period have billed, `None` for the first
/// part; `so_far` is all usage of the period including it; `is_last` is whether the period ends with this part.
/// The minimum is owed for a whole period, so only its last part brings the bill up to it.
///
/// Lines that grew are billed for what they grew by. A line that no longer holds (a volume tier that was passed) is
/// taken back by a negative one, before discounts: where a price is both, discount all usage so far, then subtract.
///
/// # Errors
/// As for [`price`].
pub fn price_part(
    model: &PriceModel,
    billed: Option<&Usage>,
    so_far: &Usage,
    is_last: bool,
    currency: Currency,
) -> Result<Vec<PricedLine>, PriceError> {
    let open_ended = PriceModel { minimum_amount: None, ..model.clone() };
    let mut before = billed.map_or(Ok(Vec::new()), |billed| price(&open_ended, billed, currency))?;
    let mut part = Vec::new();
    for line in price(if is_last { model } else { &open_ended }, so_far, currency)? {
        let position = before.iter().position(|earlier| earlier.description == line.description);
        let earlier = position.map(|position| before.swap_remove(position));
        part.extend(grown(line, earlier.as_ref())?);
    }
    for earlier in before {
        part.push(PricedLine { quantity: Quantity::ZERO.checked_sub(earlier.quantity)?, amount: earlier.amount.checked_neg()?, ..earlier });
    }
    Ok(part)
}

/// Prices each bucket of a usage (the peak of each hour, say) by itself and adds the lines up: units of one tier
/// are one line, rounded once. Minimum and maximum hold for all buckets together.
///
/// # Errors
/// As for [`price`].
pub fn price_buckets(model: &PriceModel, buckets: &[Quantity], currency: Currency) -> Result<Vec<PricedLine>, PriceError> {
    model.validate()?;
    let unlimited = PriceModel::new(model.charge.clone());
    let mut lines: Vec<PricedLine> = Vec::new();
    for bucket in buckets {
        for line in price(&unlimited, &Usage::Total(*bucket), currency)? {
            match lines.iter_mut().find(|known| known.description == line.description) {
                Some(known) => known.quantity = known.quantity.checked_add(line.quantity)?,
                None => lines.push(line),
            }
        }
    }
    for line in &mut lines {
        line.amount = Money::of_units(line.quantity, line.unit_price, currency)?;
    }
    apply_limits(model, &mut lines, currency)?;
    Ok(lines)
}

/// What a line has more than the same line of an earlier part, or `None` when it is the same.
fn grown(line: PricedLine, earlier: Option<&PricedLine>) -> Result<Option<PricedLine>, PriceError> {
    let Some(earlier) = earlier else { return Ok(Some(line)) };
    let amount = line.amount.checked_sub(earlier.amount)?;
    // Only lines that carry a limit change their unit price: there the amount is all that counts.
    let (quantity, unit_price) = if line.unit_price == earlier.unit_price {
        (line.quantity.checked_sub(earlier.quantity)?, line.unit_price)
    } else {
        (Quantity::ONE, amount.to_decimal())
    };
    let is_same = amount.is_zero() && (quantity.is_zero() || line.unit_price != earlier.unit_price);
    Ok((!is_same).then_some(PricedLine { quantity, unit_price, amount, ..line }))
}
