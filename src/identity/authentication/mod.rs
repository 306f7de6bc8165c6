//! Authentication: from the credential of a request to who calls.
//!
//! Owns: which kind of credential a text is, and whether what it names is still there. Does not own: the credentials and their stores
//! (`platform_keys`, `api_keys`, `oauth`, `access_tokens`, `sessions`), what the caller may do (`callers`, `permissions`).
//! Words: a *credential* is the text behind `Authorization: Bearer`; a *bearer* is who an access token names.
//! Invariants: a forged credential costs no database; a session that ended, a member who was removed, a key that was revoked and a machine
//! that was deleted are refused from the next request on; every refusal is the same one.

mod bearers;
mod credentials;

pub use credentials::Credentials;
