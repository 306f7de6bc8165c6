//! Subscription changes: the commands that act on a subscription.
//!
//! Owns: beginning, changing, pausing, suspending and ending one, previews, migrations between plan versions. Does not own: the state (`billing/subscriptions/`).

pub mod acting;
pub mod beginning;
pub mod changes;
pub mod endings;
pub mod migration;
pub mod migration_store;
pub mod pauses;
pub mod routes;
pub mod subscribers;
pub mod suspensions;
pub mod wire;
