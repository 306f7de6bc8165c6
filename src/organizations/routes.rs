//! The endpoints of organizations.

pub use super::endings::*;
pub use super::erasures::*;
pub use super::moves::*;
pub use super::ownership::*;
use super::placement;
use super::rules::{self, Organization};
use super::store;
use super::wire::{NewOrganization, OrganizationChanges, OrganizationView};
use crate::access::permissions::needs;
use crate::http::actors::{Authorized, Vendor};
use crate::http::reply::{Reply, change, once_for_vendor};
use crate::http::request::{Command, Filter, IdInPath};
use crate::kernel::error::{Error, Result};
use crate::kernel::ids::{Moment, OrganizationId};
use crate::kernel::page::{Page, PageQuery, foreign_cursor};
use crate::kernel::platform::Platform;
use crate::kernel::tenant::Tenant;
use crate::onboarding;

/// Sign a company up
///
/// Starts its onboarding: checklist, welcome mail and a 14-day trial, all there when the answer arrives.
#[utoipa::path(post, path = "/v1/organizations", tag = "organizations", operation_id = "createOrganization", request_body = NewOrganization,
    responses((status = 201, description = "The organization", body = OrganizationView)),
    security(("platformKey" = [])))]
pub async fn create(vendor: Vendor, command: Command<NewOrganization>) -> Result<Reply> {
    let (platform, claim) = (&vendor.platform, command.claim.as_ref());
    let reply = once_for_vendor(platform, claim, || async {
        let organization = asked_for(platform, command.body.clone()).await?;
        let reply = Reply::created(&OrganizationView::new(organization.clone(), 0, 1))?;
        placement::enter(platform, &organization, reply.stored(claim).as_ref()).await?;
        placement::place(platform, &organization, platform.actor().clone()).await?;
        placement::finish(platform, organization.id).await?;
        Ok(reply)
    })
    .await?;
    if reply.replayed {
        // The first request may have been cut off after it was entered: the answer is true only when the company is there.
        finish_replayed(&vendor, &reply).await?;
    }
    Ok(reply)
}

async fn finish_replayed(vendor: &Vendor, reply: &Reply) -> Result<()> {
    let view: serde_json::Value = serde_json::from_str(&reply.body).map_err(|error| Error::internal(error.to_string()))?;
    let id = view.get("$id").and_then(serde_json::Value::as_str).and_then(|id| id.parse().ok());
    let id = id.ok_or_else(|| Error::internal("a stored sign-up has no id"))?;
    vendor.organization(id).await?;
    placement::finish(&vendor.platform, id).await
}

/// The organization of a sign-up, checked. Its now is its test clock's from the start.
async fn asked_for(platform: &Platform, body: NewOrganization) -> Result<Organization> {
    let clock = match &body.test_clock {
        Some(text) => Some(placement::test_clock(platform, text).await?),
        None => None,
    };
    let real = platform.app().moment();
    let moment = Moment { now: clock.map_or(real.now, |(_, now)| now), ..real };
    let organization = body.into_organization(moment, clock.map(|(id, _)| id));
    rules::check(&organization)?;
    Ok(organization)
}

/// List all organizations
#[utoipa::path(get, path = "/v1/organizations", tag = "organizations", operation_id = "listOrganizations",
    params(("limit" = Option<u32>, Query, description = "1 to 100, 20 when absent"), ("cursor" = Option<String>, Query, description = "nextCursor of the page before")),
    responses((status = 200, description = "Newest first", body = Page<OrganizationView>)),
    security(("platformKey" = [])))]
pub async fn list(vendor: Vendor, Filter(query): Filter<PageQuery>) -> Result<Reply> {
    let request = query.check::<OrganizationId>()?;
    if let Some(cursor) = request.before.as_deref().and_then(|cursor| cursor.parse().ok()) {
        vendor.platform.placement(cursor).await?.ok_or_else(foreign_cursor)?;
    }
    let ids = placement::list(&vendor.platform, &request.bound(), request.fetch()).await?;
    let views = futures::future::try_join_all(ids.into_iter().map(|id| {
        let vendor = &vendor;
        async move { view(&vendor.organization(id).await?).await }
    }))
    .await?;
    Reply::ok(&Page::of(views, &request, |view| view.id.to_string(), |view| view))
}

/// Read an organization
#[utoipa::path(get, path = "/v1/organizations/{id}", tag = "organizations", operation_id = "getOrganization", params(("id" = String, Path, description = "`org_...`")),
    responses((status = 200, description = "The organization", body = OrganizationView)),
    security(("platformKey" = [])))]
pub async fn get(vendor: Vendor, IdInPath(id): IdInPath<OrganizationId>) -> Result<Reply> {
    Reply::ok(&view(&vendor.organization(id).await?).await?)
}

/// Change an organization
#[utoipa::path(patch, path = "/v1/organizations/{id}", tag = "organizations", operation_id = "updateOrganization", params(("id" = String, Path, description = "`org_...`")), request_body = OrganizationChanges,
    responses((status = 200, description = "The organization", body = OrganizationView)),
    security(("platformKey" = [])))]
pub async fn update(vendor: Vendor, IdInPath(id): IdInPath<OrganizationId>, command: Command<OrganizationChanges>) -> Result<Reply> {
    merge(vendor.organization(id).await?, command.body).await
}

/// Read the own organization
#[utoipa::path(get, path = "/v1/organization", tag = "organizations", operation_id = "getOwnOrganization",
    responses((status = 200, description = "The organization", body = OrganizationView)),
    security(("organizationKey" = ["organization.read"]), ("platformKey" = [])))]
pub async fn get_own(caller: Authorized<needs::OrganizationRead>) -> Result<Reply> {
    Reply::ok(&view(&caller.tenant).await?)
}

/// Change the own organization
#[utoipa::path(patch, path = "/v1/organization", tag = "organizations", operation_id = "updateOwnOrganization", request_body = OrganizationChanges,
    responses((status = 200, description = "The organization", body = OrganizationView)),
    security(("organizationKey" = ["organization.write"]), ("platformKey" = [])))]
pub async fn update_own(caller: Authorized<needs::OrganizationWrite>, command: Command<OrganizationChanges>) -> Result<Reply> {
    merge(caller.tenant, command.body).await
}

async fn merge(tenant: Tenant, changes: OrganizationChanges) -> Result<Reply> {
    change(&tenant, || async {
        let organization = store::load(&tenant).await?;
        let (_, decision) = rules::update(&organization, changes.clone().over(&organization))?;
        tenant.commit(decision, None).await?;
        Ok(Reply::no_content())
    })
    .await?;
    Reply::ok(&view(&tenant).await?)
}

async fn view(tenant: &Tenant) -> Result<OrganizationView> {
    let organization = store::load(tenant).await?;
    let items = onboarding::store::load(tenant).await?;
    Ok(OrganizationView::new(organization, onboarding::rules::completed(&items), items.len()))
}
