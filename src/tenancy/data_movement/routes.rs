//! The endpoints of erasures and moves.

pub use super::erasures::*;
pub use super::moves::*;
