//! Sealing: secrets at rest. Credentials of other systems are stored encrypted: provider keys, identity providers' certificates,
//! webhook secrets, seeds of second factors, the private halves of our signing keys.
//!
//! Owns: the sealing keys and what wraps them, the form of a sealed text. Does not own: the secrets, whose slices store the sealed texts.
//! Words: a *sealing key* is one scope's, random, and encrypts its secrets; a *master key* is the operator's (`TENANTRY_MASTER_KEYS`) and
//! wraps sealing keys; a *scope* is an organization or the platform itself; a *name* says which column and object a secret stands in.
//! Invariants: what was sealed for one scope and name opens for no other; no secret and no key is in a log, an event or an error; after a
//! rotation nothing needs the previous master key.

pub mod conformance;
pub mod masters;
pub mod rotation;
pub mod scope;
pub mod store;
pub mod text;
pub mod vault;

pub use scope::Scope;
