//! Organizations as the directory lists them.

use serde::Deserialize;

use crate::kernel::error::Result;
use crate::kernel::ids::OrganizationId;
use crate::kernel::platform::Platform;
use crate::platform_sql;

#[derive(Deserialize)]
pub struct ListedRow {
    pub id: OrganizationId,
}

/// A page of all organizations, newest first.
pub async fn list(platform: &Platform, before: &str, fetch: u32) -> Result<Vec<OrganizationId>> {
    let statement = platform_sql!(
        "SELECT o.id
         FROM organizations o
         WHERE o.status = 'placed'
           AND o.id < ?1
           AND NOT EXISTS (SELECT 1 FROM erasures e WHERE e.organization_id = o.id)
         ORDER BY o.id DESC
         LIMIT ?2",
        before,
        fetch
    );
    Ok(platform.directory_rows::<ListedRow>(statement).await?.into_iter().map(|row| row.id).collect())
}
