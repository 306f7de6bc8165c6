//! Charging: the computation of every bill from a subscription, its plan and its usage.
//!
//! Owns: lines, proration, credits for unused time, late usage, thresholds, the end of a period, the upcoming invoice. Does not own: the
//! invoice itself (`billing/invoices/`), prices (`catalog/`, `crates/rating`), counts (the Meter), the date of a run
//! (`jobs/calendar.rs`).
//! Words: an *account* is the data that the bills of one subscription are computed from; *terms* are the discounts, taxes and credits
//! that apply; a *slot* is the plan or one add-on of a subscription; *late usage* arrives after the invoice of its period.
//! Invariants: every bill, committed or previewed, is computed by `lines.rs` and then `compose.rs`; an amount is rounded once per line; a
//! credit for unused time never exceeds the amount that was charged for it.

pub mod account;
pub mod arrears;
pub mod beginning;
pub mod change;
pub mod compose;
pub mod cycle;
pub mod ending;
pub mod in_advance;
pub mod late_usage;
pub mod lines;
pub mod midterm;
pub mod pauses;
pub mod proration;
pub mod routes;
pub mod terms;
pub mod threshold;
pub mod unused_time;
pub mod upcoming;
