//! Placements: the directory's entries of organizations.

use super::ids::{OrganizationId, TestClockId};
use super::time::Timestamp;

/// The shard and the clock of an organization: its row in the directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placement {
    pub organization: OrganizationId,
    pub shard: usize,
    /// False while only the directory has the organization.
    pub is_placed: bool,
    /// The test clock it is on, and that clock's time.
    pub test_clock: Option<(TestClockId, Timestamp)>,
}
