//! Estimates: the cost of a usage under any price, by the code that bills.
//!
//! Owns: one endpoint, which stores nothing. Does not own: the arithmetic (`crates/rating`), published prices (`catalog/`).
//! Words: a *quantity* is the total of a period; *events* are for percentage prices.
//! Invariant: it prices with `rating::price` alone, as invoices do.

pub mod routes;
