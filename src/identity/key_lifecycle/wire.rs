//! Rotations as clients write them.

use serde::Deserialize;
use utoipa::ToSchema;

/// The rotation of a key or of a client's secret.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewRotation {
    /// How long the old secret stays good, in seconds: one day when absent, at most 30 days; 0 ends it at once.
    #[schema(example = 86400, minimum = 0, maximum = 2592000)]
    pub overlap_seconds: Option<u64>,
}
