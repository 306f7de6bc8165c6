//! Sessions: a person's logins in one organization.
//!
//! Owns: how a session begins, is refreshed, ends and expires. Does not own: how a person proves an email address (`logins`) or a device
//! (`second_factors`); access tokens (`access_tokens`), which a session issues and which are accepted only while it is live.
//! Words: a session's *generation* counts its refreshes; a *refresh token* names session and generation and carries a MAC, so that a
//! forged one costs no database and none is stored; a token of an earlier generation is *reused*.
//! Invariants: a session belongs to one organization and is a row of its database, so that ending it takes effect with the next request;
//! of all refresh tokens of a session one is accepted; a reused one ends the session for everyone who holds one of them. Time is the wall
//! clock's: sessions protect real systems, so no test clock counts.

mod begin;
mod granted;
mod refresh;
pub mod routes;
pub mod rules;
pub mod session;
pub mod store;
pub mod token;
pub mod wire;
