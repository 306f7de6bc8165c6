//! The definition of a metric.

use crate::kernel::time::Timestamp;
use crate::meter::vocabulary::{Aggregation, Enforcement, MetricKind, MetricRule};

/// The definition of a metric, which never changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metric {
    pub key: String,
    pub name: Option<String>,
    pub description: Option<String>,
    pub aggregation: Aggregation,
    pub kind: MetricKind,
    pub unique_property: Option<String>,
    pub unit: Option<String>,
    pub event_type: Option<String>,
    /// None of those that are built in.
    pub created_at: Option<Timestamp>,
}

impl Metric {
    /// As the Meter counts it. Unlimited: a limit comes from a plan or is the organization's own.
    pub fn rule(&self) -> MetricRule {
        MetricRule {
            kind: self.kind,
            limit: None,
            aggregation: self.aggregation,
            unique_property: self.unique_property.clone(),
            enforcement: Enforcement::Hard,
        }
    }
}
