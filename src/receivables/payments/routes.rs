//! The endpoints of payments and refunds. The vendor records them; the organization sees them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::payment::{Payment, Refund};
use super::rules::Way;
use super::{rules, store};
use crate::billing::invoices::store as invoices;
use crate::http::money::{MoneyInput, MoneyView};
use crate::http::reply::{Reply, once};
use crate::http::request::{Command, Filter, IdInPath};
use crate::identity::callers::actors::{Authorized, VendorFor};
use crate::identity::permissions::needs;
use crate::kernel::error::Result;
use crate::kernel::ids::{CreditNoteId, InvoiceId, PaymentId, RefundId};
use crate::kernel::page;
use crate::kernel::page::{Page, PageQuery, Start};
use crate::kernel::problem::Problem;
use crate::kernel::time::Timestamp;

/// A payment received outside of a payment provider.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewPayment {
    /// The amount received, above zero. Defaults to the outstanding amount of the invoice.
    pub amount: Option<MoneyInput>,
    /// The payment method, in free text.
    #[schema(min_length = 1, max_length = 200, example = "bank_transfer")]
    pub method: Option<String>,
    /// The reference of the payment at the bank or in your books.
    #[schema(min_length = 1, max_length = 200, example = "TRX-20260131-17")]
    pub reference: Option<String>,
    /// The instant at which the payment was received. Defaults to now.
    pub paid_at: Option<Timestamp>,
}

/// The payout of a refund.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewRefundPayment {
    /// The payment method, in free text.
    #[schema(min_length = 1, max_length = 200, example = "bank_transfer")]
    pub method: Option<String>,
    /// The reference of the payout at the bank or in your books.
    #[schema(min_length = 1, max_length = 200, example = "TRX-20260207-3")]
    pub reference: Option<String>,
    /// The instant at which the refund was paid out. Defaults to now.
    pub paid_at: Option<Timestamp>,
}

/// A payment of an invoice.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Payment)]
pub struct PaymentView {
    /// The type of the resource.
    #[serde(rename = "$type")]
    #[schema(example = "Payment")]
    pub type_name: &'static str,
    /// The id of the payment.
    #[serde(rename = "$id")]
    pub id: PaymentId,
    /// The invoice that was paid.
    pub invoice: InvoiceId,
    /// The amount received.
    pub amount: MoneyView,
    /// The payment method, in free text.
    #[schema(example = "bank_transfer")]
    pub method: Option<String>,
    /// The reference of the payment at the bank or in your books.
    #[schema(example = "TRX-20260131-17")]
    pub reference: Option<String>,
    /// The instant at which the payment was received.
    pub paid_at: Timestamp,
    /// The instant at which the payment was recorded.
    pub recorded_at: Timestamp,
}

impl From<Payment> for PaymentView {
    fn from(payment: Payment) -> Self {
        Self {
            type_name: "Payment",
            id: payment.id,
            invoice: payment.invoice,
            amount: payment.amount.into(),
            method: payment.method,
            reference: payment.reference,
            paid_at: payment.paid_at,
            recorded_at: payment.recorded_at,
        }
    }
}

/// The status of a refund.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum RefundStatus {
    /// Not paid out yet.
    Pending,
    /// Paid out.
    Paid,
}

/// A refund of a paid invoice.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Refund)]
pub struct RefundView {
    /// The type of the resource.
    #[serde(rename = "$type")]
    #[schema(example = "Refund")]
    pub type_name: &'static str,
    /// The id of the refund.
    #[serde(rename = "$id")]
    pub id: RefundId,
    /// The credit note that granted the refund.
    pub credit_note: CreditNoteId,
    /// The invoice that is refunded.
    pub invoice: InvoiceId,
    /// The amount to pay back.
    pub amount: MoneyView,
    /// `pending` until the payout is recorded, then `paid`.
    pub status: RefundStatus,
    /// The payment method of the payout, in free text. Null while pending.
    #[schema(example = "bank_transfer")]
    pub method: Option<String>,
    /// The reference of the payout. Null while pending or where none was sent.
    #[schema(example = "TRX-20260207-3")]
    pub reference: Option<String>,
    /// The instant at which the refund was granted.
    pub created_at: Timestamp,
    /// The instant at which the refund was paid out. Null while pending.
    pub paid_at: Option<Timestamp>,
}

