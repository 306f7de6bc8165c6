//! Plans as the vendor sends them, and the description of prices.

use std::collections::BTreeMap;

use rating::{BillingInterval, PriceModel, ProrationPolicy, Quantity};
use serde::Deserialize;
use utoipa::ToSchema;

use super::offer::{PlanStatus, PlanVisibility};
use super::plan::{BaseTiming, TrialEnding};
use super::price_document::PriceDocument;
use crate::http::money::MoneyInput;
use crate::http::quantity::QuantityDocument;
use crate::kernel::ids::OrganizationId;
use crate::kernel::json::given;
use crate::meter::vocabulary::{Enforcement, MetricKind};

/// A version of a plan to publish.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewPlan {
    /// The key of the plan. Required for a new plan; for a further version it is taken from the path.
    #[schema(example = "growth", min_length = 1, max_length = 64, pattern = "^[a-z][a-z0-9-]{0,63}$")]
    pub key: Option<String>,
    /// The display name.
    #[schema(example = "Growth", min_length = 1, max_length = 200)]
    pub name: String,
    /// A description, in free text.
    #[schema(example = "For teams that grow.", min_length = 1, max_length = 2000)]
    pub description: Option<String>,
    /// Restricts the plan to this organization, as a custom contract. All versions of a plan have the same value. Default: every
    /// organization.
    pub organization: Option<OrganizationId>,
    /// The base prices of a billing period, one for each currency and interval in which the plan is sold.
    #[schema(min_items = 1, max_items = 100)]
    pub prices: Vec<NewPrice>,
    /// When the base price is charged. Default: `in_advance`.
    #[serde(default)]
    #[schema(required = false)]
    pub base_timing: BaseTiming,
    /// The limits and prices of metrics.
    #[serde(default)]
    #[schema(required = false, max_items = 100)]
    pub metrics: Vec<NewPlanMetric>,
    /// The add-ons that can be subscribed to with the plan.
    #[serde(default)]
    #[schema(required = false, max_items = 50)]
    pub add_ons: Vec<NewAddOn>,
    /// The features that the plan includes.
    #[serde(default)]
    #[schema(required = false, max_items = 100)]
    pub features: Vec<NewFeature>,
    /// The rate limits of usage requests. Default: 1,000 requests per second for the organization and 500 for a single key.
    pub rate_limits: Option<NewRateLimits>,
    /// The trial. Default, and with 0 days: no trial.
    pub trial: Option<NewTrial>,
    /// How a change within a period is prorated, unless the change says otherwise. Default: `second`.
    #[schema(value_type = Option<String>, example = "second")]
    pub proration_policy: Option<ProrationPolicy>,
    /// By currency, the amount of usage that is invoiced before its period ends.
    #[serde(default)]
    #[schema(required = false, example = json!({"USD": "500.00"}))]
    pub progressive_billing: BTreeMap<String, MoneyInput>,
    /// By currency, the minimum of base price, add-ons and usage of a month.
    #[serde(default)]
    #[schema(required = false, example = json!({"USD": "100.00"}))]
    pub minimum_commitment: BTreeMap<String, MoneyInput>,
}

/// Changes of the offer of a plan. An absent field keeps its value.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PlanChanges {
    /// Whether the plan can be subscribed to.
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false)]
    pub status: Option<PlanStatus>,
    /// Whether organizations see the plan in the list of plans.
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false)]
    pub visibility: Option<PlanVisibility>,
}

/// The price of a billing period in one currency.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewPrice {
    /// ISO 4217 code of the currency.
    #[schema(example = "USD")]
    pub currency: String,
    /// The billing interval.
    pub interval: Interval,
    /// The price of the subscribed quantity.
    #[schema(value_type = PriceDocument)]
    pub price: PriceModel,
}

/// The billing interval of a price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(example = "month", as = BillingInterval)]
pub enum Interval {
    /// Charged each month.
    Month,
    /// Charged each year.
    Year,
}

impl From<Interval> for BillingInterval {
    fn from(interval: Interval) -> Self {
        match interval {
            Interval::Month => Self::Month,
            Interval::Year => Self::Year,
        }
    }
}

