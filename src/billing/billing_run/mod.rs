//! The billing run: who is due is found page by page, and each is billed by a message of its own.
//!
//! Owns: the pages, what becomes of a subscription that can't be billed, and the check that nobody was left out. Does not own: what one
//! period costs (`invoices`), when the run begins (`jobs/calendar.rs`).
//! Words: a *page* is a few hundred due subscriptions of one shard; a failure *pauses* its subscription, longer each time, until it is
//! *parked*.
//! Invariants: a page costs the same however many are due, and nobody is left out by a limit; repeating, overlapping or reordering pages and
//! messages changes nothing; one subscription that can't be billed stops nobody else.

pub mod attempts;
pub mod check;
pub mod page;
pub mod pages;
pub mod period;
pub mod routes;
pub mod store;
