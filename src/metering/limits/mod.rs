//! Limits of one organization: what the vendor agreed with it beside its plan.
//!
//! Owns: overrides and grants. Does not own: the plan's limits (`catalog/`), deciding by them (the Meter), prices: what goes past the
//! plan's limit costs what the plan says.
//! Words: an *override* replaces the plan's limit of a metric and may make it soft; a *grant* is allowance on top, for a time or for good.
//! Invariants: each change of an organization's limits has a version, one more than the one before, and the Meter is told all of them at
//! that version. It is told before the change is answered; a call that was cut off is finished by `business/limits.rs`.

pub mod agreed;
pub mod meter;
pub mod routes;
pub mod rules;
pub mod store;
