//! All SQL of API keys.

use serde::Deserialize;

use super::api_key::ApiKey;
use crate::kernel::error::Result;
use crate::kernel::ids::{KeyId, PersonId};
use crate::kernel::sql;
use crate::kernel::tenant::{Tenant, TenantStatement};
use crate::kernel::time::Timestamp;
use crate::{stale_if, tenant_sql};

#[derive(Deserialize)]
struct KeyRow {
    id: KeyId,
    name: String,
    #[serde(deserialize_with = "sql::json::deserialize")]
    scopes: Vec<String>,
    created_by: Option<String>,
    person_id: Option<PersonId>,
    #[serde(deserialize_with = "sql::millis::deserialize")]
    created_at: Timestamp,
    #[serde(deserialize_with = "sql::optional_millis::deserialize")]
    expires_at: Option<Timestamp>,
    #[serde(deserialize_with = "sql::optional_millis::deserialize")]
    revoked_at: Option<Timestamp>,
    #[serde(deserialize_with = "sql::optional_millis::deserialize")]
    last_used_at: Option<Timestamp>,
}

impl From<KeyRow> for ApiKey {
    fn from(row: KeyRow) -> Self {
        Self {
            id: row.id,
            name: row.name,
            scopes: row.scopes,
            created_by: row.created_by,
            person: row.person_id,
            created_at: row.created_at,
            expires_at: row.expires_at,
            revoked_at: row.revoked_at,
            last_used_at: row.last_used_at,
        }
    }
}

pub async fn find(tenant: &Tenant, id: KeyId) -> Result<Option<ApiKey>> {
    let statement = tenant_sql!(
        "SELECT organization_id, id, name, scopes, created_by, person_id, created_at, expires_at, revoked_at,
           last_used_at
         FROM api_keys
         WHERE organization_id = ?1 AND id = ?2",
        id
    );
    Ok(tenant.row::<KeyRow>(statement).await?.map(ApiKey::from))
}

/// A page of keys, newest first.
pub async fn list(tenant: &Tenant, before: &str, fetch: u32) -> Result<Vec<ApiKey>> {
    let statement = tenant_sql!(
        "SELECT organization_id, id, name, scopes, created_by, person_id, created_at, expires_at, revoked_at,
           last_used_at
         FROM api_keys
         WHERE organization_id = ?1 AND id < ?2
         ORDER BY id DESC
         LIMIT ?3",
        before,
        fetch
    );
    Ok(tenant.rows::<KeyRow>(statement).await?.into_iter().map(ApiKey::from).collect())
}

/// Every key of a member, ended ones included.
pub async fn all_of(tenant: &Tenant, person: PersonId) -> Result<Vec<ApiKey>> {
    let statement = tenant_sql!(
        "SELECT organization_id, id, name, scopes, created_by, person_id, created_at, expires_at, revoked_at,
           last_used_at
         FROM api_keys
         WHERE organization_id = ?1 AND person_id = ?2",
        person
    );
    Ok(tenant.rows::<KeyRow>(statement).await?.into_iter().map(ApiKey::from).collect())
}

pub fn insert(key: &ApiKey) -> TenantStatement {
    tenant_sql!(
        "INSERT INTO api_keys (organization_id, id, name, scopes, created_by, person_id, created_at, expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        key.id,
        key.name.as_str(),
        serde_json::Value::from(key.scopes.clone()).to_string(),
        key.created_by.as_deref(),
        key.person,
        key.created_at,
        key.expires_at
    )
}

pub fn revoke(id: KeyId, at: Timestamp) -> TenantStatement {
    tenant_sql!("UPDATE api_keys SET revoked_at = ?3 WHERE organization_id = ?1 AND id = ?2 AND revoked_at IS NULL", id, at)
}

/// Revokes every key of a member, for the decision that removes them. The Meter is updated by
/// `Action::RevokeCredentials`.
pub fn revoke_all_of(person: PersonId, at: Timestamp) -> TenantStatement {
    tenant_sql!(
        "UPDATE api_keys
         SET revoked_at = ?3
         WHERE organization_id = ?1 AND person_id = ?2 AND revoked_at IS NULL",
        person,
        at
    )
}

pub fn end_at(id: KeyId, at: Option<Timestamp>) -> TenantStatement {
    tenant_sql!("UPDATE api_keys SET expires_at = ?3 WHERE organization_id = ?1 AND id = ?2", id, at)
}

pub fn note_use(id: KeyId, at: Timestamp) -> TenantStatement {
    tenant_sql!("UPDATE api_keys SET last_used_at = ?3 WHERE organization_id = ?1 AND id = ?2", id, at)
}

/// Guard: the key is not revoked and ends when it did as it was read.
pub fn is_as_read(key: &ApiKey) -> TenantStatement {
    stale_if!(
        "NOT EXISTS (
           SELECT 1
           FROM api_keys
           WHERE organization_id = ?1
             AND id = ?2
             AND revoked_at IS NULL
             AND expires_at IS ?3
         )",
        key.id,
        key.expires_at
    )
}
