//! OAuth 2.0: machines of an organization that exchange a secret for short-lived access tokens (client credentials).
//!
//! Owns: clients and their secrets, the token endpoint, the discovery document. Does not own: the tokens themselves (`access_tokens`),
//! logins of people (`sessions`).
//! Words: a *client* is a machine; a *generation* is one of its secrets, and a rotation makes the next; *scopes* are permissions.
//! Invariants: a token's scopes are some of its client's, which are some of its creator's; a secret is shown once and stored nowhere; a
//! forged one costs no database; a client that was deleted gets no token, and its tokens are refused from then on.

pub mod client;
pub mod discovery;
pub mod grants;
pub mod routes;
pub mod rules;
pub mod secret;
pub mod store;
pub mod wire;