impl From<Refund> for RefundView {
    fn from(refund: Refund) -> Self {
        Self {
            type_name: "Refund",
            id: refund.id,
            credit_note: refund.credit_note,
            invoice: refund.invoice,
            amount: refund.amount.into(),
            status: if refund.paid_at.is_some() { RefundStatus::Paid } else { RefundStatus::Pending },
            method: refund.method,
            reference: refund.reference,
            created_at: refund.created_at,
            paid_at: refund.paid_at,
        }
    }
}

/// Record a payment of an invoice
///
/// Records money that was received outside of a payment provider, in full or in part. The invoice is paid once nothing is outstanding. An
/// amount above the outstanding one is refused with `more_than_due`.
#[utoipa::path(post, path = "/v1/invoices/{id}/payment", operation_id = "createPayment",
    params(
        ("id" = String, Path, description = "`inv_...`"),
        ("Tenantry-Organization" = String, Header, description = "The organization that the vendor acts for")
    ), request_body = NewPayment,
    responses((status = 201, description = "The payment", body = PaymentView)))]
pub async fn create(vendor: VendorFor, IdInPath(id): IdInPath<InvoiceId>, command: Command<NewPayment>) -> Result<Reply> {
    let (tenant, claim) = (&vendor.tenant, command.claim.as_ref());
    let NewPayment { amount, method, reference, paid_at } = command.body;
    let way = Way { method, reference, paid_at };
    once(tenant, claim, || async {
        let invoice = invoices::find(tenant, id).await?.ok_or_else(|| Problem::not_found("invoice"))?;
        let amount = amount.as_ref().map(|amount| amount.to_positive_money(invoice.currency, "/amount")).transpose()?;
        let (payment, decision) = rules::pay(&invoice, amount, &way, tenant.moment())?;
        let reply = Reply::created(&PaymentView::from(payment))?;
        tenant.commit(decision, reply.stored(claim).as_ref()).await?;
        Ok(reply)
    })
    .await
}

/// List payments
///
/// The payments of the organization, newest first.
#[utoipa::path(get, path = "/v1/payments", operation_id = "listPayments",
    params(PageQuery),
    responses((status = 200, description = "Newest first", body = Page<PaymentView>)))]
pub async fn list(caller: Authorized<needs::InvoicesRead>, Filter(query): Filter<PageQuery>) -> Result<Reply> {
    let tenant = &caller.tenant;
    let find = async |id| store::find(tenant, id).await;
    let list = async |from: Start<_>| store::list(tenant, &from.before, from.fetch).await;
    Reply::ok(&page::list(&query, find, list, |payment| payment.id, PaymentView::from).await?)
}

/// List refunds
///
/// The refunds of the organization, newest first. Credit notes with the resolution `refund` create them.
#[utoipa::path(get, path = "/v1/refunds", operation_id = "listRefunds",
    params(PageQuery),
    responses((status = 200, description = "Newest first", body = Page<RefundView>)))]
pub async fn list_refunds(caller: Authorized<needs::InvoicesRead>, Filter(query): Filter<PageQuery>) -> Result<Reply> {
    let tenant = &caller.tenant;
    let find = async |id| store::find_refund(tenant, id).await;
    let list = async |from: Start<_>| store::list_refunds(tenant, &from.before, from.fetch).await;
    Reply::ok(&page::list(&query, find, list, |refund| refund.id, RefundView::from).await?)
}

/// Record the payout of a refund
///
/// Marks the refund as paid and posts the payout to the ledger. A refund that is paid is refused with `refund_paid`.
#[utoipa::path(post, path = "/v1/refunds/{id}/payment", operation_id = "payRefund",
    params(
        ("id" = String, Path, description = "`refund_...`"),
        ("Tenantry-Organization" = String, Header, description = "The organization that the vendor acts for")
    ), request_body = NewRefundPayment,
    responses((status = 200, description = "The refund", body = RefundView)))]
pub async fn pay_refund(vendor: VendorFor, IdInPath(id): IdInPath<RefundId>, command: Command<NewRefundPayment>) -> Result<Reply> {
    let (tenant, claim) = (&vendor.tenant, command.claim.as_ref());
    let NewRefundPayment { method, reference, paid_at } = command.body;
    let way = Way { method, reference, paid_at };
    once(tenant, claim, || async {
        let refund = store::find_refund(tenant, id).await?.ok_or_else(|| Problem::not_found("refund"))?;
        let (refund, decision) = rules::pay_out(&refund, &way, tenant.moment())?;
        let reply = Reply::ok(&RefundView::from(refund))?;
        tenant.commit(decision, reply.stored(claim).as_ref()).await?;
        Ok(reply)
    })
    .await
}
