//! Platform keys: with which the vendor calls us, beside the configured root key that is there for the start.
//!
//! Owns: making, listing, rotating and revoking them, and finding one that calls. Does not own: what a platform key may do (everything:
//! there is one kind), how long a key is good (`key_lifecycle`).
//! Invariants: the MAC comes before any database; a revoked key stops at once where it was revoked, and within a minute everywhere; the
//! last key can be revoked, for the root key is configured, not stored.

pub mod callers;
pub mod platform_key;
pub mod routes;
pub mod rules;
pub mod store;
pub mod token;
