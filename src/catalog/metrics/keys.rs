//! The keys of the built-in metrics.

/// Requests to the vendor's API.
pub const API_CALLS: &str = "apiCalls";

/// Members of the organization.
pub const USERS: &str = "users";

/// Projects in the vendor's product.
pub const PROJECTS: &str = "projects";

/// Gigabytes of storage.
pub const STORAGE: &str = "storage";
