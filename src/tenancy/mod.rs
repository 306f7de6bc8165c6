//! Tenancy: the organizations that are our tenants, from sign-up to erasure.
//!
//! Owns: organizations, sign-up, onboarding, and moving or erasing all data of one. Does not own: members (`identity/`).

pub mod data_movement;
pub mod onboarding;
pub mod organizations;
pub mod signup;
