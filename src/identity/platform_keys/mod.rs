//! Platform keys: with which the vendor calls us, beside the root key that is configured for the start.
//!
//! Owns: creating, listing, rotating and revoking them, and authenticating one. Does not own: what a platform key may do (everything:
//! there is one kind), how long a key is valid (`key_lifecycle`).
//! Invariants: the MAC comes before any database; a revoked key stops working at once where it was revoked, and within a minute everywhere;
//! the last key can be revoked, for the root key is configured, not stored.

pub mod callers;
pub mod platform_key;
pub mod routes;
pub mod rules;
pub mod store;
pub mod token;
