//! The endpoints of plans: the vendor publishes them, every credential reads those that are open to it.

use serde::Deserialize;

use super::plan::Plan;
use super::publishing::{Place, VERSIONS_MAX};
pub use super::views::{PlanView, RateLimitsView, RateView};
use super::wire::NewPlan;
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
#[utoipa::path(post, path = "/v1/plans", operation_id = "createPlan", request_body(content = NewPlan, example = json!({
        "key": "growth", "name": "Growth",
        "prices": [{"currency": "USD", "interval": "month", "price": {"model": "flat", "amount": "99"}},
            {"currency": "USD", "interval": "year", "price": {"model": "flat", "amount": "990"}}],
        "metrics": [{"metric": "apiCalls", "limit": -1, "included": 50_000,
            "prices": {"USD": {"model": "per_unit", "unitAmount": "0.002"}}},
            {"metric": "users", "limit": 10}],
        "addOns": [{"key": "extra-users", "name": "Five more users", "limits": {"users": 5},
            "prices": [{"currency": "USD", "interval": "month", "price": {"model": "per_unit", "unitAmount": "20"}}]}],
        "features": [{"key": "sso", "name": "Single sign-on", "type": "boolean"},
            {"key": "support", "name": "Support", "type": "static", "value": "next-day"}],
        "trial": {"days": 14}, "minimumCommitment": {"USD": "100.00"}})),
    responses((status = 201, description = "The plan", body = PlanView)))]
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
            let reply = Reply::created(&PlanView::new(&plan)?)?;
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
    responses((status = 201, description = "The plan", body = PlanView)))]
pub async fn create_version(vendor: Vendor, NameInPath(key): NameInPath, command: Command<NewPlan>) -> Result<Reply> {
    let (platform, claim) = (&vendor.platform, command.claim.as_ref());
    once_for_vendor(platform, claim, || {
        until_fresh(|| async {
            let newest = store::newest(platform.app(), &key).await?.ok_or_else(|| Problem::not_found("plan"))?;
            let body = succeeding(&newest, &command.body)?;
            let plan = read(platform, &body, Place { key: &key, version: newest.version.saturating_add(1) }).await?;
            let reply = Reply::created(&PlanView::new(&plan)?)?;
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

/// List plans
///
/// The newest version of each plan: built-in plans first, then by key. An organization also sees the custom contracts that are restricted
/// to it.
#[utoipa::path(get, path = "/v1/plans", operation_id = "listPlans",
    params(PageQuery),
    responses((status = 200, description = "A page of plans", body = Page<PlanView>)))]
pub async fn list(caller: Caller, Filter(query): Filter<PageQuery>) -> Result<Reply> {
    let app = &caller.app;
    let find = async |key: String| Ok(seen(&caller, store::newest(app, &key).await?));
    let list = async |from: Start<Plan>| {
        let after = from.found.map(|plan| plan.key);
        views(&store::page(app, caller.organization, after.as_deref(), from.fetch).await?)
    };
    Reply::ok(&page::list(&query, find, list, |plan: &PlanView| plan.key.clone(), |plan| plan).await?)
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
    responses((status = 200, description = "The plan", body = PlanView)))]
pub async fn get(caller: Caller, NameInPath(key): NameInPath, Filter(query): Filter<VersionQuery>) -> Result<Reply> {
    let plan = match query.version {
        Some(version) => store::find(&caller.app, &key, version).await?,
        None => store::newest(&caller.app, &key).await?,
    };
    Reply::ok(&PlanView::new(&seen(&caller, plan).ok_or_else(|| Problem::not_found("plan"))?)?)
}

/// List the versions of a plan
///
/// Every version, with its prices, limits and features.
#[utoipa::path(get, path = "/v1/plans/{key}/versions", operation_id = "listPlanVersions",
    params(("key" = String, Path, description = "The key of a plan", example = "professional"), PageQuery),
    responses((status = 200, description = "Newest first", body = Page<PlanView>)))]
pub async fn list_versions(caller: Caller, NameInPath(key): NameInPath, Filter(query): Filter<PageQuery>) -> Result<Reply> {
    let app = &caller.app;
    let newest = seen(&caller, store::newest(app, &key).await?).ok_or_else(|| Problem::not_found("plan"))?;
    let find = async |version| Ok((1..=newest.version).contains(&version).then_some(version));
    let list = async |from: Start<u32>| views(&store::versions(app, &key, from.found.unwrap_or(u32::MAX), from.fetch).await?);
    Reply::ok(&page::list(&query, find, list, |plan: &PlanView| plan.version, |plan| plan).await?)
}

/// A custom contract of another organization is answered like an unknown plan.
fn seen(caller: &Caller, plan: Option<Plan>) -> Option<Plan> {
    plan.filter(|plan| caller.organization.is_none_or(|organization| plan.is_open_to(organization)))
}

fn views(plans: &[Plan]) -> Result<Vec<PlanView>> {
    plans.iter().map(PlanView::new).collect()
}
