//! Teams and roles: the algebra of permissions, the tree against a model, races, who may do what on a part of the tree, and a large organization.

mod support;

#[path = "teams/algebra.rs"]
mod algebra;
#[path = "teams/parts.rs"]
mod parts;
#[path = "teams/races.rs"]
mod races;
#[path = "teams/scale.rs"]
mod scale;
#[path = "teams/tree.rs"]
mod tree;
