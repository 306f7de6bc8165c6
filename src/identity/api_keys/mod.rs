//! API keys: with which an organization's backend calls us.
//!
//! Owns: API keys, their secrets, scopes and revocation. Does not own: what all kinds of keys have in common (`key_lifecycle`), the list
//! of permissions (`permissions`), the vendor's keys (`platform_keys`).
//! Words: a *scope* is a permission held by a key; the *prefix* of a key names it in lists and to secret scanners.
//! Invariant: a secret is shown once and stored nowhere. It carries its organization, its id and a MAC, so that it is verified
//! without a database; whether it is revoked, the organization's database and its Meter know.

pub mod api_key;
pub mod meter;
pub mod routes;
pub mod rules;
pub mod store;
pub mod token;
