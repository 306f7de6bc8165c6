//! Jobs: what runs without a request.
//!
//! Owns: the calendar of crons, queue messages, dead letters. Does not own: what a job does (its slice).

pub mod calendar;
pub mod dead_letters;
pub mod messages;
pub mod story;
