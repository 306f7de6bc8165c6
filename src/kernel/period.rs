//! A period: a span of time that is counted and billed as one.

use serde::{Deserialize, Serialize};

use super::error::{OrInternal, Result};
use super::time::Timestamp;

/// A span of time that is counted and billed as one; includes its start, excludes its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Period {
    pub starts_at: Timestamp,
    pub ends_at: Timestamp,
}

impl Period {
    /// The same for `rating`.
    pub fn to_rating(self) -> Result<rating::Period> {
        rating::Period::new(self.starts_at.to_chrono(), self.ends_at.to_chrono()).or_internal()
    }
}
