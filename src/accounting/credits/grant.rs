//! A grant of credit.

use rating::Money;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::accounting::ledger::rules::Funding;
use crate::kernel::ids::CreditId;
use crate::kernel::time::Timestamp;

/// The source of a credit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = CreditSource)]
pub enum Source {
    /// Granted for free.
    Promotional,
    /// Prepaid.
    Purchased,
    /// An invoice was below zero, or returned the credit it had drawn.
    Invoice,
    /// A credit note credited a paid amount.
    CreditNote,
}

/// A credit of a customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    pub id: CreditId,
    pub source: Source,
    pub amount: Money,
    pub left_minor: i64,
    pub lapsed_minor: i64,
    pub priority: Option<u32>,
    pub reason: Option<String>,
    /// The invoice or the credit note that granted it.
    pub origin: Option<String>,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    /// The instant at which it expired or was voided.
    pub ended_at: Option<Timestamp>,
    pub version: i64,
}

impl Source {
    /// The funding of such credit.
    pub(super) fn funding(self) -> Funding {
        match self {
            Self::Promotional => Funding::GivenAway,
            Self::Purchased | Self::Invoice | Self::CreditNote => Funding::Bought,
        }
    }
}

impl Grant {
    pub(super) fn new(id: CreditId, source: Source, amount: Money, origin: Option<String>, now: Timestamp) -> Self {
        Self {
            id,
            source,
            amount,
            left_minor: amount.minor(),
            lapsed_minor: 0,
            priority: None,
            reason: None,
            origin,
            created_at: now,
            expires_at: None,
            ended_at: None,
            version: 1,
        }
    }

    pub fn left(&self) -> Money {
        Money::new(self.left_minor, self.amount.currency())
    }

    /// The amount that bills have drawn.
    pub fn drawn(&self) -> Money {
        let gone = self.left_minor.saturating_add(self.lapsed_minor);
        Money::new(self.amount.minor().saturating_sub(gone), self.amount.currency())
    }

    pub(super) fn is_usable(&self, now: Timestamp) -> bool {
        self.ended_at.is_none() && self.expires_at.is_none_or(|at| now < at)
    }

    /// The same for `rating`.
    pub fn to_rating(&self) -> rating::Grant<Money> {
        rating::Grant {
            left: self.left(),
            priority: self.priority,
            effective_at: Some(self.created_at.to_chrono()),
            expires_at: self.expires_at.map(Timestamp::to_chrono),
            voided_at: self.ended_at.map(Timestamp::to_chrono),
        }
    }

    /// For the audit log.
    pub(super) fn facts(&self) -> serde_json::Value {
        json!({
            "source": self.source,
            "amountMinor": self.amount.minor(),
            "currency": self.amount.currency(),
            "leftMinor": self.left_minor,
            "priority": self.priority,
            "expiresAt": self.expires_at,
            "reason": self.reason,
        })
    }
}
