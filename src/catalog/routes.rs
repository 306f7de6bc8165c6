//! The endpoints of the catalogue. Anybody with a credential may read it.

use std::collections::BTreeMap;

use rating::{PriceModel, Quantity};
use serde::Serialize;
use utoipa::ToSchema;

use super::rules::{Plan, built_in, built_in_plans};
use crate::http::actors::Caller;
use crate::http::reply::Reply;
use crate::http::request::{Filter, NameInPath, NoParameters};
use crate::kernel::error::Result;
use crate::kernel::page::Page;
use crate::kernel::problem::Problem;
use crate::usage::meter::Rate;
use crate::usage::wire::QuantityDocument;

/// Requests a second, and how many at once after a pause.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Rate)]
pub struct RateView {
    pub per_second: u32,
    pub burst: u32,
}

impl From<Rate> for RateView {
    fn from(rate: Rate) -> Self {
        Self { per_second: rate.per_second, burst: rate.burst }
    }
}

/// Requests to usage and quota endpoints: of all keys together, and of a single one.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[schema(as = RateLimits)]
pub struct RateLimitsView {
    pub organization: RateView,
    pub key: RateView,
}

/// A plan, in its newest version.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Plan)]
pub struct PlanView {
    #[serde(rename = "$type")]
    pub type_name: &'static str,
    pub key: &'static str,
    pub name: &'static str,
    pub version: u32,
    /// Base price of a month.
    #[schema(example = "199.00")]
    pub price: String,
    pub price_currency: &'static str,
    pub billing_period: &'static str,
    /// By metric; -1 is unlimited.
    #[schema(value_type = BTreeMap<String, QuantityDocument>)]
    pub limits: BTreeMap<&'static str, Quantity>,
    pub rate_limits: RateLimitsView,
    pub features: &'static [&'static str],
    /// What usage past the limit costs, by metric. A metric that is not here has a hard limit.
    #[schema(value_type = BTreeMap<String, Object>)]
    pub overage_prices: BTreeMap<&'static str, PriceModel>,
}

impl From<Plan> for PlanView {
    fn from(plan: Plan) -> Self {
        Self {
            type_name: "Plan",
            key: plan.key,
            name: plan.name,
            version: plan.version,
            price: plan.price().to_decimal_string(),
            price_currency: plan.currency.code(),
            billing_period: "month",
            limits: plan.limits(),
            rate_limits: RateLimitsView { organization: plan.rate_limits.organization.into(), key: plan.rate_limits.key.into() },
            features: plan.features,
            overage_prices: plan.metrics.into_iter().filter_map(|metric| metric.overage.map(|price| (metric.metric, price))).collect(),
        }
    }
}

/// List the plans
#[utoipa::path(get, path = "/v1/plans", tag = "catalogue", operation_id = "listPlans",
    responses((status = 200, description = "All plans", body = Page<PlanView>)), security(("organizationKey" = []), ("platformKey" = [])))]
pub async fn list(_caller: Caller, _: Filter<NoParameters>) -> Result<Reply> {
    Reply::ok(&Page { data: built_in_plans().into_iter().map(PlanView::from).collect(), has_more: false, next_cursor: None })
}

/// Read a plan
#[utoipa::path(get, path = "/v1/plans/{key}", tag = "catalogue", operation_id = "getPlan", params(("key" = String, Path, description = "`professional`")),
    responses((status = 200, description = "The plan", body = PlanView)), security(("organizationKey" = []), ("platformKey" = [])))]
pub async fn get(_caller: Caller, NameInPath(key): NameInPath) -> Result<Reply> {
    let plan = built_in(&key).ok_or_else(|| Problem::not_found("plan"))?;
    Reply::ok(&PlanView::from(plan))
}
