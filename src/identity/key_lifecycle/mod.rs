//! Key lifecycle: what API keys, platform keys and OAuth clients have in common.
//!
//! Owns: the checks of names, scopes, ends and overlaps, how long a key is valid, what a rotation does to it, the form of a
//! secret, and who is recorded as the maker. Does not own: the keys, the MACs of their secrets and their rows (`api_keys`,
//! `platform_keys`, `oauth`).
//! Words: a *rotation* replaces a key or a secret by a new one; the *overlap* is how long the old one stays valid after that.
//! Invariants: a key that was rotated ends when its overlap is over, or earlier if it was made to end earlier; time is the wall clock's,
//! because keys protect real systems.

pub mod maker;
pub mod rules;
pub mod secret;
pub mod wire;
