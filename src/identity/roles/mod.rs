//! Roles: who may do what, and where.
//!
//! Owns: the built-in roles, the roles an organization defines, what somebody's roles come to ([`rules::Standing`]), and the answer to why
//! somebody may do something. Does not own:
//! the permissions themselves (`access`), teams and who is on them (`teams`), members (`people`).
//! Words: a *role* is a named list of permissions; an *assignment* is a role that somebody holds, organization-wide or on a team; a
//! *standing* is all assignments of one person.
//! Invariants: an assignment on a team reaches that team and those below it, never above or beside; nobody grants what they don't hold;
//! a role that is held or named anywhere is not deleted; the built-in ones never change.

pub mod built_in;
pub mod role;
pub mod routes;
pub mod rules;
pub mod store;
