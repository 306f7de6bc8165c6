//! The endpoints of suspension and cancellation.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::organization::{Cancellation, Organization, Suspension};
use super::{lifecycle, store};
use crate::http::reply::{Reply, change, once};
use crate::http::request::{Command, IdInPath};
use crate::identity::callers::actors::{Authorized, Vendor};
use crate::identity::permissions::needs;
use crate::kernel::error::Result;
use crate::kernel::ids::OrganizationId;
use crate::kernel::tenant::Tenant;
use crate::kernel::time::Timestamp;

/// Why an organization is suspended.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSuspension {
    /// The organization reads it.
    #[schema(example = "payment is overdue", min_length = 1, max_length = 2000)]
    pub reason: String,
}

/// An organization's suspension.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Suspension)]
pub struct SuspensionView {
    #[serde(rename = "$type")]
    pub type_name: &'static str,
    pub organization: OrganizationId,
    pub reason: String,
    pub started_at: Timestamp,
}

impl SuspensionView {
    fn new(tenant: &Tenant, suspension: Suspension) -> Self {
        let Suspension { reason, started_at } = suspension;
        Self { type_name: "Suspension", organization: tenant.organization(), reason, started_at }
    }
}

/// Why an organization leaves.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCancellation {
    #[schema(example = "we stop the project", min_length = 1, max_length = 2000)]
    pub reason: Option<String>,
}

/// An organization's cancellation.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Cancellation)]
pub struct CancellationView {
    #[serde(rename = "$type")]
    pub type_name: &'static str,
    pub organization: OrganizationId,
    pub reason: Option<String>,
    pub cancelled_at: Timestamp,
    /// Until then the cancellation can be withdrawn; from then on the organization's data is erased.
    pub erases_at: Timestamp,
}

impl CancellationView {
    fn new(tenant: &Tenant, cancellation: Cancellation) -> Self {
        let Cancellation { reason, cancelled_at, erases_at } = cancellation;
        Self { type_name: "Cancellation", organization: tenant.organization(), reason, cancelled_at, erases_at }
    }
}

/// Suspend an organization
///
/// From the answer on, what its people, keys and clients write is refused (403 `organization_suspended`), usage too; what they read is
/// answered. It can still be exported and cancelled. Sent again with another reason, that replaces the one before.
#[utoipa::path(put, path = "/v1/organizations/{id}/suspension", tag = "organizations", operation_id = "suspendOrganization",
    params(("id" = String, Path, description = "`org_...`")), request_body = NewSuspension,
    responses((status = 200, description = "The suspension", body = SuspensionView)))]
pub async fn suspend(vendor: Vendor, IdInPath(id): IdInPath<OrganizationId>, command: Command<NewSuspension>) -> Result<Reply> {
    let tenant = &vendor.organization(id).await?;
    change(tenant, || async {
        let life = store::load_life(tenant).await?;
        let (suspension, decision) = lifecycle::suspend(&life, &command.body.reason, tenant.moment())?;
        tenant.commit(decision, None).await?;
        tell_the_meter(tenant).await?;
        Reply::ok(&SuspensionView::new(tenant, suspension))
    })
    .await
}

/// Resume a suspended organization
///
/// From the answer on it can be written again.
#[utoipa::path(delete, path = "/v1/organizations/{id}/suspension", tag = "organizations", operation_id = "resumeOrganization",
    params(("id" = String, Path, description = "`org_...`")),
    responses((status = 204, description = "Resumed")))]
pub async fn resume(vendor: Vendor, IdInPath(id): IdInPath<OrganizationId>) -> Result<Reply> {
    let tenant = &vendor.organization(id).await?;
    change(tenant, || async {
        let life = store::load_life(tenant).await?;
        tenant.commit(lifecycle::resume(&life)?, None).await?;
        tell_the_meter(tenant).await?;
        Ok(Reply::no_content())
    })
    .await
}

/// Cancel an organization
///
/// For the vendor. As `POST /v1/organization/cancellation`; one that is cancelled already stays as it is.
#[utoipa::path(delete, path = "/v1/organizations/{id}", tag = "organizations", operation_id = "deleteOrganization",
    params(("id" = String, Path, description = "`org_...`")),
    responses((status = 204, description = "Cancelled; erased after 30 days")))]
pub async fn delete(vendor: Vendor, IdInPath(id): IdInPath<OrganizationId>) -> Result<Reply> {
    let tenant = &vendor.organization(id).await?;
    change(tenant, || async {
        let life = store::load_life(tenant).await?;
        if life.cancellation.is_none() {
            let (_, decision) = lifecycle::cancel(&life, None, tenant.moment())?;
            tenant.commit(decision, None).await?;
        }
        tell_the_meter(tenant).await?;
        Ok(Reply::no_content())
    })
    .await
}

/// Cancel the own organization
///
/// From the answer on it can be read and exported and nothing else. After 30 days everything of it is erased, everywhere and for good;
/// until then the cancellation can be withdrawn.
#[utoipa::path(post, path = "/v1/organization/cancellation", tag = "organizations", operation_id = "cancelOwnOrganization", request_body = NewCancellation,
    responses((status = 201, description = "The cancellation", body = CancellationView)))]
pub async fn cancel(caller: Authorized<needs::OrganizationOwn>, command: Command<NewCancellation>) -> Result<Reply> {
    let (tenant, claim) = (&caller.tenant, command.claim.as_ref());
    once(tenant, claim, || async {
        let life = store::load_life(tenant).await?;
        let (cancellation, decision) = lifecycle::cancel(&life, command.body.reason.as_deref(), tenant.moment())?;
        let reply = Reply::created(&CancellationView::new(tenant, cancellation))?;
        tenant.commit(decision, reply.stored(claim).as_ref()).await?;
        tell_the_meter(tenant).await?;
        Ok(reply)
    })
    .await
}

/// Withdraw the cancellation of the own organization
///
/// It goes on as it was before; a suspension from before holds again.
#[utoipa::path(delete, path = "/v1/organization/cancellation", tag = "organizations", operation_id = "withdrawOwnCancellation",
    responses((status = 204, description = "It stays")))]
pub async fn withdraw_cancellation(caller: Authorized<needs::OrganizationOwn>) -> Result<Reply> {
    let tenant = &caller.tenant;
    change(tenant, || async {
        let life = store::load_life(tenant).await?;
        tenant.commit(lifecycle::withdraw(&life)?, None).await?;
        tell_the_meter(tenant).await?;
        Ok(Reply::no_content())
    })
    .await
}

/// Before the answer, as it stands after the commit; should this be cut off, the step of the event does it.
async fn tell_the_meter(tenant: &Tenant) -> Result<()> {
    let organization: Organization = store::load(tenant).await?;
    super::meter::put_status(tenant, &organization).await
}
