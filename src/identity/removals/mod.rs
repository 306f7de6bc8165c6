//! Removals: how a member leaves an organization.
//!
//! Owns: what ends with a membership: the member's sessions, API keys and OAuth clients. Does not own: the member's own rows and seat
//! (`members`), what follows once it is committed (`business/people.rs`).
//! Invariant: a member, their roles, their seat and all their credentials go in one commit, so that no request after it is answered.

pub mod routes;
pub mod rules;
