//! Limits of one organization, which the vendor sets beside its plan.
//!
//! Owns: overrides and grants. Does not own: the plan's limits (`catalog/`), enforcing them (the Meter), prices: usage past the
//! plan's included amount is priced by the plan.
//! Words: an *override* replaces the plan's limit of a metric and may make it soft; a *grant* is allowance on top, for a time
//! or without an end.
//! Invariants: each change of an organization's limits has a version, one more than the one before, and the Meter gets all of them with
//! that version. It gets them before the change is answered; `business/limits.rs` repeats a call that was interrupted.

pub mod agreed;
pub mod meter;
pub mod routes;
pub mod rules;
pub mod store;
