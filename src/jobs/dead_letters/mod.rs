//! Parked work: what kept failing, made visible, and replayable with one call.
//!
//! Owns: the list and the replay. Does not own: when something is parked (`business/runner.rs`, `delivery/mails/dispatch.rs`,
//! `billing/billing_run/attempts.rs`, the dead-letter queues). Invariant: nothing is dropped; parked work stays until it is replayed.

pub mod routes;
pub mod store;
