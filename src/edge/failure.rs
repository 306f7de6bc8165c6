//! Failures of bindings, as errors of the core.

use crate::kernel::error::Error;

/// A failed binding; the caller may retry.
pub fn unavailable(binding: &str, error: &impl std::fmt::Display) -> Error {
    Error::Unavailable(format!("{binding}: {error}"))
}
