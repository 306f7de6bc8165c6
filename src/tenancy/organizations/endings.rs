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

/// The reason for a suspension.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSuspension {
    /// The reason, which the organization can read.
    #[schema(example = "payment is overdue", min_length = 1, max_length = 2000)]
    pub reason: String,
}

/// The suspension of an organization.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Suspension)]
pub struct SuspensionView {
    /// The type of the resource.
    #[serde(rename = "$type")]
    #[schema(example = "Suspension")]
    pub type_name: &'static str,
    /// The organization that is suspended.
    pub organization: OrganizationId,
    /// The reason, which the organization can read.
    #[schema(example = "payment is overdue")]
    pub reason: String,
    /// The time at which the suspension began.
    pub started_at: Timestamp,
}

impl SuspensionView {
    fn new(tenant: &Tenant, suspension: Suspension) -> Self {
        let Suspension { reason, started_at } = suspension;
        Self { type_name: "Suspension", organization: tenant.organization(), reason, started_at }
    }
}

/// The reason for a cancellation.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCancellation {
    /// The reason, which the vendor can read.
    #[schema(example = "we stop the project", min_length = 1, max_length = 2000)]
    pub reason: Option<String>,
}

/// The cancellation of an organization.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Cancellation)]
pub struct CancellationView {
    /// The type of the resource.
    #[serde(rename = "$type")]
    #[schema(example = "Cancellation")]
    pub type_name: &'static str,
    /// The organization that is cancelled.
    pub organization: OrganizationId,
    /// The reason, which the vendor can read.
    #[schema(example = "we stop the project")]
    pub reason: Option<String>,
    /// The time of the cancellation.
    pub cancelled_at: Timestamp,
    /// The end of the grace period. Until then the cancellation can be withdrawn; then all data of the organization is erased.
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
/// Refuses writes of the organization's members, keys and clients with 403 `organization_suspended`, usage included; reads are answered.
/// The organization can still be exported and cancelled. A repeated request replaces the reason.
#[utoipa::path(put, path = "/v1/organizations/{id}/suspension", operation_id = "suspendOrganization",
    params(("id" = String, Path, description = "`org_...`")), request_body = NewSuspension,
    responses((status = 200, description = "The suspension", body = SuspensionView)))]
pub async fn suspend(vendor: Vendor, IdInPath(id): IdInPath<OrganizationId>, command: Command<NewSuspension>) -> Result<Reply> {
    let tenant = &vendor.organization(id).await?;
    change(tenant, || async {
        let life = store::load_life(tenant).await?;
        let (suspension, decision) = lifecycle::suspend(&life, &command.body.reason, tenant.moment())?;
        tenant.commit(decision, None).await?;
        update_meter(tenant).await?;
        Reply::ok(&SuspensionView::new(tenant, suspension))
    })
    .await
}

/// Resume an organization
///
/// Ends the suspension: writes are accepted again.
#[utoipa::path(delete, path = "/v1/organizations/{id}/suspension", operation_id = "resumeOrganization",
    params(("id" = String, Path, description = "`org_...`")),
    responses((status = 204, description = "Resumed")))]
pub async fn resume(vendor: Vendor, IdInPath(id): IdInPath<OrganizationId>) -> Result<Reply> {
    let tenant = &vendor.organization(id).await?;
    change(tenant, || async {
        let life = store::load_life(tenant).await?;
        tenant.commit(lifecycle::resume(&life)?, None).await?;
        update_meter(tenant).await?;
        Ok(Reply::no_content())
    })
    .await
}

/// Cancel an organization
///
/// The vendor's form of `POST /v1/organization/cancellation`. A cancelled organization stays as it is.
#[utoipa::path(delete, path = "/v1/organizations/{id}", operation_id = "deleteOrganization",
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
        update_meter(tenant).await?;
        Ok(Reply::no_content())
    })
    .await
}

/// Cancel the caller's organization
///
/// Refuses every write but an export and the withdrawal. After 30 days all data of the organization is erased for good; until then the
/// cancellation can be withdrawn.
#[utoipa::path(post, path = "/v1/organization/cancellation", operation_id = "cancelOwnOrganization",
    request_body = NewCancellation,
    responses((status = 201, description = "The cancellation", body = CancellationView)))]
pub async fn cancel(caller: Authorized<needs::OrganizationOwn>, command: Command<NewCancellation>) -> Result<Reply> {
    let (tenant, claim) = (&caller.tenant, command.claim.as_ref());
    once(tenant, claim, || async {
        let life = store::load_life(tenant).await?;
        let (cancellation, decision) = lifecycle::cancel(&life, command.body.reason.as_deref(), tenant.moment())?;
        let reply = Reply::created(&CancellationView::new(tenant, cancellation))?;
        tenant.commit(decision, reply.stored(claim).as_ref()).await?;
        update_meter(tenant).await?;
        Ok(reply)
    })
    .await
}

/// Withdraw the cancellation of the caller's organization
///
/// Restores the status from before the cancellation, a suspension included.
#[utoipa::path(delete, path = "/v1/organization/cancellation", operation_id = "withdrawOwnCancellation",
    responses((status = 204, description = "Withdrawn")))]
pub async fn withdraw_cancellation(caller: Authorized<needs::OrganizationOwn>) -> Result<Reply> {
    let tenant = &caller.tenant;
    change(tenant, || async {
        let life = store::load_life(tenant).await?;
        tenant.commit(lifecycle::withdraw(&life)?, None).await?;
        update_meter(tenant).await?;
        Ok(Reply::no_content())
    })
    .await
}

/// Sends the committed status to the Meter before the response. The step of the event completes an interrupted request.
async fn update_meter(tenant: &Tenant) -> Result<()> {
    let organization: Organization = store::load(tenant).await?;
    super::meter::put_status(tenant, &organization).await
}
