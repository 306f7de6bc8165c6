//! Failures of bindings, as the core knows them.

use crate::kernel::error::Error;

/// A binding that failed; the caller may try again.
pub fn unavailable(binding: &str, error: &impl std::fmt::Display) -> Error {
    Error::Unavailable(format!("{binding}: {error}"))
}
