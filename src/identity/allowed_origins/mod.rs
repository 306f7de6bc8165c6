//! Allowed origins: the browser applications whose scripts may read answers of this API (CORS).
//!
//! Owns: the list of origins, and its endpoints. Does not own: the headers of the answers (`api/cors.rs`), the credentials of browser
//! applications (`sessions`, `access_tokens`).
//! Words: an *origin* is scheme, host and port, exactly as a browser sends it in `Origin`.
//! Invariants: there is one list, the vendor's; until it is set, it is empty. An origin names one application: no wildcards. A change takes
//! effect in every isolate within a minute.

pub mod origins;
pub mod routes;
pub mod rules;
pub mod store;
