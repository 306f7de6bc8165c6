//! Mails: what we write to people, each for one reason, once.
//!
//! Owns: the templates, rendering, sending and retrying. Does not own: when a mail is written (`business/`).
//! Words: the *reason* is a mail's idempotency key; the *local mailer* keeps what it would send for `/dev/inbox`.
//! Invariants: no secret is stored, what a mail says of one is made when it is sent (`secrets.rs`); a mail is committed with what caused it and sent after; its id goes along, so that a repeated send is recognized.

pub mod dispatch;
pub mod routes;
pub mod secrets;
