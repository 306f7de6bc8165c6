//! Teams: the tree of an organization's teams, and the roles that members hold on them.
//!
//! Owns: teams, their place in the tree, their settings, and the roles that members hold on them. Does not own: what a role permits
//! (`roles`), who is a member of the organization (`members`).
//! Words: a *path* is the ids from the topmost team down to one; *depth* is how many they are; what is *below* a team has a path that
//! begins with its path. A team's *allowed roles* are those that may be assigned on it from now on.
//! Invariants: paths and parents say the same, there is no cycle, no path is longer than [`team::DEPTH_MAX`], also when two changes of the
//! tree race; a caller cannot assign a role, move a team or merge two so that a member gets more there than the caller holds.

pub mod actors;
pub mod member_store;
pub mod routes;
pub mod rules;
pub mod store;
pub mod team;
pub mod wire;
