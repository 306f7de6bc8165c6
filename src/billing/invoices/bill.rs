//! A bill: lines with discounts, taxes and credit.

use rating::{Money, TaxRate};
use serde::{Deserialize, Serialize};

use super::line::Line;
use crate::kernel::ids::{CreditId, DiscountId};

/// A discount on a bill, as it is stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TakenDiscount {
    pub id: DiscountId,
    pub name: String,
    pub off: rating::Off,
    pub amount_minor: i64,
    /// Only off lines of these items; None is all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items: Option<Vec<String>>,
}

/// A tax on a bill, as it is stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChargedTax {
    pub name: String,
    #[serde(flatten)]
    pub rate: TaxRate,
    pub amount_minor: i64,
}

/// An amount drawn of a credit, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DrawnCredit {
    pub id: CreditId,
    pub amount_minor: i64,
    /// Which version of the credit was drawn on.
    #[serde(default)]
    pub version: i64,
}

/// A bill.
#[derive(Clone, Debug, PartialEq)]
pub struct Composed {
    pub lines: Vec<Line>,
    pub subtotal: Money,
    pub discounts: Vec<TakenDiscount>,
    pub taxes: Vec<ChargedTax>,
    pub credits: Vec<DrawnCredit>,
    pub totals: Totals,
}

/// The totals of a bill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Totals {
    pub discount: Money,
    pub tax: Money,
    /// Never below zero.
    pub total: Money,
    /// The amount below zero.
    pub carried: Money,
    /// The amount that credit pays.
    pub credit: Money,
    /// The amount to pay.
    pub due: Money,
}
