//! Access tokens: JWTs that identify the caller for ten minutes.
//!
//! Owns: their claims, minting and verifying, the keys that sign them and how those are published and rotated. Does not own: whether the
//! session, the member or the machine behind a token still exists (`authentication` reads it at each use), who gets one (`sessions`,
//! `oauth`).
//! Words: the *signer* is the key that signs now; a key *verifies* until the last token that it signed has expired; the *ring* is all keys
//! that verify now or will sign soon.
//! Invariants: EdDSA only, whatever a token's header says; a token is for this API (`aud`) and of the type `at+jwt` (RFC 9068); a key signs
//! only after it was published for a while; private halves are stored sealed.

pub mod claims;
pub mod jwt;
pub mod keys;
pub mod routes;
pub mod rules;
pub mod store;

pub use claims::{Claims, LIFETIME, Subject};
pub use jwt::{mint, verify};
