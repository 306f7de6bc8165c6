//! The endpoints of entitlements: the organization reads them, the vendor overrides them.

use std::collections::BTreeMap;

use rating::Quantity;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::overrides::{Given, Override};
use super::rules::{Effective, Source, has_access, is_key};
use super::{rules, store};
use crate::billing::subscriptions;
use crate::billing::subscriptions::entitlements::{allowance, is_in_use};
use crate::billing::subscriptions::subscription::Subscription;
use crate::catalog::plans;
use crate::catalog::plans::features::kind;
use crate::catalog::plans::plan::{Entitlement, Plan};
use crate::catalog::plans::wire::{FeatureType, FeatureValue};
use crate::http::quantity::QuantityDocument;
use crate::http::reply::{Reply, change};
use crate::http::request::{Command, Filter, IdsInPath, NameInPath, NoParameters};
use crate::identity::callers::actors::{Authorized, Vendor};
use crate::identity::permissions::needs;
use crate::kernel::error::{OrInternal, Result};
use crate::kernel::ids::OrganizationId;
use crate::kernel::page::Page;
use crate::kernel::problem::Problem;
use crate::kernel::tenant::Tenant;
use crate::kernel::time::Timestamp;
use crate::metering::limits;
use crate::metering::limits::agreed::Limits;

/// The entitlement of an organization to a feature.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Entitlement)]
pub struct EntitlementView {
    /// The type of the resource.
    #[serde(rename = "$type")]
    #[schema(example = "Entitlement")]
    pub type_name: &'static str,
    /// The key of the feature.
    #[schema(example = "sso")]
    pub key: String,
    /// The name of the feature. Null where only an override defines it.
    #[schema(example = "Single sign-on")]
    pub name: Option<String>,
    /// Whether the organization may use the feature: its subscription is in use, and the value is true, a text, or a limit above 0.
    #[schema(example = true)]
    pub has_access: bool,
    /// The type of the feature. Null for an unknown feature.
    pub feature_type: Option<FeatureType>,
    /// The value: true, false or a text. Null for a metered feature.
    pub value: Option<FeatureValue>,
    /// Metered features: the key of the metric. Null otherwise.
    #[schema(example = "apiCalls")]
    pub metric: Option<String>,
    /// Metered features: the limit with add-ons, overrides and current grants; -1 is unlimited. Null otherwise.
    #[schema(value_type = Option<QuantityDocument>)]
    pub limit: Option<Quantity>,
    /// The origin of the value: `plan`, `addOn` or `override`. Null for an unknown feature.
    #[schema(example = "plan")]
    pub source: Option<&'static str>,
    /// The key of the add-on that provides the feature. Null otherwise.
    #[schema(example = "extra-users")]
    pub add_on: Option<String>,
}

/// An entitlement override.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewEntitlement {
    /// The value: `true`, `false`, or the text of a static feature.
    pub value: FeatureValue,
    /// The reason, for your own records.
    #[schema(min_length = 1, max_length = 2000, example = "Promised in the pilot")]
    pub reason: Option<String>,
}

/// An entitlement override: a value for one organization that replaces the value of its plan.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = EntitlementOverride)]
pub struct OverrideView {
    /// The type of the resource.
    #[serde(rename = "$type")]
    #[schema(example = "EntitlementOverride")]
    pub type_name: &'static str,
    /// The key of the feature.
    #[schema(example = "sso")]
    pub key: String,
    /// The value.
    pub value: FeatureValue,
    /// The reason, for your own records.
    #[schema(example = "Promised in the pilot")]
    pub reason: Option<String>,
    /// The instant at which the override was set.
    pub updated_at: Timestamp,
}

impl From<Override> for OverrideView {
    fn from(given: Override) -> Self {
        let value = match given.value {
            Given::Truth(value) => FeatureValue::Truth(value),
            Given::Text(value) => FeatureValue::Text(value),
        };
        Self { type_name: "EntitlementOverride", key: given.key, value, reason: given.reason, updated_at: given.updated_at }
    }
}

/// List entitlements
///
/// The features of the subscribed plan and its add-ons, with overrides, by key.
#[utoipa::path(get, path = "/v1/entitlements", operation_id = "listEntitlements",
    responses((status = 200, description = "All entitlements", body = Page<EntitlementView>)))]
pub async fn list(caller: Authorized<needs::SubscriptionRead>, _: Filter<NoParameters>) -> Result<Reply> {
    let held = Held::load(&caller.tenant).await?;
    let data = held.effective.values().map(|effective| held.view(effective)).collect::<Result<_>>()?;
    Reply::ok(&Page { data, has_more: false, next_cursor: None })
}

/// Get an entitlement
///
/// An unknown feature is answered with `hasAccess` false.
#[utoipa::path(get, path = "/v1/entitlements/{key}", operation_id = "getEntitlement",
    params(("key" = String, Path, description = "`sso`")),
    responses((status = 200, description = "The entitlement", body = EntitlementView)))]
pub async fn get(caller: Authorized<needs::SubscriptionRead>, NameInPath(key): NameInPath) -> Result<Reply> {
    require_key(&key)?;
    let held = Held::load(&caller.tenant).await?;
    match held.effective.get(&key) {
        Some(effective) => Reply::ok(&held.view(effective)?),
        None => Reply::ok(&EntitlementView::none(key)),
    }
}

/// Set an entitlement override
///
/// The value replaces that of the plan at once, and stays after a change of plan. An organization has at most 100 overrides.
#[utoipa::path(put, path = "/v1/organizations/{id}/entitlements/{key}", operation_id = "putEntitlement",
    params(("id" = String, Path, description = "`org_...`"), ("key" = String, Path, description = "`sso`")), request_body = NewEntitlement,
    responses((status = 200, description = "The override", body = OverrideView)))]
