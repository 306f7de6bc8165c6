//! All SQL of credit notes.

use rating::Currency;
use serde::Deserialize;

use super::credit_note::CreditNote;
use super::parts::NoteLine;
use crate::kernel::error::Result;
use crate::kernel::ids::{CreditNoteId, InvoiceId};
use crate::kernel::sql;
use crate::kernel::tenant::{Tenant, TenantStatement};
use crate::kernel::time::Timestamp;
use crate::{stale_if, tenant_sql};

#[derive(Deserialize)]
struct NoteRow {
    id: CreditNoteId,
    invoice_id: InvoiceId,
    number: Option<u64>,
    currency: Currency,
    reason: String,
    #[serde(deserialize_with = "sql::json::deserialize")]
    lines: Vec<NoteLine>,
    subtotal_minor: i64,
    tax_minor: i64,
    total_minor: i64,
    reduced_minor: i64,
    credited_minor: i64,
    refunded_minor: i64,
    #[serde(deserialize_with = "sql::millis::deserialize")]
    created_at: Timestamp,
    #[serde(deserialize_with = "sql::optional_millis::deserialize")]
    issued_at: Option<Timestamp>,
}

impl From<NoteRow> for CreditNote {
    fn from(row: NoteRow) -> Self {
        Self {
            id: row.id,
            invoice: row.invoice_id,
            number: row.number,
            currency: row.currency,
            reason: row.reason,
            lines: row.lines,
            subtotal_minor: row.subtotal_minor,
            tax_minor: row.tax_minor,
            total_minor: row.total_minor,
            reduced_minor: row.reduced_minor,
            credited_minor: row.credited_minor,
            refunded_minor: row.refunded_minor,
            created_at: row.created_at,
            issued_at: row.issued_at,
        }
    }
}

pub async fn find(tenant: &Tenant, id: CreditNoteId) -> Result<Option<CreditNote>> {
    let statement = tenant_sql!("SELECT * FROM credit_notes WHERE organization_id = ?1 AND id = ?2", id);
    Ok(tenant.row::<NoteRow>(statement).await?.map(CreditNote::from))
}

/// A page, newest first.
pub async fn list(tenant: &Tenant, before: &str, fetch: u32) -> Result<Vec<CreditNote>> {
    let statement =
        tenant_sql!("SELECT * FROM credit_notes WHERE organization_id = ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3", before, fetch);
    Ok(tenant.rows::<NoteRow>(statement).await?.into_iter().map(CreditNote::from).collect())
}

/// The credit notes of an invoice, oldest first.
pub async fn of_invoice(tenant: &Tenant, invoice: InvoiceId) -> Result<Vec<CreditNote>> {
    let statement = tenant_sql!("SELECT * FROM credit_notes WHERE organization_id = ?1 AND invoice_id = ?2 ORDER BY id", invoice);
    Ok(tenant.rows::<NoteRow>(statement).await?.into_iter().map(CreditNote::from).collect())
}

pub fn insert(note: &CreditNote) -> TenantStatement {
    tenant_sql!(
        "INSERT INTO credit_notes
           (organization_id, id, invoice_id, currency, reason, lines, subtotal_minor, tax_minor, total_minor,
            reduced_minor, credited_minor, refunded_minor, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
        note.id,
        note.invoice,
        note.currency.code(),
        note.reason.as_str(),
        serde_json::to_string(&note.lines).unwrap_or_else(|_| "[]".to_owned()),
        note.subtotal_minor,
        note.tax_minor,
        note.total_minor,
        note.reduced_minor,
        note.credited_minor,
        note.refunded_minor,
        note.created_at
    )
}

pub fn number(id: CreditNoteId, number: u64, now: Timestamp) -> TenantStatement {
    tenant_sql!(
        "UPDATE credit_notes SET number = ?3, issued_at = ?4 WHERE organization_id = ?1 AND id = ?2",
        id,
        i64::try_from(number).unwrap_or(sql::INTEGER_MAX),
        now
    )
}

/// Guard: the credit note has no number.
pub fn is_unnumbered(id: CreditNoteId) -> TenantStatement {
    stale_if!("NOT EXISTS (SELECT 1 FROM credit_notes WHERE organization_id = ?1 AND id = ?2 AND number IS NULL)", id)
}
