//! Organizations: the companies that are the vendor's customers, and our tenants.
//!
//! Owns: their details, settings, status, where they live, and how they end. Does not own: what follows from a sign-up
//! (`business/onboarding.rs`) or an end (`business/lifecycle.rs`).
//! Words: an organization is *placed* on one of the tenant databases; the directory remembers which. A *suspended* or *cancelled* one can
//! be read and not written. A *fence* is a row in a tenant database that refuses an organization's writes there, whoever tries.
//! Invariants:
//! - The directory knows an organization before its database does; a sign-up that was cut off in between is finished by the sweep, and a
//!   second sign-up with the same idempotency key finds the first.
//! - `lifecycle::next` is the only place that gives a status.
//! - An organization is written in one database only: it is fenced in the one it leaves before the directory names the other.
//! - What was erased stays erased: no handle that was opened before can write it again.

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
