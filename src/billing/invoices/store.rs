//! All SQL of invoices.

use rating::Currency;
use serde::{Deserialize, Serialize};

use super::bill::{ChargedTax, DrawnCredit, TakenDiscount};
use super::invoice::{BillingReason, CountedUsage, Invoice};
use super::lifecycle::Status;
use super::line::Line;
use crate::kernel::error::Result;
use crate::kernel::ids::{CreditNoteId, InvoiceId, SubscriptionId};
use crate::kernel::period::Period;
use crate::kernel::sql;
use crate::kernel::sql::{Row, decode};
use crate::kernel::tenant::{Tenant, TenantStatement};
use crate::kernel::time::Timestamp;
use crate::{tenant_sql, unchanged};

#[derive(Deserialize)]
struct InvoiceRow {
    id: InvoiceId,
    subscription_id: SubscriptionId,
    billing_reason: BillingReason,
    reason_key: String,
    number: Option<u64>,
    status: Status,
    currency: Currency,
    subtotal_minor: i64,
    discount_minor: i64,
    tax_minor: i64,
    total_minor: i64,
    carried_minor: i64,
    credit_minor: i64,
    paid_minor: i64,
    reduced_minor: i64,
    #[serde(deserialize_with = "sql::json::deserialize")]
    lines: Vec<Line>,
    #[serde(deserialize_with = "sql::json::deserialize")]
    usage: Vec<CountedUsage>,
    #[serde(deserialize_with = "sql::json::deserialize")]
    discounts: Vec<TakenDiscount>,
    #[serde(deserialize_with = "sql::json::deserialize")]
    taxes: Vec<ChargedTax>,
    #[serde(deserialize_with = "sql::json::deserialize")]
    credits: Vec<DrawnCredit>,
    #[serde(deserialize_with = "sql::json::deserialize")]
    credit_notes: Vec<CreditNoteId>,
    #[serde(deserialize_with = "sql::optional_json::deserialize")]
    parties: Option<serde_json::Value>,
    #[serde(deserialize_with = "sql::millis::deserialize")]
    period_starts_at: Timestamp,
    #[serde(deserialize_with = "sql::millis::deserialize")]
    period_ends_at: Timestamp,
    #[serde(deserialize_with = "sql::millis::deserialize")]
    created_at: Timestamp,
    #[serde(deserialize_with = "sql::optional_millis::deserialize")]
    issued_at: Option<Timestamp>,
    #[serde(deserialize_with = "sql::optional_millis::deserialize")]
    due_at: Option<Timestamp>,
    #[serde(deserialize_with = "sql::optional_millis::deserialize")]
    paid_at: Option<Timestamp>,
    #[serde(deserialize_with = "sql::optional_millis::deserialize")]
    voided_at: Option<Timestamp>,
    version: i64,
}

impl From<InvoiceRow> for Invoice {
    fn from(row: InvoiceRow) -> Self {
        Self {
            id: row.id,
            subscription: row.subscription_id,
            reason: row.billing_reason,
            reason_key: row.reason_key,
            number: row.number,
            status: row.status,
            currency: row.currency,
            subtotal_minor: row.subtotal_minor,
            discount_minor: row.discount_minor,
            tax_minor: row.tax_minor,
            total_minor: row.total_minor,
            carried_minor: row.carried_minor,
            credit_minor: row.credit_minor,
            paid_minor: row.paid_minor,
            reduced_minor: row.reduced_minor,
            lines: row.lines,
            usage: row.usage,
            discounts: row.discounts,
            taxes: row.taxes,
            credits: row.credits,
            credit_notes: row.credit_notes,
            parties: row.parties,
            period: Period { starts_at: row.period_starts_at, ends_at: row.period_ends_at },
            created_at: row.created_at,
            issued_at: row.issued_at,
            due_at: row.due_at,
            paid_at: row.paid_at,
            voided_at: row.voided_at,
            version: row.version,
        }
    }
}

/// The statement that reads an invoice; [`read`] reads its row.
pub fn select(id: InvoiceId) -> TenantStatement {
    tenant_sql!("SELECT * FROM invoices WHERE organization_id = ?1 AND id = ?2", id)
}

pub fn read(row: Row) -> Result<Invoice> {
    Ok(decode::<InvoiceRow>(row)?.into())
}

pub async fn find(tenant: &Tenant, id: InvoiceId) -> Result<Option<Invoice>> {
    Ok(tenant.row::<InvoiceRow>(select(id)).await?.map(Invoice::from))
}

/// Invoices without a number.
pub fn select_drafts() -> TenantStatement {
    tenant_sql!("SELECT organization_id, id FROM invoices WHERE organization_id = ?1 AND status = 'draft'")
}

/// The id in a row of [`select_drafts`].
pub fn id(row: sql::Row) -> Result<InvoiceId> {
    #[derive(Deserialize)]
    struct IdRow {
        id: InvoiceId,
    }
    Ok(sql::decode::<IdRow>(row)?.id)
}

