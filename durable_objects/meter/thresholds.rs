//! The thresholds of a limit, and the facts that are raised when a count reaches one.

use rating::Quantity;

use super::book::Counter;
use super::rules::{Period, Rule};
use crate::events::{Event, UsageApproaching, UsageExceeded, UsageWarning};
use crate::kernel::time::Timestamp;
use crate::meter::vocabulary::Enforcement;

/// The state of a counter at a threshold.
struct Reached {
    metric: String,
    current: Quantity,
    limit: Quantity,
    period_starts_at: Timestamp,
    is_hard: bool,
}

struct Threshold {
    bit: u32,
    tenths: i128,
    event: fn(Reached) -> Event,
}

/// Lowest first.
const THRESHOLDS: [Threshold; 3] = [
    Threshold {
        bit: 1,
        tenths: 8,
        event: |Reached { metric, current, limit, period_starts_at, .. }| {
            UsageApproaching { metric, current, limit, period_starts_at }.into()
        },
    },
    Threshold {
        bit: 2,
        tenths: 9,
        event: |Reached { metric, current, limit, period_starts_at, .. }| UsageWarning { metric, current, limit, period_starts_at }.into(),
    },
    Threshold {
        bit: 4,
        tenths: 10,
        event: |Reached { metric, current, limit, period_starts_at, is_hard }| {
            UsageExceeded { metric, current, limit, period_starts_at, is_hard }.into()
        },
    },
];

const ALL_RAISED: u32 = 7;

/// Marks each threshold that is reached and was not raised in this period yet, and gives their events, lowest first.
pub(super) fn raise_thresholds(counter: &mut Counter, metric: &str, rule: &Rule, period: Period, current: Quantity) -> Vec<Event> {
    let Some(limit) = rule.limit.filter(|_| counter.raised != ALL_RAISED) else { return Vec::new() };
    let tenfold = current.nanos().saturating_mul(10);
    let reached = THRESHOLDS.iter().take_while(|threshold| tenfold >= limit.nanos().saturating_mul(threshold.tenths));
    let mut raised = Vec::new();
    for threshold in reached {
        if counter.raised & threshold.bit == 0 {
            counter.mark_raised(threshold.bit);
            let is_hard = rule.enforcement == Enforcement::Hard;
            raised.push((threshold.event)(Reached {
                metric: metric.to_owned(),
                current,
                limit,
                period_starts_at: period.starts_at,
                is_hard,
            }));
        }
    }
    raised
}
