//! The endpoints of limits and grants, for the vendor.

use rating::Quantity;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::agreed::{Grant, Override};
use super::rules::{Allowance, Wanted};
use super::{rules, store};
use crate::catalog::metrics;
use crate::catalog::metrics::metric::Metric;
use crate::http::quantity::QuantityDocument;
use crate::http::reply::{Reply, change, once};
use crate::http::request::{Command, Filter, IdInPath, IdsInPath};
use crate::identity::callers::actors::Vendor;
use crate::kernel::error::Result;
use crate::kernel::ids::{GrantId, OrganizationId};
use crate::kernel::page;
use crate::kernel::page::{Page, PageQuery, Start};
use crate::kernel::ports::App;
use crate::kernel::problem::Problem;
use crate::kernel::time::Timestamp;
use crate::meter::vocabulary::Enforcement;

/// An organization's own limit to set.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewLimit {
    /// The limit in units of the metric: 0 or more, or -1 for unlimited.
    #[schema(value_type = QuantityDocument, example = 250_000)]
    pub limit: Quantity,
    /// Whether usage past the limit is refused. Default: `hard`.
    #[serde(default)]
    #[schema(required = false)]
    pub enforcement: Enforcement,
    /// An internal note.
    #[schema(example = "agreed until the new contract", min_length = 1, max_length = 2000)]
    pub reason: Option<String>,
}

/// An organization's own limit, which replaces the plan's.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = LimitOverride)]
pub struct LimitView {
    /// The type of the resource.
    #[serde(rename = "$type")]
    #[schema(example = "LimitOverride")]
    pub type_name: &'static str,
    /// The key of the metric.
    #[schema(example = "apiCalls")]
    pub metric: String,
    /// The limit in units of the metric; -1 when unlimited.
    #[schema(value_type = QuantityDocument)]
    pub limit: Quantity,
    /// Whether usage past the limit is refused.
    pub enforcement: Enforcement,
    /// An internal note; null when there is none.
    #[schema(example = "agreed until the new contract")]
    pub reason: Option<String>,
    /// When the limit was last set.
    pub updated_at: Timestamp,
}

impl From<Override> for LimitView {
    fn from(given: Override) -> Self {
        Self {
            type_name: "LimitOverride",
            limit: given.shown(),
            metric: given.metric,
            enforcement: given.enforcement,
            reason: given.reason,
            updated_at: given.updated_at,
        }
    }
}

/// A grant to create.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewGrant {
    /// The key of the metric.
    #[schema(example = "apiCalls")]
    pub metric: String,
    /// The amount by which the limit is raised, in units of the metric; above 0.
    #[schema(value_type = QuantityDocument, example = 10_000)]
    pub amount: Quantity,
    /// The start of the grant, inclusive. Default: now.
    pub starts_at: Option<Timestamp>,
    /// The end of the grant, exclusive. Default: no end.
    pub ends_at: Option<Timestamp>,
    /// An internal note.
    #[schema(example = "goodwill after the outage", min_length = 1, max_length = 2000)]
    pub reason: Option<String>,
}

impl From<NewGrant> for Allowance {
    fn from(body: NewGrant) -> Self {
        Self { metric: body.metric, amount: body.amount, starts_at: body.starts_at, ends_at: body.ends_at, reason: body.reason }
    }
}

/// A grant: additional allowance on top of a limit. It has no effect on an unlimited metric.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Grant)]
pub struct GrantView {
    /// The type of the resource.
    #[serde(rename = "$type")]
    #[schema(example = "Grant")]
    pub type_name: &'static str,
    /// The id of the grant.
    #[serde(rename = "$id")]
    pub id: GrantId,
    /// The key of the metric.
    #[schema(example = "apiCalls")]
    pub metric: String,
    /// The amount by which the limit is raised, in units of the metric.
    #[schema(value_type = QuantityDocument)]
    pub amount: Quantity,
    /// The start of the grant, inclusive.
    pub starts_at: Timestamp,
    /// The end of the grant, exclusive; null when it has none.
    pub ends_at: Option<Timestamp>,
    /// An internal note; null when there is none.
    #[schema(example = "goodwill after the outage")]
    pub reason: Option<String>,
    /// When the grant was created.
    pub created_at: Timestamp,
}

impl From<Grant> for GrantView {
    fn from(grant: Grant) -> Self {
        Self {
            type_name: "Grant",
            id: grant.id,
            metric: grant.metric,
            amount: grant.amount,
            starts_at: grant.starts_at,
            ends_at: grant.ends_at,
            reason: grant.reason,
            created_at: grant.created_at,
        }
    }
}

/// Set an organization's limit
///
/// Replaces the plan's limit of a metric, also with a lower one. It applies as soon as the request is answered. The price of usage past
/// the plan's included amount stays the same.
#[utoipa::path(put, path = "/v1/organizations/{id}/limits/{metric}", operation_id = "putLimit",
    params(("id" = String, Path, description = "`org_...`"),
        ("metric" = String, Path, description = "The key of a metric", example = "apiCalls")),
    request_body = NewLimit,
    responses((status = 200, description = "The limit", body = LimitView)))]
pub async fn put(vendor: Vendor, IdsInPath(id, metric): IdsInPath<OrganizationId, String>, command: Command<NewLimit>) -> Result<Reply> {
    let tenant = &vendor.organization(id).await?;
    require_metric(tenant.app(), &metric, "metric").await?;
    let NewLimit { limit, enforcement, reason } = command.body;
    let wanted = Wanted { limit, enforcement, reason };
    change(tenant, || async {
        let limits = store::load(tenant).await?;
        let (given, limits, decision) = rules::set(&limits, &metric, &wanted, tenant.moment())?;
        tenant.commit(decision, None).await?;
        super::meter::put_limits(tenant, &limits).await?;
        Reply::ok(&LimitView::from(given))
    })
    .await
}

