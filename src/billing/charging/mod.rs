//! Charging: how a bill is computed from a subscription, its plan and its usage.
//!
//! Owns: lines, proration, late usage, thresholds, the end of a period. Does not own: the document (`billing/invoices/`).

pub mod account;
pub mod billing;
pub mod change;
pub mod compose;
pub mod cycle;
pub mod in_advance;
pub mod late_usage;
pub mod lines;
pub mod proration;
pub mod terms;
pub mod threshold;
pub mod turns;
