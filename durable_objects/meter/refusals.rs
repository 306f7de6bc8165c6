//! Refusals that more than one decision gives.

use rating::Quantity;

use super::rules::{Period, Rules};
use crate::kernel::problem::Problem;
use crate::kernel::time::Timestamp;
use crate::meter::vocabulary::MetricKind;

/// The longest detail of a refused event in a batch, so that a stored answer stays small.
const DETAIL_BYTES_MAX: usize = 160;

pub(super) fn unknown_metric(rules: &Rules, metric: &str) -> Problem {
    let known: Vec<&str> = rules.iter().map(|(metric, _)| metric).collect();
    let detail = format!("There is no metric {}. Use one of: {}.", shortened(metric), shortened_list(&known));
    Problem::refused("/metric", "unknown_metric", detail)
}

/// The first twenty names.
fn shortened_list(names: &[&str]) -> String {
    let shown: Vec<&str> = names.iter().take(20).copied().collect();
    if shown.len() < names.len() { format!("{}, …", shown.join(", ")) } else { shown.join(", ") }
}

/// At most a line of a text that may repeat what the client sent.
pub(super) fn shortened(text: &str) -> String {
    let mut end = text.len().min(DETAIL_BYTES_MAX);
    while !text.is_char_boundary(end) {
        end = end.saturating_sub(1);
    }
    let line: String = text.get(..end).unwrap_or_default().chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    if end < text.len() { line + "…" } else { line }
}

/// A quota that does not allow the required amount.
pub(super) struct Quota<'a> {
    pub metric: &'a str,
    pub kind: MetricKind,
    pub current: Quantity,
    pub reserved: Quantity,
    pub limit: Quantity,
    pub required: Quantity,
}

impl Quota<'_> {
    /// A level is freed by the client, a period by time: so 403 for the one and 429 with `Retry-After` for the other.
    pub fn exceeded(&self, now: Timestamp, period: Period) -> Problem {
        let Self { metric, kind, current, reserved, limit, required } = self;
        let held = if reserved.is_zero() { String::new() } else { format!(", {reserved} are reserved") };
        let used = format!("{metric}: {current} of {limit} are used{held}, {required} more would pass the limit.");
        let (status, detail) = match kind {
            MetricKind::Level => (403, format!("{used} Free some, or change to a plan with a higher limit.")),
            MetricKind::Consumable => (429, format!("{used} Wait until {}, or change to a plan with a higher limit.", period.ends_at)),
        };
        let problem = Problem::new(status, "quota_exceeded", "The quota is used up", detail)
            .with_member("metric", *metric)
            .with_member("current", json(*current))
            .with_member("reserved", json(*reserved))
            .with_member("limit", json(*limit))
            .with_member("required", json(*required));
        match kind {
            MetricKind::Level => problem,
            MetricKind::Consumable => problem.with_header("Retry-After", seconds_until(now, period.ends_at).to_string()),
        }
    }
}

/// Whole seconds, a started one counts; at least one.
fn seconds_until(now: Timestamp, end: Timestamp) -> u128 {
    now.until(end).as_millis().div_ceil(1_000).max(1)
}

fn json(quantity: Quantity) -> serde_json::Value {
    serde_json::to_value(quantity).unwrap_or_default()
}
