//! An item of the onboarding checklist.

use crate::events::ItemKey;
use crate::kernel::time::Timestamp;

/// One item of an organization's checklist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    pub key: ItemKey,
    pub position: u32,
    pub completed_at: Option<Timestamp>,
}
