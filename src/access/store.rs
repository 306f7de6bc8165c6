//! All SQL of access.

use serde::Deserialize;

use super::rules::ApiKey;
use crate::kernel::error::Result;
use crate::kernel::ids::KeyId;
use crate::kernel::sql;
use crate::kernel::tenant::{Tenant, TenantStatement};
use crate::kernel::time::Timestamp;
use crate::tenant_sql;

#[derive(Deserialize)]
struct KeyRow {
    id: KeyId,
    name: String,
    #[serde(deserialize_with = "sql::json::deserialize")]
    scopes: Vec<String>,
    #[serde(deserialize_with = "sql::millis::deserialize")]
    created_at: Timestamp,
    #[serde(deserialize_with = "sql::optional_millis::deserialize")]
    expires_at: Option<Timestamp>,
    #[serde(deserialize_with = "sql::optional_millis::deserialize")]
    revoked_at: Option<Timestamp>,
}

impl From<KeyRow> for ApiKey {
    fn from(row: KeyRow) -> Self {
        Self {
            id: row.id,
            name: row.name,
            scopes: row.scopes,
            created_at: row.created_at,
            expires_at: row.expires_at,
            revoked_at: row.revoked_at,
        }
    }
}

pub async fn find(tenant: &Tenant, id: KeyId) -> Result<Option<ApiKey>> {
    let statement = tenant_sql!(
        "SELECT organization_id, id, name, scopes, created_at, expires_at, revoked_at FROM api_keys WHERE organization_id = ?1 AND id = ?2",
        id
    );
    Ok(tenant.row::<KeyRow>(statement).await?.map(ApiKey::from))
}

/// A page of keys, newest first.
pub async fn list(tenant: &Tenant, before: &str, fetch: u32) -> Result<Vec<ApiKey>> {
    let statement = tenant_sql!(
        "SELECT organization_id, id, name, scopes, created_at, expires_at, revoked_at FROM api_keys WHERE organization_id = ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3",
        before,
        fetch
    );
    Ok(tenant.rows::<KeyRow>(statement).await?.into_iter().map(ApiKey::from).collect())
}

pub fn insert(key: &ApiKey) -> TenantStatement {
    tenant_sql!(
        "INSERT INTO api_keys (organization_id, id, name, scopes, created_at, expires_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        key.id,
        key.name.as_str(),
        serde_json::Value::from(key.scopes.clone()).to_string(),
        key.created_at,
        key.expires_at
    )
}

pub fn revoke(id: KeyId, at: Timestamp) -> TenantStatement {
    tenant_sql!("UPDATE api_keys SET revoked_at = ?3 WHERE organization_id = ?1 AND id = ?2 AND revoked_at IS NULL", id, at)
}
