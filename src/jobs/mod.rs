//! Jobs: work without a request.
//!
//! Owns: the calendar of crons, queue messages, dead letters. Does not own: the work of a job (its slice).

pub mod calendar;
pub mod dead_letters;
pub mod messages;
pub mod story;
