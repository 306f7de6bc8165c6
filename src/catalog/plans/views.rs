//! Plans as everybody reads them.

use std::collections::BTreeMap;

use rating::{BillingInterval, Currency, Money, PriceModel, ProrationPolicy, Quantity};
use serde::Serialize;
use utoipa::ToSchema;

use super::features::kind;
use super::plan::{AddOn, BaseTiming, Entitlement, Feature, Plan, PlanMetric, PlanPrice, TrialEnding};
use super::wire::{FeatureType, FeatureValue, PriceDocument};
use crate::http::money::MoneyView;
use crate::http::quantity::QuantityDocument;
use crate::kernel::error::{Error, OrInternal, Result};
use crate::kernel::ids::OrganizationId;
use crate::kernel::time::Timestamp;
use crate::meter::vocabulary::{Enforcement, MetricKind, Rate};

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
    pub description: Option<String>,
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
    #[schema(value_type = BTreeMap<String, PriceDocument>)]
    pub overage_prices: BTreeMap<String, PriceModel>,
    /// The base price of a billing period, for each currency and interval in which the plan is sold.
    pub prices: Vec<PlanPriceView>,
    pub base_timing: BaseTiming,
    pub metrics: Vec<PlanMetricView>,
    pub add_ons: Vec<AddOnView>,
    /// Its features with their types.
    pub entitlements: Vec<FeatureView>,
    pub trial: TrialView,
    #[schema(value_type = String, example = "second")]
    pub proration_policy: ProrationPolicy,
    /// By currency: what base price, add-ons and usage of a month come to at least.
    pub minimum_commitment: BTreeMap<String, MoneyView>,
    /// By currency: usage that comes to this much is invoiced before its period ends.
    pub progressive_billing: BTreeMap<String, MoneyView>,
    /// A custom contract is this organization's only; null is everybody's.
    pub organization: Option<OrganizationId>,
    /// Null when built in.
    pub published_at: Option<Timestamp>,
}

/// What a billing period costs in one currency.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = PlanPrice)]
pub struct PlanPriceView {
    #[schema(value_type = String, example = "USD")]
    pub currency: Currency,
    #[schema(value_type = String, example = "month")]
    pub interval: BillingInterval,
    #[schema(value_type = PriceDocument)]
    pub price: PriceModel,
}

/// What a plan says of one metric.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PlanMetric)]
pub struct PlanMetricView {
    pub metric: String,
    pub kind: MetricKind,
    pub unit: String,
    /// -1 is unlimited.
    #[schema(value_type = QuantityDocument)]
    pub limit: Quantity,
    #[schema(value_type = QuantityDocument)]
    pub included: Quantity,
    pub enforcement: Enforcement,
    /// By currency, the price of what goes past the included.
    #[schema(value_type = BTreeMap<String, PriceDocument>)]
    pub prices: BTreeMap<String, PriceModel>,
}

/// Something sold on top of the plan, in a quantity of its own.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = AddOn)]
pub struct AddOnView {
    pub key: String,
    pub name: String,
    pub prices: Vec<PlanPriceView>,
    /// By metric, how much one of it raises the limit and what is included.
    #[schema(value_type = BTreeMap<String, QuantityDocument>)]
    pub limits: BTreeMap<String, Quantity>,
    pub features: Vec<FeatureView>,
}

/// What a plan entitles to beside quantities.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Feature)]
pub struct FeatureView {
    pub key: String,
    pub name: String,
    #[serde(rename = "type")]
    pub kind: FeatureType,
    /// Null when metered.
    pub value: Option<FeatureValue>,
    /// Of a metered one: whose limit counts.
    pub metric: Option<String>,
}

/// How long a plan can be tried, and what the end of the trial does.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[schema(as = Trial)]
pub struct TrialView {
    /// 0 when there is none.
    pub days: u32,
    pub ending: TrialEnding,
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
            description: plan.description.clone(),
            version: plan.version,
            price: plan.base_price(currency, interval, 1)?.to_decimal_string(),
            price_currency: currency.code().to_owned(),
            billing_period: interval,
            limits: plan.limits(),
            rate_limits: RateLimitsView { organization: plan.rate_limits.organization.into(), key: plan.rate_limits.key.into() },
            features: plan.features.iter().map(|feature| feature.name.clone()).collect(),
            overage_prices: plan.metrics.iter().filter_map(priced).collect(),
            prices: plan.prices.iter().map(PlanPriceView::from).collect(),
            base_timing: plan.base_timing,
            metrics: plan.metrics.iter().map(PlanMetricView::from).collect(),
            add_ons: plan.add_ons.iter().map(AddOnView::from).collect(),
            entitlements: plan.features.iter().map(FeatureView::from).collect(),
            trial: TrialView { days: plan.trial.days, ending: plan.trial.ending },
            proration_policy: plan.proration_policy,
            minimum_commitment: in_each(plan.minimum_commitment.iter(), |amount, currency| {
                Money::round(&amount.to_exact(), currency).or_internal()
            })?,
            progressive_billing: in_each(plan.progressive_billing.iter(), |minor, currency| Ok(Money::new(*minor, currency)))?,
            organization: plan.organization,
            published_at: plan.published_at,
        })
    }
}

fn in_each<'a, T: 'a>(
    amounts: impl Iterator<Item = (&'a String, &'a T)>,
    money: impl Fn(&T, Currency) -> Result<Money>,
) -> Result<BTreeMap<String, MoneyView>> {
    let shown = amounts.map(|(code, amount)| {
        let currency = Currency::parse(code).or_internal()?;
        Ok((code.clone(), money(amount, currency)?.into()))
    });
    shown.collect()
}

impl From<&PlanPrice> for PlanPriceView {
    fn from(price: &PlanPrice) -> Self {
        Self { currency: price.currency, interval: price.interval, price: price.price.clone() }
    }
}

impl From<&PlanMetric> for PlanMetricView {
    fn from(metric: &PlanMetric) -> Self {
        Self {
            metric: metric.metric.clone(),
            kind: metric.kind,
            unit: metric.unit.clone(),
            limit: metric.limit.unwrap_or_else(|| Quantity::from(-1)),
            included: metric.included,
            enforcement: metric.enforcement,
            prices: metric.prices.clone(),
        }
    }
}

impl From<&AddOn> for AddOnView {
    fn from(add_on: &AddOn) -> Self {
        Self {
            key: add_on.key.clone(),
            name: add_on.name.clone(),
            prices: add_on.prices.iter().map(PlanPriceView::from).collect(),
            limits: add_on.limits.clone(),
            features: add_on.features.iter().map(FeatureView::from).collect(),
        }
    }
}

impl From<&Feature> for FeatureView {
    fn from(feature: &Feature) -> Self {
        let (value, metric) = match &feature.entitlement {
            Entitlement::Boolean { value } => (Some(FeatureValue::Truth(*value)), None),
            Entitlement::Static { value } => (Some(FeatureValue::Text(value.clone())), None),
            Entitlement::Metered { metric } => (None, Some(metric.clone())),
        };
        Self { key: feature.key.clone(), name: feature.name.clone(), kind: kind(&feature.entitlement), value, metric }
    }
}
