//! All SQL of the ledger.

pub mod books;

use rating::{Currency, Money};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::audit::Balance;
use super::entry::{Account, Entry, EntryKind, Posting};
use crate::kernel::error::{Error, OrInternal, Result};
use crate::kernel::ids::{EntryId, InvoiceId};
use crate::kernel::sql;
use crate::kernel::sql::{Row, decode};
use crate::kernel::tenant::{Tenant, TenantStatement};
use crate::kernel::time::Timestamp;
use crate::tenant_sql;

/// An entry as the statements read it from their parameter.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Posted<'a> {
    id: EntryId,
    kind: EntryKind,
    source: &'a str,
    invoice: Option<InvoiceId>,
    currency: Currency,
    at: i64,
    description: Option<&'a str>,
    postings: &'a [Posting],
}

/// Posts entries with the decision that they follow from: four statements, however many entries. An entry that moves nothing is left out.
///
/// The commit fails when an entry does not sum to zero, or when its kind and source were posted before.
pub fn post(entries: &[Entry]) -> Vec<TenantStatement> {
    let entries: Vec<Json> = entries.iter().filter(|entry| !entry.is_empty()).map(as_json).collect();
    if entries.is_empty() {
        return Vec::new();
    }
    let entries = Json::from(entries).to_string();
    vec![insert_entries(&entries), insert_postings(&entries), add_to_balances(&entries), balanced(&entries)]
}

fn as_json(entry: &Entry) -> Json {
    let posted = Posted {
        id: entry.id,
        kind: entry.kind,
        source: &entry.source,
        invoice: entry.invoice,
        currency: entry.currency,
        at: entry.at.as_millis(),
        description: entry.description.as_deref(),
        postings: &entry.postings,
    };
    // Names, numbers and texts always serialize; null would be refused by the table.
    serde_json::to_value(posted).unwrap_or_default()
}

fn insert_entries(entries: &str) -> TenantStatement {
    tenant_sql!(
        "INSERT INTO journal_entries
           (organization_id, id, sequence, kind, source, invoice_id, currency, at, description)
         SELECT ?1, json_extract(value, '$.id'),
           coalesce(
             (SELECT sequence FROM journal_entries WHERE organization_id = ?1 ORDER BY sequence DESC LIMIT 1),
             0
           ) + key + 1,
           json_extract(value, '$.kind'), json_extract(value, '$.source'), json_extract(value, '$.invoice'),
           json_extract(value, '$.currency'), json_extract(value, '$.at'), json_extract(value, '$.description')
         FROM json_each(?2)",
        entries
    )
}

fn insert_postings(entries: &str) -> TenantStatement {
    tenant_sql!(
        "INSERT INTO postings (organization_id, entry_id, account, currency, amount_minor)
         SELECT ?1, json_extract(entry.value, '$.id'), json_extract(posting.value, '$.account'),
           json_extract(entry.value, '$.currency'), json_extract(posting.value, '$.amountMinor')
         FROM json_each(?2) AS entry, json_each(entry.value, '$.postings') AS posting",
        entries
    )
}

/// Adds the posted amounts to the balances.
fn add_to_balances(entries: &str) -> TenantStatement {
    tenant_sql!(
        "INSERT INTO ledger_balances (organization_id, currency, account, balance_minor)
         SELECT ?1, currency, account, sum(amount_minor)
         FROM postings
         WHERE organization_id = ?1
           AND entry_id IN (SELECT json_extract(value, '$.id') FROM json_each(?2))
         GROUP BY currency, account
         ON CONFLICT (organization_id, currency, account) DO UPDATE
         SET balance_minor = balance_minor + excluded.balance_minor",
        entries
    )
}

/// Guard: each posted entry sums to zero.
fn balanced(entries: &str) -> TenantStatement {
    tenant_sql!(
        "INSERT INTO ledger_guards (organization_id, balanced)
         SELECT ?1, 0
         WHERE EXISTS (
           SELECT 1
           FROM json_each(?2)
           WHERE (
             SELECT sum(amount_minor)
             FROM postings
             WHERE organization_id = ?1 AND entry_id = json_extract(json_each.value, '$.id')
           ) IS NOT 0
         )",
        entries
    )
}

#[derive(Deserialize)]
struct BalanceRow {
    account: Account,
    currency: String,
    balance_minor: i64,
}

impl TryFrom<Row> for Balance {
    type Error = Error;
    fn try_from(row: Row) -> Result<Self> {
        let row: BalanceRow = decode(row)?;
        Ok(Self { account: row.account, amount: Money::new(row.balance_minor, currency(&row.currency)?) })
    }
}

fn currency(code: &str) -> Result<Currency> {
    Currency::parse(code).or_internal()
}

/// The stored balances, by currency and account. Accounts without postings are left out.
pub async fn balances(tenant: &Tenant) -> Result<Vec<Balance>> {
    let rows = tenant.run(vec![select_balances()]).await?.into_iter().next().unwrap_or_default();
    read_balances(rows)
}

fn select_balances() -> TenantStatement {
    tenant_sql!(
        "SELECT organization_id, currency, account, balance_minor
         FROM ledger_balances
         WHERE organization_id = ?1"
    )
}

