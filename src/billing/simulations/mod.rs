//! Simulations: the cost of past and projected usage under another subscription.
//!
//! Owns: billing closed and projected periods under a simulated subscription. Does not own: how a period is billed (`billing/charging/`),
//! past usage (the closings of the Meter).
//! Words: a *projected* period has not ended; its usage is assumed, not counted.
//! Invariants: the code is the one that bills; nothing is written and no event is raised.

pub mod routes;
pub mod rules;
