//! Mails: messages to people; each is sent once per reason.
//!
//! Owns: the templates, rendering, sending and retrying. Does not own: when a mail is written (`business/`).
//! Words: the *reason* is a mail's idempotency key; the *local mailer* stores mails for `/dev/inbox` instead of sending them.
//! Invariants: no secret is stored, a mail's secret is derived when the mail is sent (`secrets.rs`); a mail is committed with its cause and
//! sent afterwards; the provider gets the mail's id and recognizes a repeated send.

pub mod dispatch;
pub mod routes;
pub mod secrets;
