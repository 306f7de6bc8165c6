//! From a usage to the lines of a bill.
//!
//! Each line is rounded once. Where a limit changes what the lines come to, one more line carries the
//! difference, so that a reader can add the lines up and arrives at the total.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::percentage::percentage_lines;
use super::tiers::{graduated_lines, graduated_percentage_lines, packages, volume_lines};
use super::{Charge, PriceError, PriceModel};
use crate::currency::Currency;
use crate::decimal::Decimal;
use crate::money::{Money, MoneyError};
use crate::quantity::Quantity;

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
        Charge::Package { package_size, amount, free_units, rounding } => {
            let packages = packages(total_used.above(*free_units)?, *package_size, *rounding)?;
            let description = beyond_free(&format!("Packages of {package_size} units"), *free_units);
            vec![line(&description, packages, *amount, currency)?]
        }
        Charge::GraduatedPercentage { tiers } => graduated_percentage_lines(tiers, total_used, currency)?,
        Charge::Dynamic { multiplier } => vec![line("Cost of the events", total_used, *multiplier, currency)?],
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
    /// Events as they are billed: in the order of time, equal instants by quantity. However they arrived, the same
    /// events give the same usage. With `until`, only those up to and including that instant: a subscription that
    /// ends at the instant of an event still owes that event, as in Kill Bill (`TestUsageInArrear`).
    #[must_use]
    pub fn of_events(mut events: Vec<(DateTime<Utc>, Quantity)>, until: Option<DateTime<Utc>>) -> Self {
        events.retain(|(at, _)| until.is_none_or(|until| *at <= until));
        events.sort_unstable();
        Self::Events(events.into_iter().map(|(_, quantity)| quantity).collect())
    }

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

pub(super) fn apply_limits(model: &PriceModel, lines: &mut Vec<PricedLine>, currency: Currency) -> Result<(), PriceError> {
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
pub(super) fn push_difference(lines: &mut Vec<PricedLine>, description: &str, due: Money, currency: Currency) -> Result<(), PriceError> {
    let amount = due.checked_sub(total(lines, currency)?)?;
    if !amount.is_zero() {
        lines.push(PricedLine { description: description.to_owned(), quantity: Quantity::ONE, unit_price: amount.to_decimal(), amount });
    }
    Ok(())
}

pub(super) fn line(description: &str, quantity: Quantity, unit_price: Decimal, currency: Currency) -> Result<PricedLine, PriceError> {
    let amount = Money::of_units(quantity, unit_price, currency)?;
    Ok(PricedLine { description: description.to_owned(), quantity, unit_price, amount })
}

fn beyond_free(description: &str, free_units: Quantity) -> String {
    if free_units.is_zero() { description.to_owned() } else { format!("{description}, above {free_units} free") }
}
