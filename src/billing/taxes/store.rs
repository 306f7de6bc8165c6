//! All SQL of taxes.

use serde::Deserialize;

use super::tax::NamedTax;
use crate::kernel::error::Result;
use crate::kernel::sql;
use crate::kernel::sql::{Row, decode};
use crate::kernel::tenant::{Tenant, TenantStatement};
use crate::kernel::time::Timestamp;
use crate::tenant_sql;

#[derive(Deserialize)]
struct TaxesRow {
    #[serde(deserialize_with = "sql::json::deserialize")]
    rates: Vec<NamedTax>,
}

/// The row of the organization, if there is one; [`read`] reads it.
pub fn select() -> TenantStatement {
    tenant_sql!("SELECT organization_id, rates FROM taxes WHERE organization_id = ?1")
}

/// An organization without a row has no taxes.
pub fn read(row: Option<Row>) -> Result<Vec<NamedTax>> {
    Ok(row.map(decode::<TaxesRow>).transpose()?.map(|row| row.rates).unwrap_or_default())
}

pub async fn load(tenant: &Tenant) -> Result<Vec<NamedTax>> {
    read(tenant.run(vec![select()]).await?.into_iter().flatten().next())
}

pub fn put(rates: &[NamedTax], now: Timestamp) -> TenantStatement {
    tenant_sql!(
        "INSERT INTO taxes (organization_id, rates, updated_at)
         VALUES (?1, ?2, ?3)
         ON CONFLICT (organization_id) DO UPDATE
         SET rates = excluded.rates, updated_at = excluded.updated_at",
        serde_json::to_string(rates).unwrap_or_else(|_| "[]".to_owned()),
        now
    )
}
