//! Permission checks: which permissions there are, and why a member has one or lacks it.
//!
//! Owns: the list of permissions as an endpoint, and the check with its reason. Does not own: the permissions (`permissions`), roles
//! (`roles`), teams (`teams`).
//! Words: a *reason* is the assignment that gives a permission; *inherited* is what reaches a team from a team above it or from the
//! organization.
//! Invariant: a check answers what the next request of that member would be answered: both ask the same standing.

pub mod routes;
