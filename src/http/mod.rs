//! HTTP: the requests and replies of handlers.
//!
//! Owns: reading requests, writing replies and refusals, money and quantities in JSON. Does not own: routes (`api/`), callers
//! (`identity/callers/`), any rule.

pub mod money;
pub mod quantity;
pub mod refusal;
pub mod reply;
pub mod request;
pub mod security;
