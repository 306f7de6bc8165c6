//! The own limits of an organization: overrides and grants.

use std::collections::BTreeMap;

use rating::Quantity;
use serde_json::{Value as Json, json};

use crate::kernel::ids::GrantId;
use crate::kernel::time::Timestamp;
use crate::meter::vocabulary::Enforcement;

/// A limit that replaces the plan's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    pub metric: String,
    /// None when unlimited.
    pub limit: Option<Quantity>,
    pub enforcement: Enforcement,
    /// An internal note.
    pub reason: Option<String>,
    pub updated_at: Timestamp,
}

/// Allowance on top of the limit, from `starts_at` up to, not including, `ends_at` (None: no end).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    pub id: GrantId,
    pub metric: String,
    pub amount: Quantity,
    pub starts_at: Timestamp,
    pub ends_at: Option<Timestamp>,
    pub reason: Option<String>,
    pub created_at: Timestamp,
    pub revoked_at: Option<Timestamp>,
}

/// All own limits of one organization. `version` is 0 before the first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    pub version: i64,
    pub overrides: BTreeMap<String, Override>,
    /// Those that are neither revoked nor ended.
    pub grants: Vec<Grant>,
}

impl Override {
    /// The limit as clients read it: -1 is unlimited.
    pub fn shown(&self) -> Quantity {
        self.limit.unwrap_or_else(|| Quantity::from(-1))
    }

    /// For the audit log.
    pub(super) fn facts(&self) -> Json {
        json!({"limit": self.shown(), "enforcement": self.enforcement, "reason": self.reason})
    }
}

impl Grant {
    pub(super) fn is_not_over(&self, now: Timestamp) -> bool {
        self.ends_at.is_none_or(|ends_at| now < ends_at)
    }

    /// For the audit log.
    pub(super) fn facts(&self) -> Json {
        json!({"metric": self.metric, "amount": self.amount, "startsAt": self.starts_at, "endsAt": self.ends_at, "reason": self.reason})
    }
}
