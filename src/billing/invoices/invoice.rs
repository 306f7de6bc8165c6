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

/// The reason of an invoice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BillingReason {
    /// The first paid period starts.
    SubscriptionCreate,
    /// Another period starts.
    SubscriptionCycle,
    /// The subscription was changed, paused or resumed.
    SubscriptionUpdate,
    /// Usage reached the threshold of the plan.
    SubscriptionThreshold,
    /// The subscription ended.
    SubscriptionEnd,
    /// Usage arrived after the last invoice.
    LateUsage,
}

/// The counted usage of a metric in a period, as it is stored, free or not: a customer can check every event against a count.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CountedUsage {
    pub metric: String,
    /// For late usage: the usage since the period was last billed.
    pub counted: Quantity,
    /// The part that earlier invoices billed, at a change, a pause or a threshold; absent where there is none.
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
    /// Unique within the subscription: `period:` and its start, `change:` and the version before it.
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

/// Whether the amount of a line is earned only as its period passes.
pub fn is_deferred(line: &Line, billed_at: Timestamp) -> bool {
    match line.kind {
        LineKind::BasePrice | LineKind::AddOn | LineKind::RemainingTime | LineKind::UnusedTime => line.period_ends_at > billed_at,
        LineKind::Overage | LineKind::LateUsage | LineKind::MinimumCommitment => false,
    }
}

impl Invoice {
    /// The printed number, with the prefix of the seller at that time. None for a draft.
    pub fn identifier(&self) -> Option<String> {
        let kept = self.parties.as_ref().and_then(|parties| parties.pointer(PREFIX)).and_then(serde_json::Value::as_str);
        self.number.map(|number| format!("{}{number:06}", kept.unwrap_or(seller::PREFIX)))
    }

    pub fn money(&self, minor: i64) -> Money {
        Money::new(minor, self.currency)
    }

    /// The amount to pay when the invoice was created: the total less the drawn credit.
    pub fn payment_due(&self) -> Money {
        self.money(self.total_minor.saturating_sub(self.credit_minor))
    }

    /// The amount that is still to be paid.
    pub fn remaining(&self) -> Money {
        match self.status {
            Status::Draft | Status::Due | Status::Overdue | Status::Paid => self.outstanding(),
            Status::Void | Status::Uncollectible => self.money(0),
        }
    }

    /// The amount without any payment, credit or credit note against it, whether or not it is still expected.
    pub fn outstanding(&self) -> Money {
        let covered = self.credit_minor.saturating_add(self.paid_minor).saturating_add(self.reduced_minor);
        self.money(self.total_minor.saturating_sub(covered))
    }
}

/// The prefix in the stored seller, as a JSON pointer.
pub(super) const PREFIX: &str = "/seller/invoicePrefix";
