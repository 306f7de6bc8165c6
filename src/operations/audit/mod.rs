//! The audit log, read: who did what to what, on whose behalf, when and from where.
//!
//! Owns: searching, exporting and naming the head of an organization's log and of the platform's own. Does not own: writing it; every
//! commit does that itself (`kernel/audit.rs`).
//! Words: an *entry* is a line of the log; the *head* is its newest entry, whose hash stands for the whole log; the *platform's log* holds
//! what the vendor did that is no organization's.
//! Invariants: nothing here writes. What is shown is what was hashed, so whoever reads it can verify it (`docs/AUDIT.md`).

pub mod csv;
pub mod export;
pub mod routes;
pub mod rules;
pub mod store;
pub mod wire;
