//! Entitlements: the features that an organization may use.
//!
//! Owns: the effective value of every feature, and overrides. Does not own: features (`catalog/`), limits and grants
//! (`metering/limits/`), usage (the Meter).
//! Words: a feature is *boolean*, *static* (a text) or *metered* (the limit of a metric); an *override* is a value for one organization.
//! Invariants: an override wins over add-ons, add-ons win over the plan; an organization without a subscription in use has no access; the
//! Meter is never asked.

pub mod overrides;
pub mod routes;
pub mod rules;
pub mod store;
