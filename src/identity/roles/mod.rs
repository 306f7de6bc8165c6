//! Roles: named lists of permissions.
//!
//! Owns: the built-in roles, the roles an organization defines, and how the standing of a member is read. Does not own: the permissions and
//! what a standing permits (`permissions`), teams and their members (`teams`), members (`members`), the answer to why a member has a
//! permission (`permission_checks`).
//! Words: a *role* is a named list of permissions; the *uses* of a role are the members, teams and invitations that name it.
//! Invariants: a role that is held or named anywhere is not deleted; a caller widens a role only by what they hold; the built-in roles
//! never change. Standing and uses are read across the tables of members, teams and invitations in one statement each: the first is read
//! with every request of a person, and the second is a guard of one commit.

pub mod built_in;
pub mod role;
pub mod routes;
pub mod rules;
pub mod store;
