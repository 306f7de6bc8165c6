//! Entitlements: which features an organization has, for the code that asks before it shows one.
//!
//! Owns: what holds of a plan's features, its add-ons' and the overrides of one organization; the overrides. Does not own: the features
//! themselves (`catalog/`), limits and grants (`limits/`), what was used (`usage/`).
//! Words: a feature is *boolean*, *static* (a text) or *metered* (a metric's limit); an *override* is agreed with one organization.
//! Invariants: an override wins over add-ons, add-ons win over the plan; nobody without a subscription in use has access; the Meter is
//! never asked.

pub mod overrides;
pub mod routes;
pub mod rules;
pub mod store;
