//! Permissions: the words of scopes, and what a member's roles give them.
//!
//! Owns: the list of permissions, scopes, the paths of teams, and a member's standing. Does not own: the roles themselves (`roles`), teams
//! (`teams`), who calls (`callers`). Pure: nothing here reads or writes anything.
//! Words: a *permission* is one thing a credential may do; a *scope* is a permission, all permissions of a resource (`usage.*`) or
//! everything (`*`); an *assignment* is a role that a member holds organization-wide or on a team; a *standing* is all assignments of one
//! member.
//! Invariants: an assignment on a team reaches that team and the teams below it, never above or beside; nobody grants what they don't hold.

mod permission;
pub mod standing;

pub use permission::{Need, Permission, is_scope, lacking, needs, permits};
