//! Metering: usage and limits, as the API shows them.
//!
//! Owns: the endpoints of usage and its history, and an organization's own limits. Does not own: the counts (the Meter,
//! `durable_objects/meter.rs`).

pub mod limits;
pub mod usage;
