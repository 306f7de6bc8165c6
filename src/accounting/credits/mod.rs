//! Credit: money that a customer has with the seller, given away or paid for.
//!
//! Owns: grants and what is left of each; drawing, expiring and taking back. Does not own: the order in which grants are drawn
//! (`rating::wallet`: priority, then expiry, then age), nor the bills that draw them (`billing/charging/compose.rs`).
//! Words: a *grant* is an amount of credit with a *source*; a bill *draws* on grants; what expires or is taken back has *lapsed*.
//! Invariants: what was drawn, what lapsed and what is left of a grant are its amount; a grant is drawn in the commit that makes the bill,
//! provided that it is as the bill read it; what a bill carries below zero becomes a grant in the same commit.

pub mod grant;
pub mod routes;
pub mod rules;
pub mod store;