fn read_balances(rows: Vec<Row>) -> Result<Vec<Balance>> {
    let mut balances = rows.into_iter().map(Balance::try_from).collect::<Result<Vec<_>>>()?;
    balances.sort_by_key(|balance| (balance.amount.currency(), balance.account));
    Ok(balances)
}

/// The balances of all entries about an invoice: the amounts that can be recognized, credited, written off or voided.
pub async fn held(tenant: &Tenant, invoice: InvoiceId) -> Result<Vec<Balance>> {
    let statement = tenant_sql!(
        "SELECT ?1 AS organization_id, currency, account, sum(amount_minor) AS balance_minor
         FROM postings
         WHERE organization_id = ?1
           AND entry_id IN (SELECT id FROM journal_entries WHERE organization_id = ?1 AND invoice_id = ?2)
         GROUP BY currency, account
         HAVING sum(amount_minor) <> 0",
        invoice
    );
    let rows = tenant.run(vec![statement]).await?.into_iter().next().unwrap_or_default();
    read_balances(rows)
}

/// The filter of a list of entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown {
    All,
    /// The entries of one posted record.
    Source(String),
    /// The entries about one invoice.
    Invoice(InvoiceId),
}

/// An entry with its number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    pub sequence: i64,
    pub entry: Entry,
}

#[derive(Deserialize)]
struct EntryRow {
    id: EntryId,
    sequence: i64,
    kind: EntryKind,
    source: String,
    invoice_id: Option<InvoiceId>,
    currency: String,
    #[serde(deserialize_with = "sql::millis::deserialize")]
    at: Timestamp,
    description: Option<String>,
    #[serde(deserialize_with = "sql::json::deserialize")]
    postings: Vec<Posting>,
}

impl TryFrom<EntryRow> for Recorded {
    type Error = Error;
    /// An entry was balanced when it was posted; an unbalanced row was changed from outside.
    fn try_from(row: EntryRow) -> Result<Self> {
        let mut postings = row.postings;
        postings.sort_by_key(|posting| posting.account);
        let entry = Entry {
            id: row.id,
            kind: row.kind,
            source: row.source,
            invoice: row.invoice_id,
            currency: currency(&row.currency)?,
            at: row.at,
            postings,
            description: row.description,
        };
        entry.check()?;
        if entry.is_empty() {
            return Err(Error::internal(format!("{} has lost its postings", entry.id)));
        }
        Ok(Self { sequence: row.sequence, entry })
    }
}

/// A page of entries before number `before`, newest first.
pub async fn list(tenant: &Tenant, shown: &Shown, before: i64, fetch: u32) -> Result<Vec<Recorded>> {
    let statement = match shown {
        Shown::All => tenant_sql!(
            "SELECT organization_id, id, sequence, kind, source, invoice_id, currency, at, description,
               (
                 SELECT json_group_array(json_object('account', account, 'amountMinor', amount_minor))
                 FROM postings
                 WHERE organization_id = ?1
                   AND entry_id = journal_entries.id
                   AND currency = journal_entries.currency
               ) AS postings
             FROM journal_entries
             WHERE organization_id = ?1 AND sequence < ?2
             ORDER BY sequence DESC
             LIMIT ?3",
            before,
            fetch
        ),
        Shown::Source(source) => tenant_sql!(
            "SELECT organization_id, id, sequence, kind, source, invoice_id, currency, at, description,
               (
                 SELECT json_group_array(json_object('account', account, 'amountMinor', amount_minor))
                 FROM postings
                 WHERE organization_id = ?1
                   AND entry_id = journal_entries.id
                   AND currency = journal_entries.currency
               ) AS postings
             FROM journal_entries
             WHERE organization_id = ?1 AND source = ?4 AND sequence < ?2
             ORDER BY sequence DESC
             LIMIT ?3",
            before,
            fetch,
            source.as_str()
        ),
        Shown::Invoice(invoice) => tenant_sql!(
            "SELECT organization_id, id, sequence, kind, source, invoice_id, currency, at, description,
               (
                 SELECT json_group_array(json_object('account', account, 'amountMinor', amount_minor))
                 FROM postings
                 WHERE organization_id = ?1
                   AND entry_id = journal_entries.id
                   AND currency = journal_entries.currency
               ) AS postings
             FROM journal_entries
             WHERE organization_id = ?1 AND invoice_id = ?4 AND sequence < ?2
             ORDER BY sequence DESC
             LIMIT ?3",
            before,
            fetch,
            *invoice
        ),
    };
    tenant.rows::<EntryRow>(statement).await?.into_iter().map(Recorded::try_from).collect()
}

#[derive(Deserialize)]
struct SequenceRow {
    sequence: i64,
}

/// An entry's number.
pub async fn sequence(tenant: &Tenant, id: EntryId) -> Result<Option<i64>> {
    let statement = tenant_sql!("SELECT organization_id, sequence FROM journal_entries WHERE organization_id = ?1 AND id = ?2", id);
    Ok(tenant.row::<SequenceRow>(statement).await?.map(|row| row.sequence))
}