/// The limit and the prices of one metric in a plan.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewPlanMetric {
    /// The key of the metric; see `GET /v1/metrics`.
    #[schema(example = "apiCalls")]
    pub metric: String,
    /// The kind of the metric, to verify that it is the expected one.
    pub kind: Option<MetricKind>,
    /// The limit per month in units of the metric; absent or -1 for unlimited.
    #[schema(value_type = Option<QuantityDocument>, example = 250_000)]
    pub limit: Option<Quantity>,
    /// The usage that the base price includes, in units of the metric. Default: the limit, or 0 when unlimited.
    #[schema(value_type = Option<QuantityDocument>, example = 50_000)]
    pub included: Option<Quantity>,
    /// Whether usage past the limit is refused. Default: `hard`.
    #[serde(default)]
    #[schema(required = false)]
    pub enforcement: Enforcement,
    /// The name of one unit on invoices. Default: the metric's unit.
    #[schema(example = "API calls", min_length = 1, max_length = 60)]
    pub unit: Option<String>,
    /// By currency, the price of usage past the included amount. In every currency of the plan, or in none.
    #[serde(default)]
    #[schema(required = false, value_type = BTreeMap<String, PriceDocument>,
        example = json!({"USD": {"model": "per_unit", "unitAmount": "0.002"}}))]
    pub prices: BTreeMap<String, PriceModel>,
}

/// An add-on: sold on top of the plan, in a quantity of its own.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewAddOn {
    /// The key of the add-on.
    #[schema(example = "extra-calls", min_length = 1, max_length = 64, pattern = "^[a-z][a-z0-9-]{0,63}$")]
    pub key: String,
    /// The display name.
    #[schema(example = "Extra calls", min_length = 1, max_length = 200)]
    pub name: String,
    /// The prices, in currencies and intervals in which the plan is sold.
    #[schema(min_items = 1, max_items = 100)]
    pub prices: Vec<NewPrice>,
    /// By metric, the amount by which one unit of the add-on raises the limit and the included usage.
    #[serde(default)]
    #[schema(example = json!({"users": 5}), required = false, value_type = BTreeMap<String, QuantityDocument>)]
    pub limits: BTreeMap<String, Quantity>,
    /// The features that the add-on includes.
    #[serde(default)]
    #[schema(required = false, max_items = 100)]
    pub features: Vec<NewFeature>,
}

/// A feature of a plan or an add-on.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewFeature {
    /// The key of the feature.
    #[schema(example = "sso", min_length = 1, max_length = 64, pattern = "^[a-zA-Z][a-zA-Z0-9_.-]{0,63}$")]
    pub key: String,
    /// The display name.
    #[schema(example = "Single sign-on", min_length = 1, max_length = 200)]
    pub name: String,
    /// The type of the feature.
    #[serde(rename = "type")]
    pub kind: FeatureType,
    /// The value: `true` or `false` of a boolean feature (default: `true`), a text of a static one. Not allowed for a metered feature.
    pub value: Option<FeatureValue>,
    /// The key of the metric whose limit applies; required for a metered feature, and only allowed for it.
    #[schema(example = "apiCalls")]
    pub metric: Option<String>,
}

/// The type of a feature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, serde::Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(example = "boolean")]
pub enum FeatureType {
    /// Included or not.
    Boolean,
    /// A text that your code reads, such as the level of support.
    Static,
    /// Limited by a metric's limit.
    Metered,
}

/// `true`, `false` or a text.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, serde::Serialize, ToSchema)]
#[serde(untagged)]
#[schema(example = true)]
pub enum FeatureValue {
    /// Of a boolean feature.
    Truth(bool),
    /// Of a static feature.
    Text(String),
}

/// The trial of a plan.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewTrial {
    /// The length of the trial in days of the organization's time zone; 0 for no trial.
    #[schema(example = 14, minimum = 0, maximum = 730)]
    pub days: u32,
    /// What happens at the end of the trial. Default: `convert`.
    #[serde(default)]
    #[schema(required = false)]
    pub ending: TrialEnding,
}

/// The rate limits of usage and quota requests.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRateLimits {
    /// The rate of all requests of the organization.
    pub organization: NewRate,
    /// The rate of the requests with a single key.
    pub key: NewRate,
}

/// A rate limit: a token bucket.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewRate {
    /// Requests per second.
    #[schema(example = 1_000, minimum = 1, maximum = 1_000_000)]
    pub per_second: u32,
    /// The number of requests at once after a pause.
    #[schema(example = 10_000, minimum = 1, maximum = 10_000_000)]
    pub burst: u32,
}
