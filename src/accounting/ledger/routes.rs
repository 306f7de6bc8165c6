//! The endpoints of the ledger. They only read: entries are posted by the slices whose facts they record.

use serde::Deserialize;

use super::store::Shown;
use super::wire::{AuditView, EntryView, LedgerView};
use super::{audit, store};
use crate::http::reply::Reply;
use crate::http::request::{Filter, NoParameters};
use crate::identity::callers::actors::Authorized;
use crate::identity::permissions::needs;
use crate::kernel::error::Result;
use crate::kernel::page;
use crate::kernel::page::{Page, PageQuery, Start};
use crate::kernel::problem::Problem;
use crate::kernel::sql::INTEGER_MAX;

/// The longest source, in characters; ids of payment providers are long.
const SOURCE_CHARS_MAX: usize = 255;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EntriesQuery {
    source: Option<String>,
    invoice: Option<String>,
    limit: Option<String>,
    cursor: Option<String>,
}

impl EntriesQuery {
    fn shown(&self) -> Result<Shown> {
        match (&self.source, &self.invoice) {
            (None, None) => Ok(Shown::All),
            (Some(source), None) if !source.is_empty() && source.chars().count() <= SOURCE_CHARS_MAX => Ok(Shown::Source(source.clone())),
            (Some(_), None) => {
                let detail = format!("Send the id of the posted record, up to {SOURCE_CHARS_MAX} characters.");
                Err(Problem::invalid("source", "invalid_value", detail).into())
            }
            (None, Some(invoice)) => {
                let invalid = |_| Problem::invalid("invoice", "invalid_value", "Send the id of an invoice, which begins with inv_.");
                Ok(Shown::Invoice(invoice.parse().map_err(invalid)?))
            }
            (Some(_), Some(_)) => Err(Problem::invalid("source", "invalid_value", "Send either source or invoice.").into()),
        }
    }
}

/// Get the ledger
///
/// The balance of every account, by double entry: debits are above zero, credits below. The balances of one currency sum to zero.
#[utoipa::path(get, path = "/v1/ledger", operation_id = "getLedger",
    responses((status = 200, description = "The balances", body = LedgerView)))]
pub async fn get(caller: Authorized<needs::LedgerRead>, Filter(_): Filter<NoParameters>) -> Result<Reply> {
    let balances = store::balances(&caller.tenant).await?;
    audit::check_balances(&balances)?;
    Reply::ok(&LedgerView::new(balances))
}

/// List journal entries
///
/// The entries of the ledger with their postings, newest first. An entry never changes; a correction is another entry.
#[utoipa::path(get, path = "/v1/ledger/entries", operation_id = "listLedgerEntries",
    params(
        ("source" = Option<String>, Query,
            description = "Only entries of this record: the id of an invoice, payment, credit, credit note or refund"),
        ("invoice" = Option<String>, Query, description = "Only entries that concern this invoice"),
        PageQuery
    ),
    responses((status = 200, description = "Newest first", body = Page<EntryView>)))]
pub async fn list_entries(caller: Authorized<needs::LedgerRead>, Filter(query): Filter<EntriesQuery>) -> Result<Reply> {
    let (tenant, shown) = (&caller.tenant, query.shown()?);
    // Entries are listed by number, and the cursor is an id: its number says where the page begins.
    let find = async |id| store::sequence(tenant, id).await;
    let list = async |from: Start<i64>| store::list(tenant, &shown, from.found.unwrap_or(INTEGER_MAX), from.fetch).await;
    let query = PageQuery { limit: query.limit, cursor: query.cursor };
    Reply::ok(&page::list(&query, find, list, |recorded| recorded.entry.id, EntryView::from).await?)
}

/// Audit the ledger
///
/// Computes every balance again from the postings and compares it with the stored one, checks that every entry sums to zero, and compares
/// the accounts with open invoices, open credits and pending refunds. Changes nothing.
#[utoipa::path(get, path = "/v1/ledger/audit", operation_id = "getLedgerAudit",
    responses((status = 200, description = "The result of the audit", body = AuditView)))]
pub async fn audit(caller: Authorized<needs::LedgerRead>, Filter(_): Filter<NoParameters>) -> Result<Reply> {
    let books = store::books::load(&caller.tenant).await?;
    Reply::ok(&AuditView::from(audit::audit(&books)))
}
