//! Meter: the contract between the Worker and an organization's Meter, and the calls to it.
//!
//! Owns: the vocabulary of metering, the calls and their replies, the text form of hot requests. Does not own: the Meter itself
//! (`durable_objects/meter.rs`), and what a slice sends to it (its `meter.rs`).
//! Words: a *hot request* is one of the usage API, which crosses as one text (`wire.rs`); a *call* is everything else that the Worker asks
//! of a Meter, and crosses as JSON (`contract.rs`).
//! Invariant: each call may be repeated, and what arrives late changes nothing: what can be replaced has a version.

pub mod client;
pub mod contract;
pub mod hot_paths;
pub mod vocabulary;
pub mod wire;
