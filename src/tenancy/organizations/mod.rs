//! Organizations: the companies that are the vendor's customers, and our tenants.
//!
//! Owns: details, settings, status, suspension, cancellation and ownership. Does not own: the steps after a sign-up
//! (`business/onboarding.rs`) or a cancellation (`business/lifecycle.rs`).
//! Words: an organization is *placed* on one of the tenant databases; the directory remembers which. A *suspended* or *cancelled* one is
//! read-only. A *fence* is a row in a tenant database that refuses all writes of an organization there.
//! Invariants:
//! - The directory knows an organization before its database does; the sweep finishes an interrupted sign-up, and a second
//!   sign-up with the same idempotency key finds the first.
//! - Only `lifecycle::next` sets a status.
//! - An organization is written in one database only: the old database has a fence before the directory names the new one.
//! - Erased rows stay erased: no handle that was opened before can write them again.

pub mod directory;
pub mod endings;
pub mod lifecycle;
pub mod meter;
pub mod organization;
pub mod ownership;
pub mod routes;
pub mod rules;
pub mod store;
pub mod wire;
