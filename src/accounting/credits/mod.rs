//! Credit: money that a customer can spend on invoices, granted or prepaid.
//!
//! Owns: grants and the rest of each; drawing, expiring and voiding. Does not own: the order in which grants are drawn (`rating::wallet`:
//! priority, then expiry, then age), the bills that draw them (`billing/charging/compose.rs`).
//! Words: a *grant* is an amount of credit with a *source*; a bill *draws* on grants; expired or voided credit has *lapsed*.
//! Invariants: the drawn, lapsed and remaining amounts of a grant sum to it; a grant is drawn in the commit that creates the bill, and
//! only if it is as the bill read it; the amount that a bill carries below zero becomes a grant in the same commit.

pub mod grant;
pub mod routes;
pub mod rules;
pub mod store;
