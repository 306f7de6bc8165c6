//! The list of allowed origins.

use serde::{Deserialize, Serialize};

/// The origins in the order of the vendor.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Origins(pub Vec<String>);

impl Origins {
    /// Whether a page of this origin may read answers. Exact: browsers write an origin in one way only.
    pub fn allow(&self, origin: &str) -> bool {
        self.0.iter().any(|allowed| allowed == origin)
    }
}
