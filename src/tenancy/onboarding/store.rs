//! All SQL of onboarding.

use serde::Deserialize;

use super::item::Item;
use crate::events::ItemKey;
use crate::kernel::error::Result;
use crate::kernel::sql;
use crate::kernel::tenant::{Tenant, TenantStatement};
use crate::kernel::time::Timestamp;
use crate::{stale_if, tenant_sql};

#[derive(Deserialize)]
pub struct ItemRow {
    key: ItemKey,
    position: u32,
    #[serde(deserialize_with = "sql::optional_millis::deserialize")]
    completed_at: Option<Timestamp>,
}

impl From<ItemRow> for Item {
    fn from(row: ItemRow) -> Self {
        Self { key: row.key, position: row.position, completed_at: row.completed_at }
    }
}

pub fn select() -> TenantStatement {
    tenant_sql!(
        "SELECT organization_id, key, position, completed_at
         FROM onboarding_items
         WHERE organization_id = ?1
         ORDER BY position"
    )
}

/// The checklist in its order; empty before it is created.
pub async fn load(tenant: &Tenant) -> Result<Vec<Item>> {
    Ok(tenant.rows::<ItemRow>(select()).await?.into_iter().map(Item::from).collect())
}

/// Inserts those of the five items that are missing.
pub fn insert_missing() -> TenantStatement {
    let keys: Vec<&str> = ItemKey::ALL.into_iter().map(ItemKey::wire_name).collect();
    tenant_sql!(
        "INSERT INTO onboarding_items (organization_id, key, position, status)
         SELECT ?1, value, key + 1, 'pending'
         FROM json_each(?2)
         WHERE true
         ON CONFLICT DO NOTHING",
        serde_json::Value::from(keys).to_string()
    )
}

pub fn complete(key: ItemKey, at: Timestamp) -> TenantStatement {
    tenant_sql!(
        "UPDATE onboarding_items
         SET status = 'completed', completed_at = ?3
         WHERE organization_id = ?1 AND key = ?2 AND status = 'pending'",
        key.wire_name(),
        at
    )
}

/// Guard: the item is open.
pub fn still_pending(key: ItemKey) -> TenantStatement {
    stale_if!(
        "NOT EXISTS (
           SELECT 1
           FROM onboarding_items
           WHERE organization_id = ?1 AND key = ?2 AND status = 'pending'
         )",
        key.wire_name()
    )
}
