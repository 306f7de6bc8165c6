//! How the checklist is created, completed and measured.

use super::item::Item;
use super::store;
use crate::events::{ChecklistItemCompleted, ItemKey};
use crate::kernel::decision::Decision;
use crate::kernel::ids::Moment;

/// The number of completed items.
pub fn completed(items: &[Item]) -> usize {
    items.iter().filter(|item| item.completed_at.is_some()).count()
}

/// Whether all items are completed. An empty checklist is not: it was not created yet.
pub fn is_done(items: &[Item]) -> bool {
    !items.is_empty() && completed(items) == items.len()
}

/// The completed items in percent of all, cut off: 100 only when all are completed.
pub fn progress(completed: usize, items: usize) -> u8 {
    let percent = completed.saturating_mul(100).checked_div(items).unwrap_or(0);
    u8::try_from(percent.min(100)).unwrap_or(100)
}

/// Creates the checklist of a new organization, with open items.
pub fn create_checklist() -> Decision {
    Decision::new().write(store::insert_missing())
}

/// Completes one item; an empty decision when it is completed.
pub fn complete(items: &[Item], key: ItemKey, moment: Moment<'_>) -> Decision {
    let pending = items.iter().any(|item| item.key == key && item.completed_at.is_none());
    if !pending {
        return Decision::new();
    }
    Decision::new()
        .guard(store::still_pending(key))
        .write(store::complete(key, moment.now))
        .raise(ChecklistItemCompleted { item: key })
        .audit(
            "onboarding.itemCompleted",
            key.wire_name(),
            Some(serde_json::json!({"status": "pending"})),
            Some(serde_json::json!({"status": "completed"})),
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_goes_from_nothing_to_a_hundred_percent() {
        let shown: Vec<u8> = (0..=5).map(|done| progress(done, 5)).collect();
        assert_eq!(shown, [0, 20, 40, 60, 80, 100]);
        assert_eq!((progress(0, 0), progress(2, 3), progress(999, 1_000)), (0, 66, 99));
    }
}
