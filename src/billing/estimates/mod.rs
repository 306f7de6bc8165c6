//! Estimates: what a usage would cost under a price, by the very code that bills.
//!
//! Owns: one endpoint, which keeps nothing. Does not own: the arithmetic (`crates/rating`), published prices (`catalog/`).
//! Words: a *quantity* is the total of a period; *events* are for prices that look at each.
//! Invariant: it prices with `rating::price` alone, as invoices do.

pub mod routes;
