//! The endpoints of plans: the vendor publishes them, every credential reads those that are open to it.

use serde::Deserialize;

use super::offer::{Offer, PlanStatus};
use super::plan::Plan;
use super::publishing::{Place, VERSIONS_MAX};
pub use super::views::{CataloguePlanView, PlanView, RateLimitsView, RateView};
use super::wire::{NewPlan, PlanChanges};
use super::{publishing, store};
use crate::catalog::metrics;
use crate::http::reply::{Reply, once_for_vendor};
use crate::http::request::{Command, Filter, NameInPath};
use crate::identity::callers::actors::{Caller, Vendor};
use crate::kernel::error::Result;
use crate::kernel::page;
use crate::kernel::page::{Page, PageQuery, Start};
use crate::kernel::platform::Platform;
use crate::kernel::problem::Problem;
use crate::kernel::tenant::until_fresh;

/// Create a plan
///
/// Publishes version 1 of a new plan. A published version never changes; changes are published as the next version.
#[utoipa::path(post, path = "/v1/plans", operation_id = "createPlan", request_body = NewPlan,
    responses((status = 201, description = "The plan", body = CataloguePlanView)))]
pub async fn create(vendor: Vendor, command: Command<NewPlan>) -> Result<Reply> {
    let (platform, claim) = (&vendor.platform, command.claim.as_ref());
    once_for_vendor(platform, claim, || {
        until_fresh(|| async {
            let key =
                command.body.key.as_deref().ok_or_else(|| Problem::invalid("/key", "invalid_key", "Send the key of the new plan."))?;
            if publishing::is_key(key) && store::newest(platform.app(), key).await?.is_some() {
                let detail = format!("The plan {key} exists. Publish its next version with POST /v1/plans/{key}/versions.");
                return Err(Problem::conflict("plan_exists", detail).into());
            }
            let plan = read(platform, &command.body, Place { key, version: 1 }).await?;
            let reply = Reply::created(&CataloguePlanView::new(&plan, Offer::default())?)?;
            store::publish(platform, &plan, 0, reply.stored(claim).as_ref()).await?;
            Ok(reply)
        })
    })
    .await
}

/// Create the next version of a plan
///
/// New subscriptions use it; existing subscriptions keep their version until they are migrated. The body is the complete version: a field
/// that is left out has its default. Of two concurrent requests each gets a number of its own.
#[utoipa::path(post, path = "/v1/plans/{key}/versions", operation_id = "createPlanVersion",
    params(("key" = String, Path, description = "The key of a plan", example = "professional")),
    request_body = NewPlan,
    responses((status = 201, description = "The plan", body = CataloguePlanView)))]
pub async fn create_version(vendor: Vendor, NameInPath(key): NameInPath, command: Command<NewPlan>) -> Result<Reply> {
    let (platform, claim) = (&vendor.platform, command.claim.as_ref());
    once_for_vendor(platform, claim, || {
        until_fresh(|| async {
            let newest = store::newest(platform.app(), &key).await?.ok_or_else(|| Problem::not_found("plan"))?;
            let body = succeeding(&newest, &command.body)?;
            let plan = read(platform, &body, Place { key: &key, version: newest.version.saturating_add(1) }).await?;
            let offer = store::offer(platform.app(), &key).await?;
            let reply = Reply::created(&CataloguePlanView::new(&plan, offer)?)?;
            store::publish(platform, &plan, newest.version, reply.stored(claim).as_ref()).await?;
            Ok(reply)
        })
    })
    .await
}

/// The version that follows `newest`: of the same key and of the same organization.
fn succeeding(newest: &Plan, body: &NewPlan) -> Result<NewPlan> {
    if body.key.as_ref().is_some_and(|key| *key != newest.key) {
        return Err(
            Problem::refused("/key", "key_mismatch", "The key differs from the path. Leave it out, or send the key of the path.").into()
        );
    }
    if body.organization.is_some() && body.organization != newest.organization {
        let detail = "All versions of a plan have the same organization. Leave it out, or publish a plan of another key.";
        return Err(Problem::refused("/organization", "contract_is_fixed", detail).into());
    }
    if newest.version >= VERSIONS_MAX {
        let detail = format!("A plan has at most {VERSIONS_MAX} versions. Publish a plan of another key.");
        return Err(Problem::conflict("too_many_versions", detail).into());
    }
    Ok(NewPlan { organization: newest.organization, ..body.clone() })
}

async fn read(platform: &Platform, body: &NewPlan, place: Place<'_>) -> Result<Plan> {
    let app = platform.app();
    let defined: Vec<_> = metrics::built_in::built_in_metrics().into_iter().chain(metrics::store::defined(app).await?).collect();
    let plan = publishing::version(body, place, &defined, app.moment().now)?;
    if let Some(organization) = plan.organization {
        let detail = "There is no such organization. GET /v1/organizations lists them.";
        platform.placement(organization).await?.ok_or_else(|| Problem::refused("/organization", "unknown_organization", detail))?;
    }
    Ok(plan)
}

