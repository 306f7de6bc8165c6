//! Data movement: all rows of one organization, moved to another database or erased.
//!
//! Owns: erasure and relocation. Does not own: the decision to end an organization (`tenancy/organizations/`).

pub mod erasure;
pub mod erasures;
pub mod move_store;
pub mod moves;
pub mod relocation;
pub mod routes;
