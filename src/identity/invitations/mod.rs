//! Invitations: how people become members of an organization.
//!
//! Owns: invitations, their roles and tokens, how long they are valid. Does not own: members and seats (`members`), the email itself
//! (`mails`), what follows from an invitation (`business/people.rs`).
//! Words: an invitation is *pending* until it is accepted, revoked or expired; each email of it is a *generation*, and only the
//! token of the latest one is accepted; a *seat* is held for it from before it is created until it ends.
//! Invariants: an invitation assigns no more than its creator could; it is accepted once; a token is stored nowhere, it is derived when its
//! email is sent; a token that is wrong, used, revoked or expired gets one and the same answer.

pub mod invitation;
pub mod routes;
pub mod rules;
pub mod store;
pub mod token;
