//! Billing: what is sold to an organization, and what it is charged.
//!
//! Owns: subscriptions and their changes, charging, invoices, the billing run, and what a price depends on. Does not own: money that comes in (`receivables/`).

pub mod billing_run;
pub mod charging;
pub mod discounts;
pub mod entitlements;
pub mod estimates;
pub mod invoices;
pub mod seller;
pub mod simulations;
pub mod subscription_changes;
pub mod subscriptions;
pub mod taxes;
