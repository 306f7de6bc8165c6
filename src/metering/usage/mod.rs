//! Usage: recording it, checking quotas, and reading it over time.
//!
//! Owns: the usage and quota endpoints, the delivery of facts that the Meter raises, hourly buckets and usage over time, exports.
//! Does not own: counting and enforcing, which the Meter does (`durable_objects/meter.rs`), and the calls to it (`meter/`); plans
//! (`catalog/`) and the entitlements of a subscription (`billing/subscriptions/`); prices.
//! Words: a *metric* is counted; `consumable` metrics start at 0 each period, `level` metrics are carried over; a *closing* is the
//! count of a period as it is billed, late usage arrived for a period after its closing.
//! Invariant: the hot path calls the Meter and nothing else.

pub mod buckets;
pub mod exports;
pub mod facts;
pub mod forwarding;
pub mod history;
pub mod history_routes;
pub mod live;
pub mod routes;
pub mod serving;
pub mod store;
pub mod wire;
