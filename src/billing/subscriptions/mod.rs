//! Subscriptions: what an organization is subscribed to, since when, and where its periods lie.
//!
//! Owns: the trial and its conversion, changes, pauses and the end, the periods, what an organization is entitled to. Does not own: plans
//! (`catalog/`), what any of it costs (`invoices/`), the counting (`usage/`).
//! Words: a *trial* bills nothing; the first paid period starts when it ends and *anchors* all later ones. The base price is charged for a
//! *billing period* (month or year); limits and metered charges go by the *usage period*, always a month. A *shape* is what is subscribed
//! to; a *phase* is a shape and when it began. What was paid *in advance* is remembered, for that is what can come back.
//! Invariants: one running subscription an organization; every status comes from the table in `lifecycle.rs`; usage periods follow each
//! other without a gap, and no change begins one anew but another interval, or going on after a pause whose time was given back.

pub mod entitlements;
pub mod lifecycle;
pub mod meter;
pub mod pausing;
pub mod rules;
pub mod scheduled;
pub mod status_changes;
pub mod store;
pub mod subscription;
