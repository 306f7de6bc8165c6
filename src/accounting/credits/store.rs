//! All SQL of credit.

use rating::{Currency, Money};
use serde::Deserialize;

use super::grant::{Grant, Source};
use crate::kernel::error::Result;
use crate::kernel::ids::CreditId;
use crate::kernel::sql;
use crate::kernel::sql::{Row, decode};
use crate::kernel::tenant::{Tenant, TenantStatement};
use crate::kernel::time::Timestamp;
use crate::{tenant_sql, unchanged};

#[derive(Deserialize)]
struct CreditRow {
    id: CreditId,
    source: Source,
    currency: Currency,
    amount_minor: i64,
    left_minor: i64,
    lapsed_minor: i64,
    priority: Option<u32>,
    reason: Option<String>,
    origin: Option<String>,
    #[serde(deserialize_with = "sql::millis::deserialize")]
    created_at: Timestamp,
    #[serde(deserialize_with = "sql::optional_millis::deserialize")]
    expires_at: Option<Timestamp>,
    #[serde(deserialize_with = "sql::optional_millis::deserialize")]
    ended_at: Option<Timestamp>,
    version: i64,
}

impl From<CreditRow> for Grant {
    fn from(row: CreditRow) -> Self {
        Self {
            id: row.id,
            source: row.source,
            amount: Money::new(row.amount_minor, row.currency),
            left_minor: row.left_minor,
            lapsed_minor: row.lapsed_minor,
            priority: row.priority,
            reason: row.reason,
            origin: row.origin,
            created_at: row.created_at,
            expires_at: row.expires_at,
            ended_at: row.ended_at,
            version: row.version,
        }
    }
}

/// Open grants, oldest first; [`read`] reads a row.
pub fn select() -> TenantStatement {
    tenant_sql!("SELECT * FROM credits WHERE organization_id = ?1 AND left_minor > 0 ORDER BY id")
}

pub fn read(row: Row) -> Result<Grant> {
    Ok(decode::<CreditRow>(row)?.into())
}

/// All open grants.
pub async fn open(tenant: &Tenant) -> Result<Vec<Grant>> {
    Ok(tenant.rows::<CreditRow>(select()).await?.into_iter().map(Grant::from).collect())
}

/// A page, newest first, with grants that are used up.
pub async fn list(tenant: &Tenant, before: &str, fetch: u32) -> Result<Vec<Grant>> {
    let statement = tenant_sql!("SELECT * FROM credits WHERE organization_id = ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3", before, fetch);
    Ok(tenant.rows::<CreditRow>(statement).await?.into_iter().map(Grant::from).collect())
}

pub async fn find(tenant: &Tenant, id: CreditId) -> Result<Option<Grant>> {
    let statement = tenant_sql!("SELECT * FROM credits WHERE organization_id = ?1 AND id = ?2", id);
    Ok(tenant.row::<CreditRow>(statement).await?.map(Grant::from))
}

pub fn insert(grant: &Grant) -> TenantStatement {
    tenant_sql!(
        "INSERT INTO credits
           (organization_id, id, source, currency, amount_minor, left_minor, priority, reason, origin, created_at,
            expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6, ?7, ?8, ?9, ?10)",
        grant.id,
        sql::word(&grant.source),
        grant.amount.currency().code(),
        grant.amount.minor(),
        grant.priority,
        grant.reason.as_deref(),
        grant.origin.as_deref(),
        grant.created_at,
        grant.expires_at
    )
}

pub fn draw(id: CreditId, amount_minor: i64) -> TenantStatement {
    tenant_sql!(
        "UPDATE credits
         SET left_minor = left_minor - ?3, version = version + 1
         WHERE organization_id = ?1 AND id = ?2",
        id,
        amount_minor
    )
}

pub fn give_back(id: CreditId, amount_minor: i64) -> TenantStatement {
    tenant_sql!(
        "UPDATE credits
         SET left_minor = left_minor + ?3, version = version + 1
         WHERE organization_id = ?1 AND id = ?2",
        id,
        amount_minor
    )
}

/// Ends a grant: its rest lapses.
pub fn end(id: CreditId, now: Timestamp) -> TenantStatement {
    tenant_sql!(
        "UPDATE credits
         SET lapsed_minor = lapsed_minor + left_minor, left_minor = 0, ended_at = ?3, version = version + 1
         WHERE organization_id = ?1 AND id = ?2",
        id,
        now
    )
}

/// Guard: the grant is as it was read.
pub fn unchanged(id: CreditId, version: i64) -> TenantStatement {
    unchanged!("credits", id, version)
}
