//! Plans as clients read them.

use std::collections::BTreeMap;

use rating::{BillingInterval, Currency, Money, PriceModel, ProrationPolicy, Quantity};
use serde::Serialize;
use utoipa::ToSchema;

use super::features::kind;
use super::offer::{Offer, PlanStatus, PlanVisibility};
use super::plan::{AddOn, BaseTiming, Entitlement, Feature, Plan, PlanMetric, PlanPrice, TrialEnding};
use super::price_document::PriceDocument;
use super::wire::{FeatureType, FeatureValue};
use crate::http::money::MoneyView;
use crate::http::quantity::QuantityDocument;
use crate::kernel::error::{Error, OrInternal, Result};
use crate::kernel::ids::OrganizationId;
use crate::kernel::time::Timestamp;
use crate::meter::vocabulary::{Enforcement, MetricKind, Rate};

/// A rate limit: a token bucket.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Rate)]
pub struct RateView {
    /// Requests per second.
    #[schema(example = 1000)]
    pub per_second: u32,
    /// The number of requests at once after a pause.
    #[schema(example = 10000)]
    pub burst: u32,
}

impl From<Rate> for RateView {
    fn from(rate: Rate) -> Self {
        Self { per_second: rate.per_second, burst: rate.burst }
    }
}

/// The rate limits of usage and quota requests.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[schema(as = RateLimits)]
pub struct RateLimitsView {
    /// The rate of all requests of the organization.
    pub organization: RateView,
    /// The rate of the requests with a single key.
    pub key: RateView,
}

/// A version of a plan; the newest unless another one is requested.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Plan)]
pub struct PlanView {
    /// The type of the resource.
    #[serde(rename = "$type")]
    #[schema(example = "Plan")]
    pub type_name: &'static str,
    /// The key of the plan.
    #[schema(example = "professional")]
    pub key: String,
    /// The display name.
    #[schema(example = "Professional")]
    pub name: String,
    /// A description, in free text; null when there is none.
    #[schema(example = "For teams that grow.")]
    pub description: Option<String>,
    /// The version of the plan.
    #[schema(example = 1)]
    pub version: u32,
    /// The base price for a quantity of 1 in the first entry of `prices`, in major units.
    #[schema(example = "199.00")]
    pub price: String,
    /// ISO 4217 code of the currency of `price`.
    #[schema(example = "USD")]
    pub price_currency: String,
    /// The billing interval of `price`: `month` or `year`.
    #[schema(value_type = String, example = "month")]
    pub billing_period: BillingInterval,
    /// The limits by metric, in units of the metric; -1 when unlimited.
    #[schema(example = json!({"apiCalls": 100_000, "users": 25}), value_type = BTreeMap<String, QuantityDocument>)]
    pub limits: BTreeMap<String, Quantity>,
    /// The rate limits of usage requests.
    pub rate_limits: RateLimitsView,
    /// The display names of the features.
    #[schema(example = json!(["Priority support", "SSO/SAML"]))]
    pub features: Vec<String>,
    /// By metric, the price of usage past the included amount, in the currency of `price`.
    #[schema(example = json!({"apiCalls": {"model": "per_unit", "unitAmount": "0.002"}}), value_type = BTreeMap<String, PriceDocument>)]
    pub overage_prices: BTreeMap<String, PriceModel>,
    /// The base prices of a billing period, one for each currency and interval in which the plan is sold.
    pub prices: Vec<PlanPriceView>,
    /// When the base price is charged.
    pub base_timing: BaseTiming,
    /// The limits and prices of metrics.
    pub metrics: Vec<PlanMetricView>,
    /// The add-ons that can be subscribed to with the plan.
    pub add_ons: Vec<AddOnView>,
    /// The features with their types and values.
    pub entitlements: Vec<FeatureView>,
    /// The trial.
    pub trial: TrialView,
    /// How a change within a period is prorated, unless the change says otherwise.
    #[schema(value_type = String, example = "second")]
    pub proration_policy: ProrationPolicy,
    /// By currency, the minimum of base price, add-ons and usage of a month.
    #[schema(example = json!({"USD": {"$type": "PriceSpecification", "price": "100.00", "priceCurrency": "USD", "amountMinor": 10000}}))]
    pub minimum_commitment: BTreeMap<String, MoneyView>,
    /// By currency, the amount of usage that is invoiced before its period ends.
    #[schema(example = json!({"USD": {"$type": "PriceSpecification", "price": "500.00", "priceCurrency": "USD", "amountMinor": 50000}}))]
    pub progressive_billing: BTreeMap<String, MoneyView>,
    /// The organization that the plan is restricted to, as a custom contract; null when it is open to every organization.
    pub organization: Option<OrganizationId>,
    /// When the version was published; null when it is built in.
    pub published_at: Option<Timestamp>,
}

