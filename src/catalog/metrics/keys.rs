//! The keys of the built-in metrics.

/// The metrics every built-in plan speaks of.
pub const API_CALLS: &str = "apiCalls";

pub const USERS: &str = "users";

pub const PROJECTS: &str = "projects";

pub const STORAGE: &str = "storage";
