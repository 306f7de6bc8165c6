//! The kernel's port `FollowUp`, implemented by the workflows: other modules run them without importing `business`.

use futures::future::BoxFuture;

use super::runner;
use crate::kernel::error::Result;
use crate::kernel::ids::OrganizationId;
use crate::kernel::placement::Placement;
use crate::kernel::platform::Platform;
use crate::kernel::ports::{App, FollowUp, Pending, Remaining};
use crate::kernel::tenant::Actor;
use crate::tenancy::signup::placement;

/// Runs the steps of the workflows.
pub struct Workflows;

impl FollowUp for Workflows {
    fn run(&self, app: App, placement: Placement, pending: Pending) -> BoxFuture<'_, Result<Remaining>> {
        Box::pin(async move {
            // Each step acts under its own name; this name stands in records made between steps.
            let tenant = Platform::open(app).tenant_at(placement, Actor::System("follow_up"))?;
            runner::run_pending(&tenant, pending).await
        })
    }

    fn finish_sign_up(&self, app: App, organization: OrganizationId) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move { placement::finish_interrupted_of(&Platform::open(app), organization).await })
    }
}
