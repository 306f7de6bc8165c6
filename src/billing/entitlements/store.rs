//! All SQL of entitlements.

use serde::Deserialize;

use super::overrides::{Given, Override};
use crate::kernel::error::Result;
use crate::kernel::sql;
use crate::kernel::tenant::{Tenant, TenantStatement};
use crate::kernel::time::Timestamp;
use crate::{stale_if, tenant_sql};

#[derive(Deserialize)]
struct OverrideRow {
    key: String,
    #[serde(deserialize_with = "sql::json::deserialize")]
    value: Given,
    reason: Option<String>,
    #[serde(deserialize_with = "sql::millis::deserialize")]
    updated_at: Timestamp,
    version: i64,
}

impl From<OverrideRow> for Override {
    fn from(row: OverrideRow) -> Self {
        Self { key: row.key, value: row.value, reason: row.reason, updated_at: row.updated_at, version: row.version }
    }
}

/// The overrides of the organization, by key.
pub async fn overrides(tenant: &Tenant) -> Result<Vec<Override>> {
    let statement = tenant_sql!(
        "SELECT organization_id, key, value, reason, updated_at, version
         FROM entitlement_overrides
         WHERE organization_id = ?1
         ORDER BY key"
    );
    Ok(tenant.rows::<OverrideRow>(statement).await?.into_iter().map(Override::from).collect())
}

/// Guard: the override of this key is as it was read (0: there is none).
pub fn unchanged(key: &str, version: i64) -> TenantStatement {
    stale_if!(
        "coalesce(
           (SELECT version FROM entitlement_overrides WHERE organization_id = ?1 AND key = ?2),
           0
         ) <> ?3",
        key,
        version
    )
}

pub fn put(given: &Override) -> TenantStatement {
    tenant_sql!(
        "INSERT INTO entitlement_overrides (organization_id, key, value, reason, updated_at, version)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (organization_id, key) DO UPDATE
         SET value = excluded.value, reason = excluded.reason, updated_at = excluded.updated_at,
           version = excluded.version",
        given.key.as_str(),
        serde_json::json!(given.value).to_string(),
        given.reason.as_deref(),
        given.updated_at,
        given.version
    )
}

pub fn delete(key: &str) -> TenantStatement {
    tenant_sql!("DELETE FROM entitlement_overrides WHERE organization_id = ?1 AND key = ?2", key)
}
