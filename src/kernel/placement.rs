//! Placements: what the directory knows of an organization.

use super::ids::{OrganizationId, TestClockId};
use super::time::Timestamp;

/// Where an organization lives and which time it has: its row in the directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placement {
    pub organization: OrganizationId,
    pub shard: usize,
    /// False while its sign-up has entered the directory only.
    pub is_placed: bool,
    /// The test clock it is on, and that clock's time.
    pub test_clock: Option<(TestClockId, Timestamp)>,
}
