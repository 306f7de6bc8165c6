//! Credentials and secrets: access tokens and the keys that sign them, keys and their rotation, machines, and secrets at rest.

mod api_keys;
pub mod cast;
mod machines;
mod platform_keys;
mod sealing;
mod signing_keys;
mod tokens;
