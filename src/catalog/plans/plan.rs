//! A version of a plan, with its prices, metrics, add-ons and features. The built-in ones are in `built_in.rs`.

use std::collections::BTreeMap;

use rating::{BillingInterval, Currency, Decimal, Money, PriceModel, ProrationPolicy, Quantity, Usage};
use serde::{Deserialize, Serialize};

use crate::kernel::error::{Error, OrInternal, Result};
use crate::kernel::ids::OrganizationId;
use crate::kernel::time::Timestamp;
use crate::meter::vocabulary::{Aggregation, Enforcement, MetricKind, RateLimits};

/// One version of a plan. Once published it never changes; subscriptions pin one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    pub key: String,
    pub version: u32,
    pub name: String,
    pub description: Option<String>,
    /// A custom contract: only this organization sees the plan and may subscribe to it.
    pub organization: Option<OrganizationId>,
    /// The base price of a billing period, for each currency and interval in which the plan is sold.
    pub prices: Vec<PlanPrice>,
    pub base_timing: BaseTiming,
    pub metrics: Vec<PlanMetric>,
    pub add_ons: Vec<AddOn>,
    pub features: Vec<Feature>,
    /// Requests of the hot path that an organization and one of its keys may send.
    pub rate_limits: RateLimits,
    pub trial: Trial,
    /// How a change in the middle of a period is prorated, unless the change says otherwise.
    pub proration_policy: ProrationPolicy,
    /// By currency, the amount of usage, in minor units, that is invoiced before its period ends.
    pub progressive_billing: BTreeMap<String, i64>,
    /// By currency, the minimum of base price, add-ons and usage of a usage period, in major units.
    pub minimum_commitment: BTreeMap<String, Decimal>,
    /// None: built in.
    pub published_at: Option<Timestamp>,
}

/// What a billing period costs in one currency, priced at the quantity that is subscribed to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlanPrice {
    pub currency: Currency,
    pub interval: BillingInterval,
    pub price: PriceModel,
}

/// When the base price of a period is charged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(example = "in_advance")]
pub enum BaseTiming {
    /// At the period's start.
    #[default]
    InAdvance,
    /// At the period's end.
    InArrears,
}

/// The limit and the prices of one metric in a plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlanMetric {
    pub metric: String,
    /// How it is counted: as the metric was defined, which never changes.
    pub kind: MetricKind,
    pub aggregation: Aggregation,
    pub unique_property: Option<String>,
    /// What one unit is called on an invoice.
    pub unit: String,
    /// The limit of a usage period; None when unlimited.
    pub limit: Option<Quantity>,
    pub enforcement: Enforcement,
    /// The usage that the base price includes.
    pub included: Quantity,
    /// By currency, the price of usage past the included amount; none where it is free or not admitted.
    pub prices: BTreeMap<String, PriceModel>,
}

/// Something sold on top of a plan, in a quantity of its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AddOn {
    pub key: String,
    pub name: String,
    pub prices: Vec<PlanPrice>,
    /// How much one of it raises the limit and the included amount of a metric.
    pub limits: BTreeMap<String, Quantity>,
    /// Features that it includes.
    pub features: Vec<Feature>,
}

/// A feature of a plan or an add-on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Feature {
    pub key: String,
    pub name: String,
    #[serde(flatten)]
    pub entitlement: Entitlement,
}

/// The three kinds of entitlement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum Entitlement {
    /// Included or not.
    Boolean { value: bool },
    /// A value that the vendor's code reads, such as the level of support.
    Static { value: String },
    /// Limited by a metric's limit.
    Metered { metric: String },
}

/// How long a plan can be tried, and what the end of the trial does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Trial {
    /// Local days; 0 when there is no trial.
    pub days: u32,
    pub ending: TrialEnding,
}

/// What happens at the end of a trial.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(example = "convert")]
pub enum TrialEnding {
    /// The first paid period begins, and its invoice asks for payment.
    #[default]
    Convert,
    /// Converts with a payment method; without one the subscription expires.
    ExpireWithoutPaymentMethod,
}

impl Plan {
    /// The base price in a currency at an interval; None where the plan is not sold so.
    pub fn price(&self, currency: Currency, interval: BillingInterval) -> Option<&PriceModel> {
        price_in(&self.prices, currency, interval)
    }

    /// The base price of a billing period for a quantity.
    pub fn base_price(&self, currency: Currency, interval: BillingInterval, quantity: u32) -> Result<Money> {
        let price = self.price(currency, interval).ok_or_else(|| {
            Error::internal(format!("{} v{} is not sold in {} by the {}", self.key, self.version, currency.code(), interval.name()))
        })?;
        price_of(price, Quantity::from(quantity), currency)
    }

    pub fn metric(&self, name: &str) -> Option<&PlanMetric> {
        self.metrics.iter().find(|metric| metric.metric == name)
    }

    pub fn add_on(&self, key: &str) -> Option<&AddOn> {
        self.add_ons.iter().find(|add_on| add_on.key == key)
    }

    /// Limits as clients read them: -1 is unlimited.
    pub fn limits(&self) -> BTreeMap<String, Quantity> {
        self.metrics.iter().map(|metric| (metric.metric.clone(), metric.limit.unwrap_or_else(|| Quantity::from(-1)))).collect()
    }

    /// Whether `organization` may see it and subscribe to it.
    pub fn is_open_to(&self, organization: OrganizationId) -> bool {
        self.organization.is_none_or(|only| only == organization)
    }
}

impl AddOn {
    pub fn price(&self, currency: Currency, interval: BillingInterval) -> Option<&PriceModel> {
        price_in(&self.prices, currency, interval)
    }
}

impl PlanMetric {
    pub fn price(&self, currency: Currency) -> Option<&PriceModel> {
        self.prices.get(currency.code())
    }
}

/// The price of a quantity. Published prices are validated, so an error is internal.
pub fn price_of(price: &PriceModel, quantity: Quantity, currency: Currency) -> Result<Money> {
    let lines = rating::price(price, &Usage::Total(quantity), currency).or_internal()?;
    rating::total(&lines, currency).or_internal()
}

fn price_in(prices: &[PlanPrice], currency: Currency, interval: BillingInterval) -> Option<&PriceModel> {
    prices.iter().find(|price| price.currency == currency && price.interval == interval).map(|price| &price.price)
}
