//! The rules of an organization, looked up again for each operation.

use std::collections::BTreeMap;

use rating::Quantity;
use serde_json::{Value, json};
use tenantry::kernel::time::Timestamp;
use tenantry::meter::vocabulary::{Aggregation, Enforcement, Entitlements, Grant, LimitOverride, MetricKind, MetricRule};

use super::history::plus;
use crate::meter::world::{at, entitlements};

pub struct Rules {
    pub entitlements: Entitlements,
    pub metrics: Metrics,
    pub limits: Limits,
}

/// The platform's metrics.
#[derive(Clone, Default)]
pub struct Metrics {
    pub version: i64,
    pub metrics: BTreeMap<String, MetricRule>,
    pub event_types: BTreeMap<String, String>,
}

/// The organization's own limits.
#[derive(Clone, Default)]
pub struct Limits {
    pub version: i64,
    pub overrides: BTreeMap<String, LimitOverride>,
    pub grants: Vec<Grant>,
}

/// The rule of a metric at an instant.
pub struct Rule {
    /// How its count is computed.
    pub metric: MetricRule,
    /// With the grants that are active.
    pub limit: Option<Quantity>,
    pub base: Option<Quantity>,
    pub enforcement: Enforcement,
    pub source: &'static str,
    pub grants: Vec<Grant>,
}

impl Rules {
    pub fn rule(&self, metric: &str, now: Timestamp) -> Option<Rule> {
        let planned = self.entitlements.metrics.get(metric).map(|rule| (rule, "plan"));
        let defined = self.metrics.metrics.get(metric).map(|rule| (rule, "unlimited"));
        let (rule, source) = planned.or(defined)?;
        let own = self.limits.overrides.get(metric).map(|own| (own.limit, own.enforcement, "override"));
        let (base, enforcement, source) = own.unwrap_or((rule.limit, rule.enforcement, source));
        let is_active = |grant: &&Grant| grant.metric == metric && grant.starts_at <= now && grant.ends_at.is_none_or(|end| now < end);
        let grants: Vec<Grant> = self.limits.grants.iter().filter(is_active).cloned().collect();
        let limit = base.map(|base| grants.iter().fold(base, |limit, grant| plus(limit, grant.amount)));
        Some(Rule { metric: rule.clone(), limit, base, enforcement, source, grants })
    }

    pub fn known(&self) -> Vec<String> {
        let mut known: Vec<String> = self.entitlements.metrics.keys().chain(self.metrics.metrics.keys()).cloned().collect();
        known.sort();
        known.dedup();
        known
    }

    /// The metric that a CloudEvents type counts as.
    pub fn metric_of(&self, name: &str, is_cloud: bool) -> String {
        let mapped = self.metrics.event_types.get(name).filter(|_| is_cloud);
        mapped.cloned().unwrap_or_else(|| name.to_owned())
    }
}

impl Rule {
    pub fn is_hard(&self) -> bool {
        self.enforcement == Enforcement::Hard
    }

    /// Whether an amount adds to the used one.
    pub fn is_additive(&self) -> bool {
        matches!(self.metric.aggregation, Aggregation::Sum | Aggregation::Count)
    }

    pub fn explanation(&self, entitlements: &Entitlements, amount: Quantity) -> Value {
        let grant = |grant: &Grant| json!({"$id": grant.id, "amount": grant.amount, "startsAt": grant.starts_at, "endsAt": grant.ends_at});
        json!({
            "plan": entitlements.plan, "planVersion": entitlements.plan_version, "source": self.source,
            "enforcement": self.enforcement, "kind": self.metric.kind, "aggregation": self.metric.aggregation, "amount": amount,
            "limit": limit_or_minus_one(self.base), "grants": self.grants.iter().map(grant).collect::<Vec<_>>(),
        })
    }
}

pub fn limit_or_minus_one(limit: Option<Quantity>) -> Value {
    limit.map_or(json!(-1), |limit| json!(limit))
}

/// Every aggregation of both kinds, as the organization's plan has them at first.
pub fn planned() -> Entitlements {
    use Aggregation::{Count, Latest, Max, Sum, Unique, WeightedSum};
    use MetricKind::{Consumable, Level};
    let metrics = [
        ("calls", Sum, Consumable, Some(40)),
        ("tokens", Sum, Consumable, None),
        ("users", Sum, Level, Some(10)),
        ("requests", Count, Consumable, Some(12)),
        ("seats", Count, Level, Some(15)),
        ("largest", Max, Consumable, Some(30)),
        ("deepest", Max, Level, None),
        ("speed", Latest, Consumable, None),
        ("stock", Latest, Level, Some(12)),
        ("people", Unique, Consumable, Some(5)),
        ("storage", WeightedSum, Level, Some(20)),
    ];
    let metrics = metrics.into_iter().map(|(name, aggregation, kind, limit)| (name.to_owned(), defined(aggregation, kind, limit)));
    let mut bounds: Vec<Timestamp> = vec![at("2025-12-01T00:00:00Z")];
    bounds.extend((2026..=2028).flat_map(|year| (1..=12).map(move |month| at(&format!("{year}-{month:02}-01T00:00:00Z")))));
    Entitlements { metrics: metrics.collect(), boundaries: bounds, ..entitlements() }
}

/// The metrics that the platform defines beside the plan; the last one is added later.
pub fn of_platform(version: i64) -> Metrics {
    let mut metrics = BTreeMap::from([("pages".to_owned(), defined(Aggregation::Sum, MetricKind::Consumable, None))]);
    if version > 1 {
        metrics.insert("devices".to_owned(), defined(Aggregation::Unique, MetricKind::Consumable, None));
    }
    let event_types = [("com.acme.call", "calls"), ("com.acme.login", "people"), ("com.acme.page", "pages")];
    let event_types = event_types.iter().take(version as usize + 1).map(|(name, metric)| ((*name).to_owned(), (*metric).to_owned()));
    Metrics { version, metrics, event_types: event_types.collect() }
}

fn defined(aggregation: Aggregation, kind: MetricKind, limit: Option<u32>) -> MetricRule {
    let unique_property = (aggregation == Aggregation::Unique).then(|| "user".to_owned());
    MetricRule { kind, limit: limit.map(Into::into), aggregation, unique_property, enforcement: Enforcement::Hard }
}
