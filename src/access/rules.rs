//! What an API key is, and what may be asked of one.

use super::permissions::is_scope;
use super::store;
use crate::events::{ApiKeyCreated, ApiKeyRevoked};
use crate::kernel::decision::Decision;
use crate::kernel::ids::{KeyId, Moment};
use crate::kernel::problem::Problem;
use crate::kernel::time::Timestamp;

const NAME_LENGTH_MAX: usize = 200;
const SCOPES_MAX: usize = 50;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    pub id: KeyId,
    pub name: String,
    pub scopes: Vec<String>,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
}

impl ApiKey {
    /// Whether requests may be made with it at `now` of the wall clock: keys protect real systems, so no test clock counts.
    pub fn is_usable(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| now < end)
    }
}

/// A new key. `now` is the wall clock's.
pub fn create(name: &str, scopes: Vec<String>, expires_at: Option<Timestamp>, moment: Moment<'_>) -> Result<(ApiKey, Decision), Problem> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > NAME_LENGTH_MAX {
        return Err(Problem::invalid("/name", "invalid_value", "Send a name of 1 to 200 characters."));
    }
    if scopes.is_empty() || scopes.len() > SCOPES_MAX {
        return Err(Problem::invalid("/scopes", "invalid_value", "Send 1 to 50 scopes; GET /v1/permissions lists them."));
    }
    for (index, scope) in scopes.iter().enumerate() {
        if !is_scope(scope) {
            return Err(Problem::invalid(format!("/scopes/{index}"), "unknown_permission", "GET /v1/permissions lists the permissions."));
        }
    }
    if expires_at.is_some_and(|end| end <= moment.now) {
        return Err(Problem::invalid("/expiresAt", "invalid_value", "Send a time in the future, or leave it out."));
    }
    let key = ApiKey { id: KeyId::new(moment), name: name.to_owned(), scopes, created_at: moment.now, expires_at, revoked_at: None };
    let decision = Decision::new().write(store::insert(&key)).raise(ApiKeyCreated { key: key.id }).audit(
        "apiKey.created",
        key.id.to_string(),
        None,
        Some(serde_json::json!({"name": key.name, "scopes": key.scopes})),
    );
    Ok((key, decision))
}

/// Revokes a key for good; nothing to do when it is revoked.
pub fn revoke(key: &ApiKey, moment: Moment<'_>) -> Decision {
    if key.revoked_at.is_some() {
        return Decision::new();
    }
    Decision::new().write(store::revoke(key.id, moment.now)).raise(ApiKeyRevoked { key: key.id }).audit(
        "apiKey.revoked",
        key.id.to_string(),
        None,
        None,
    )
}
