//! Invitations: how people come into an organization.
//!
//! Owns: invitations, their roles and tokens, how long they hold. Does not own: members and seats (`people`), the mail itself (`mails`),
//! what follows from an invitation (`business/people.rs`).
//! Words: an invitation is *pending* until it is accepted, revoked or expired; each mail of it is a *generation*, and only the newest
//! one's token opens it; a *seat* is held for it from before it is made until it ends.
//! Invariants: an invitation gives what its maker could give, and no more; it is accepted once; a token is stored nowhere, it is made
//! when its mail is sent; a token that is wrong, used, revoked or expired gets one and the same answer.

pub mod invitation;
pub mod routes;
pub mod rules;
pub mod store;
pub mod token;
