//! Teams: the tree in which an organization's people work, and who has which role on which team.
//!
//! Owns: teams, their place in the tree, their settings, and the roles that members hold on them. Does not own: what a role permits
//! (`roles`), who is a member of the organization (`members`).
//! Words: a *path* is the ids from the topmost team down to one; *depth* is how many they are; what is *below* a team has a path that
//! begins with its path. A team's *allowed roles* are those that may be given on it from now on.
//! Invariants: paths and parents say the same, there is no cycle, no path is longer than [`team::DEPTH_MAX`], also when two changes of the
//! tree race; nobody gives a role, moves a team or merges two so that somebody gets more than they hold themselves there.

pub mod actors;
pub mod member_store;
pub mod routes;
pub mod rules;
pub mod store;
pub mod team;
pub mod wire;
