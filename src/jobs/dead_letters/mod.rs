//! Dead letters: work that failed its last attempt, listed for the vendor and replayable with one call.
//!
//! Owns: the list and the replay. Does not own: when work is given up (`business/runner.rs`, `delivery/mails/dispatch.rs`,
//! `billing/billing_run/attempts.rs`, the dead-letter queues). Words: a *dead letter* is a workflow step, a mail, the billing of a
//! subscription or a queue message that failed its last attempt. Invariant: a dead letter stays until it is replayed.

pub mod replay;
pub mod routes;
pub mod store;
