//! The SQL of the audit: balances, postings, and the amounts that other records claim.

use rating::Money;
use serde::Deserialize;

use super::{currency, read_balances, select_balances};
use crate::accounting::ledger::audit::{Books, Claim};
use crate::accounting::ledger::entry::Account;
use crate::kernel::error::Result;
use crate::kernel::ids::EntryId;
use crate::kernel::sql::{Row, SqlError, decode};
use crate::kernel::tenant::{Tenant, TenantStatement};
use crate::tenant_sql;

/// Unbalanced entries that an audit names, at most.
const UNBALANCED_SHOWN_MAX: u32 = 20;

#[derive(Deserialize)]
struct CountRow {
    count: u64,
}

#[derive(Deserialize)]
struct UnbalancedRow {
    id: EntryId,
}

#[derive(Deserialize)]
struct OpenRow {
    currency: String,
    open_minor: i64,
}

/// Reads the data of an audit in one transaction.
pub async fn load(tenant: &Tenant) -> Result<Books> {
    let statements = vec![
        select_balances(),
        tenant_sql!(
            "SELECT ?1 AS organization_id, currency, account, sum(amount_minor) AS balance_minor
             FROM postings
             WHERE organization_id = ?1
             GROUP BY currency, account"
        ),
        tenant_sql!("SELECT ?1 AS organization_id, count(*) AS count FROM journal_entries WHERE organization_id = ?1"),
        select_unbalanced(),
        select_open_invoices(),
        select_open_credit(),
        select_pending_refunds(),
    ];
    let mut read = tenant.run(statements).await?.into_iter();
    let mut rows = || read.next().unwrap_or_default();
    Ok(Books {
        balances: read_balances(rows())?,
        recomputed: read_balances(rows())?,
        entries: rows().into_iter().next().map(decode::<CountRow>).transpose()?.map_or(0, |row| row.count),
        unbalanced: rows()
            .into_iter()
            .map(|row| decode::<UnbalancedRow>(row).map(|row| row.id))
            .collect::<std::result::Result<_, SqlError>>()?,
        claims: vec![
            Claim { basis: "open invoices", account: Account::Receivable, amounts: read_open(rows())? },
            Claim { basis: "open credits", account: Account::Credit, amounts: read_open(rows())? },
            Claim { basis: "refunds to be paid", account: Account::RefundsPayable, amounts: read_open(rows())? },
        ],
    })
}

/// Entries whose postings do not sum to zero in the currency of the entry, or are missing.
fn select_unbalanced() -> TenantStatement {
    tenant_sql!(
        "SELECT organization_id, id
         FROM journal_entries
         WHERE organization_id = ?1
           AND (
             SELECT sum(amount_minor)
             FROM postings
             WHERE organization_id = ?1
               AND entry_id = journal_entries.id
               AND currency = journal_entries.currency
           ) IS NOT 0
         LIMIT ?2",
        UNBALANCED_SHOWN_MAX
    )
}

/// The outstanding amounts of finalized invoices.
fn select_open_invoices() -> TenantStatement {
    tenant_sql!(
        "SELECT ?1 AS organization_id, currency,
           sum(total_minor - credit_minor - paid_minor - reduced_minor) AS open_minor
         FROM invoices
         WHERE organization_id = ?1
           AND status IN ('due', 'overdue')
           AND EXISTS (
             SELECT 1
             FROM journal_entries
             WHERE organization_id = ?1
               AND source = invoices.id
               AND kind = 'invoice_finalized'
           )
         GROUP BY currency"
    )
}

/// The open credit of customers, a debt. A draft has drawn and carried credit already, and is posted with its number.
fn select_open_credit() -> TenantStatement {
    tenant_sql!(
        "SELECT ?1 AS organization_id, currency, sum(minor) AS open_minor
         FROM (
           SELECT currency, -left_minor AS minor
           FROM credits
           WHERE organization_id = ?1 AND left_minor > 0
           UNION ALL
           SELECT currency, carried_minor - credit_minor AS minor
           FROM invoices
           WHERE organization_id = ?1 AND status = 'draft'
         )
         GROUP BY currency"
    )
}

/// Refunds that are not paid out, a debt.
fn select_pending_refunds() -> TenantStatement {
    tenant_sql!(
        "SELECT ?1 AS organization_id, currency, sum(-amount_minor) AS open_minor
         FROM refunds
         WHERE organization_id = ?1 AND paid_at IS NULL
         GROUP BY currency"
    )
}

fn read_open(rows: Vec<Row>) -> Result<Vec<Money>> {
    let rows = rows.into_iter().map(decode::<OpenRow>).collect::<std::result::Result<Vec<_>, SqlError>>()?;
    rows.into_iter().map(|row| Ok(Money::new(row.open_minor, currency(&row.currency)?))).collect()
}
