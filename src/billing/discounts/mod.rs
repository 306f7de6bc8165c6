//! Discounts: agreed reductions of the invoices of an organization.
//!
//! Owns: the discounts of an organization, their duration, and the bills that redeemed them. Does not own: how discounts stack and are
//! rounded (`crates/rating`), the bill (`billing/charging/compose.rs`).
//! Words: the vendor *grants* a discount and a bill *redeems* it; an *open* discount can still be redeemed.
//! Invariants: a discount is redeemed at most as often as granted, each time in the commit that creates the bill.

pub mod granted;
pub mod routes;
pub mod rules;
pub mod store;
