//! Identity: people and machines, how they authenticate, and what they may do.
//!
//! Owns: callers and their permissions, members, teams, roles, invitations, sessions, keys and tokens. Does not own: organizations
//! (`tenancy/`).
//!
//! From the ground up: `permissions`, `throttle` → `callers` (actors, and the port that authenticates them) → the credentials
//! (`key_lifecycle`, `api_keys`, `platform_keys`, `oauth`, `access_tokens`), `roles`, `members`, `teams`, `invitations`, `logins`,
//! `second_factors`, `sessions` → `permission_checks`, `removals`, `authentication` (the port's answer). Beside them:
//! `allowed_origins`, for browsers.

pub mod access_tokens;
pub mod allowed_origins;
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
