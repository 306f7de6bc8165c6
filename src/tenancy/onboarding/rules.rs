//! How the checklist is made, completed and measured.

use super::item::Item;
use super::store;
use crate::events::{ChecklistItemCompleted, ItemKey};
use crate::kernel::decision::Decision;
use crate::kernel::ids::Moment;

/// How many items are done.
pub fn completed(items: &[Item]) -> usize {
    items.iter().filter(|item| item.completed_at.is_some()).count()
}

/// Whether all of the checklist is done. An empty one is not: it was not made yet.
pub fn is_done(items: &[Item]) -> bool {
    !items.is_empty() && completed(items) == items.len()
}

/// Done items from 0 to 1, as a JSON number with at most two decimals. Shown, never computed with.
pub fn progress(completed: usize, items: usize) -> serde_json::Number {
    let percent = completed.saturating_mul(100).checked_div(items).unwrap_or(0);
    let text = match percent {
        0 => "0".to_owned(),
        100.. => "1".to_owned(),
        part => format!("0.{part:02}").trim_end_matches('0').to_owned(),
    };
    text.parse().unwrap_or_else(|_| serde_json::Number::from(0))
}

/// The checklist of a new organization, nothing done yet.
pub fn create_checklist() -> Decision {
    Decision::new().write(store::insert_missing())
}

/// Completes one item; nothing to do when it is done already.
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
