//! A payment and a refund.

use rating::Money;
use serde_json::json;

use crate::kernel::ids::{CreditNoteId, InvoiceId, PaymentId, RefundId};
use crate::kernel::time::Timestamp;

/// A payment of an invoice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    pub id: PaymentId,
    pub invoice: InvoiceId,
    pub amount: Money,
    /// The payment method: `bank_transfer`, `check`.
    pub method: Option<String>,
    /// The reference of the payment at the bank.
    pub reference: Option<String>,
    pub paid_at: Timestamp,
    pub recorded_at: Timestamp,
}

/// A refund of a paid invoice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refund {
    pub id: RefundId,
    pub credit_note: CreditNoteId,
    pub invoice: InvoiceId,
    pub amount: Money,
    pub method: Option<String>,
    pub reference: Option<String>,
    pub created_at: Timestamp,
    /// None until the payout.
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
