//! Invoices as clients read them.

use rating::{Currency, Money, Off, Quantity};
use serde::Serialize;
use utoipa::ToSchema;

use super::bill::{ChargedTax, TakenDiscount};
use super::invoice::{BillingReason, CountedUsage, Invoice};
use super::lifecycle::Status;
use super::line::{Line, LineKind};
use crate::http::money::MoneyView;
use crate::http::quantity::QuantityDocument;
use crate::kernel::ids::{CreditNoteId, InvoiceId, SubscriptionId};
use crate::kernel::time::Timestamp;

/// The days a period spans.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = BillingPeriod)]
pub struct BillingPeriodView {
    pub start_date: Timestamp,
    pub end_date: Timestamp,
}

/// A line (schema.org's OrderItem).
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OrderItem)]
pub struct LineView {
    #[serde(rename = "$type")]
    pub type_name: &'static str,
    pub kind: LineKind,
    /// The plan's key, or the metric.
    pub order_item: String,
    #[schema(value_type = QuantityDocument)]
    pub order_quantity: Quantity,
    /// Price of one, in major units, up to 12 decimals.
    pub price: String,
    pub description: String,
    /// Before discounts and taxes.
    pub amount: MoneyView,
    /// What discounts take off it.
    pub discount: MoneyView,
    /// The taxes on what is left, in the order of the invoice's `taxes`.
    pub taxes: Vec<MoneyView>,
    pub billing_period: BillingPeriodView,
    /// Usage: what was counted in the period; late usage: what came after its invoice.
    #[schema(value_type = Option<QuantityDocument>)]
    pub counted: Option<Quantity>,
    /// Usage: what of it was billed before, by a change or at a threshold.
    #[schema(value_type = Option<QuantityDocument>)]
    pub billed_before: Option<Quantity>,
}

/// What was counted in a period, whether or not it costs anything.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = CountedUsage)]
pub struct UsageView {
    pub metric: String,
    #[schema(value_type = QuantityDocument)]
    pub counted: Quantity,
    /// How much of it is on earlier invoices: it was billed before its period ended, by a change, a pause or at a threshold.
    #[schema(value_type = Option<QuantityDocument>)]
    pub billed_before: Option<Quantity>,
    pub billing_period: BillingPeriodView,
    /// It came after the invoice of its period: `counted` is what came since.
    pub late: bool,
}

impl From<CountedUsage> for UsageView {
    fn from(usage: CountedUsage) -> Self {
        let billing_period = BillingPeriodView { start_date: usage.period_starts_at, end_date: usage.period_ends_at };
        Self { metric: usage.metric, counted: usage.counted, billed_before: usage.billed_before, billing_period, late: usage.late }
    }
}

/// What a discount takes off.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = InvoiceDiscount)]
pub struct DiscountView {
    pub name: String,
    /// Percent, where it is a percentage.
    #[schema(example = "10")]
    pub percentage: Option<String>,
    pub amount: MoneyView,
}

impl DiscountView {
    pub fn new(taken: &TakenDiscount, currency: Currency) -> Self {
        let percentage = match taken.off {
            Off::Percentage(rate) => Some(rate.to_string()),
            Off::Fixed(_) => None,
        };
        Self { name: taken.name.clone(), percentage, amount: Money::new(taken.amount_minor, currency).into() }
    }
}

/// What a tax comes to.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = InvoiceTax)]
pub struct TaxView {
    pub name: String,
    /// Percent.
    #[schema(example = "20")]
    pub rate: String,
    /// Contained in the lines' amounts; on top of them otherwise.
    pub inclusive: bool,
    pub amount: MoneyView,
}

impl TaxView {
    pub fn new(tax: &ChargedTax, currency: Currency) -> Self {
        Self {
            name: tax.name.clone(),
            rate: tax.rate.rate.to_string(),
            inclusive: tax.rate.inclusive,
            amount: Money::new(tax.amount_minor, currency).into(),
        }
    }
}

/// An invoice.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Invoice)]
pub struct InvoiceView {
    #[serde(rename = "$type")]
    pub type_name: &'static str,
    #[serde(rename = "$id")]
    pub id: InvoiceId,
    /// The seller's prefix and the number, which is gapless.
    #[schema(example = "INV-000001")]
    pub identifier: Option<String>,
    pub subscription: SubscriptionId,
    pub billing_reason: BillingReason,
    /// The lines before discounts and taxes.
    pub subtotal: MoneyView,
    /// With discounts and taxes, before credit.
    pub total: MoneyView,
    /// What credit paid of it when it was made.
    pub credit_applied: MoneyView,
    /// The total less the credit.
    pub total_payment_due: MoneyView,
    /// What is still to be paid.
    pub amount_remaining: MoneyView,
    pub references_order: Vec<LineView>,
    /// The Meter's closing that the invoice is made from: the period that ended, and what came late for earlier ones.
    pub usage: Vec<UsageView>,
    pub discount: Vec<DiscountView>,
    pub taxes: Vec<TaxView>,
    /// The ids of the credit notes on it, see `/v1/credit-notes`.
    pub credit_notes: Vec<CreditNoteId>,
    pub date_issued: Option<Timestamp>,
    pub payment_due_date: Option<Timestamp>,
    /// The period the invoice opens, whose base price it charges; each line says which period it charges for.
    pub billing_period: BillingPeriodView,
    pub payment_status: Status,
    pub paid_at: Option<Timestamp>,
    pub voided_at: Option<Timestamp>,
}

impl From<Invoice> for InvoiceView {
    fn from(invoice: Invoice) -> Self {
        let currency = invoice.currency;
        Self {
            type_name: "Invoice",
            id: invoice.id,
            identifier: invoice.identifier(),
            subscription: invoice.subscription,
            billing_reason: invoice.reason,
            subtotal: invoice.money(invoice.subtotal_minor).into(),
            total: invoice.money(invoice.total_minor).into(),
            credit_applied: invoice.money(invoice.credit_minor).into(),
            total_payment_due: invoice.payment_due().into(),
            amount_remaining: invoice.remaining().into(),
            references_order: invoice.lines.into_iter().map(|line| LineView::new(line, currency)).collect(),
            usage: invoice.usage.into_iter().map(UsageView::from).collect(),
            discount: invoice.discounts.iter().map(|taken| DiscountView::new(taken, currency)).collect(),
            taxes: invoice.taxes.iter().map(|tax| TaxView::new(tax, currency)).collect(),
            credit_notes: invoice.credit_notes,
            date_issued: invoice.issued_at,
            payment_due_date: invoice.due_at,
            billing_period: BillingPeriodView { start_date: invoice.period.starts_at, end_date: invoice.period.ends_at },
            payment_status: invoice.status,
            paid_at: invoice.paid_at,
            voided_at: invoice.voided_at,
        }
    }
}

impl LineView {
    pub fn new(line: Line, currency: Currency) -> Self {
        Self {
            type_name: "OrderItem",
            kind: line.kind,
            order_item: line.item,
            order_quantity: line.quantity,
            price: line.unit_price,
            description: line.description,
            amount: Money::new(line.amount_minor, currency).into(),
            discount: Money::new(line.discount_minor, currency).into(),
            taxes: line.taxes_minor.iter().map(|tax| Money::new(*tax, currency).into()).collect(),
            billing_period: BillingPeriodView { start_date: line.period_starts_at, end_date: line.period_ends_at },
            counted: line.counted,
            billed_before: line.billed_before,
        }
    }
}
