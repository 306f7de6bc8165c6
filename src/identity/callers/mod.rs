//! Callers: the actors that a handler takes as arguments, and the permissions they hold.
//!
//! Owns: authentication of a request, permissions. Does not own: the credentials themselves (their slices).

pub mod actors;
pub mod permissions;
pub mod person;
pub mod public;
pub mod status;
pub mod team_actors;