pub async fn put(vendor: Vendor, IdsInPath(id, key): IdsInPath<OrganizationId, String>, command: Command<NewEntitlement>) -> Result<Reply> {
    let tenant = &vendor.organization(id).await?;
    require_key(&key)?;
    let NewEntitlement { value, reason } = command.body;
    let value = match value {
        FeatureValue::Truth(value) => Given::Truth(value),
        FeatureValue::Text(value) => Given::Text(value),
    };
    let wanted = Override { key: key.clone(), value, reason, updated_at: tenant.moment().now, version: 0 };
    change(tenant, || async {
        let overrides = store::overrides(tenant).await?;
        let known = of_plan(tenant).await?.remove(&key).map(|effective| effective.entitlement);
        let (given, decision) = rules::set(&overrides, known.as_ref(), wanted.clone())?;
        tenant.commit(decision, None).await?;
        Reply::ok(&OverrideView::from(given))
    })
    .await
}

/// Remove an entitlement override
///
/// The value of the plan applies again at once.
#[utoipa::path(delete, path = "/v1/organizations/{id}/entitlements/{key}", operation_id = "deleteEntitlement",
    params(("id" = String, Path, description = "`org_...`"), ("key" = String, Path, description = "`sso`")),
    responses((status = 204, description = "The value of the plan applies")))]
pub async fn delete(vendor: Vendor, IdsInPath(id, key): IdsInPath<OrganizationId, String>) -> Result<Reply> {
    let tenant = &vendor.organization(id).await?;
    require_key(&key)?;
    change(tenant, || async {
        let overrides = store::overrides(tenant).await?;
        tenant.commit(rules::remove(&overrides, &key), None).await?;
        Ok(Reply::no_content())
    })
    .await
}

fn require_key(key: &str) -> Result<()> {
    if is_key(key) { Ok(()) } else { Err(Problem::not_found("feature").into()) }
}

/// The values without overrides; none before the first subscription.
async fn of_plan(tenant: &Tenant) -> Result<BTreeMap<String, Effective>> {
    let Some(subscription) = subscriptions::store::current(tenant).await? else { return Ok(BTreeMap::new()) };
    let shape = &subscription.shape;
    let plan = plans::store::pinned(tenant.app(), &shape.plan, shape.plan_version).await?;
    Ok(rules::effective(&plan, &shape.add_ons, &[]))
}

/// The data that entitlements are computed from.
struct Held {
    subscription: Subscription,
    plan: std::sync::Arc<Plan>,
    limits: Limits,
    effective: BTreeMap<String, Effective>,
    now: Timestamp,
}

impl Held {
    async fn load(tenant: &Tenant) -> Result<Self> {
        let subscription = subscriptions::store::require(tenant).await?;
        let plan = plans::store::pinned(tenant.app(), &subscription.shape.plan, subscription.shape.plan_version).await?;
        let (limits, overrides) = (limits::store::load(tenant).await?, store::overrides(tenant).await?);
        let effective = rules::effective(&plan, &subscription.shape.add_ons, &overrides);
        Ok(Self { subscription, plan, limits, effective, now: tenant.moment().now })
    }

    fn view(&self, effective: &Effective) -> Result<EntitlementView> {
        let (value, metric) = match &effective.entitlement {
            Entitlement::Boolean { value } => (Some(FeatureValue::Truth(*value)), None),
            Entitlement::Static { value } => (Some(FeatureValue::Text(value.clone())), None),
            Entitlement::Metered { metric } => (None, Some(metric.clone())),
        };
        let limit = metric.as_deref().map(|metric| self.limit(metric)).transpose()?;
        let (source, add_on) = match &effective.source {
            Source::Plan => ("plan", None),
            Source::AddOn(key) => ("addOn", Some(key.clone())),
            Source::Override => ("override", None),
        };
        Ok(EntitlementView {
            type_name: "Entitlement",
            key: effective.key.clone(),
            name: effective.name.clone(),
            has_access: is_in_use(self.subscription.status) && has_access(&effective.entitlement, limit.flatten()),
            feature_type: Some(kind(&effective.entitlement)),
            value,
            metric,
            limit: limit.map(|limit| limit.unwrap_or_else(|| Quantity::from(-1))),
            source: Some(source),
            add_on,
        })
    }

    /// The limit as the Meter applies it: the override of the organization or the plan with add-ons, plus current grants. None is
    /// unlimited.
    fn limit(&self, metric: &str) -> Result<Option<Quantity>> {
        let of_plan = match self.plan.metric(metric) {
            Some(metric) => allowance(&self.plan, &self.subscription.shape, metric)?.limit,
            None => None,
        };
        let Some(limit) = self.limits.overrides.get(metric).map_or(of_plan, |own| own.limit) else { return Ok(None) };
        let counts = |grant: &&limits::agreed::Grant| {
            grant.metric == metric && grant.starts_at <= self.now && grant.ends_at.is_none_or(|ends_at| self.now < ends_at)
        };
        let granted = self.limits.grants.iter().filter(counts).map(|grant| grant.amount);
        Quantity::sum(granted.chain([limit])).map(Some).or_internal()
    }
}

impl EntitlementView {
    fn none(key: String) -> Self {
        Self {
            type_name: "Entitlement",
            key,
            name: None,
            has_access: false,
            feature_type: None,
            value: None,
            metric: None,
            limit: None,
            source: None,
            add_on: None,
        }
    }
}
