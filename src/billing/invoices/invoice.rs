//! An invoice.

use rating::{Currency, Money, Quantity};
use serde::{Deserialize, Serialize};

use super::bill::{ChargedTax, DrawnCredit, TakenDiscount};
use super::lifecycle::Status;
use super::line::{Line, LineKind};
use crate::billing::seller::party as seller;
use crate::kernel::ids::{CreditNoteId, InvoiceId, SubscriptionId};
use crate::kernel::period::Period;
use crate::kernel::time::Timestamp;

/// Why an invoice was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BillingReason {
    /// The first paid period begins.
    SubscriptionCreate,
    /// Another period begins.
    SubscriptionCycle,
    /// Something else is subscribed to from now on.
    SubscriptionUpdate,
    /// Usage came to so much that it is billed before its period ends.
    SubscriptionThreshold,
    /// The subscription is over.
    SubscriptionEnd,
    /// Usage that came after the last invoice.
    LateUsage,
}

/// What the Meter counted in a period, as it is stored: also what costs nothing, so that a customer can hold every event against a count.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CountedUsage {
    pub metric: String,
    /// For late usage: what came since the period was last billed.
    pub counted: Quantity,
    /// How much of it is on earlier invoices, by a change, a pause or at a threshold; where nothing is, absent.
    #[serde(default)]
    pub billed_before: Option<Quantity>,
    pub period_starts_at: Timestamp,
    pub period_ends_at: Timestamp,
    pub late: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Invoice {
    pub id: InvoiceId,
    pub subscription: SubscriptionId,
    pub reason: BillingReason,
    /// With the subscription, what makes it the only one: `period:` and its start, `change:` and the version before it.
    pub reason_key: String,
    pub number: Option<u64>,
    pub status: Status,
    pub currency: Currency,
    pub subtotal_minor: i64,
    pub discount_minor: i64,
    pub tax_minor: i64,
    pub total_minor: i64,
    pub carried_minor: i64,
    pub credit_minor: i64,
    pub paid_minor: i64,
    pub reduced_minor: i64,
    pub lines: Vec<Line>,
    pub usage: Vec<CountedUsage>,
    pub discounts: Vec<TakenDiscount>,
    pub taxes: Vec<ChargedTax>,
    pub credits: Vec<DrawnCredit>,
    pub credit_notes: Vec<CreditNoteId>,
    pub parties: Option<serde_json::Value>,
    /// The period that the invoice opens, or in which it falls.
    pub period: Period,
    pub created_at: Timestamp,
    pub issued_at: Option<Timestamp>,
    pub due_at: Option<Timestamp>,
    pub paid_at: Option<Timestamp>,
    pub voided_at: Option<Timestamp>,
    pub version: i64,
}

/// Whether a line charges, or gives back, what is earned only as its period passes.
pub fn is_deferred(line: &Line, billed_at: Timestamp) -> bool {
    match line.kind {
        LineKind::BasePrice | LineKind::AddOn | LineKind::RemainingTime | LineKind::UnusedTime => line.period_ends_at > billed_at,
        LineKind::Overage | LineKind::LateUsage | LineKind::MinimumCommitment => false,
    }
}

impl Invoice {
    /// The number as it is printed, with the prefix that the seller had when it was given. None of a draft.
    pub fn identifier(&self) -> Option<String> {
        let kept = self.parties.as_ref().and_then(|parties| parties.pointer(PREFIX)).and_then(serde_json::Value::as_str);
        self.number.map(|number| format!("{}{number:06}", kept.unwrap_or(seller::PREFIX)))
    }

    pub fn money(&self, minor: i64) -> Money {
        Money::new(minor, self.currency)
    }

    /// What was to be paid when it was made: the total less what credits paid.
    pub fn payment_due(&self) -> Money {
        self.money(self.total_minor.saturating_sub(self.credit_minor))
    }

    /// What is still to be paid.
    pub fn remaining(&self) -> Money {
        match self.status {
            Status::Draft | Status::Due | Status::Overdue | Status::Paid => self.outstanding(),
            Status::Void | Status::Uncollectible => self.money(0),
        }
    }

    /// What nothing was set against, whether or not anybody still expects it.
    pub fn outstanding(&self) -> Money {
        let settled = self.credit_minor.saturating_add(self.paid_minor).saturating_add(self.reduced_minor);
        self.money(self.total_minor.saturating_sub(settled))
    }
}

/// Of the seller that an invoice keeps.
pub(super) const PREFIX: &str = "/seller/invoicePrefix";
