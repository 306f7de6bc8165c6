//! Subscription changes: the commands on a subscription, and its endpoints.
//!
//! Owns: creating, changing, pausing, suspending and cancelling a subscription, and the preview of a change. Does not own: the state of a
//! subscription (`billing/subscriptions/`), the amounts (`billing/charging/`), changes to another plan version
//! (`billing/plan_migrations/`).
//! Words: a change takes *effect* now or at the end of the billing period; a *checked change* passed all checks.
//! Invariants: a period that is due is billed before a command decides; a refused command closes nothing and bills nothing; the Meter is
//! configured before the response is sent.

pub mod beginning;
pub mod changes;
pub mod checked_change;
pub mod current;
pub mod endings;
pub mod pauses;
pub mod requests;
pub mod routes;
pub mod rules;
pub mod suspensions;
pub mod views;
