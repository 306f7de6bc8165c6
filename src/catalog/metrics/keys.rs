//! The keys of the built-in metrics.

use crate::kernel::error::OrInternal;

/// The metrics every built-in plan speaks of.
pub const API_CALLS: &str = "apiCalls";

pub const USERS: &str = "users";

pub const PROJECTS: &str = "projects";

pub const STORAGE: &str = "storage";
