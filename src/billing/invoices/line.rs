//! A line of an invoice.

use rating::{Currency, Money, ProrationPolicy, Quantity};
use serde::{Deserialize, Serialize};

use crate::billing::subscriptions::subscription::Shape;
use crate::kernel::period::Period;
use crate::kernel::time::Timestamp;

/// What a line charges for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum LineKind {
    /// The plan, for a billing period.
    BasePrice,
    /// An add-on, for a billing period.
    AddOn,
    /// Usage past what is included.
    Overage,
    /// Usage that came after the invoice of its period.
    LateUsage,
    /// What comes back of a price that was charged in advance.
    UnusedTime,
    /// A price for what is left of a billing period.
    RemainingTime,
    /// What is missing to the minimum commitment.
    MinimumCommitment,
}

/// One line; as it is stored and as it is shown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Line {
    pub kind: LineKind,
    /// The plan's key, `plan/add-on`, or the metric.
    pub item: String,
    pub description: String,
    pub quantity: Quantity,
    /// Major units, up to 12 decimals.
    pub unit_price: String,
    /// Before discounts.
    pub amount_minor: i64,
    /// The period it charges for, which for late usage is an earlier one.
    pub period_starts_at: Timestamp,
    pub period_ends_at: Timestamp,
    /// Usage lines: what was counted in the period (late usage: what came since it was last billed).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counted: Option<Quantity>,
    /// Usage lines: what of it was billed before, by a change or at a threshold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub billed_before: Option<Quantity>,
    /// The version of the plan by whose prices it is.
    #[serde(default)]
    pub plan: String,
    #[serde(default)]
    pub plan_version: u32,
    /// What was subscribed to: the quantity that is priced, and the add-ons that raise what is included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shape: Option<Shape>,
    /// What discounts take off it.
    #[serde(default)]
    pub discount_minor: i64,
    /// The taxes on it, in the order of the invoice's.
    #[serde(default)]
    pub taxes_minor: Vec<i64>,
    /// Lines of unused and remaining time: the share of what they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proration: Option<Proration>,
}

/// The share of a period that a line is. With `share` one of `rating::shares(period, changed_at, zone, policy, ending)`, where the ending is
/// a termination if `is_end`, its `amount_minor` can be computed again from this alone; each product is rounded once:
///
/// | kind | amount |
/// |---|---|
/// | `RemainingTime` | `whole_minor` × remaining |
/// | `UnusedTime` | −min(`whole_minor` × unused × `limit_minor` ÷ `charged_minor`, `limit_minor`) |
/// | `BasePrice`, `AddOn` | `whole_minor` × used at the end of the line's period, less `whole_minor` × used at its start |
/// | `MinimumCommitment` | `whole_minor` is the minimum, of which used is committed; the base price counts with the same share |
///
/// A slot in which several amounts were charged in advance gives back a line for each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Proration {
    pub policy: ProrationPolicy,
    /// What divides the period; of lines for a part that has passed, when that ended.
    pub changed_at: Timestamp,
    /// Nothing follows: a cancellation or a pause, and no change.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_end: bool,
    /// The whole period that is divided.
    pub period: Period,
    /// What the item costs for all of `period`, before discounts: the price of the line's plan version for the line's shape; of time that
    /// comes back after a change without proration, that of what was charged.
    pub whole_minor: i64,
    /// Of lines that give back: what was charged in advance, after discounts, and was not given back before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_minor: Option<i64>,
    /// Of lines that give back: what was charged before discounts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub charged_minor: Option<i64>,
}

impl Line {
    pub fn amount(&self, currency: Currency) -> Money {
        Money::new(self.amount_minor, currency)
    }

    pub fn period(&self) -> Period {
        Period { starts_at: self.period_starts_at, ends_at: self.period_ends_at }
    }
}
