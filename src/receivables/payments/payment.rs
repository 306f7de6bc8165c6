//! A payment and a refund.

use rating::Money;
use serde_json::json;

use crate::kernel::ids::{CreditNoteId, InvoiceId, PaymentId, RefundId};
use crate::kernel::time::Timestamp;

/// Money that came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    pub id: PaymentId,
    pub invoice: InvoiceId,
    pub amount: Money,
    /// How it came: `bank_transfer`, `check`.
    pub method: Option<String>,
    /// What it is called there.
    pub reference: Option<String>,
    pub paid_at: Timestamp,
    pub recorded_at: Timestamp,
}

/// Money that goes back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refund {
    pub id: RefundId,
    pub credit_note: CreditNoteId,
    pub invoice: InvoiceId,
    pub amount: Money,
    pub method: Option<String>,
    pub reference: Option<String>,
    pub created_at: Timestamp,
    /// None while it is to be paid.
    pub paid_at: Option<Timestamp>,
}

impl Payment {
    pub(super) fn facts(&self) -> serde_json::Value {
        json!({
            "invoice": self.invoice,
            "amountMinor": self.amount.minor(),
            "currency": self.amount.currency(),
            "method": self.method,
            "reference": self.reference,
            "paidAt": self.paid_at,
        })
    }
}

impl Refund {
    pub(super) fn facts(&self) -> serde_json::Value {
        json!({
            "creditNote": self.credit_note,
            "amountMinor": self.amount.minor(),
            "currency": self.amount.currency(),
            "method": self.method,
            "reference": self.reference,
            "paidAt": self.paid_at,
        })
    }
}
