//! Identity: people and machines, how they authenticate, and what they may do.
//!
//! Owns: callers, members, teams, roles, invitations, sessions, keys and tokens. Does not own: organizations (`tenancy/`).

pub mod access_tokens;
pub mod api_keys;
pub mod authentication;
pub mod callers;
pub mod invitations;
pub mod key_lifecycle;
pub mod logins;
pub mod members;
pub mod oauth;
pub mod permission_checks;
pub mod permissions;
pub mod platform_keys;
pub mod removals;
pub mod roles;
pub mod second_factors;
pub mod sessions;
pub mod teams;
pub mod throttle;
