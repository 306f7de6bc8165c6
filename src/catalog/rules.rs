//! Plans, and the three built-in ones.

use rating::{Charge, Decimal, PackageRounding, PriceModel, Quantity};

use crate::usage::meter::{MetricKind, Rate, RateLimits};

/// What a plan says of one metric.
#[derive(Clone, Debug, PartialEq)]
pub struct PlanMetric {
    pub metric: &'static str,
    pub kind: MetricKind,
    /// What the base price includes; None when unlimited.
    pub limit: Option<Quantity>,
    /// The price of what goes past the limit; None for a hard limit.
    pub overage: Option<PriceModel>,
    /// What one unit is called on an invoice.
    pub unit: &'static str,
}

/// One version of a plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    pub key: &'static str,
    pub version: u32,
    pub name: &'static str,
    /// Base price of a month, in minor units of `currency`.
    pub price_minor: i64,
    pub currency: rating::Currency,
    pub metrics: Vec<PlanMetric>,
    /// Requests of the hot path that an organization and one of its keys may send.
    pub rate_limits: RateLimits,
    pub features: &'static [&'static str],
}

/// The metrics every plan speaks of.
pub const API_CALLS: &str = "apiCalls";
pub const USERS: &str = "users";
pub const PROJECTS: &str = "projects";
pub const STORAGE: &str = "storage";

/// The plans that come with the product, in ascending order.
pub fn built_in_plans() -> Vec<Plan> {
    vec![
        plan(
            "starter",
            "Starter",
            4_900,
            [Some(5), Some(10), Some(10), Some(10_000)],
            (5_000, 500_000),
            per_second(1_000),
            &["Basic support", "Email notifications", "API access"],
        ),
        plan(
            "professional",
            "Professional",
            19_900,
            [Some(25), Some(50), Some(100), Some(100_000)],
            (2_000, 400_000),
            per_second(5_000),
            &["Priority support", "Advanced analytics", "Custom integrations", "SSO/SAML"],
        ),
        plan(
            "enterprise",
            "Enterprise",
            99_900,
            [None, None, Some(1_000), Some(1_000_000)],
            (1_000, 250_000),
            per_second(20_000),
            &["Dedicated support", "SLA guarantees", "Custom contracts", "On-premise deployment"],
        ),
    ]
}

/// A built-in plan by its key.
pub fn built_in(key: &str) -> Option<Plan> {
    built_in_plans().into_iter().find(|plan| plan.key == key)
}

/// The version of a plan that a subscription pinned.
pub fn pinned(key: &str, version: u32) -> Option<Plan> {
    built_in(key).filter(|plan| plan.version == version)
}

impl Plan {
    /// The base price of a month.
    pub fn price(&self) -> rating::Money {
        rating::Money::new(self.price_minor, self.currency)
    }

    /// Limits as clients read them: -1 is unlimited.
    pub fn limits(&self) -> std::collections::BTreeMap<&'static str, Quantity> {
        self.metrics.iter().map(|metric| (metric.metric, metric.limit.unwrap_or_else(|| Quantity::from(-1)))).collect()
    }

    pub fn metric(&self, name: &str) -> Option<&PlanMetric> {
        self.metrics.iter().find(|metric| metric.metric == name)
    }
}

/// Limits in the order users, projects, storage, calls; overage prices in millionths of a dollar, for a call and for a gigabyte started.
fn plan(
    key: &'static str,
    name: &'static str,
    price_minor: i64,
    [users, projects, storage, calls]: [Option<u32>; 4],
    (call_micros, gigabyte_micros): (u32, u32),
    rate_limits: RateLimits,
    features: &'static [&'static str],
) -> Plan {
    let metric =
        |metric, kind, limit: Option<u32>, overage, unit| PlanMetric { metric, kind, limit: limit.map(Quantity::from), overage, unit };
    let per_call = PriceModel::new(Charge::PerUnit { unit_amount: Decimal::from_millionths(call_micros), free_units: Quantity::ZERO });
    let per_gigabyte = PriceModel::new(Charge::Package {
        package_size: Quantity::ONE,
        amount: Decimal::from_millionths(gigabyte_micros),
        free_units: Quantity::ZERO,
        rounding: PackageRounding::Up,
    });
    Plan {
        key,
        version: 1,
        name,
        price_minor,
        currency: rating::Currency::USD,
        metrics: vec![
            metric(API_CALLS, MetricKind::Consumable, calls, Some(per_call), "API calls"),
            metric(STORAGE, MetricKind::Level, storage, Some(per_gigabyte), "GB of storage"),
            metric(USERS, MetricKind::Level, users, None, "users"),
            metric(PROJECTS, MetricKind::Level, projects, None, "projects"),
        ],
        rate_limits,
        features,
    }
}

/// Seconds of an idle organization's rate that it may send at once.
const BURST_SECONDS: u32 = 10;

/// So many requests a second for the organization, and for a single key half as many.
fn per_second(organization: u32) -> RateLimits {
    let rate = |per_second: u32| Rate { per_second, burst: per_second.saturating_mul(BURST_SECONDS) };
    RateLimits { organization: rate(organization), key: rate(organization.div_euclid(2)) }
}
