//! Subscriptions: which plan an organization is on, since when, and where its billing periods lie.
//!
//! Owns: the trial, its conversion, the periods, what an organization is entitled to. Does not own: plans (`catalog/`), what a period
//! costs (`invoices/`), the counting (`usage/`).
//! Words: a *trial* bills nothing; the first paid period starts when it ends and *anchors* all later ones.
//! Invariants: one subscription an organization; periods follow each other without a gap; the anchor never moves.

pub mod entitlements;
pub mod routes;
pub mod rules;
pub mod store;
