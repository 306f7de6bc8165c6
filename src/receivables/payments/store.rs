//! All SQL of payments and refunds.

use rating::{Currency, Money};
use serde::Deserialize;

use super::payment::{Payment, Refund};
use crate::kernel::error::Result;
use crate::kernel::ids::{CreditNoteId, InvoiceId, PaymentId, RefundId};
use crate::kernel::sql;
use crate::kernel::tenant::{Tenant, TenantStatement};
use crate::kernel::time::Timestamp;
use crate::{stale_if, tenant_sql};

#[derive(Deserialize)]
struct PaymentRow {
    id: PaymentId,
    invoice_id: InvoiceId,
    currency: Currency,
    amount_minor: i64,
    method: Option<String>,
    reference: Option<String>,
    #[serde(deserialize_with = "sql::millis::deserialize")]
    paid_at: Timestamp,
    #[serde(deserialize_with = "sql::millis::deserialize")]
    recorded_at: Timestamp,
}

impl From<PaymentRow> for Payment {
    fn from(row: PaymentRow) -> Self {
        Self {
            id: row.id,
            invoice: row.invoice_id,
            amount: Money::new(row.amount_minor, row.currency),
            method: row.method,
            reference: row.reference,
            paid_at: row.paid_at,
            recorded_at: row.recorded_at,
        }
    }
}

#[derive(Deserialize)]
struct RefundRow {
    id: RefundId,
    credit_note_id: CreditNoteId,
    invoice_id: InvoiceId,
    currency: Currency,
    amount_minor: i64,
    method: Option<String>,
    reference: Option<String>,
    #[serde(deserialize_with = "sql::millis::deserialize")]
    created_at: Timestamp,
    #[serde(deserialize_with = "sql::optional_millis::deserialize")]
    paid_at: Option<Timestamp>,
}

impl From<RefundRow> for Refund {
    fn from(row: RefundRow) -> Self {
        Self {
            id: row.id,
            credit_note: row.credit_note_id,
            invoice: row.invoice_id,
            amount: Money::new(row.amount_minor, row.currency),
            method: row.method,
            reference: row.reference,
            created_at: row.created_at,
            paid_at: row.paid_at,
        }
    }
}

/// A page, newest first.
pub async fn list(tenant: &Tenant, before: &str, fetch: u32) -> Result<Vec<Payment>> {
    let statement = tenant_sql!("SELECT * FROM payments WHERE organization_id = ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3", before, fetch);
    Ok(tenant.rows::<PaymentRow>(statement).await?.into_iter().map(Payment::from).collect())
}

pub async fn find(tenant: &Tenant, id: PaymentId) -> Result<Option<Payment>> {
    let statement = tenant_sql!("SELECT * FROM payments WHERE organization_id = ?1 AND id = ?2", id);
    Ok(tenant.row::<PaymentRow>(statement).await?.map(Payment::from))
}

pub fn insert(payment: &Payment) -> TenantStatement {
    tenant_sql!(
        "INSERT INTO payments
           (organization_id, id, invoice_id, currency, amount_minor, method, reference, paid_at, recorded_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        payment.id,
        payment.invoice,
        payment.amount.currency().code(),
        payment.amount.minor(),
        payment.method.as_deref(),
        payment.reference.as_deref(),
        payment.paid_at,
        payment.recorded_at
    )
}

/// A page of refunds, newest first.
pub async fn list_refunds(tenant: &Tenant, before: &str, fetch: u32) -> Result<Vec<Refund>> {
    let statement = tenant_sql!("SELECT * FROM refunds WHERE organization_id = ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3", before, fetch);
    Ok(tenant.rows::<RefundRow>(statement).await?.into_iter().map(Refund::from).collect())
}

pub async fn find_refund(tenant: &Tenant, id: RefundId) -> Result<Option<Refund>> {
    let statement = tenant_sql!("SELECT * FROM refunds WHERE organization_id = ?1 AND id = ?2", id);
    Ok(tenant.row::<RefundRow>(statement).await?.map(Refund::from))
}

pub fn insert_refund(refund: &Refund) -> TenantStatement {
    tenant_sql!(
        "INSERT INTO refunds (organization_id, id, credit_note_id, invoice_id, currency, amount_minor, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        refund.id,
        refund.credit_note,
        refund.invoice,
        refund.amount.currency().code(),
        refund.amount.minor(),
        refund.created_at
    )
}

pub fn pay_out(refund: &Refund) -> TenantStatement {
    tenant_sql!(
        "UPDATE refunds SET method = ?3, reference = ?4, paid_at = ?5 WHERE organization_id = ?1 AND id = ?2",
        refund.id,
        refund.method.as_deref(),
        refund.reference.as_deref(),
        refund.paid_at
    )
}

/// Guard: the refund is not paid out.
pub fn is_pending(id: RefundId) -> TenantStatement {
    stale_if!("NOT EXISTS (SELECT 1 FROM refunds WHERE organization_id = ?1 AND id = ?2 AND paid_at IS NULL)", id)
}
