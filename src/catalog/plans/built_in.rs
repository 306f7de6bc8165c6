//! The plans that come with the product. They are code: version 1 of each is the same everywhere.

use std::collections::BTreeMap;

use rating::{BillingInterval, Charge, Currency, Decimal, PackageRounding, PriceModel, ProrationPolicy, Quantity};

use super::plan::{BaseTiming, Entitlement, Feature, Plan, PlanMetric, PlanPrice, Trial, TrialEnding};
use crate::catalog::metrics::keys::{API_CALLS, PROJECTS, STORAGE, USERS};
use crate::meter::vocabulary::{Aggregation, Enforcement, MetricKind, Rate, RateLimits};

/// The plan of the trial of a new organization, unless the sign-up names another one.
pub const DEFAULT_PLAN: &str = "professional";

/// The trial of a built-in plan.
const TRIAL: Trial = Trial { days: 14, ending: TrialEnding::Convert };

/// The properties in which built-in plans differ.
struct Sketch {
    key: &'static str,
    name: &'static str,
    /// US dollars a month.
    price: u32,
    /// Users, projects, storage, calls.
    limits: [Option<u32>; 4],
    /// The price of a call past the limit, and of a started gigabyte, in millionths of a dollar.
    overage_micros: (u32, u32),
    requests_per_second: u32,
    features: &'static [(&'static str, &'static str)],
}

/// In ascending order.
const SKETCHES: [Sketch; 3] = [
    Sketch {
        key: "starter",
        name: "Starter",
        price: 49,
        limits: [Some(5), Some(10), Some(10), Some(10_000)],
        overage_micros: (5_000, 500_000),
        requests_per_second: 1_000,
        features: &[("basicSupport", "Basic support"), ("emailNotifications", "Email notifications"), ("apiAccess", "API access")],
    },
    Sketch {
        key: "professional",
        name: "Professional",
        price: 199,
        limits: [Some(25), Some(50), Some(100), Some(100_000)],
        overage_micros: (2_000, 400_000),
        requests_per_second: 5_000,
        features: &[
            ("prioritySupport", "Priority support"),
            ("advancedAnalytics", "Advanced analytics"),
            ("customIntegrations", "Custom integrations"),
            ("sso", "SSO/SAML"),
        ],
    },
    Sketch {
        key: "enterprise",
        name: "Enterprise",
        price: 999,
        limits: [None, None, Some(1_000), Some(1_000_000)],
        overage_micros: (1_000, 250_000),
        requests_per_second: 20_000,
        features: &[
            ("dedicatedSupport", "Dedicated support"),
            ("slaGuarantees", "SLA guarantees"),
            ("customContracts", "Custom contracts"),
            ("onPremise", "On-premise deployment"),
        ],
    },
];

/// The plans that come with the product, in ascending order.
pub fn built_in_plans() -> Vec<Plan> {
    SKETCHES.iter().map(plan).collect()
}

/// A built-in plan by its key.
pub fn built_in(key: &str) -> Option<Plan> {
    SKETCHES.iter().find(|sketch| sketch.key == key).map(plan)
}

fn plan(sketch: &Sketch) -> Plan {
    let [users, projects, storage, calls] = sketch.limits;
    let (call_micros, gigabyte_micros) = sketch.overage_micros;
    let per_call = PriceModel::new(Charge::PerUnit { unit_amount: Decimal::from_millionths(call_micros), free_units: Quantity::ZERO });
    let per_gigabyte = PriceModel::new(Charge::Package {
        package_size: Quantity::ONE,
        amount: Decimal::from_millionths(gigabyte_micros),
        free_units: Quantity::ZERO,
        rounding: PackageRounding::Up,
    });
    Plan {
        key: sketch.key.to_owned(),
        version: 1,
        name: sketch.name.to_owned(),
        description: None,
        organization: None,
        prices: vec![monthly(sketch.price)],
        base_timing: BaseTiming::InAdvance,
        metrics: vec![
            metric(API_CALLS, MetricKind::Consumable, "API calls", calls, Some(per_call)),
            metric(STORAGE, MetricKind::Level, "GB of storage", storage, Some(per_gigabyte)),
            metric(USERS, MetricKind::Level, "users", users, None),
            metric(PROJECTS, MetricKind::Level, "projects", projects, None),
        ],
        add_ons: Vec::new(),
        features: sketch.features.iter().map(|(key, name)| feature(key, name)).collect(),
        rate_limits: per_second(sketch.requests_per_second),
        trial: TRIAL,
        proration_policy: ProrationPolicy::Second,
        progressive_billing: BTreeMap::new(),
        minimum_commitment: BTreeMap::new(),
        published_at: None,
    }
}

fn monthly(dollars: u32) -> PlanPrice {
    let amount = Decimal::from_millionths(dollars.saturating_mul(1_000_000));
    PlanPrice { currency: Currency::USD, interval: BillingInterval::Month, price: PriceModel::new(Charge::Flat { amount }) }
}

/// The limit is what the base price includes.
fn metric(key: &str, kind: MetricKind, unit: &str, limit: Option<u32>, price: Option<PriceModel>) -> PlanMetric {
    let limit = limit.map(Quantity::from);
    PlanMetric {
        metric: key.to_owned(),
        kind,
        aggregation: Aggregation::Sum,
        unique_property: None,
        unit: unit.to_owned(),
        limit,
        enforcement: Enforcement::Hard,
        included: limit.unwrap_or(Quantity::ZERO),
        prices: price.into_iter().map(|price| (Currency::USD.code().to_owned(), price)).collect(),
    }
}

fn feature(key: &str, name: &str) -> Feature {
    Feature { key: key.to_owned(), name: name.to_owned(), entitlement: Entitlement::Boolean { value: true } }
}

/// Seconds of an idle organization's rate that it may send at once.
const BURST_SECONDS: u32 = 10;

/// The rate limits of a plan that has none of its own.
pub const DEFAULT_RATE_LIMITS: RateLimits = per_second(1_000);

/// The rate limits of `organization` requests per second, and half as many for a single key.
const fn per_second(organization: u32) -> RateLimits {
    RateLimits { organization: rate(organization), key: rate(organization.div_euclid(2)) }
}

const fn rate(per_second: u32) -> Rate {
    Rate { per_second, burst: per_second.saturating_mul(BURST_SECONDS) }
}
