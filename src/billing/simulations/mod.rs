//! Simulations: what an organization's usage would have cost, or will cost, under another plan.
//!
//! Owns: replaying closed periods, and supposed ones, under a supposed subscription. Does not own: how a period is billed (`invoices/`),
//! what was used (the Meter's closings).
//! Words: the *supposed* subscription is a copy that nobody keeps; its clock moves from period to period.
//! Invariants: the code is the one that bills; nothing is written, nothing is raised.

pub mod routes;
pub mod rules;
