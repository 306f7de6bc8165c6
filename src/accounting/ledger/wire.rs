//! The ledger as clients read it.

use rating::{Currency, Money};
use serde::Serialize;
use utoipa::ToSchema;

use super::audit::{Audit, AuditedBalance, AuditedClaim, Balance};
use super::entry::{Account, EntryKind, Posting};
use super::store::Recorded;
use crate::http::money::MoneyView;
use crate::kernel::ids::{EntryId, InvoiceId};
use crate::kernel::time::Timestamp;

/// The balance of every account of an organization.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Ledger)]
pub struct LedgerView {
    /// The type of the resource.
    #[serde(rename = "$type")]
    #[schema(example = "Ledger")]
    pub type_name: &'static str,
    /// One balance per account and currency. The balances of one currency sum to zero. Accounts without postings are left out.
    pub balances: Vec<BalanceView>,
    /// Whether the balances of each currency sum to zero. Always true: an unbalanced ledger is answered with an error.
    #[schema(example = true)]
    pub is_balanced: bool,
}

impl LedgerView {
    /// Of balances that were checked.
    pub fn new(balances: Vec<Balance>) -> Self {
        Self { type_name: "Ledger", balances: balances.into_iter().map(BalanceView::from).collect(), is_balanced: true }
    }
}

/// The balance of an account in one currency.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = LedgerBalance)]
pub struct BalanceView {
    /// The account.
    pub account: Account,
    /// Debits less credits: above zero where the customer owes or has paid, below zero where the customer is owed or revenue was earned.
    pub balance: MoneyView,
}

impl From<Balance> for BalanceView {
    fn from(balance: Balance) -> Self {
        Self { account: balance.account, balance: balance.amount.into() }
    }
}

/// A journal entry: one money fact.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = LedgerEntry)]
pub struct EntryView {
    /// The type of the resource.
    #[serde(rename = "$type")]
    #[schema(example = "LedgerEntry")]
    pub type_name: &'static str,
    /// The id of the entry.
    #[serde(rename = "$id")]
    pub id: EntryId,
    /// The number of the entry: 1, 2, 3, … in the order of commits.
    #[schema(example = 17)]
    pub sequence: i64,
    /// The kind of the fact.
    pub kind: EntryKind,
    /// The id of the invoice, payment, credit, credit note or refund that was posted. Revenue names the period, too.
    #[schema(example = "inv_01kaz3h8v5e0m9r6y2q4t7wxzb")]
    pub source: String,
    /// The invoice that the entry concerns. Null for credit that the vendor granted.
    pub invoice: Option<InvoiceId>,
    /// The instant of the fact, in the time of the organization.
    pub at: Timestamp,
    /// A note for people.
    #[schema(example = "Invoice INV-000042")]
    pub description: Option<String>,
    /// The postings; they sum to zero.
    pub postings: Vec<PostingView>,
}

impl From<Recorded> for EntryView {
    fn from(recorded: Recorded) -> Self {
        let Recorded { sequence, entry } = recorded;
        let currency = entry.currency;
        Self {
            type_name: "LedgerEntry",
            id: entry.id,
            sequence,
            kind: entry.kind,
            source: entry.source,
            invoice: entry.invoice,
            at: entry.at,
            description: entry.description,
            postings: entry.postings.into_iter().map(|posting| PostingView::new(posting, currency)).collect(),
        }
    }
}

/// The change of one account: a debit is above zero, a credit below.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = LedgerPosting)]
pub struct PostingView {
    /// The account.
    pub account: Account,
    /// The amount: a debit is above zero, a credit below.
    pub amount: MoneyView,
}

impl PostingView {
    fn new(posting: Posting, currency: Currency) -> Self {
        Self { account: posting.account, amount: Money::new(posting.amount_minor, currency).into() }
    }
}

/// The result of an audit of the ledger.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = LedgerAudit)]
pub struct AuditView {
    /// The type of the resource.
    #[serde(rename = "$type")]
    #[schema(example = "LedgerAudit")]
    pub type_name: &'static str,
    /// Whether every entry sums to zero and all balances and claims agree.
    #[schema(example = true)]
    pub is_consistent: bool,
    /// The number of entries.
    #[schema(example = 42)]
    pub entries: u64,
    /// Entries whose postings do not sum to zero: the first 20.
    #[schema(example = json!([]))]
    pub unbalanced_entries: Vec<EntryId>,
    /// Every account: the stored balance and the sum of its postings.
    pub balances: Vec<AuditedBalanceView>,
    /// Every claim of other records on an account: open invoices, open credits and pending refunds.
    pub claims: Vec<AuditedClaimView>,
}

impl From<Audit> for AuditView {
    fn from(audit: Audit) -> Self {
        Self {
            type_name: "LedgerAudit",
            is_consistent: audit.is_consistent,
            entries: audit.entries,
            unbalanced_entries: audit.unbalanced,
            balances: audit.balances.into_iter().map(AuditedBalanceView::from).collect(),
            claims: audit.claims.into_iter().map(AuditedClaimView::from).collect(),
        }
    }
}

/// An account: its stored balance and the sum of its postings.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AuditedLedgerBalance)]
pub struct AuditedBalanceView {
    /// The account.
    pub account: Account,
    /// The stored balance.
    pub balance: MoneyView,
    /// The sum of all postings.
    pub recomputed: MoneyView,
    /// Whether both are equal.
    #[schema(example = true)]
    pub agrees: bool,
}

impl From<AuditedBalance> for AuditedBalanceView {
    fn from(balance: AuditedBalance) -> Self {
        let agrees = balance.kept == balance.recomputed;
        Self { account: balance.account, balance: balance.kept.into(), recomputed: balance.recomputed.into(), agrees }
    }
}

/// The balance that other records claim for an account, and the sum of its postings.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AuditedLedgerClaim)]
pub struct AuditedClaimView {
    /// The records that the claim sums up.
    #[schema(example = "open invoices")]
    pub basis: &'static str,
    /// The account.
    pub account: Account,
    /// The sum of these records.
    pub claimed: MoneyView,
    /// The sum of all postings of the account.
    pub recomputed: MoneyView,
    /// Whether both are equal.
    #[schema(example = true)]
    pub agrees: bool,
}

impl From<AuditedClaim> for AuditedClaimView {
    fn from(claim: AuditedClaim) -> Self {
        let agrees = claim.claimed == claim.recomputed;
        Self { basis: claim.basis, account: claim.account, claimed: claim.claimed.into(), recomputed: claim.recomputed.into(), agrees }
    }
}
