//! The status of an organization, as a caller needs it.

use serde::Deserialize;

use crate::kernel::error::Result;
use crate::kernel::organization::Status;
use crate::kernel::tenant::Tenant;
use crate::tenant_sql;

#[derive(Deserialize)]
struct StatusRow {
    status: Status,
}

/// Where the organization stands; active while it is still being set up.
pub async fn status(tenant: &Tenant) -> Result<Status> {
    let row = tenant.row::<StatusRow>(tenant_sql!("SELECT organization_id, status FROM organizations WHERE organization_id = ?1")).await?;
    Ok(row.map_or(Status::Active, |row| row.status))
}
