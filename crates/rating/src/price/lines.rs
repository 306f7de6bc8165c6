//! From a usage to the lines of a bill.
//!
//! Each line is rounded once. Where a limit changes what the lines come to, one more line carries the
//! difference, so that a reader can add the lines up and arrives at the total.

use serde::{Deserialize, Serialize};

use super::{Charge, Percentage, PriceError, PriceModel, Tier};
use crate::currency::Currency;
use crate::decimal::Decimal;
use crate::exact::Exact;
use crate::money::{Money, MoneyError};
use crate::quantity::{Quantity, QuantityError};

/// What was used, in the form in which the price looks at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Usage {
    /// The total of a period. Every price but a percentage takes it.
    Total(Quantity),
    /// The quantity of each event, in the order of time. Every price takes it; all but a percentage add it up.
    Events(Vec<Quantity>),
}

/// One line of a bill. On lines of units the amount is quantity times unit price, rounded; on a line that
/// carries a limit the quantity is one and the unit price is the amount.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PricedLine {
    /// What the line is for, in English.
    pub description: String,
    /// How many units, packages or events.
    pub quantity: Quantity,
    /// The price of one of them in major units, with up to twelve decimals.
    pub unit_price: Decimal,
    /// What the line comes to.
    pub amount: Money,
}

/// Prices a usage. Lines that charge nothing for nothing are left out, so there may be none.
///
/// # Errors
/// The model is invalid, a percentage got a total or a negative event, the usage is negative, or an amount is out
/// of range.
pub fn price(model: &PriceModel, usage: &Usage, currency: Currency) -> Result<Vec<PricedLine>, PriceError> {
    model.validate()?;
    let total_used = usage.total()?;
    let mut lines = match &model.charge {
        Charge::Flat { amount } => vec![line("Flat fee", Quantity::ONE, *amount, currency)?],
        Charge::PerUnit { unit_amount, free_units } => {
            let description = beyond_free("Units", *free_units);
            let charged = total_used.above(*free_units)?;
            vec![line(&description, charged, *unit_amount, currency)?]
        }
        Charge::Graduated { tiers } => graduated_lines(tiers, total_used, currency)?,
        Charge::Volume { tiers } => volume_lines(tiers, total_used, currency)?,
        Charge::Package { package_size, amount, free_units } => {
            let packages = packages_started(total_used.above(*free_units)?, *package_size)?;
            let description = beyond_free(&format!("Packages of {package_size} units"), *free_units);
            vec![line(&description, packages, *amount, currency)?]
        }
        Charge::Percentage(percentage) => match usage {
            Usage::Events(events) => percentage_lines(percentage, events, currency)?,
            Usage::Total(_) => return Err(PriceError::EventsRequired),
        },
    };
    apply_limits(model, &mut lines, currency)?;
    lines.retain(|line| !(line.quantity.is_zero() && line.amount.is_zero()));
    Ok(lines)
}

/// What the lines come to.
///
/// # Errors
/// A line is in another currency, or the sum is out of range.
pub fn total(lines: &[PricedLine], currency: Currency) -> Result<Money, MoneyError> {
    Money::sum(lines.iter().map(|line| line.amount), currency)
}

impl Usage {
    /// The total quantity.
    ///
    /// # Errors
    /// The total is negative or out of range. A single event may be negative: it corrects others.
    pub fn total(&self) -> Result<Quantity, PriceError> {
        let total = match self {
            Self::Total(total) => *total,
            Self::Events(events) => Quantity::sum(events.iter().copied())?,
        };
        if total.is_negative() { Err(PriceError::NegativeUsage) } else { Ok(total) }
    }
}

