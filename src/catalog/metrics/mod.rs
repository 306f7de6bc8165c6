//! Metrics: what is counted, and how.
//!
//! Owns: the definitions of the platform, built in and the vendor's own. Does not own: the counting (the Meter), limits (`catalog/` by
//! plan, `limits/` by organization), prices.
//! Words: a metric's *aggregation* says what it makes of its events, its *kind* whether it starts anew each period; an *event type* is
//! the CloudEvents `type` that is counted as it.
//! Invariants: a definition never changes and is never taken back, for events were counted by it; so the number of definitions is the
//! version of all of them. Meters learn them when they are first asked for one (`meter/client.rs`).

pub mod built_in;
pub mod keys;
pub mod metric;
pub mod routes;
pub mod rules;
pub mod store;
