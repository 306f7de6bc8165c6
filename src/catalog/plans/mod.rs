//! Plans: everything that can be subscribed to.
//!
//! Owns: plans, their versions, limits, prices, add-ons and features. Does not own: subscriptions (`billing/subscriptions/`),
//! the computation of prices (`crates/rating`).
//! Words: a *plan* has *versions*; a version, once published, never changes, and a subscription pins one. Usage is charged past the
//! *included* amount; the Meter admits usage up to the *limit*. A *custom contract* is a plan of one organization.
//! Invariant: prices are exact decimals in major units; a limit is None when unlimited.

pub mod built_in;
pub mod checks;
pub mod features;
pub mod offer;
pub mod plan;
pub mod price_document;
pub mod prices;
pub mod publishing;
pub mod routes;
pub mod store;
pub mod views;
pub mod wire;
