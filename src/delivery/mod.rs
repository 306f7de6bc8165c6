//! Delivery: messages to the outside.
//!
//! Owns: mails and how they are sent. Does not own: when one is sent (`business/`).

pub mod mails;