/// Each tier charges the units between the bound before it and its own.
fn graduated_lines(tiers: &[Tier], used: Quantity, currency: Currency) -> Result<Vec<PricedLine>, PriceError> {
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
fn volume_lines(tiers: &[Tier], used: Quantity, currency: Currency) -> Result<Vec<PricedLine>, PriceError> {
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

fn push_tier(lines: &mut Vec<PricedLine>, tier: &Tier, floor: Quantity, units: Quantity, currency: Currency) -> Result<(), PriceError> {
    let range = match (floor.is_zero(), tier.up_to) {
        (true, None) => "any quantity".to_owned(),
        (true, Some(bound)) => format!("up to {bound}"),
        (false, None) => format!("above {floor}"),
        (false, Some(bound)) => format!("above {floor} up to {bound}"),
    };
    if !tier.flat_amount.is_zero() {
        let description = format!("Flat fee, {range}");
        lines.push(line(&description, Quantity::ONE, tier.flat_amount, currency)?);
    }
    lines.push(line(&format!("Units, {range}"), units, tier.unit_amount, currency)?);
    Ok(())
}

fn packages_started(units: Quantity, package_size: Quantity) -> Result<Quantity, PriceError> {
    let packages = units
        .to_exact()
        .divided_by(&package_size.to_exact())
        .and_then(|packages| packages.ceil())
        .and_then(|packages| i64::try_from(packages).ok())
        .ok_or(QuantityError::OutOfRange)?;
    Ok(Quantity::try_from(packages)?)
}

/// Share and fee are a line each. Limits per event make a third one: what all events come to, each within its
/// limits and rounded together, less the first two. So an event that costs at most 3 never costs 3.01, at the
/// price that the line may also carry the cent by which two roundings differ from one.
fn percentage_lines(percentage: &Percentage, events: &[Quantity], currency: Currency) -> Result<Vec<PricedLine>, PriceError> {
    let Percentage { rate, fixed_amount, free_events, minimum_per_event, maximum_per_event } = percentage;
    if events.iter().any(|event| event.is_negative()) {
        return Err(PriceError::NegativeUsage);
    }
    let free = usize::try_from(*free_events).unwrap_or(usize::MAX);
    let charged = events.get(free..).unwrap_or_default();
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

/// A rate in percent as a unit price. A valid rate has at most ten decimals, so the division is exact.
fn share_of_one(rate: Decimal) -> Decimal {
    Decimal::from_trillionths(rate.trillionths().checked_div(100).unwrap_or_default())
}

fn within(amount: Exact, minimum: Option<&Exact>, maximum: Option<&Exact>) -> Exact {
    let raised = minimum.cloned().map_or(amount.clone(), |minimum| minimum.max(amount));
    maximum.cloned().map_or(raised.clone(), |maximum| maximum.min(raised))
}

fn apply_limits(model: &PriceModel, lines: &mut Vec<PricedLine>, currency: Currency) -> Result<(), PriceError> {
    let due = total(lines, currency)?;
    if let Some(minimum) = model.minimum_amount {
        let minimum = Money::round(&minimum.to_exact(), currency)?;
        if due.minor() < minimum.minor() {
            push_difference(lines, "Up to the minimum charge", minimum, currency)?;
        }
    }
    if let Some(maximum) = model.maximum_amount {
        let maximum = Money::round(&maximum.to_exact(), currency)?;
        if due.minor() > maximum.minor() {
            push_difference(lines, "Down to the maximum charge", maximum, currency)?;
        }
    }
    Ok(())
}

/// Adds the line that makes the others sum to `due`, unless they do already.
fn push_difference(lines: &mut Vec<PricedLine>, description: &str, due: Money, currency: Currency) -> Result<(), PriceError> {
    let amount = due.checked_sub(total(lines, currency)?)?;
    if !amount.is_zero() {
        lines.push(PricedLine { description: description.to_owned(), quantity: Quantity::ONE, unit_price: amount.to_decimal(), amount });
    }
    Ok(())
}

fn line(description: &str, quantity: Quantity, unit_price: Decimal, currency: Currency) -> Result<PricedLine, PriceError> {
    let exact = quantity.to_exact().times(&unit_price.to_exact());
    Ok(PricedLine { description: description.to_owned(), quantity, unit_price, amount: Money::round(&exact, currency)? })
}

fn beyond_free(description: &str, free_units: Quantity) -> String {
    if free_units.is_zero() { description.to_owned() } else { format!("{description}, above {free_units} free") }
}
