//! Catalog: the plans that the vendor sells, and the metrics that are counted.
//!
//! Owns: plans and metrics. Does not own: subscriptions (`billing/`) and counts (the Meter).

pub mod metrics;
pub mod plans;
