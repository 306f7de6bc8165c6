//! The endpoints of organizations.

use futures::future::try_join_all;

pub use super::endings::*;
pub use super::ownership::*;
use super::wire::{OrganizationChanges, OrganizationView};
use super::{rules, store};
use crate::http::reply::{Reply, change};
use crate::http::request::{Command, Filter, IdInPath, NoParameters};
use crate::identity::callers::actors::{Authorized, Vendor};
use crate::identity::permissions::needs;
use crate::kernel::error::Result;
use crate::kernel::ids::OrganizationId;
use crate::kernel::page;
use crate::kernel::page::{Page, PageQuery, Start};
use crate::kernel::tenant::Tenant;
use crate::tenancy::onboarding;

/// List organizations
///
/// Returns all organizations of the vendor, newest first.
#[utoipa::path(get, path = "/v1/organizations", operation_id = "listOrganizations",
    params(PageQuery),
    responses((status = 200, description = "Newest first", body = Page<OrganizationView>)))]
pub async fn list(vendor: Vendor, Filter(query): Filter<PageQuery>) -> Result<Reply> {
    let vendor = &vendor;
    let find = async |id| vendor.platform.placement(id).await;
    let list = async |from: Start<_>| {
        let ids = super::directory::list(&vendor.platform, &from.before, from.fetch).await?;
        try_join_all(ids.into_iter().map(async |id| view(&vendor.organization(id).await?).await)).await
    };
    Reply::ok(&page::list(&query, find, list, |view: &OrganizationView| view.id, |view| view).await?)
}

/// Get an organization
///
/// Returns the organization's details, settings, status and onboarding progress.
#[utoipa::path(get, path = "/v1/organizations/{id}", operation_id = "getOrganization",
    params(("id" = String, Path, description = "`org_...`")),
    responses((status = 200, description = "The organization", body = OrganizationView)))]
pub async fn get(vendor: Vendor, IdInPath(id): IdInPath<OrganizationId>) -> Result<Reply> {
    Reply::ok(&view(&vendor.organization(id).await?).await?)
}

/// Update an organization
///
/// The body is a JSON merge patch (RFC 7396): an absent field keeps its value, `null` clears it.
#[utoipa::path(patch, path = "/v1/organizations/{id}", operation_id = "updateOrganization",
    params(("id" = String, Path, description = "`org_...`")), request_body = OrganizationChanges,
    responses((status = 200, description = "The organization", body = OrganizationView)))]
pub async fn update(vendor: Vendor, IdInPath(id): IdInPath<OrganizationId>, command: Command<OrganizationChanges>) -> Result<Reply> {
    merge(vendor.organization(id).await?, command.body).await
}

/// Get the caller's organization
///
/// Returns the organization's details, settings, status and onboarding progress.
#[utoipa::path(get, path = "/v1/organization", operation_id = "getOwnOrganization",
    responses((status = 200, description = "The organization", body = OrganizationView)))]
pub async fn get_own(caller: Authorized<needs::OrganizationRead>, _: Filter<NoParameters>) -> Result<Reply> {
    Reply::ok(&view(&caller.tenant).await?)
}

/// Update the caller's organization
///
/// The body is a JSON merge patch (RFC 7396): an absent field keeps its value, `null` clears it.
#[utoipa::path(patch, path = "/v1/organization", operation_id = "updateOwnOrganization",
    request_body = OrganizationChanges,
    responses((status = 200, description = "The organization", body = OrganizationView)))]
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
