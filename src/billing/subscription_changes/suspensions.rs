//! Suspensions: the vendor suspends a subscription and ends the suspension.

use super::views::SubscriptionView;
use crate::billing::subscriptions::{status_changes, store};
use crate::http::reply::{Reply, change};
use crate::http::request::IdInPath;
use crate::identity::callers::actors::Vendor;
use crate::kernel::error::Result;
use crate::kernel::ids::OrganizationId;

/// Suspend the subscription of an organization
///
/// Usage is refused when the response arrives; charges continue. The organization can still be read and written.
#[utoipa::path(put, path = "/v1/organizations/{id}/subscription/suspension", operation_id = "suspendSubscription",
    params(("id" = String, Path, description = "`org_...`")),
    responses((status = 200, description = "The subscription", body = SubscriptionView)))]
pub async fn suspend(vendor: Vendor, IdInPath(id): IdInPath<OrganizationId>) -> Result<Reply> {
    let tenant = &vendor.organization(id).await?;
    change(tenant, || async {
        let (next, decision) = status_changes::suspend(&store::require(tenant).await?)?;
        tenant.commit(decision, None).await?;
        crate::billing::subscriptions::meter::configure(tenant, &next).await?;
        Reply::ok(&SubscriptionView::load(tenant.app(), next).await?)
    })
    .await
}

/// End the suspension of a subscription
///
/// Usage is admitted when the response arrives.
#[utoipa::path(delete, path = "/v1/organizations/{id}/subscription/suspension",
    operation_id = "unsuspendSubscription",
    params(("id" = String, Path, description = "`org_...`")),
    responses((status = 204, description = "The suspension has ended")))]
pub async fn unsuspend(vendor: Vendor, IdInPath(id): IdInPath<OrganizationId>) -> Result<Reply> {
    let tenant = &vendor.organization(id).await?;
    change(tenant, || async {
        let (next, decision) = status_changes::unsuspend(&store::require(tenant).await?)?;
        tenant.commit(decision, None).await?;
        crate::billing::subscriptions::meter::configure(tenant, &next).await?;
        Ok(Reply::no_content())
    })
    .await
}
