//! The catalogue: what can be subscribed to.
//!
//! Owns: plans, their versions, limits and prices. Does not own: who subscribes to what.
//! Words: a *plan* has *versions*; a version, once published, never changes, and a subscription pins one.
//! Invariant: prices are exact decimals in major units; a limit is None when unlimited.

pub mod routes;
pub mod rules;
