//! Sign-up: a company creates its organization, with its first owner.
//!
//! Owns: the endpoints of sign-up, the placement of the new organization, and the login mail to its owner. Does not own: organizations
//! (`organizations`), members (`identity/members`), the steps after a sign-up (`business/onboarding.rs`).
//! Invariant: a sign-up returns no credential: only a login code mailed to the owner opens the organization.

pub mod placement;
pub mod routes;
pub mod sign_up;
pub mod vendor;
