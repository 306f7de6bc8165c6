//! Teams and roles: the algebra of permissions, the tree against a model, races, who may do what on a part of the tree, and a large organization.

mod algebra;
mod parts;
mod races;
mod scale;
mod tree;
