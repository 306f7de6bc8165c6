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

/// A period; includes its start, excludes its end.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = BillingPeriod)]
pub struct BillingPeriodView {
    /// The start of the period.
    pub start_date: Timestamp,
    /// The end of the period, exclusive.
    pub end_date: Timestamp,
}

/// A line of an invoice (schema.org's OrderItem).
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OrderItem)]
pub struct LineView {
    /// The type of the resource.
    #[serde(rename = "$type")]
    #[schema(example = "OrderItem")]
    pub type_name: &'static str,
    /// The kind of the charge.
    pub kind: LineKind,
    /// The item of the line: a plan, an add-on (`plan/add-on`) or a metric.
    #[schema(example = "apiCalls")]
    pub order_item: String,
    /// The charged quantity.
    #[schema(value_type = QuantityDocument)]
    pub order_quantity: Quantity,
    /// The price of one unit in major units, up to 12 decimals.
    #[schema(example = "0.002")]
    pub price: String,
    /// The description, printed on the invoice.
    #[schema(example = "API calls past the included 100000")]
    pub description: String,
    /// The amount, before discounts and taxes.
    pub amount: MoneyView,
    /// The discount on the line.
    pub discount: MoneyView,
    /// The taxes on the discounted amount, in the order of `taxes` of the invoice.
    pub taxes: Vec<MoneyView>,
    /// The period that the line charges for.
    pub billing_period: BillingPeriodView,
    /// Usage lines: the usage counted in the period; for late usage, the usage received after the invoice of the period. Null for other
    /// lines.
    #[schema(value_type = Option<QuantityDocument>)]
    pub counted: Option<Quantity>,
    /// Usage lines: the part of `counted` that earlier invoices billed. Null where there is none.
    #[schema(value_type = Option<QuantityDocument>)]
    pub billed_before: Option<Quantity>,
}

/// The usage of a metric in a period, whether or not it was charged.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = CountedUsage)]
pub struct UsageView {
    /// The key of the metric.
    #[schema(example = "apiCalls")]
    pub metric: String,
    /// The counted usage.
    #[schema(value_type = QuantityDocument)]
    pub counted: Quantity,
    /// The part of the usage that earlier invoices billed: at a change, a pause or a threshold. Null where there is none.
    #[schema(value_type = Option<QuantityDocument>)]
    pub billed_before: Option<Quantity>,
    /// The usage period.
    pub billing_period: BillingPeriodView,
    /// Whether the usage was received after the invoice of its period; `counted` is then the late part alone.
    #[schema(example = false)]
    pub late: bool,
}

impl From<CountedUsage> for UsageView {
    fn from(usage: CountedUsage) -> Self {
        let billing_period = BillingPeriodView { start_date: usage.period_starts_at, end_date: usage.period_ends_at };
        Self { metric: usage.metric, counted: usage.counted, billed_before: usage.billed_before, billing_period, late: usage.late }
    }
}

/// A discount on an invoice.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = InvoiceDiscount)]
pub struct DiscountView {
    /// The name of the discount.
    #[schema(example = "Launch offer")]
    pub name: String,
    /// The percentage; null for an amount.
    #[schema(example = "10")]
    pub percentage: Option<String>,
    /// The discounted amount.
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

/// A tax on an invoice.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = InvoiceTax)]
pub struct TaxView {
    /// The name of the tax.
    #[schema(example = "VAT")]
    pub name: String,
    /// The rate in percent of the net amount.
    #[schema(example = "20")]
    pub rate: String,
    /// Whether the amounts of the lines include the tax; otherwise it is added to them.
    #[schema(example = false)]
    pub inclusive: bool,
    /// The tax.
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
    /// The type of the resource.
    #[serde(rename = "$type")]
    #[schema(example = "Invoice")]
    pub type_name: &'static str,
    /// The id of the invoice.
    #[serde(rename = "$id")]
    pub id: InvoiceId,
    /// The number, gapless, behind the prefix of the seller. Null for a draft and for an upcoming invoice.
    #[schema(example = "INV-000001")]
    pub identifier: Option<String>,
    /// The subscription that is charged.
    pub subscription: SubscriptionId,
    /// The event that caused the invoice.
    pub billing_reason: BillingReason,
    /// The sum of the lines, before discounts and taxes.
    pub subtotal: MoneyView,
    /// The amount with discounts and taxes, before credit.
    pub total: MoneyView,
    /// The amount that credit paid when the invoice was created.
    pub credit_applied: MoneyView,
    /// The total less the applied credit.
    pub total_payment_due: MoneyView,
    /// The amount that is still to be paid; zero for a void or uncollectible invoice.
    pub amount_remaining: MoneyView,
    /// The lines.
    pub references_order: Vec<LineView>,
    /// The counted usage of the period that ended, and late usage of earlier periods.
    pub usage: Vec<UsageView>,
    /// The discounts.
    pub discount: Vec<DiscountView>,
    /// The taxes.
    pub taxes: Vec<TaxView>,
    /// The credit notes on the invoice; see `/v1/credit-notes`.
    pub credit_notes: Vec<CreditNoteId>,
    /// The instant at which the invoice got its number. Null for a draft.
    pub date_issued: Option<Timestamp>,
    /// The instant at which the payment is due. Null for a draft.
    pub payment_due_date: Option<Timestamp>,
    /// The period that the invoice opens and charges the base price for. Each line names its own period.
    pub billing_period: BillingPeriodView,
    /// The status of the invoice.
    pub payment_status: Status,
    /// The instant at which the invoice was paid in full. Null until then.
    pub paid_at: Option<Timestamp>,
    /// The instant at which the invoice was voided. Null otherwise.
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
