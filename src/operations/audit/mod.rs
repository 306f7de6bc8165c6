//! The audit log, read: actor, action, target, time and origin of each commit.
//!
//! Owns: the search, the export and the head of an organization's log and of the platform's log. Does not own: writing them; every commit
//! writes its entry (`kernel/audit.rs`).
//! Words: an *entry* is a line of the log; the *head* is its newest entry, whose hash covers the whole log; the *platform's log* holds
//! what the vendor did outside of any organization.
//! Invariants: nothing here writes. An entry is returned as it was hashed, so that a reader can verify it (`docs/AUDIT.md`).

pub mod csv;
pub mod export;
pub mod routes;
pub mod rules;
pub mod store;
pub mod wire;
