//! Usage: what an organization consumes, and what it may.
//!
//! Owns: the calls to the Meter, the usage and quota endpoints, the facts the Meter raises, usage over time.
//! Does not own: the counting and deciding, which the Meter does (`durable_objects/meter.rs`); plans (`catalog/`) and what a
//! subscription entitles to (`subscriptions/`); prices.
//! Words: a *metric* is counted; `consumable` metrics start anew each period, `level` metrics are carried over; a *closing* is the
//! count of a period as it is billed, late usage is what arrived for a period after its closing.
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
