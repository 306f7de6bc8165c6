//! An entitlement override: a value for one organization that replaces the value of its plan.

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use crate::kernel::time::Timestamp;

/// The value of an override.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Given {
    Truth(bool),
    Text(String),
}

/// An override of a feature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    pub key: String,
    pub value: Given,
    /// The reason, for people.
    pub reason: Option<String>,
    pub updated_at: Timestamp,
    pub version: i64,
}

impl Override {
    /// For the audit log.
    pub(super) fn facts(&self) -> Json {
        json!({"value": self.value, "reason": self.reason})
    }
}
