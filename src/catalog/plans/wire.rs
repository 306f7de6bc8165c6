//! Plans as the vendor writes them, and prices as everybody reads and writes them.

use std::collections::BTreeMap;

use rating::{BillingInterval, PriceModel, ProrationPolicy, Quantity};
use serde::Deserialize;
use utoipa::ToSchema;

use super::rules::{BaseTiming, TrialEnding};
use crate::http::money::MoneyInput;
use crate::http::quantity::QuantityDocument;
use crate::kernel::ids::OrganizationId;
use crate::meter::contract::{Enforcement, MetricKind};

/// A version of a plan, to be published.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewPlan {
    /// Of a new plan, required. Of a further version it is the path's and may be left out.
    #[schema(example = "growth", min_length = 1, max_length = 64, pattern = "^[a-z][a-z0-9-]{0,63}$")]
    pub key: Option<String>,
    #[schema(example = "Growth", min_length = 1, max_length = 200)]
    pub name: String,
    #[schema(min_length = 1, max_length = 2000)]
    pub description: Option<String>,
    /// A custom contract: only this organization sees the plan and may take it. All versions of a plan are of one organization, or
    /// everybody's.
    pub organization: Option<OrganizationId>,
    /// The base price of a billing period, for each currency and interval in which the plan is sold.
    #[schema(min_items = 1, max_items = 100)]
    pub prices: Vec<NewPrice>,
    /// `in_advance` when absent.
    #[serde(default)]
    #[schema(required = false)]
    pub base_timing: BaseTiming,
    #[serde(default)]
    #[schema(required = false, max_items = 100)]
    pub metrics: Vec<NewPlanMetric>,
    #[serde(default)]
    #[schema(required = false, max_items = 50)]
    pub add_ons: Vec<NewAddOn>,
    #[serde(default)]
    #[schema(required = false, max_items = 100)]
    pub features: Vec<NewFeature>,
    /// 1,000 requests a second of the organization and 500 of one key when absent.
    pub rate_limits: Option<NewRateLimits>,
    /// The trial of the plan. Without it, or with 0 days, there is no trial.
    pub trial: Option<NewTrial>,
    /// How a change in the middle of a period is prorated, unless the change says otherwise. `second` when absent.
    #[schema(value_type = Option<String>, example = "second")]
    pub proration_policy: Option<ProrationPolicy>,
    /// By currency: usage that comes to this much is invoiced before its period ends.
    #[serde(default)]
    #[schema(required = false)]
    pub progressive_billing: BTreeMap<String, MoneyInput>,
    /// By currency: what base price, add-ons and usage of a month come to at least.
    #[serde(default)]
    #[schema(required = false)]
    pub minimum_commitment: BTreeMap<String, MoneyInput>,
}

/// What a billing period costs in one currency.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewPrice {
    #[schema(example = "USD")]
    pub currency: String,
    pub interval: Interval,
    /// Priced at the quantity that is subscribed to.
    #[schema(value_type = PriceDocument)]
    pub price: PriceModel,
}

/// How often a price is charged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = BillingInterval)]
pub enum Interval {
    Month,
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

/// What a plan says of one metric.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewPlanMetric {
    /// One of `GET /v1/metrics`.
    #[schema(example = "apiCalls")]
    pub metric: String,
    /// As the metric was defined; to be sure of it.
    pub kind: Option<MetricKind>,
    /// What is admitted in a month. Unlimited when absent or -1.
    #[schema(value_type = Option<QuantityDocument>, example = 250_000)]
    pub limit: Option<Quantity>,
    /// What the base price includes: usage up to here costs nothing. The limit when absent, 0 where there is none.
    #[schema(value_type = Option<QuantityDocument>, example = 50_000)]
    pub included: Option<Quantity>,
    /// `hard` when absent.
    #[serde(default)]
    #[schema(required = false)]
    pub enforcement: Enforcement,
    /// What one unit is called on an invoice; as the metric was defined when absent.
    #[schema(example = "API calls", min_length = 1, max_length = 60)]
    pub unit: Option<String>,
    /// By currency, the price of what goes past the included. In all currencies of the plan, or in none.
    #[serde(default)]
    #[schema(required = false, value_type = BTreeMap<String, PriceDocument>)]
    pub prices: BTreeMap<String, PriceModel>,
}

/// Something sold on top of the plan, in a quantity of its own.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewAddOn {
    #[schema(example = "extra-calls", min_length = 1, max_length = 64, pattern = "^[a-z][a-z0-9-]{0,63}$")]
    pub key: String,
    #[schema(example = "Extra calls", min_length = 1, max_length = 200)]
    pub name: String,
    /// In currencies and intervals in which the plan is sold.
    #[schema(min_items = 1, max_items = 100)]
    pub prices: Vec<NewPrice>,
    /// By metric, how much one of it raises the limit and what is included.
    #[serde(default)]
    #[schema(required = false, value_type = BTreeMap<String, QuantityDocument>)]
    pub limits: BTreeMap<String, Quantity>,
    /// What it brings along.
    #[serde(default)]
    #[schema(required = false, max_items = 100)]
    pub features: Vec<NewFeature>,
}

