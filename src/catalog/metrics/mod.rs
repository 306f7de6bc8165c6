//! Metrics: the definitions of what is counted.
//!
//! Owns: the definitions of the platform, built in and the vendor's own. Does not own: the counting (the Meter), limits (of a plan in
//! `catalog/plans/`, of an organization in `metering/limits/`), prices.
//! Words: a metric's *aggregation* computes its count from events, its *kind* says whether the count starts at 0 each period; an *event
//! type* is the CloudEvents `type` that is counted as it.
//! Invariants: a definition never changes and is never deleted, because events were counted by it; so the number of definitions is the
//! version of all of them. A Meter gets them when a request first names one (`metering/usage/serving.rs`).

pub mod built_in;
pub mod keys;
pub mod metric;
pub mod routes;
pub mod rules;
pub mod store;