/// Finalized invoices, newest number first, below `before`.
pub async fn list(tenant: &Tenant, before: u64, fetch: u32) -> Result<Vec<Invoice>> {
    let statement = tenant_sql!(
        "SELECT * FROM invoices WHERE organization_id = ?1 AND number < ?2 ORDER BY number DESC LIMIT ?3",
        i64::try_from(before).unwrap_or(sql::INTEGER_MAX).min(sql::INTEGER_MAX),
        fetch
    );
    Ok(tenant.rows::<InvoiceRow>(statement).await?.into_iter().map(Invoice::from).collect())
}

#[derive(Deserialize)]
struct CountRow {
    count: u32,
}

pub async fn is_anything_overdue(tenant: &Tenant) -> Result<bool> {
    let statement = tenant_sql!(
        "SELECT organization_id, count(*) AS count
         FROM invoices
         WHERE organization_id = ?1 AND status = 'overdue'
         GROUP BY organization_id"
    );
    Ok(tenant.row::<CountRow>(statement).await?.is_some_and(|row| row.count > 0))
}

#[derive(Deserialize)]
struct ChargedRow {
    charged_minor: i64,
}

/// The amount of each line whose period starts in [from, to), with discounts and exclusive taxes. Void invoices do not count.
pub async fn charged_between(tenant: &Tenant, from: Timestamp, to: Timestamp) -> Result<Vec<i64>> {
    let statement = tenant_sql!(
        "SELECT i.organization_id,
           l.value ->> 'amountMinor' - coalesce(l.value ->> 'discountMinor', 0) + (
             SELECT coalesce(sum(t.value), 0)
             FROM json_each(l.value, '$.taxesMinor') t
             WHERE NOT json_extract(i.taxes, '$[' || t.key || '].inclusive')
           ) AS charged_minor
         FROM invoices i, json_each(i.lines) l
         WHERE i.organization_id = ?1
           AND i.number > 0
           AND i.status <> 'void'
           AND l.value ->> 'periodStartsAt' >= ?2
           AND l.value ->> 'periodStartsAt' < ?3",
        from.to_string(),
        to.to_string()
    );
    Ok(tenant.rows::<ChargedRow>(statement).await?.into_iter().map(|row| row.charged_minor).collect())
}

/// Inserts a draft.
pub fn insert(invoice: &Invoice) -> TenantStatement {
    tenant_sql!(
        "INSERT INTO invoices
           (organization_id, id, subscription_id, billing_reason, reason_key, status, currency, subtotal_minor,
            discount_minor, tax_minor, total_minor, carried_minor, credit_minor, lines, usage, discounts, taxes,
            credits, period_starts_at, period_ends_at, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, 'draft', ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20)",
        invoice.id,
        invoice.subscription,
        sql::word(&invoice.reason),
        invoice.reason_key.as_str(),
        invoice.currency.code(),
        invoice.subtotal_minor,
        invoice.discount_minor,
        invoice.tax_minor,
        invoice.total_minor,
        invoice.carried_minor,
        invoice.credit_minor,
        text(&invoice.lines),
        text(&invoice.usage),
        text(&invoice.discounts),
        text(&invoice.taxes),
        text(&invoice.credits),
        invoice.period.starts_at,
        invoice.period.ends_at,
        invoice.created_at
    )
}

fn text(items: &impl Serialize) -> String {
    serde_json::to_string(items).unwrap_or_else(|_| "[]".to_owned())
}

/// Writes the number and the status.
pub fn finalize(invoice: &Invoice) -> TenantStatement {
    tenant_sql!(
        "UPDATE invoices
         SET status = ?3, number = ?4, parties = ?5, issued_at = ?6, due_at = ?7, paid_at = ?8, version = version + 1
         WHERE organization_id = ?1 AND id = ?2",
        invoice.id,
        sql::word(&invoice.status),
        invoice.number.map(|number| i64::try_from(number).unwrap_or(sql::INTEGER_MAX)),
        invoice.parties.as_ref().map(serde_json::Value::to_string),
        invoice.issued_at,
        invoice.due_at,
        invoice.paid_at
    )
}

/// Writes everything that may change once the invoice has its number. Used with [`unchanged`] of the invoice as read.
pub fn update(invoice: &Invoice) -> TenantStatement {
    tenant_sql!(
        "UPDATE invoices
         SET status = ?3, paid_minor = ?4, reduced_minor = ?5, credit_notes = ?6, paid_at = ?7, voided_at = ?8,
           version = version + 1
         WHERE organization_id = ?1 AND id = ?2",
        invoice.id,
        sql::word(&invoice.status),
        invoice.paid_minor,
        invoice.reduced_minor,
        text(&invoice.credit_notes),
        invoice.paid_at,
        invoice.voided_at
    )
}

/// Guard: the invoice is as it was read.
pub fn unchanged(invoice: &Invoice) -> TenantStatement {
    unchanged!("invoices", invoice.id, invoice.version)
}
