//! The endpoints of the ledger. They only read: entries are posted by what they follow from.

use serde::Deserialize;

use super::store::Shown;
use super::wire::{AuditView, EntryView, LedgerView};
use super::{audit, store};
use crate::http::reply::Reply;
use crate::http::request::{Filter, NoParameters};
use crate::identity::callers::actors::Authorized;
use crate::identity::callers::permissions::needs;
use crate::kernel::error::Result;
use crate::kernel::ids::EntryId;
use crate::kernel::page::{Page, PageQuery, foreign_cursor};
use crate::kernel::problem::Problem;
use crate::kernel::sql::INTEGER_MAX;
use crate::kernel::tenant::Tenant;

/// The longest id that money is posted for; payment providers have long ones.
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
                let detail = format!("Send the id of what was posted, up to {SOURCE_CHARS_MAX} characters.");
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

/// Read the ledger
///
/// What every account holds, by double entry: debits are above zero, credits below, and all of one currency sum to zero.
#[utoipa::path(get, path = "/v1/ledger", tag = "ledger", operation_id = "getLedger",
    responses((status = 200, description = "The balances", body = LedgerView)), security(("organizationKey" = ["ledger.read"]), ("platformKey" = [])))]
pub async fn get(caller: Authorized<needs::LedgerRead>, Filter(_): Filter<NoParameters>) -> Result<Reply> {
    let balances = store::balances(&caller.tenant).await?;
    audit::check_balances(&balances)?;
    Reply::ok(&LedgerView::new(balances))
}

/// List the entries of the ledger
///
/// Newest first, each with its postings. An entry never changes: another one corrects it.
#[utoipa::path(get, path = "/v1/ledger/entries", tag = "ledger", operation_id = "listLedgerEntries",
    params(("source" = Option<String>, Query, description = "Only what was posted for this: the id of an invoice, a payment, a credit"),
        ("invoice" = Option<String>, Query, description = "Only what moved the money of this invoice"),
        ("limit" = Option<u32>, Query, description = "1 to 100, 20 when absent"), ("cursor" = Option<String>, Query, description = "nextCursor of the page before")),
    responses((status = 200, description = "Newest first", body = Page<EntryView>)), security(("organizationKey" = ["ledger.read"]), ("platformKey" = [])))]
pub async fn list_entries(caller: Authorized<needs::LedgerRead>, Filter(query): Filter<EntriesQuery>) -> Result<Reply> {
    let shown = query.shown()?;
    let request = PageQuery { limit: query.limit, cursor: query.cursor }.check::<EntryId>()?;
    let before = match &request.before {
        None => INTEGER_MAX,
        Some(cursor) => sequence_of(&caller.tenant, cursor).await?,
    };
    let entries = store::list(&caller.tenant, &shown, before, request.fetch()).await?;
    Reply::ok(&Page::of(entries, &request, |recorded| recorded.entry.id.to_string(), EntryView::from))
}

/// A cursor is the id of an entry of this organization; its number says where the page begins.
async fn sequence_of(tenant: &Tenant, cursor: &str) -> Result<i64> {
    let id: EntryId = cursor.parse().map_err(|_| foreign_cursor())?;
    store::sequence(tenant, id).await?.ok_or_else(|| foreign_cursor().into())
}

/// Audit the ledger
///
/// Computes every balance again from the postings, and says whether it is the one that is kept, whether every entry sums to zero, and
/// whether the accounts hold what the invoices say.
#[utoipa::path(get, path = "/v1/ledger/audit", tag = "ledger", operation_id = "getLedgerAudit",
    responses((status = 200, description = "What was found", body = AuditView)), security(("organizationKey" = ["ledger.read"]), ("platformKey" = [])))]
pub async fn audit(caller: Authorized<needs::LedgerRead>, Filter(_): Filter<NoParameters>) -> Result<Reply> {
    let books = store::books::load(&caller.tenant).await?;
    Reply::ok(&AuditView::from(audit::audit(&books)))
}
