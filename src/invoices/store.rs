//! All SQL of invoices.

use rating::Currency;
use serde::Deserialize;

use super::rules::{CountedUsage, Invoice, Line, Status};
use crate::kernel::error::{Error, Result};
use crate::kernel::ids::{InvoiceId, SubscriptionId};
use crate::kernel::sql;
use crate::kernel::tenant::{Tenant, TenantStatement};
use crate::kernel::time::Timestamp;
use crate::subscriptions::rules::Period;
use crate::tenant_sql;

#[derive(Deserialize)]
struct InvoiceRow {
    id: InvoiceId,
    subscription_id: SubscriptionId,
    number: Option<u64>,
    status: Status,
    currency: String,
    total_minor: i64,
    #[serde(deserialize_with = "sql::json::deserialize")]
    lines: Vec<Line>,
    #[serde(deserialize_with = "sql::json::deserialize")]
    usage: Vec<CountedUsage>,
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
    version: i64,
}

impl TryFrom<InvoiceRow> for Invoice {
    type Error = Error;
    fn try_from(row: InvoiceRow) -> Result<Self> {
        Ok(Self {
            id: row.id,
            subscription: row.subscription_id,
            number: row.number,
            status: row.status,
            currency: Currency::parse(&row.currency).map_err(|error| Error::internal(error.to_string()))?,
            total_minor: row.total_minor,
            lines: row.lines,
            usage: row.usage,
            period: Period { starts_at: row.period_starts_at, ends_at: row.period_ends_at },
            created_at: row.created_at,
            issued_at: row.issued_at,
            due_at: row.due_at,
            paid_at: row.paid_at,
            version: row.version,
        })
    }
}

pub async fn find(tenant: &Tenant, id: InvoiceId) -> Result<Option<Invoice>> {
    let statement = tenant_sql!("SELECT * FROM invoices WHERE organization_id = ?1 AND id = ?2", id);
    tenant.row::<InvoiceRow>(statement).await?.map(Invoice::try_from).transpose()
}

/// Those that have no number yet.
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
    tenant.rows::<InvoiceRow>(statement).await?.into_iter().map(Invoice::try_from).collect()
}

pub fn insert(invoice: &Invoice) -> TenantStatement {
    tenant_sql!(
        "INSERT INTO invoices (organization_id, id, subscription_id, status, currency, total_minor, lines, usage, period_starts_at, period_ends_at, created_at) VALUES (?1, ?2, ?3, 'draft', ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        invoice.id,
        invoice.subscription,
        invoice.currency.code(),
        invoice.total_minor,
        serde_json::to_string(&invoice.lines).unwrap_or_else(|_| "[]".to_owned()),
        serde_json::to_string(&invoice.usage).unwrap_or_else(|_| "[]".to_owned()),
        invoice.period.starts_at,
        invoice.period.ends_at,
        invoice.created_at
    )
}

pub fn finalize(id: InvoiceId, number: u64, issued_at: Timestamp, due_at: Timestamp) -> TenantStatement {
    tenant_sql!(
        "UPDATE invoices SET status = 'due', number = ?3, issued_at = ?4, due_at = ?5, version = version + 1 WHERE organization_id = ?1 AND id = ?2",
        id,
        i64::try_from(number).unwrap_or(i64::MAX),
        issued_at,
        due_at
    )
}

/// Guard: the invoice is as it was read.
pub fn unchanged(invoice: &Invoice) -> TenantStatement {
    tenant_sql!(
        "INSERT INTO stale_guards (organization_id, fresh) SELECT ?1, 0 WHERE NOT EXISTS (SELECT 1 FROM invoices WHERE organization_id = ?1 AND id = ?2 AND version = ?3)",
        invoice.id,
        invoice.version
    )
}
