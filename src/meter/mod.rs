//! Meter: the contract between the Worker and an organization's Meter, and the calls to it.
//!
//! Owns: the vocabulary of calls and answers. Does not own: the Meter itself (`durable_objects/meter.rs`).

pub mod client;
pub mod contract;