/// Update a plan
///
/// Changes the offer of a plan, built-in plans included. No subscription begins on an archived plan or changes to it (409
/// `plan_archived`); existing subscriptions, their renewals and scheduled changes go on. A hidden plan is listed for the vendor only, and
/// only the vendor subscribes organizations to it (409 `plan_hidden`).
#[utoipa::path(patch, path = "/v1/plans/{key}", operation_id = "updatePlan",
    params(("key" = String, Path, description = "The key of a plan", example = "professional")),
    request_body = PlanChanges,
    responses((status = 200, description = "The plan", body = CataloguePlanView)))]
pub async fn update(vendor: Vendor, NameInPath(key): NameInPath, command: Command<PlanChanges>) -> Result<Reply> {
    let platform = &vendor.platform;
    until_fresh(|| async {
        let plan = store::newest(platform.app(), &key).await?.ok_or_else(|| Problem::not_found("plan"))?;
        let before = store::offer(platform.app(), &key).await?;
        let PlanChanges { status, visibility } = command.body;
        let after = Offer { status: status.unwrap_or(before.status), visibility: visibility.unwrap_or(before.visibility) };
        if after != before {
            store::put_offer(platform, &key, before, after).await?;
        }
        Reply::ok(&CataloguePlanView::new(&plan, after)?)
    })
    .await
}

/// `limit`, `cursor` and the filter, as sent.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlansQuery {
    limit: Option<String>,
    cursor: Option<String>,
    status: Option<PlanStatus>,
}

/// List plans
///
/// The newest version of each active plan: built-in plans first, then by key. An organization also sees the custom contracts that are
/// restricted to it, and no hidden plans.
#[utoipa::path(get, path = "/v1/plans", operation_id = "listPlans",
    params(PageQuery, ("status" = Option<PlanStatus>, Query, description = "Only plans with this status. Default: `active`")),
    responses((status = 200, description = "A page of plans", body = Page<CataloguePlanView>)))]
pub async fn list(caller: Caller, Filter(query): Filter<PlansQuery>) -> Result<Reply> {
    let (app, status) = (&caller.app, query.status.unwrap_or_default());
    let find = async |key: String| Ok(seen(&caller, store::newest(app, &key).await?));
    let list = async |from: Start<Plan>| {
        let after = from.found.map(|plan| plan.key);
        let plans = store::page(app, caller.organization, status, after.as_deref(), from.fetch).await?;
        plans.iter().map(|(plan, offer)| CataloguePlanView::new(plan, *offer)).collect()
    };
    let query = PageQuery { limit: query.limit, cursor: query.cursor };
    Reply::ok(&page::list(&query, find, list, |view: &CataloguePlanView| view.plan.key.clone(), |view| view).await?)
}

/// The version of a plan to read.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VersionQuery {
    version: Option<u32>,
}

/// Get a plan
///
/// The newest version, or the requested one.
#[utoipa::path(get, path = "/v1/plans/{key}", operation_id = "getPlan",
    params(("key" = String, Path, description = "The key of a plan", example = "professional"),
        ("version" = Option<u32>, Query, description = "The version. Default: the newest")),
    responses((status = 200, description = "The plan", body = CataloguePlanView)))]
pub async fn get(caller: Caller, NameInPath(key): NameInPath, Filter(query): Filter<VersionQuery>) -> Result<Reply> {
    let plan = match query.version {
        Some(version) => store::find(&caller.app, &key, version).await?,
        None => store::newest(&caller.app, &key).await?,
    };
    let plan = seen(&caller, plan).ok_or_else(|| Problem::not_found("plan"))?;
    Reply::ok(&CataloguePlanView::new(&plan, store::offer(&caller.app, &key).await?)?)
}

/// List the versions of a plan
///
/// Every version, with its prices, limits and features.
#[utoipa::path(get, path = "/v1/plans/{key}/versions", operation_id = "listPlanVersions",
    params(("key" = String, Path, description = "The key of a plan", example = "professional"), PageQuery),
    responses((status = 200, description = "Newest first", body = Page<CataloguePlanView>)))]
pub async fn list_versions(caller: Caller, NameInPath(key): NameInPath, Filter(query): Filter<PageQuery>) -> Result<Reply> {
    let app = &caller.app;
    let newest = seen(&caller, store::newest(app, &key).await?).ok_or_else(|| Problem::not_found("plan"))?;
    let find = async |version| Ok((1..=newest.version).contains(&version).then_some(version));
    let offer = store::offer(app, &key).await?;
    let list = async |from: Start<u32>| {
        let versions = store::versions(app, &key, from.found.unwrap_or(u32::MAX), from.fetch).await?;
        versions.iter().map(|plan| CataloguePlanView::new(plan, offer)).collect()
    };
    Reply::ok(&page::list(&query, find, list, |view: &CataloguePlanView| view.plan.version, |view| view).await?)
}

/// A custom contract of another organization is answered like an unknown plan.
fn seen(caller: &Caller, plan: Option<Plan>) -> Option<Plan> {
    plan.filter(|plan| caller.organization.is_none_or(|organization| plan.is_open_to(organization)))
}
