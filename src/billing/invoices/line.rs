//! A line of an invoice.

use rating::{Currency, Money, ProrationPolicy, Quantity};
use serde::{Deserialize, Serialize};

use crate::billing::subscriptions::subscription::Shape;
use crate::kernel::period::Period;
use crate::kernel::time::Timestamp;

/// The kind of a charge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum LineKind {
    /// The plan, for a billing period.
    BasePrice,
    /// An add-on, for a billing period.
    AddOn,
    /// Usage past the included amount.
    Overage,
    /// Usage that arrived after the invoice of its period.
    LateUsage,
    /// The credit for unused time that was charged in advance.
    UnusedTime,
    /// The charge for the rest of a billing period.
    RemainingTime,
    /// The rest of the minimum commitment.
    MinimumCommitment,
}

/// A line, as it is stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Line {
    pub kind: LineKind,
    /// The key of the plan, `plan/add-on`, or the metric.
    pub item: String,
    pub description: String,
    pub quantity: Quantity,
    /// Major units, up to 12 decimals.
    pub unit_price: String,
    /// Before discounts.
    pub amount_minor: i64,
    /// The charged period; an earlier one for late usage.
    pub period_starts_at: Timestamp,
    pub period_ends_at: Timestamp,
    /// Usage lines: the counted usage of the period (late usage: the usage since it was last billed).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counted: Option<Quantity>,
    /// Usage lines: the part that was billed before, at a change or a threshold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub billed_before: Option<Quantity>,
    /// The plan version that prices the line.
    #[serde(default)]
    pub plan: String,
    #[serde(default)]
    pub plan_version: u32,
    /// The subscribed shape: its quantity is priced, and its add-ons raise the included amount.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shape: Option<Shape>,
    /// The discount on the line.
    #[serde(default)]
    pub discount_minor: i64,
    /// The taxes on the line, in the order of the taxes of the invoice.
    #[serde(default)]
    pub taxes_minor: Vec<i64>,
    /// Lines of unused and remaining time: the share of the period.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proration: Option<Proration>,
}

/// The share of a period that a line is. With `share` one of `rating::shares(period, changed_at, zone, policy, ending)`, where the ending
/// is
/// a termination if `is_end`, its `amount_minor` can be computed again from this alone; each product is rounded once:
///
/// | kind | amount |
/// |---|---|
/// | `RemainingTime` | `whole_minor` × remaining |
/// | `UnusedTime` | −min(`whole_minor` × unused × `limit_minor` ÷ `charged_minor`, `limit_minor`) |
/// | `BasePrice`, `AddOn` | `whole_minor` × used at the end of the line's period, less `whole_minor` × used at its start |
/// | `MinimumCommitment` | `whole_minor` is the minimum, of which used is committed; the base price counts with the same share |
///
/// A slot with several amounts charged in advance is credited with one line for each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Proration {
    pub policy: ProrationPolicy,
    /// The instant that divides the period; for a part that has passed, its end.
    pub changed_at: Timestamp,
    /// Nothing follows: the line belongs to a cancellation or a pause.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_end: bool,
    /// The whole period.
    pub period: Period,
    /// The price of the item for all of `period`, before discounts, by the plan version and the shape of the line; for unused time after a
    /// change without proration, by the charged ones.
    pub whole_minor: i64,
    /// Credits: the rest of the amount charged in advance, after discounts and earlier credits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_minor: Option<i64>,
    /// Credits: the amount charged in advance, before discounts.
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
