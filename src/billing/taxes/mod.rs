//! Taxes: the rates at which an organization's bills are taxed.
//!
//! Owns: which rates there are, and whether prices contain them. Does not own: which rate is right (the vendor says so), nor how a tax is
//! computed and rounded (`crates/rating`).
//! Words: an *inclusive* tax is contained in the prices, others come on top.
//! Invariants: a bill has the rates of the moment in which it was made; changing them changes no bill that is there.

pub mod routes;
pub mod rules;
pub mod store;
pub mod tax;
