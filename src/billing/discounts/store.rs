//! All SQL of discounts.

use rating::Off;
use serde::Deserialize;

use super::granted::Granted;
use crate::kernel::error::Result;
use crate::kernel::ids::{DiscountId, InvoiceId};
use crate::kernel::sql;
use crate::kernel::sql::{Row, decode};
use crate::kernel::tenant::{Tenant, TenantStatement};
use crate::kernel::time::Timestamp;
use crate::{stale_if, tenant_sql};

#[derive(Deserialize)]
struct DiscountRow {
    id: DiscountId,
    name: String,
    #[serde(deserialize_with = "sql::json::deserialize")]
    off: Off,
    bills: Option<u32>,
    #[serde(deserialize_with = "sql::optional_json::deserialize")]
    items: Option<Vec<String>>,
    #[serde(deserialize_with = "sql::optional_millis::deserialize")]
    valid_from: Option<Timestamp>,
    #[serde(deserialize_with = "sql::optional_millis::deserialize")]
    valid_through: Option<Timestamp>,
    #[serde(deserialize_with = "sql::millis::deserialize")]
    created_at: Timestamp,
    #[serde(deserialize_with = "sql::optional_millis::deserialize")]
    ended_at: Option<Timestamp>,
    redeemed: u32,
}

impl From<DiscountRow> for Granted {
    fn from(row: DiscountRow) -> Self {
        Self {
            id: row.id,
            name: row.name,
            off: row.off,
            bills: row.bills,
            items: row.items,
            valid_from: row.valid_from,
            valid_through: row.valid_through,
            created_at: row.created_at,
            ended_at: row.ended_at,
            redeemed: row.redeemed,
        }
    }
}

/// The discounts that have not ended, in the order of their grant; [`read`] reads a row.
pub fn select() -> TenantStatement {
    tenant_sql!(
        "SELECT organization_id, id, name, off, bills, items, valid_from, valid_through, created_at, ended_at,
           (
             SELECT count(*)
             FROM discount_redemptions
             WHERE organization_id = ?1 AND discount_id = discounts.id
           ) AS redeemed
         FROM discounts
         WHERE organization_id = ?1 AND ended_at IS NULL
         ORDER BY id"
    )
}

pub fn read(row: Row) -> Result<Granted> {
    Ok(decode::<DiscountRow>(row)?.into())
}

/// A page, newest first, with discounts that have ended.
pub async fn list(tenant: &Tenant, before: &str, fetch: u32) -> Result<Vec<Granted>> {
    let statement = tenant_sql!(
        "SELECT organization_id, id, name, off, bills, items, valid_from, valid_through, created_at, ended_at,
           (
             SELECT count(*)
             FROM discount_redemptions
             WHERE organization_id = ?1 AND discount_id = discounts.id
           ) AS redeemed
         FROM discounts
         WHERE organization_id = ?1 AND id < ?2
         ORDER BY id DESC
         LIMIT ?3",
        before,
        fetch
    );
    Ok(tenant.rows::<DiscountRow>(statement).await?.into_iter().map(Granted::from).collect())
}

pub async fn find(tenant: &Tenant, id: DiscountId) -> Result<Option<Granted>> {
    let statement = tenant_sql!(
        "SELECT organization_id, id, name, off, bills, items, valid_from, valid_through, created_at, ended_at,
           (
             SELECT count(*) FROM discount_redemptions WHERE organization_id = ?1 AND discount_id = ?2
           ) AS redeemed
         FROM discounts
         WHERE organization_id = ?1 AND id = ?2",
        id
    );
    Ok(tenant.row::<DiscountRow>(statement).await?.map(Granted::from))
}

/// The number of open discounts.
pub async fn open(tenant: &Tenant) -> Result<usize> {
    let rows = tenant.rows::<DiscountRow>(select()).await?;
    Ok(rows.into_iter().map(Granted::from).filter(Granted::is_open).count())
}

pub fn insert(granted: &Granted) -> TenantStatement {
    tenant_sql!(
        "INSERT INTO discounts (organization_id, id, name, off, bills, items, valid_from, valid_through, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        granted.id,
        granted.name.as_str(),
        serde_json::to_string(&granted.off).unwrap_or_default(),
        granted.bills,
        granted.items.as_ref().map(|items| serde_json::to_string(items).unwrap_or_default()),
        granted.valid_from,
        granted.valid_through,
        granted.created_at
    )
}

pub fn end(id: DiscountId, now: Timestamp) -> TenantStatement {
    tenant_sql!("UPDATE discounts SET ended_at = ?3 WHERE organization_id = ?1 AND id = ?2 AND ended_at IS NULL", id, now)
}

/// Guard: another bill may redeem it.
pub fn is_open(id: DiscountId) -> TenantStatement {
    stale_if!(
        "NOT EXISTS (
           SELECT 1
           FROM discounts
           WHERE organization_id = ?1
             AND id = ?2
             AND ended_at IS NULL
             AND (
               bills IS NULL
               OR bills > (SELECT count(*) FROM discount_redemptions WHERE organization_id = ?1 AND discount_id = ?2)
             )
         )",
        id
    )
}

pub fn insert_redemption(discount: DiscountId, invoice: InvoiceId) -> TenantStatement {
    tenant_sql!("INSERT INTO discount_redemptions (organization_id, discount_id, invoice_id) VALUES (?1, ?2, ?3)", discount, invoice)
}

/// Deletes the redemptions of a void invoice.
pub fn delete_redemptions(invoice: InvoiceId) -> TenantStatement {
    tenant_sql!("DELETE FROM discount_redemptions WHERE organization_id = ?1 AND invoice_id = ?2", invoice)
}
