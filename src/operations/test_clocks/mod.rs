//! Test clocks: time that stands still until it is advanced, so that a year of billing can be tested in seconds.
//!
//! Owns: the clocks, and running due facts and billing in order, on the clocks and in real time. Does not own: what is due (the slices
//! write `due_events` and `next_billing_at`).
//! Words: an organization is *on* a clock from its creation; its present time is the clock's.
//! Invariants: a clock only moves forward; when an advance has answered, everything due until then has run, in order of time.

pub mod advance;
pub mod due;
pub mod routes;
pub mod store;
