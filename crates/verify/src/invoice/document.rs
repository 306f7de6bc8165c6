//! The document as it is read: what an amount depends on is read strictly, everything else is left alone.

use std::collections::BTreeMap;

use rating::{BillingInterval, Currency, Decimal, Money, Off, PriceModel, ProrationPolicy, Quantity};
use serde::{Deserialize, Deserializer, de};

use crate::instant;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Document {
    #[serde(rename = "$type")]
    pub kind: String,
    pub version: u64,
    pub organization: String,
    pub invoice: Invoice,
    pub lines: Vec<Basis>,
    pub discounts: Vec<Taken>,
    pub credits: Vec<Drawn>,
    pub carried_minor: i64,
    pub subscription: Subscription,
    pub plans: Vec<Plan>,
    pub closings: Vec<Commit>,
}

/// The invoice as `GET /v1/invoices/{id}` shows it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Invoice {
    #[serde(rename = "$id")]
    pub id: String,
    pub identifier: Option<String>,
    pub subscription: String,
    pub billing_reason: Reason,
    pub subtotal: Price,
    pub total: Price,
    pub credit_applied: Price,
    pub total_payment_due: Price,
    pub amount_remaining: Price,
    pub references_order: Vec<Line>,
    pub usage: Vec<Counted>,
    pub discount: Vec<Discount>,
    pub taxes: Vec<Tax>,
    pub date_issued: Option<Instant>,
    pub payment_due_date: Option<Instant>,
    pub billing_period: Dates,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Reason {
    SubscriptionCreate,
    SubscriptionCycle,
    SubscriptionUpdate,
    SubscriptionThreshold,
    SubscriptionEnd,
    LateUsage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Kind {
    BasePrice,
    AddOn,
    Overage,
    LateUsage,
    UnusedTime,
    RemainingTime,
    MinimumCommitment,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Line {
    pub kind: Kind,
    pub order_item: String,
    pub order_quantity: Quantity,
    pub price: Decimal,
    pub amount: Price,
    pub discount: Price,
    pub taxes: Vec<Price>,
    pub billing_period: Dates,
    pub counted: Option<Quantity>,
    pub billed_before: Option<Quantity>,
}

/// An amount, which is told twice.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Price(pub Money);

impl<'de> Deserialize<'de> for Price {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Told {
            price: String,
            price_currency: Currency,
            amount_minor: i64,
        }
        let Told { price, price_currency, amount_minor } = Told::deserialize(value)?;
        let money = Money::new(amount_minor, price_currency);
        if price == money.to_decimal_string() {
            return Ok(Self(money));
        }
        Err(de::Error::custom(format!("the price {price} is not {amount_minor} minor units of {price_currency}")))
    }
}

/// Milliseconds since 1970, written as RFC 3339 in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub(crate) struct Instant(#[serde(deserialize_with = "instant::either")] pub i64);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Dates {
    pub start_date: Instant,
    pub end_date: Instant,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Counted {
    pub metric: String,
    pub counted: Quantity,
    pub billed_before: Option<Quantity>,
    pub billing_period: Dates,
    pub late: bool,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Discount {
    pub name: String,
    pub percentage: Option<Decimal>,
    pub amount: Price,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Tax {
    pub name: String,
    pub rate: Decimal,
    pub inclusive: bool,
    pub amount: Price,
}

/// What a line rests on.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Basis {
    pub plan: String,
    pub plan_version: u32,
    pub shape: Option<Shape>,
    pub closing: Option<u64>,
    pub proration: Option<Proration>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Shape {
    pub plan: String,
    pub plan_version: u32,
    pub interval: BillingInterval,
    pub quantity: u32,
    pub add_ons: BTreeMap<String, u32>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Proration {
    pub policy: ProrationPolicy,
    pub changed_at: Instant,
    #[serde(default)]
    pub is_end: bool,
    pub period: Span,
    pub whole_minor: i64,
    pub limit_minor: Option<i64>,
    pub charged_minor: Option<i64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Span {
    pub starts_at: Instant,
    pub ends_at: Instant,
}

impl From<Span> for Dates {
    fn from(span: Span) -> Self {
        Self { start_date: span.starts_at, end_date: span.ends_at }
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Taken {
    pub name: String,
    pub off: Off,
    pub amount_minor: i64,
    pub items: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Drawn {
    pub id: String,
    pub amount_minor: i64,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Subscription {
    #[serde(rename = "$id")]
    pub id: String,
    pub time_zone: String,
    pub started_at: Instant,
    pub trial_ends_at: Option<Instant>,
    pub anchored_at: Option<Instant>,
    pub phases: Vec<Phase>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Phase {
    pub starts_at: Instant,
    #[serde(flatten)]
    pub shape: Shape,
}

/// A version of a plan, as far as it costs something.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Plan {
    pub key: String,
    pub version: u32,
    pub prices: Vec<PlanPrice>,
    pub base_timing: Timing,
    pub metrics: Vec<PlanMetric>,
    pub add_ons: Vec<AddOn>,
    pub minimum_commitment: BTreeMap<String, Decimal>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct PlanPrice {
    pub currency: Currency,
    pub interval: BillingInterval,
    pub price: PriceModel,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Timing {
    InAdvance,
    InArrears,
}

#[derive(Debug, Deserialize)]
pub(crate) struct PlanMetric {
    pub metric: String,
    pub included: Quantity,
    pub prices: BTreeMap<String, PriceModel>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct AddOn {
    pub key: String,
    pub prices: Vec<PlanPrice>,
    pub limits: BTreeMap<String, Quantity>,
}

/// A commit of the Meter's chain.
#[derive(Debug, Deserialize)]
pub(crate) struct Commit {
    pub number: u64,
    pub previous: String,
    pub hash: String,
    pub body: String,
}
