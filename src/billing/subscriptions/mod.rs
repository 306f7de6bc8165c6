//! Subscriptions: the plan an organization subscribes to, its status and its periods.
//!
//! Owns: the state of a subscription, the trial and its conversion, scheduled changes, pauses, periods, entitlements. Does not own: plans
//! (`catalog/`), charges (`billing/charging/`), commands (`billing/subscription_changes/`), counts (the Meter).
//! Words: a *trial* is free; the first paid period starts when it ends and *anchors* all later ones. The base price is charged per
//! *billing period* (month or year); limits and usage charges refer to the *usage period*, always a month. A *shape* is the subscribed
//! plan, quantity and add-ons; a *phase* is a shape from an instant on. Amounts charged *in advance* are kept: only they can be credited.
//! Invariants: an organization has at most one running subscription; every status comes from the table in `lifecycle.rs`; usage periods
//! have no gaps, and only another interval or a pause with `credit_unused` restarts them.

pub mod entitlements;
pub mod lifecycle;
pub mod meter;
pub mod pausing;
pub mod rules;
pub mod scheduled;
pub mod status_changes;
pub mod store;
pub mod subscription;
