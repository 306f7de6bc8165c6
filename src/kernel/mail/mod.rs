//! Mail: how a message is rendered, and the local inbox.
//!
//! Owns: templates and their rendering. Does not own: sending (`delivery/mails/`).

pub mod local;
pub mod render;
