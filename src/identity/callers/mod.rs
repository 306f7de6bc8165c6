//! Callers: the actors that a handler takes as arguments.
//!
//! Owns: the actors, what each of them may do, and the port by which a request's credential becomes one ([`authenticate::Authenticate`]).
//! Does not own: the credentials and their stores (`authentication/` answers the port), the list of permissions (`permissions`), the actors
//! on teams (`teams`).
//! Words: an *actor* is who calls, as an argument; a *holder* is what their credential holds.
//! Invariants: an actor comes from a request only, so that the argument list of a handler is its authorization; a suspended or cancelled
//! organization's callers write nothing but what leaves it.

pub mod actors;
pub mod authenticate;
pub mod identity;
pub mod person;
pub mod public;
pub mod status;
