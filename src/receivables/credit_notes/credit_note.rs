//! A credit note.

use rating::Currency;
use serde_json::json;

use super::parts::NoteLine;
use crate::kernel::ids::{CreditNoteId, InvoiceId, Moment, RefundId};
use crate::kernel::time::Timestamp;
use crate::receivables::payments::payment::Refund;

/// The treatment of money that was paid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Resolution {
    /// It becomes credit for the next invoices.
    #[default]
    Credit,
    /// It is refunded, as far as it was paid with money.
    Refund,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreditNote {
    pub id: CreditNoteId,
    pub invoice: InvoiceId,
    pub number: Option<u64>,
    pub currency: Currency,
    pub reason: String,
    pub lines: Vec<NoteLine>,
    /// After discounts, before exclusive taxes.
    pub subtotal_minor: i64,
    /// All taxes, exclusive and inclusive.
    pub tax_minor: i64,
    pub total_minor: i64,
    pub reduced_minor: i64,
    pub credited_minor: i64,
    pub refunded_minor: i64,
    pub created_at: Timestamp,
    pub issued_at: Option<Timestamp>,
}

impl CreditNote {
    /// The refund of the credit note.
    pub fn refund(&self, moment: Moment<'_>) -> Refund {
        Refund {
            id: RefundId::derived(&["refund", &self.id.to_string()]),
            credit_note: self.id,
            invoice: self.invoice,
            amount: rating::Money::new(self.refunded_minor, self.currency),
            method: None,
            reference: None,
            created_at: moment.now,
            paid_at: None,
        }
    }

    /// For the audit log.
    pub(super) fn facts(&self) -> serde_json::Value {
        json!({
            "invoice": self.invoice,
            "totalMinor": self.total_minor,
            "reducedMinor": self.reduced_minor,
            "creditedMinor": self.credited_minor,
            "refundedMinor": self.refunded_minor,
            "reason": self.reason,
        })
    }
}
