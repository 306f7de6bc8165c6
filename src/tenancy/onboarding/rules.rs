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

/// The share of completed items, from 0 to 1, as a JSON number with at most two decimals. Shown, never computed with.
pub fn progress(completed: usize, items: usize) -> serde_json::Number {
    let percent = completed.saturating_mul(100).checked_div(items).unwrap_or(0);
    let text = match percent {
        0 => "0".to_owned(),
        100.. => "1".to_owned(),
        part => format!("0.{part:02}").trim_end_matches('0').to_owned(),
    };
    text.parse().unwrap_or_else(|_| serde_json::Number::from(0))
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
    fn progress_goes_from_nothing_to_one() {
        let shown: Vec<String> = (0..=5).map(|done| progress(done, 5).to_string()).collect();
        assert_eq!(shown, ["0", "0.2", "0.4", "0.6", "0.8", "1"]);
        assert_eq!(progress(0, 0).to_string(), "0");
    }
}
