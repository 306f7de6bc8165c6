//! Plan migrations: subscribers of one version of a plan change to another version.
//!
//! Owns: the preview of a migration, its pages, and the comparison of two versions for one subscription. Does not own: plans and their
//! versions (`catalog/plans/`), the scheduled change of a subscription (`billing/subscriptions/`).
//! Words: a subscription *pins* a version; a migration *schedules* its change to another one, *skips* it or *refuses* it.
//! Invariants: a migration changes nothing before the billing period of a subscription ends; repeating a page changes nothing more.

pub mod comparison;
pub mod migration;
pub mod requests;
pub mod routes;
pub mod store;
pub mod views;
