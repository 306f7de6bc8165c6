//! Catalog: what the vendor sells and counts.
//!
//! Owns: plans and metrics. Does not own: subscriptions (`billing/`) and counts (the Meter).

pub mod metrics;
pub mod plans;
