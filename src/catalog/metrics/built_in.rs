//! The metrics that come with the product.

use super::keys::{API_CALLS, PROJECTS, STORAGE, USERS};
use super::metric::Metric;
use crate::meter::vocabulary::{Aggregation, MetricKind};

/// The metrics that every built-in plan has.
pub fn built_in_metrics() -> Vec<Metric> {
    let metric = |key: &str, name: &str, kind, unit: &str| Metric {
        key: key.to_owned(),
        name: Some(name.to_owned()),
        description: None,
        aggregation: Aggregation::Sum,
        kind,
        unique_property: None,
        unit: Some(unit.to_owned()),
        event_type: None,
        created_at: None,
    };
    vec![
        metric(API_CALLS, "API calls", MetricKind::Consumable, "API calls"),
        metric(USERS, "Users", MetricKind::Level, "users"),
        metric(PROJECTS, "Projects", MetricKind::Level, "projects"),
        metric(STORAGE, "Storage", MetricKind::Level, "GB of storage"),
    ]
}
