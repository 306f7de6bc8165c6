//! Onboarding: the checklist that takes a new company from sign-up to its first value.
//!
//! Owns: the five items and their progress. Does not own: mails and check-ins (`business/onboarding.rs`), the organization's status.
//! Invariant: an item, once completed, stays completed.

pub mod item;
pub mod routes;
pub mod rules;
pub mod store;
