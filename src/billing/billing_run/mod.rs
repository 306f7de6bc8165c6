//! The billing run: due subscriptions are found page by page, and each is billed by a message of its own.
//!
//! Owns: the pages, the retries of failed subscriptions, and the audit that no subscription was missed. Does not own: the charges of a
//! period (`billing/charging/`), the start of the run (`jobs/calendar.rs`).
//! Words: a *page* is a few hundred due subscriptions of one shard; a failed subscription is *retried*, later each time, until it is a
//! *dead letter*.
//! Invariants: a page costs the same however many subscriptions are due, and no limit leaves one out; repeating, overlapping or
//! reordering pages and messages changes nothing; a failed subscription does not block others.

pub mod attempts;
pub mod check;
pub mod page;
pub mod pages;
pub mod period;
pub mod routes;
pub mod store;
