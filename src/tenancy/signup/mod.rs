//! Sign-up: a company comes by itself, with its first owner.
//!
//! Owns: the public endpoint, and that the owner is asked to prove their email. Does not own: what an organization is and how it is
//! placed (`organizations`), what a member is (`people`), what follows (`business/onboarding.rs`).
//! Invariant: whoever signs up gets no credential for it: the mail of a login is what opens the organization.

pub mod placement;
pub mod routes;
pub mod sign_up;
pub mod vendor;
