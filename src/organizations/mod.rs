//! Organizations: the companies that are the vendor's customers, and our tenants.
//!
//! Owns: their details, settings, status and where they live. Does not own: what follows from a sign-up (`business/onboarding.rs`).
//! Words: an organization is *placed* on one of the tenant databases; the directory remembers which.
//! Invariant: the directory knows an organization before its database does; a sign-up that was cut off in between is finished by the
//! sweep, and a second sign-up with the same idempotency key finds the first.

pub mod placement;
pub mod routes;
pub mod rules;
pub mod sign_up;
pub mod store;
pub mod wire;
