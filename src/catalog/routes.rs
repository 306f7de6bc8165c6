//! The endpoints of the catalogue. Anybody with a credential may read it.

use std::collections::BTreeMap;

use rating::{BillingInterval, Currency, PriceModel, Quantity};
use serde::Serialize;
use utoipa::ToSchema;

use super::rules::{Plan, PlanMetric};
use super::store;
use crate::http::actors::Caller;
use crate::http::reply::Reply;
use crate::http::request::{Filter, NameInPath, NoParameters};
use crate::kernel::error::{Error, Result};
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

/// A plan, in its newest version unless another one is asked for.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Plan)]
pub struct PlanView {
    #[serde(rename = "$type")]
    pub type_name: &'static str,
    pub key: String,
    pub name: String,
    pub version: u32,
    /// Base price of one in the first of `prices`.
    #[schema(example = "199.00")]
    pub price: String,
    pub price_currency: String,
    #[schema(value_type = String, example = "month")]
    pub billing_period: BillingInterval,
    /// By metric; -1 is unlimited.
    #[schema(value_type = BTreeMap<String, QuantityDocument>)]
    pub limits: BTreeMap<String, Quantity>,
    pub rate_limits: RateLimitsView,
    /// The names of its features.
    pub features: Vec<String>,
    /// What usage past the included costs in the first of `prices`' currency, by metric.
    #[schema(value_type = BTreeMap<String, Object>)]
    pub overage_prices: BTreeMap<String, PriceModel>,
}

impl PlanView {
    pub fn new(plan: &Plan) -> Result<Self> {
        let first = plan.prices.first().ok_or_else(|| Error::internal(format!("{} v{} has no price", plan.key, plan.version)))?;
        Self::sold(plan, first.currency, first.interval)
    }

    /// As it is sold in a currency at an interval.
    pub fn sold(plan: &Plan, currency: Currency, interval: BillingInterval) -> Result<Self> {
        let priced = |metric: &PlanMetric| metric.price(currency).map(|price| (metric.metric.clone(), price.clone()));
        Ok(Self {
            type_name: "Plan",
            key: plan.key.clone(),
            name: plan.name.clone(),
            version: plan.version,
            price: plan.base_price(currency, interval, 1)?.to_decimal_string(),
            price_currency: currency.code().to_owned(),
            billing_period: interval,
            limits: plan.limits(),
            rate_limits: RateLimitsView { organization: plan.rate_limits.organization.into(), key: plan.rate_limits.key.into() },
            features: plan.features.iter().map(|feature| feature.name.clone()).collect(),
            overage_prices: plan.metrics.iter().filter_map(priced).collect(),
        })
    }
}

/// List the plans
#[utoipa::path(get, path = "/v1/plans", tag = "catalogue", operation_id = "listPlans",
    responses((status = 200, description = "All plans", body = Page<PlanView>)), security(("organizationKey" = []), ("platformKey" = [])))]
pub async fn list(caller: Caller, _: Filter<NoParameters>) -> Result<Reply> {
    let plans = store::all_newest(&caller.app).await?;
    let open = plans.iter().filter(|plan| plan.organization.is_none());
    Reply::ok(&Page { data: open.map(PlanView::new).collect::<Result<_>>()?, has_more: false, next_cursor: None })
}

/// Read a plan
#[utoipa::path(get, path = "/v1/plans/{key}", tag = "catalogue", operation_id = "getPlan", params(("key" = String, Path, description = "`professional`")),
    responses((status = 200, description = "The plan", body = PlanView)), security(("organizationKey" = []), ("platformKey" = [])))]
pub async fn get(caller: Caller, NameInPath(key): NameInPath) -> Result<Reply> {
    let plan = store::newest(&caller.app, &key).await?.filter(|plan| plan.organization.is_none());
    Reply::ok(&PlanView::new(&plan.ok_or_else(|| Problem::not_found("plan"))?)?)
}
