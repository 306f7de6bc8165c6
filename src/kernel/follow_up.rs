//! What follows from a commit is run before its answer, so that a client reads its own writes.
//!
//! Owns: when others ask for it. Does not own: what follows, and how it is run: `business` does, behind the port `FollowUp`.

use super::error::Result;
use super::ids::{OrganizationId, RequestId};
use super::platform::Platform;
use super::ports::{Pending, Remaining};
use super::tenant::Tenant;

impl Tenant {
    /// Runs the pending facts of this organization. An error says that a database was away; the sweep does the rest.
    pub async fn follow_up(&self, pending: Pending) -> Result<Remaining> {
        self.app().follow_up.run(self.app().clone(), self.placement().clone(), pending).await
    }

    /// The same after a commit whose answer does not depend on it: what fails is committed work, and the sweep does it.
    pub async fn follow_up_or_leave(&self) {
        let _remaining = self.follow_up(Pending::Due).await;
    }
}

/// Opens an organization for the vendor; None when there is no such organization. A sign-up that was cut off is finished first, so that
/// whoever knows an organization's id finds all of it.
pub async fn open_finished(platform: &Platform, id: OrganizationId, request: RequestId) -> Result<Option<Tenant>> {
    let tenant = platform.tenant(id, platform.actor().clone(), Some(request)).await?;
    if tenant.as_ref().is_some_and(|tenant| !tenant.is_placed()) {
        let app = platform.app();
        app.follow_up.finish_sign_up(app.clone(), id).await?;
    }
    Ok(tenant)
}
