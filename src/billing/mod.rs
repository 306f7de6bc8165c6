//! Billing: what is sold to an organization, and what it is charged.
//!
//! Owns: subscriptions, their changes and plan migrations, charging, invoices, the billing run, and what a price depends on. Does not
//! own: payments (`receivables/`), plans (`catalog/`), counts (the Meter).

pub mod billing_run;
pub mod charging;
pub mod discounts;
pub mod entitlements;
pub mod estimates;
pub mod invoices;
pub mod plan_migrations;
pub mod seller;
pub mod simulations;
pub mod subscription_changes;
pub mod subscriptions;
pub mod taxes;
