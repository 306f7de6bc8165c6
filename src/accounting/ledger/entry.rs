//! A journal entry: one money fact, and the postings that sum to zero.

use std::collections::BTreeMap;

use rating::Currency;
use serde::{Deserialize, Serialize};

use crate::kernel::error::{Error, Result};
use crate::kernel::ids::{EntryId, InvoiceId};
use crate::kernel::time::Timestamp;

/// The largest amount of a posting or a balance: what a JavaScript number holds exactly.
pub const POSTING_MINOR_MAX: i64 = 9_007_199_254_740_991;

/// The longest description, in characters.
pub const DESCRIPTION_CHARS_MAX: usize = 200;

/// An account of the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = LedgerAccount)]
pub enum Account {
    /// Invoiced and not yet paid.
    Receivable,
    /// Paid.
    Cash,
    /// Credit of the customer: prepaid or granted.
    Credit,
    /// Invoiced and not yet earned: the period has not ended.
    Deferred,
    /// Earned.
    Revenue,
    /// Owed to the tax office.
    Tax,
    /// Granted as promotional credit.
    Promotions,
    /// Uncollectible.
    BadDebt,
    /// Refunds that are not paid out.
    RefundsPayable,
}

/// The kind of a money fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = LedgerEntryKind)]
pub enum EntryKind {
    /// An invoice got its number.
    InvoiceFinalized,
    /// A payment of an invoice was received.
    PaymentReceived,
    /// Deferred revenue of a period was earned.
    RevenueRecognized,
    /// A credit was granted.
    CreditGranted,
    /// The rest of a credit expired or was voided.
    CreditExpired,
    /// A credit note was created.
    CreditNoteIssued,
    /// A refund was paid out.
    RefundPaid,
    /// An invoice was voided.
    InvoiceVoided,
    /// An invoice was written off.
    InvoiceUncollectible,
    /// The invoice was written off, and is paid after all.
    InvoiceRecovered,
}

impl EntryKind {
    /// The name in SQL and in answers.
    pub fn wire_name(self) -> &'static str {
        match self {
            Self::InvoiceFinalized => "invoice_finalized",
            Self::PaymentReceived => "payment_received",
            Self::RevenueRecognized => "revenue_recognized",
            Self::CreditGranted => "credit_granted",
            Self::CreditExpired => "credit_expired",
            Self::CreditNoteIssued => "credit_note_issued",
            Self::RefundPaid => "refund_paid",
            Self::InvoiceVoided => "invoice_voided",
            Self::InvoiceUncollectible => "invoice_uncollectible",
            Self::InvoiceRecovered => "invoice_recovered",
        }
    }
}

/// The change of one account: a debit is above zero, a credit below.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Posting {
    pub account: Account,
    pub amount_minor: i64,
}

/// A money fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fact<'a> {
    pub kind: EntryKind,
    /// The id of the posted record. A kind and a source make one entry.
    pub source: &'a str,
    pub invoice: Option<InvoiceId>,
    pub currency: Currency,
    pub at: Timestamp,
}

/// A journal entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub id: EntryId,
    pub kind: EntryKind,
    pub source: String,
    /// The invoice that the entry concerns.
    pub invoice: Option<InvoiceId>,
    pub currency: Currency,
    pub at: Timestamp,
    /// One posting per account, by account.
    pub postings: Vec<Posting>,
    pub description: Option<String>,
}

impl Entry {
    /// The entry of a fact. Postings of one account are summed, and sums of zero are dropped; an entry that does not sum to zero is
    /// refused.
    pub fn new(fact: Fact<'_>, postings: impl IntoIterator<Item = Posting>) -> Result<Self> {
        let mut sums: BTreeMap<Account, i128> = BTreeMap::new();
        for posting in postings {
            let sum = sums.entry(posting.account).or_default();
            // Sums of 64-bit numbers; there are far too few of them to fill 128 bits.
            *sum = sum.saturating_add(posting.amount_minor.into());
        }
        let sums = sums.into_iter().filter(|(_, sum)| *sum != 0);
        let postings = sums.map(|(account, sum)| Ok(Posting { account, amount_minor: amount(sum)? })).collect::<Result<_>>()?;
        let entry = Self {
            id: EntryId::derived(&["entry", fact.kind.wire_name(), fact.source]),
            kind: fact.kind,
            source: fact.source.to_owned(),
            invoice: fact.invoice,
            currency: fact.currency,
            at: fact.at,
            postings,
            description: None,
        };
        entry.check().map(|()| entry)
    }

    /// Adds a note for people.
    #[must_use]
    pub fn describe(mut self, description: &str) -> Self {
        self.description = Some(description.chars().take(DESCRIPTION_CHARS_MAX).collect());
        self
    }

    /// Whether no account changes: such an entry is not posted.
    pub fn is_empty(&self) -> bool {
        self.postings.is_empty()
    }

    /// Refuses an entry that does not sum to zero: before it is written, and after it is read.
    pub fn check(&self) -> Result<()> {
        let sum = self.postings.iter().fold(0_i128, |sum, posting| sum.saturating_add(posting.amount_minor.into()));
        if sum == 0 {
            return Ok(());
        }
        Err(Error::internal(format!("{} of {} does not balance: its postings sum to {sum}", self.kind.wire_name(), self.source)))
    }
}

fn amount(sum: i128) -> Result<i64> {
    let amount = sum.try_into().ok().filter(|amount: &i64| amount.unsigned_abs() <= POSTING_MINOR_MAX.unsigned_abs());
    amount.ok_or_else(|| Error::internal(format!("a posting of {sum} minor units is more than a ledger holds")))
}
