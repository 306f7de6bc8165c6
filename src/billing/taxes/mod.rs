//! Taxes: the tax rates of an organization.
//!
//! Owns: the rates, and whether prices include them. Does not own: the right rate (the vendor decides), the computation and rounding of a
//! tax (`crates/rating`).
//! Words: prices include an *inclusive* tax; other taxes are added.
//! Invariants: a bill keeps the rates of the moment when it was created.

pub mod routes;
pub mod rules;
pub mod store;
pub mod tax;
