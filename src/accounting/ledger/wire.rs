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

/// What every account holds.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Ledger)]
pub struct LedgerView {
    #[serde(rename = "$type")]
    pub type_name: &'static str,
    /// One an account and currency. Those of one currency sum to zero. Accounts that never moved are left out.
    pub balances: Vec<BalanceView>,
    /// Always true: a ledger that does not balance is not shown.
    pub is_balanced: bool,
}

impl LedgerView {
    /// Of balances that were checked.
    pub fn new(balances: Vec<Balance>) -> Self {
        Self { type_name: "Ledger", balances: balances.into_iter().map(BalanceView::from).collect(), is_balanced: true }
    }
}

/// An account in one currency.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = LedgerBalance)]
pub struct BalanceView {
    pub account: Account,
    /// Debits less credits: above zero what the customer owes or paid, below zero what they are owed or what was earned.
    pub balance: MoneyView,
}

impl From<Balance> for BalanceView {
    fn from(balance: Balance) -> Self {
        Self { account: balance.account, balance: balance.amount.into() }
    }
}

/// One money fact.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = LedgerEntry)]
pub struct EntryView {
    #[serde(rename = "$type")]
    pub type_name: &'static str,
    #[serde(rename = "$id")]
    pub id: EntryId,
    /// 1, 2, 3 and so on, in the order of the commits.
    pub sequence: i64,
    pub kind: EntryKind,
    /// Id of what it was posted for: an invoice (and the part of it), a payment, a credit, a credit note, a refund.
    pub source: String,
    /// The invoice whose money it moves.
    pub invoice: Option<InvoiceId>,
    /// In the organization's time.
    pub at: Timestamp,
    pub description: Option<String>,
    /// They sum to zero.
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

/// What one account gains (a debit, above zero) or gives (a credit, below zero).
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = LedgerPosting)]
pub struct PostingView {
    pub account: Account,
    pub amount: MoneyView,
}

impl PostingView {
    fn new(posting: Posting, currency: Currency) -> Self {
        Self { account: posting.account, amount: Money::new(posting.amount_minor, currency).into() }
    }
}

/// What an audit of the ledger found.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = LedgerAudit)]
pub struct AuditView {
    #[serde(rename = "$type")]
    pub type_name: &'static str,
    /// Every entry sums to zero, and everything below agrees.
    pub is_consistent: bool,
    /// How many entries there are.
    pub entries: u64,
    /// Entries whose postings don't sum to zero; the first twenty.
    pub unbalanced_entries: Vec<EntryId>,
    pub balances: Vec<AuditedBalanceView>,
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

/// An account's balance, as it is kept and as all postings come to.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AuditedLedgerBalance)]
pub struct AuditedBalanceView {
    pub account: Account,
    pub balance: MoneyView,
    pub recomputed: MoneyView,
    pub agrees: bool,
}

impl From<AuditedBalance> for AuditedBalanceView {
    fn from(balance: AuditedBalance) -> Self {
        let agrees = balance.kept == balance.recomputed;
        Self { account: balance.account, balance: balance.kept.into(), recomputed: balance.recomputed.into(), agrees }
    }
}

/// What an account has to hold by something outside of the ledger, and what all postings come to.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AuditedLedgerClaim)]
pub struct AuditedClaimView {
    /// What `claimed` is the sum of.
    #[schema(example = "open invoices")]
    pub basis: &'static str,
    pub account: Account,
    pub claimed: MoneyView,
    pub recomputed: MoneyView,
    pub agrees: bool,
}

impl From<AuditedClaim> for AuditedClaimView {
    fn from(claim: AuditedClaim) -> Self {
        let agrees = claim.claimed == claim.recomputed;
        Self { basis: claim.basis, account: claim.account, claimed: claim.claimed.into(), recomputed: claim.recomputed.into(), agrees }
    }
}
