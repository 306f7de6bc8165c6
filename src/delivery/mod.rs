//! Delivery: messages to people and other systems.
//!
//! Owns: mails and how they are sent. Does not own: when one is sent (`business/`).

pub mod mails;
