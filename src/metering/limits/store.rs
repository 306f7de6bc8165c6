//! All SQL of limits.

use rating::Quantity;
use serde::Deserialize;

use super::agreed::{Grant, Limits, Override};
use crate::kernel::error::Result;
use crate::kernel::ids::GrantId;
use crate::kernel::sql;
use crate::kernel::sql::decode;
use crate::kernel::tenant::{Tenant, TenantStatement};
use crate::kernel::time::Timestamp;
use crate::meter::vocabulary::Enforcement;
use crate::{stale_if, tenant_sql};

#[derive(Deserialize)]
struct VersionRow {
    version: i64,
}

#[derive(Deserialize)]
struct OverrideRow {
    metric: String,
    quantity: Option<Quantity>,
    enforcement: Enforcement,
    reason: Option<String>,
    #[serde(deserialize_with = "sql::millis::deserialize")]
    updated_at: Timestamp,
}

impl From<OverrideRow> for Override {
    fn from(row: OverrideRow) -> Self {
        Self { metric: row.metric, limit: row.quantity, enforcement: row.enforcement, reason: row.reason, updated_at: row.updated_at }
    }
}

#[derive(Deserialize)]
struct GrantRow {
    id: GrantId,
    metric: String,
    amount: Quantity,
    #[serde(deserialize_with = "sql::millis::deserialize")]
    starts_at: Timestamp,
    #[serde(deserialize_with = "sql::optional_millis::deserialize")]
    ends_at: Option<Timestamp>,
    reason: Option<String>,
    #[serde(deserialize_with = "sql::millis::deserialize")]
    created_at: Timestamp,
    #[serde(deserialize_with = "sql::optional_millis::deserialize")]
    revoked_at: Option<Timestamp>,
}

impl From<GrantRow> for Grant {
    fn from(row: GrantRow) -> Self {
        Self {
            id: row.id,
            metric: row.metric,
            amount: row.amount,
            starts_at: row.starts_at,
            ends_at: row.ends_at,
            reason: row.reason,
            created_at: row.created_at,
            revoked_at: row.revoked_at,
        }
    }
}

/// All own limits of the organization that apply now or later, read in one transaction.
pub async fn load(tenant: &Tenant) -> Result<Limits> {
    let statements = vec![
        tenant_sql!("SELECT organization_id, version FROM limit_versions WHERE organization_id = ?1"),
        tenant_sql!(
            "SELECT organization_id, metric, quantity, enforcement, reason, updated_at
             FROM limit_overrides
             WHERE organization_id = ?1"
        ),
        tenant_sql!(
            "SELECT organization_id, id, metric, amount, starts_at, ends_at, reason, created_at, revoked_at
             FROM grants
             WHERE organization_id = ?1
               AND revoked_at IS NULL
               AND (ends_at IS NULL OR ends_at > ?2)
             ORDER BY id",
            tenant.moment().now
        ),
    ];
    let mut read = tenant.run(statements).await?.into_iter();
    let mut rows = || read.next().unwrap_or_default().into_iter();
    let version = rows().next().map(decode::<VersionRow>).transpose()?.map_or(0, |row| row.version);
    let overrides =
        rows().map(|row| decode::<OverrideRow>(row).map(|row| (row.metric.clone(), row.into()))).collect::<std::result::Result<_, _>>()?;
    let grants = rows().map(|row| decode::<GrantRow>(row).map(Grant::from)).collect::<std::result::Result<_, _>>()?;
    Ok(Limits { version, overrides, grants })
}

/// A page of overrides, by metric.
pub async fn list_overrides(tenant: &Tenant, after: &str, fetch: u32) -> Result<Vec<Override>> {
    let statement = tenant_sql!(
        "SELECT organization_id, metric, quantity, enforcement, reason, updated_at
         FROM limit_overrides
         WHERE organization_id = ?1 AND metric > ?2
         ORDER BY metric
         LIMIT ?3",
        after,
        fetch
    );
    Ok(tenant.rows::<OverrideRow>(statement).await?.into_iter().map(Override::from).collect())
}

/// A page of grants that are not revoked, newest first.
pub async fn list_grants(tenant: &Tenant, before: &str, fetch: u32) -> Result<Vec<Grant>> {
    let statement = tenant_sql!(
        "SELECT organization_id, id, metric, amount, starts_at, ends_at, reason, created_at, revoked_at
         FROM grants
         WHERE organization_id = ?1 AND revoked_at IS NULL AND id < ?2
         ORDER BY id DESC
         LIMIT ?3",
        before,
        fetch
    );
    Ok(tenant.rows::<GrantRow>(statement).await?.into_iter().map(Grant::from).collect())
}

/// A grant, also a revoked one.
pub async fn find_grant(tenant: &Tenant, id: GrantId) -> Result<Option<Grant>> {
    let statement = tenant_sql!(
        "SELECT organization_id, id, metric, amount, starts_at, ends_at, reason, created_at, revoked_at
         FROM grants
         WHERE organization_id = ?1 AND id = ?2",
        id
    );
    Ok(tenant.row::<GrantRow>(statement).await?.map(Grant::from))
}

/// Guard: the limits are as they were read.
pub fn unchanged(version: i64) -> TenantStatement {
    stale_if!("coalesce((SELECT version FROM limit_versions WHERE organization_id = ?1), 0) <> ?2", version)
}

pub fn put_version(version: i64) -> TenantStatement {
    tenant_sql!(
        "INSERT INTO limit_versions (organization_id, version)
         VALUES (?1, ?2)
         ON CONFLICT (organization_id) DO UPDATE
         SET version = excluded.version",
        version
    )
}

pub fn put_override(given: &Override) -> TenantStatement {
    tenant_sql!(
        "INSERT INTO limit_overrides (organization_id, metric, quantity, enforcement, reason, updated_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (organization_id, metric) DO UPDATE
         SET quantity = excluded.quantity, enforcement = excluded.enforcement, reason = excluded.reason,
           updated_at = excluded.updated_at",
        given.metric.as_str(),
        given.limit.map(|limit| limit.to_string()),
        sql::word(&given.enforcement),
        given.reason.as_deref(),
        given.updated_at
    )
}

pub fn delete_override(metric: &str) -> TenantStatement {
    tenant_sql!("DELETE FROM limit_overrides WHERE organization_id = ?1 AND metric = ?2", metric)
}

pub fn insert_grant(grant: &Grant) -> TenantStatement {
    tenant_sql!(
        "INSERT INTO grants (organization_id, id, metric, amount, starts_at, ends_at, reason, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        grant.id,
        grant.metric.as_str(),
        grant.amount.to_string(),
        grant.starts_at,
        grant.ends_at,
        grant.reason.as_deref(),
        grant.created_at
    )
}

pub fn revoke_grant(id: GrantId, at: Timestamp) -> TenantStatement {
    tenant_sql!("UPDATE grants SET revoked_at = ?3 WHERE organization_id = ?1 AND id = ?2 AND revoked_at IS NULL", id, at)
}