/// Remove an organization's limit
///
/// The plan's limit applies as soon as the request is answered.
#[utoipa::path(delete, path = "/v1/organizations/{id}/limits/{metric}", operation_id = "deleteLimit",
    params(("id" = String, Path, description = "`org_...`"),
        ("metric" = String, Path, description = "The key of a metric", example = "apiCalls")),
    responses((status = 204, description = "The plan's limit applies")))]
pub async fn delete(vendor: Vendor, IdsInPath(id, metric): IdsInPath<OrganizationId, String>) -> Result<Reply> {
    let tenant = &vendor.organization(id).await?;
    require_metric(tenant.app(), &metric, "metric").await?;
    change(tenant, || async {
        let limits = store::load(tenant).await?;
        let (limits, decision) = rules::remove(&limits, &metric);
        tenant.commit(decision, None).await?;
        super::meter::put_limits(tenant, &limits).await?;
        Ok(Reply::no_content())
    })
    .await
}

/// List an organization's limits
///
/// The organization's own limits, which replace the plan's.
#[utoipa::path(get, path = "/v1/organizations/{id}/limits", operation_id = "listLimits",
    params(("id" = String, Path, description = "`org_...`"), PageQuery),
    responses((status = 200, description = "Sorted by metric", body = Page<LimitView>)))]
pub async fn list(vendor: Vendor, IdInPath(id): IdInPath<OrganizationId>, Filter(query): Filter<PageQuery>) -> Result<Reply> {
    let tenant = &vendor.organization(id).await?;
    let find = async |metric: String| metrics::store::find(tenant.app(), &metric).await;
    let list = async |from: Start<Metric>| {
        let after = from.found.map(|metric| metric.key).unwrap_or_default();
        store::list_overrides(tenant, &after, from.fetch).await
    };
    Reply::ok(&page::list(&query, find, list, |given| given.metric.clone(), LimitView::from).await?)
}

/// Create a grant
///
/// Raises the limit of a metric by an amount, for a time or without an end. A grant that has started applies as soon as the request is
/// answered. An organization has at most 500 grants that have not ended.
#[utoipa::path(post, path = "/v1/organizations/{id}/grants", operation_id = "createGrant",
    params(("id" = String, Path, description = "`org_...`")),
    request_body = NewGrant,
    responses((status = 201, description = "The grant", body = GrantView)))]
pub async fn create_grant(vendor: Vendor, IdInPath(id): IdInPath<OrganizationId>, command: Command<NewGrant>) -> Result<Reply> {
    let (tenant, claim) = (&vendor.organization(id).await?, command.claim.as_ref());
    let wanted = Allowance::from(command.body);
    let reply = once(tenant, claim, || async {
        require_metric(tenant.app(), &wanted.metric, "/metric").await?;
        let limits = store::load(tenant).await?;
        let (grant, limits, decision) = rules::grant(&limits, &wanted, tenant.moment())?;
        let reply = Reply::created(&GrantView::from(grant))?;
        tenant.commit(decision, reply.stored(claim).as_ref()).await?;
        super::meter::put_limits(tenant, &limits).await?;
        Ok(reply)
    })
    .await?;
    if reply.replayed {
        // The first request may have been interrupted before the Meter got the limits.
        super::meter::put_limits(tenant, &store::load(tenant).await?).await?;
    }
    Ok(reply)
}

/// List an organization's grants
///
/// Includes grants that have ended; revoked grants are left out.
#[utoipa::path(get, path = "/v1/organizations/{id}/grants", operation_id = "listGrants",
    params(("id" = String, Path, description = "`org_...`"), PageQuery),
    responses((status = 200, description = "Newest first", body = Page<GrantView>)))]
pub async fn list_grants(vendor: Vendor, IdInPath(id): IdInPath<OrganizationId>, Filter(query): Filter<PageQuery>) -> Result<Reply> {
    let tenant = &vendor.organization(id).await?;
    let find = async |id| store::find_grant(tenant, id).await;
    let list = async |from: Start<_>| store::list_grants(tenant, &from.before, from.fetch).await;
    Reply::ok(&page::list(&query, find, list, |grant| grant.id, GrantView::from).await?)
}

/// Revoke a grant
///
/// The grant no longer applies as soon as the request is answered.
#[utoipa::path(delete, path = "/v1/organizations/{id}/grants/{grant}", operation_id = "deleteGrant",
    params(("id" = String, Path, description = "`org_...`"), ("grant" = String, Path, description = "`grant_...`")),
    responses((status = 204, description = "The grant was revoked")))]
pub async fn delete_grant(vendor: Vendor, IdsInPath(id, grant): IdsInPath<OrganizationId, GrantId>) -> Result<Reply> {
    let tenant = &vendor.organization(id).await?;
    change(tenant, || async {
        let limits = store::load(tenant).await?;
        let given = store::find_grant(tenant, grant).await?.ok_or_else(|| Problem::not_found("grant"))?;
        let (limits, decision) = rules::revoke(&limits, &given, tenant.moment());
        tenant.commit(decision, None).await?;
        super::meter::put_limits(tenant, &limits).await?;
        Ok(Reply::no_content())
    })
    .await
}

/// What is limited must be counted.
async fn require_metric(app: &App, key: &str, pointer: &str) -> Result<()> {
    match metrics::store::find(app, key).await? {
        Some(_) => Ok(()),
        None => {
            let detail = "There is no such metric. GET /v1/metrics lists them, POST /v1/metrics defines one.";
            Err(Problem::refused(pointer, "unknown_metric", detail).into())
        }
    }
}
