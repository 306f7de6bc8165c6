//! Metering: usage and its limits, as the API shows them.
//!
//! Owns: the calls about usage, its history, and limits. Does not own: the counts (the Meter, `durable_objects/meter.rs`).

pub mod limits;
pub mod usage;
