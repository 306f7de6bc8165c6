//! What the status of its organization permits a caller.

use serde::Deserialize;

use crate::identity::permissions::Permission;
use crate::kernel::error::Result;
use crate::kernel::organization::Status;
use crate::kernel::problem::Problem;
use crate::kernel::tenant::Tenant;
use crate::tenant_sql;

#[derive(Deserialize)]
struct StatusRow {
    status: Status,
}

/// The organization's status; active while it is still being set up.
pub async fn status(tenant: &Tenant) -> Result<Status> {
    let statement = tenant_sql!("SELECT organization_id, status FROM organizations WHERE organization_id = ?1");
    Ok(tenant.row::<StatusRow>(statement).await?.map_or(Status::Active, |row| row.status))
}

/// Why its credentials may not write, if they may not. Reads are answered in every status.
pub fn refusal(status: Status) -> Option<Problem> {
    match status {
        Status::Active | Status::Onboarded => None,
        Status::Suspended => Some(Problem::new(
            403,
            "organization_suspended",
            "The organization is suspended",
            "This organization is suspended: only reads, exports and cancellation are accepted. Ask your provider to resume it.",
        )),
        Status::Cancelled => Some(Problem::new(
            403,
            "organization_cancelled",
            "The organization is cancelled",
            "This organization is cancelled: only reads and exports are accepted until it is erased. Withdraw the cancellation to restore it.",
        )),
    }
}

/// Whether a caller of the organization may write what needs `permission`. Cancelling, withdrawing that and exporting are always possible.
pub fn permits_writing(status: Status, permission: Permission) -> std::result::Result<(), Problem> {
    match permission {
        Permission::OrganizationOwn | Permission::ExportsWrite => Ok(()),
        _ => refusal(status).map_or(Ok(()), Err),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_organization_that_may_not_write_may_still_cancel_and_export() {
        for status in [Status::Suspended, Status::Cancelled] {
            assert_eq!(permits_writing(status, Permission::UsageWrite).map_err(|problem| problem.status), Err(403));
            assert_eq!(permits_writing(status, Permission::OrganizationOwn), Ok(()));
            assert_eq!(permits_writing(status, Permission::ExportsWrite), Ok(()));
        }
        assert_eq!(permits_writing(Status::Active, Permission::UsageWrite), Ok(()));
    }
}
