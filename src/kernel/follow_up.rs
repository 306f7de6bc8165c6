//! The steps that follow from a commit are run before its answer, so that a client reads its own writes.
//!
//! Owns: the calls to the port `FollowUp`. Does not own: the steps and how they are run (`business/`).

use super::error::Result;
use super::ids::{OrganizationId, RequestId};
use super::platform::Platform;
use super::ports::{Pending, Remaining};
use super::tenant::Tenant;

impl Tenant {
    /// Runs the pending facts of this organization. An error means that a database was unavailable; the sweep runs the rest.
    pub async fn follow_up(&self, pending: Pending) -> Result<Remaining> {
        self.app().follow_up.run(self.app().clone(), self.placement().clone(), pending).await
    }

    /// The same after a commit whose answer does not depend on the steps: the sweep runs failed steps again.
    pub async fn follow_up_or_leave(&self) {
        let _remaining = self.follow_up(Pending::Due).await;
    }
}

/// Opens an organization for the vendor; None when there is no such organization. An interrupted sign-up is finished first, so that a
/// known id always has a complete organization.
pub async fn open_finished(platform: &Platform, id: OrganizationId, request: RequestId) -> Result<Option<Tenant>> {
    let tenant = platform.tenant(id, platform.actor().clone(), Some(request)).await?;
    if tenant.as_ref().is_some_and(|tenant| !tenant.is_placed()) {
        let app = platform.app();
        app.follow_up.finish_sign_up(app.clone(), id).await?;
    }
    Ok(tenant)
}
