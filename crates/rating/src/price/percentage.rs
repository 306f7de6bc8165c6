//! A share of the value of each event, with free events, a fee per event and limits per event.

use super::lines::{PricedLine, line, push_difference};
use super::{Percentage, PriceError};
use crate::currency::Currency;
use crate::decimal::Decimal;
use crate::exact::Exact;
use crate::money::Money;
use crate::quantity::Quantity;

/// Share and fee are a line each. Limits per event make a third one: what all events come to, each within its
/// limits and rounded together, less the first two. So an event that costs at most 3 never costs 3.01, at the
/// price that the line may also carry the cent by which two roundings differ from one.
pub(super) fn percentage_lines(percentage: &Percentage, events: &[Quantity], currency: Currency) -> Result<Vec<PricedLine>, PriceError> {
    let Percentage { rate, fixed_amount, minimum_per_event, maximum_per_event, .. } = percentage;
    if events.iter().any(|event| event.is_negative()) {
        return Err(PriceError::NegativeUsage);
    }
    let charged = charged(percentage, events)?;
    let value = Quantity::sum(charged.iter().copied())?;
    let count = Quantity::try_from(u64::try_from(charged.len()).unwrap_or(u64::MAX))?;
    let share = share_of_one(*rate);

    let mut lines = vec![
        line(&format!("{rate}% of the value of events"), value, share, currency)?,
        line("Fee per event", count, *fixed_amount, currency)?,
    ];
    lines.retain(|line| !line.unit_price.is_zero());
    if minimum_per_event.is_some() || maximum_per_event.is_some() {
        let (share, fee) = (share.to_exact(), fixed_amount.to_exact());
        let minimum = minimum_per_event.map(Decimal::to_exact);
        let maximum = maximum_per_event.map(Decimal::to_exact);
        let limited = charged.iter().fold(Exact::zero(), |sum, event| {
            let cost = event.to_exact().times(&share).plus(&fee);
            sum.plus(&within(cost, minimum.as_ref(), maximum.as_ref()))
        });
        let due = Money::round(&limited, currency)?;
        push_difference(&mut lines, "Minimum and maximum per event", due, currency)?;
    }
    Ok(lines)
}

/// The value of each event that is charged. An event is free while it is among the first `free_events` and while
/// the sum of all events up to it is within `free_value`, as far as each is given; the event that crosses the free
/// value is charged for what lies beyond it. The last event that reaches the free value exactly is not below it and
/// pays its fee, as in Lago (`ChargeModels::PercentageService`: a running total < the free value is free of fees).
fn charged(percentage: &Percentage, events: &[Quantity]) -> Result<Vec<Quantity>, PriceError> {
    let (free_events, free_value) = (percentage.free_events, percentage.free_value);
    let mut is_free = free_events > 0 || !free_value.is_zero();
    let mut sum = Quantity::ZERO;
    let mut charged = Vec::new();
    for (position, event) in (0_u64..).zip(events) {
        is_free = is_free && (free_events == 0 || position < free_events);
        let before = sum;
        sum = sum.checked_add(*event)?;
        if is_free && (free_value.is_zero() || sum < free_value) {
            continue;
        }
        let left = if is_free { free_value.above(before)? } else { Quantity::ZERO };
        charged.push(event.above(left)?);
        is_free = false;
    }
    Ok(charged)
}

/// A rate in percent as a unit price. A valid rate has at most ten decimals, so the division is exact.
pub(super) fn share_of_one(rate: Decimal) -> Decimal {
    Decimal::from_trillionths(rate.trillionths().checked_div(100).unwrap_or_default())
}

fn within(amount: Exact, minimum: Option<&Exact>, maximum: Option<&Exact>) -> Exact {
    let raised = minimum.cloned().map_or(amount.clone(), |minimum| minimum.max(amount));
    maximum.cloned().map_or(raised.clone(), |maximum| maximum.min(raised))
}
