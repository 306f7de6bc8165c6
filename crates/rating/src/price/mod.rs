//! Price models, and the lines that a usage costs under them.
//!
//! A [`PriceModel`] is data: the vendor writes it as JSON in a plan, a published plan keeps it for ever, and the
//! same value prices an estimate and an invoice. [`price`] turns it and a usage into lines.
//!
//! Words:
//!
//! - *unit*: what a metric counts (a call, a seat, a gigabyte). *Amount*: major units of the plan's currency.
//! - *graduated*: each unit is charged at the price of the tier in which it lies.
//! - *volume*: all units are charged at the price of the tier in which the last one lies.
//! - *package*: units are sold in packages, and a package that was started is charged whole.
//! - *percentage*: a share of each event's value, with an optional fee per event.
//! - *graduated percentage*: each part of the value at the rate of the tier in which it lies.
//! - *dynamic*: the events say themselves what they cost; the price multiplies it.
//! - *part*: a period's usage may be billed in several parts ([`price_part`]); they sum to the price of the whole.
//!
//! It does not own: which usage counts (the meter), discounts and taxes, proration (sibling modules).

mod lines;
mod parts;
mod percentage;
mod problem;
mod tiers;
mod validation;

use serde::{Deserialize, Serialize, Serializer};

pub use lines::{PricedLine, Usage, price, total};
pub use parts::{price_buckets, price_part};
pub use problem::{PriceError, PriceProblem};
pub use validation::price_currency;

use crate::decimal::Decimal;
use crate::quantity::Quantity;

/// How a usage is charged: one kind of [`Charge`], and the least and the most that it may cost.
///
/// In JSON both limits stand beside the fields of the charge. Reading checks the shape only;
/// [`PriceModel::validate`] checks the sense.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PriceModel {
    /// What is charged for.
    #[serde(flatten)]
    pub charge: Charge,
    /// The lines sum to at least this amount, also when nothing was used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum_amount: Option<Decimal>,
    /// The lines sum to at most this amount.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maximum_amount: Option<Decimal>,
}

/// The kinds of price. In JSON `model` names the kind, and a field that the kind does not have is refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "model", rename_all = "snake_case", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Charge {
    /// One amount, whatever was used.
    Flat {
        /// The amount.
        amount: Decimal,
    },
    /// The same amount for each unit.
    PerUnit {
        /// The amount for one unit.
        unit_amount: Decimal,
        /// So many units cost nothing.
        #[serde(default, serialize_with = "as_string", skip_serializing_if = "quantity_is_zero")]
        free_units: Quantity,
    },
    /// Each unit at the price of its tier.
    Graduated {
        /// Ascending; the last one has no bound.
        tiers: Vec<Tier>,
    },
    /// All units at the price of the tier that the total reaches.
    Volume {
        /// Ascending; the last one has no bound.
        tiers: Vec<Tier>,
    },
    /// Packages of units; one that was started is charged whole.
    Package {
        /// How many units a package holds.
        #[serde(serialize_with = "as_string")]
        package_size: Quantity,
        /// The amount for one package.
        amount: Decimal,
        /// So many units cost nothing and fill no package.
        #[serde(default, serialize_with = "as_string", skip_serializing_if = "quantity_is_zero")]
        free_units: Quantity,
        /// What happens to a package that was started and not filled.
        #[serde(default, skip_serializing_if = "PackageRounding::is_up")]
        rounding: PackageRounding,
    },
    /// A share of the value of each event, such as a payment fee.
    Percentage(Percentage),
    /// A share of the total value, each part of it at the rate of its tier. The quantity is the value in major units.
    GraduatedPercentage {
        /// Ascending; the last one has no bound.
        tiers: Vec<PercentageTier>,
    },
    /// What the events say that they cost, in major units, times a factor. The quantity is that cost.
    Dynamic {
        /// `1` passes the cost on, `1.2` adds a fifth to it.
        #[serde(default = "one", skip_serializing_if = "Decimal::is_one")]
        multiplier: Decimal,
    },
}

/// What a package that was started and not filled costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PackageRounding {
    /// As much as a full one.
    #[default]
    Up,
    /// Nothing: only full packages are charged.
    Down,
}

/// A percentage price. The first events may be free, and each event may have a least and a most that it costs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Percentage {
    /// Percent of the value: `1.5` charges 1.50 on 100.
    pub rate: Decimal,
    /// A fee for each event on top.
    #[serde(default, skip_serializing_if = "decimal_is_zero")]
    pub fixed_amount: Decimal,
    /// The first so many events cost nothing, neither share nor fee.
    #[serde(default, skip_serializing_if = "count_is_zero")]
    pub free_events: u64,
    /// The first so much value costs nothing, and an event that ends below it has no fee either. With `free_events`,
    /// both limits hold: what is free ends with the one that is reached first.
    #[serde(default, serialize_with = "as_string", skip_serializing_if = "quantity_is_zero")]
    pub free_value: Quantity,
    /// The least that share and fee of one event may come to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum_per_event: Option<Decimal>,
    /// The most that share and fee of one event may come to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maximum_per_event: Option<Decimal>,
}

/// A range of units with a price of its own. It starts where the tier before it ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Tier {
    /// The last unit of the tier: a bound of 1000 includes the 1000th. `None` (`null`) has no end.
    #[serde(default, serialize_with = "as_optional_string")]
    pub up_to: Option<Quantity>,
    /// The amount for one unit.
    #[serde(default)]
    pub unit_amount: Decimal,
    /// Charged once when the tier is reached; for the first tier also when nothing was used.
    #[serde(default, skip_serializing_if = "decimal_is_zero")]
    pub flat_amount: Decimal,
    /// The tier's units are sold in packages of this size, and `unit_amount` is the price of one that was started.
    #[serde(default, serialize_with = "as_optional_string", skip_serializing_if = "Option::is_none")]
    pub package_size: Option<Quantity>,
}

/// A range of value with a rate of its own. It starts where the tier before it ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PercentageTier {
    /// The value up to which the rate holds, in major units. `None` (`null`) has no end.
    #[serde(default, serialize_with = "as_optional_string")]
    pub up_to: Option<Quantity>,
    /// Percent of the value that lies in the tier.
    pub rate: Decimal,
    /// Charged once when the tier is reached; for the first tier also when nothing was used.
    #[serde(default, skip_serializing_if = "decimal_is_zero")]
    pub flat_amount: Decimal,
}

impl PriceModel {
    /// A price with neither minimum nor maximum.
    #[must_use]
    pub const fn new(charge: Charge) -> Self {
        Self { charge, minimum_amount: None, maximum_amount: None }
    }
}

impl PackageRounding {
    const fn is_up(&self) -> bool {
        matches!(self, Self::Up)
    }
}

/// Quantities in a price are written as strings, whole or not, so that a price reads the same everywhere.
fn as_string<S: Serializer>(quantity: &Quantity, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(quantity)
}

fn as_optional_string<S: Serializer>(quantity: &Option<Quantity>, serializer: S) -> Result<S::Ok, S::Error> {
    match quantity {
        Some(quantity) => as_string(quantity, serializer),
        None => serializer.serialize_none(),
    }
}

fn quantity_is_zero(quantity: &Quantity) -> bool {
    quantity.is_zero()
}

fn decimal_is_zero(decimal: &Decimal) -> bool {
    decimal.is_zero()
}

fn one() -> Decimal {
    Decimal::ONE
}

fn count_is_zero(count: &u64) -> bool {
    *count == 0
}
