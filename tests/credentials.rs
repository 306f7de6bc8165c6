//! Credentials and secrets: access tokens and the keys that sign them, keys and their rotation, machines, and secrets at rest.

mod support;

#[path = "credentials/api_keys.rs"]
mod api_keys;
#[path = "credentials/cast.rs"]
mod cast;
#[path = "credentials/machines.rs"]
mod machines;
#[path = "credentials/platform_keys.rs"]
mod platform_keys;
#[path = "credentials/sealing.rs"]
mod sealing;
#[path = "credentials/signing_keys.rs"]
mod signing_keys;
#[path = "credentials/tokens.rs"]
mod tokens;