/// What a plan entitles to beside quantities.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewFeature {
    #[schema(example = "sso", min_length = 1, max_length = 64, pattern = "^[a-zA-Z][a-zA-Z0-9_.-]{0,63}$")]
    pub key: String,
    #[schema(example = "Single sign-on", min_length = 1, max_length = 200)]
    pub name: String,
    #[serde(rename = "type")]
    pub kind: FeatureType,
    /// Of a boolean one: whether it is there, true when absent. Of a static one: its text.
    pub value: Option<FeatureValue>,
    /// Of a metered one: the metric whose limit counts.
    pub metric: Option<String>,
}

/// The three kinds of entitlement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, serde::Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FeatureType {
    /// It is there, or not.
    Boolean,
    /// A text that your code reads, such as the level of support.
    Static,
    /// As much as a metric's limit allows.
    Metered,
}

/// `true`, `false` or a text.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, serde::Serialize, ToSchema)]
#[serde(untagged)]
pub enum FeatureValue {
    Truth(bool),
    Text(String),
}

/// How long the plan can be tried.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewTrial {
    /// The number of local days that the trial lasts; 0 for no trial.
    #[schema(example = 14, minimum = 0, maximum = 730)]
    pub days: u32,
    /// What happens when the trial ends; `convert` when absent.
    #[serde(default)]
    #[schema(required = false)]
    pub ending: TrialEnding,
}

/// Requests to usage and quota endpoints: of all keys together, and of a single one.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRateLimits {
    pub organization: NewRate,
    pub key: NewRate,
}

/// Requests a second, and how many at once after a pause.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewRate {
    #[schema(example = 1_000, minimum = 1, maximum = 1_000_000)]
    pub per_second: u32,
    #[schema(example = 10_000, minimum = 1, maximum = 10_000_000)]
    pub burst: u32,
}

/// How a usage is charged. Amounts are decimals in texts, in major units; each `model` has its own fields:
///
/// - `flat`: `amount`, whatever was used.
/// - `per_unit`: `unitAmount` for each unit past `freeUnits`.
/// - `graduated`: each unit at the price of the tier in which it lies. `volume`: all units at the price of the tier that the last one
///   reaches. `tiers` ascend by `upTo`, inclusive; the last one has none.
/// - `package`: `amount` for each `packageSize` units; a started one is charged whole, or with `rounding` `down` not at all.
/// - `percentage`: `rate` percent of each event, plus `fixedAmount`, between `minimumPerEvent` and `maximumPerEvent`, past `freeEvents`
///   and `freeValue`. For estimates only: a plan's usage is priced by its count.
/// - `graduated_percentage`: each part of the value at the `rate` of its tier.
/// - `dynamic`: what is counted is a cost; `multiplier` times it is charged.
///
/// With any of them, `minimumAmount` and `maximumAmount` bound what it comes to.
#[derive(ToSchema)]
#[schema(as = PriceModel, example = json!({"model": "graduated", "tiers": [{"upTo": "1000", "unitAmount": "0.01", "flatAmount": "0"}, {"upTo": null, "unitAmount": "0.005"}]}), rename_all = "camelCase")]
#[allow(dead_code, reason = "describes rating's PriceModel, which knows no OpenAPI")]
pub struct PriceDocument {
    model: PriceKind,
    #[schema(required = false, example = "49")]
    amount: Option<String>,
    #[schema(required = false, example = "0.005")]
    unit_amount: Option<String>,
    #[schema(required = false, value_type = Option<QuantityDocument>)]
    free_units: Option<Quantity>,
    #[schema(required = false)]
    tiers: Option<Vec<TierDocument>>,
    #[schema(required = false, value_type = Option<QuantityDocument>)]
    package_size: Option<Quantity>,
    /// `up` when absent.
    #[schema(required = false, example = "up")]
    rounding: Option<String>,
    #[schema(required = false, example = "1.5")]
    rate: Option<String>,
    #[schema(required = false, example = "0.10")]
    fixed_amount: Option<String>,
    #[schema(required = false)]
    free_events: Option<u64>,
    #[schema(required = false, value_type = Option<QuantityDocument>)]
    free_value: Option<Quantity>,
    #[schema(required = false)]
    minimum_per_event: Option<String>,
    #[schema(required = false)]
    maximum_per_event: Option<String>,
    #[schema(required = false, example = "1.2")]
    multiplier: Option<String>,
    #[schema(required = false)]
    minimum_amount: Option<String>,
    #[schema(required = false)]
    maximum_amount: Option<String>,
}

/// The kinds of price.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[allow(dead_code, reason = "describes rating's PriceModel, which knows no OpenAPI")]
enum PriceKind {
    Flat,
    PerUnit,
    Graduated,
    Volume,
    Package,
    Percentage,
    GraduatedPercentage,
    Dynamic,
}

/// A range of units with a price of its own. It starts where the tier before it ends.
#[derive(ToSchema)]
#[schema(as = Tier, rename_all = "camelCase")]
#[allow(dead_code, reason = "describes rating's tiers, which know no OpenAPI")]
struct TierDocument {
    /// The last unit of the tier; null for the last tier.
    #[schema(value_type = Option<QuantityDocument>)]
    up_to: Option<Quantity>,
    #[schema(required = false, example = "0.01")]
    unit_amount: Option<String>,
    /// Charged once when the tier is reached.
    #[schema(required = false, example = "0")]
    flat_amount: Option<String>,
    /// The tier's units are sold in packages of this size.
    #[schema(required = false, value_type = Option<QuantityDocument>)]
    package_size: Option<Quantity>,
    /// Of `graduated_percentage`: percent of the value in the tier.
    #[schema(required = false, example = "2.5")]
    rate: Option<String>,
}
