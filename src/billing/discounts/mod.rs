//! Discounts: what is agreed to be taken off an organization's bills.
//!
//! Owns: which discounts an organization has, for how long, and which bills had them. Does not own: how discounts stack and are rounded
//! (`crates/rating`), nor the bill they are taken off (`billing/charging/compose.rs`).
//! Words: a discount is *granted* by the vendor and *redeemed* by a bill; an *open* one may still be redeemed.
//! Invariants: a discount is redeemed at most as often as was agreed, each time in the commit that makes the bill.

pub mod granted;
pub mod routes;
pub mod rules;
pub mod store;
