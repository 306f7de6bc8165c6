//! An entitlement override: the value that was agreed with one organization.

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use crate::kernel::time::Timestamp;

/// What an override says of a feature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Given {
    Truth(bool),
    Text(String),
}

/// A feature agreed with one organization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    pub key: String,
    pub value: Given,
    /// Why, for people.
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