/// A version of a plan in the catalogue, with the offer of the plan.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = CataloguePlan)]
pub struct CataloguePlanView {
    /// The version of the plan.
    #[serde(flatten)]
    pub plan: PlanView,
    /// Whether the plan can be subscribed to.
    pub status: PlanStatus,
    /// Whether organizations see the plan in the list of plans.
    pub visibility: PlanVisibility,
}

impl CataloguePlanView {
    pub fn new(plan: &Plan, offer: Offer) -> Result<Self> {
        Ok(Self { plan: PlanView::new(plan)?, status: offer.status, visibility: offer.visibility })
    }
}

/// The price of a billing period in one currency.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = PlanPrice)]
pub struct PlanPriceView {
    /// ISO 4217 code of the currency.
    #[schema(value_type = String, example = "USD")]
    pub currency: Currency,
    /// The billing interval: `month` or `year`.
    #[schema(value_type = String, example = "month")]
    pub interval: BillingInterval,
    /// The price of the subscribed quantity.
    #[schema(value_type = PriceDocument)]
    pub price: PriceModel,
}

/// The limit and the prices of one metric in a plan.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PlanMetric)]
pub struct PlanMetricView {
    /// The key of the metric.
    #[schema(example = "apiCalls")]
    pub metric: String,
    /// Whether the count starts at 0 each period.
    pub kind: MetricKind,
    /// The name of one unit on invoices.
    #[schema(example = "API calls")]
    pub unit: String,
    /// The limit per month in units of the metric; -1 when unlimited.
    #[schema(value_type = QuantityDocument)]
    pub limit: Quantity,
    /// The usage that the base price includes, in units of the metric.
    #[schema(value_type = QuantityDocument)]
    pub included: Quantity,
    /// Whether usage past the limit is refused.
    pub enforcement: Enforcement,
    /// By currency, the price of usage past the included amount.
    #[schema(example = json!({"USD": {"model": "per_unit", "unitAmount": "0.002"}}), value_type = BTreeMap<String, PriceDocument>)]
    pub prices: BTreeMap<String, PriceModel>,
}

/// An add-on: sold on top of the plan, in a quantity of its own.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = AddOn)]
pub struct AddOnView {
    /// The key of the add-on.
    #[schema(example = "extra-users")]
    pub key: String,
    /// The display name.
    #[schema(example = "Five more users")]
    pub name: String,
    /// The prices, by currency and interval.
    pub prices: Vec<PlanPriceView>,
    /// By metric, the amount by which one unit of the add-on raises the limit and the included usage.
    #[schema(example = json!({"users": 5}), value_type = BTreeMap<String, QuantityDocument>)]
    pub limits: BTreeMap<String, Quantity>,
    /// The features that the add-on includes.
    pub features: Vec<FeatureView>,
}

/// A feature of a plan or an add-on.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Feature)]
pub struct FeatureView {
    /// The key of the feature.
    #[schema(example = "sso")]
    pub key: String,
    /// The display name.
    #[schema(example = "Single sign-on")]
    pub name: String,
    /// The type of the feature.
    #[serde(rename = "type")]
    pub kind: FeatureType,
    /// The value of a boolean or static feature; null of a metered one.
    pub value: Option<FeatureValue>,
    /// The key of the metric whose limit applies; null unless the feature is metered.
    #[schema(example = "apiCalls")]
    pub metric: Option<String>,
}

/// The trial of a plan.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[schema(as = Trial)]
pub struct TrialView {
    /// The length of the trial in days; 0 when there is none.
    #[schema(example = 14)]
    pub days: u32,
    /// What happens at the end of the trial.
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
