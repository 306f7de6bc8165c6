//! Test clocks: time that stands still until it is advanced, so that a year of billing can be tried in seconds.
//!
//! Owns: the clocks, and running in order what falls due, on them and in real time. Does not own: what falls due (`due_events` and
//! `next_billing_at` are written by those whose time it is).
//! Words: an organization is *on* a clock from its creation; its now is the clock's.
//! Invariants: a clock only moves forward; when an advance has answered, all that fell due has run, in order of its time.

pub mod advance;
pub mod due;
pub mod routes;
pub mod store;
