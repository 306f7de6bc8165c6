//! The vocabulary of metering: metrics, limits, grants, rates, and what an organization is entitled to.

use std::collections::BTreeMap;

use rating::Quantity;
use serde::{Deserialize, Serialize};

use crate::kernel::time::Timestamp;

/// Whether a metric starts at 0 each period (`consumable`) or is carried over (`level`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum MetricKind {
    /// Starts at 0 each period: `apiCalls`.
    Consumable,
    /// Carried over: `users`, `projects`, `storage`. Amounts may be negative.
    Level,
}

/// How a metric's count is computed from its events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Aggregation {
    /// The number of events; their amount is always 1.
    Count,
    /// The sum of the amounts.
    #[default]
    Sum,
    /// The highest amount.
    Max,
    /// The amount of the event with the latest timestamp; of several at the same instant, of the one that arrived last.
    Latest,
    /// The number of distinct values of `metadata.<uniqueProperty>` in the period; the amount is always 1.
    Unique,
    /// The time-weighted average of a level over the whole period, assuming no further change:
    /// the sum of each amount times the share of the period that was left at its timestamp, plus what was carried over.
    WeightedSum,
}

/// Whether `POST /v1/usage/consumption` refuses usage past the limit (`hard`) or admits it (`soft`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum Enforcement {
    /// Refuses usage past the limit.
    #[default]
    Hard,
    /// Admits usage past the limit; thresholds, percentages and overage still refer to it.
    Soft,
}

/// One metric as the Meter counts and limits it. `limit` is None when unlimited.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MetricRule {
    pub kind: MetricKind,
    pub limit: Option<Quantity>,
    #[serde(default)]
    pub aggregation: Aggregation,
    /// The member of `metadata` that a unique metric counts; None for every other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unique_property: Option<String>,
    #[serde(default)]
    pub enforcement: Enforcement,
}

impl MetricRule {
    /// A summed metric with a hard limit, as the built-in metrics are.
    pub fn of(kind: MetricKind, limit: Option<Quantity>) -> Self {
        Self { kind, limit, aggregation: Aggregation::Sum, unique_property: None, enforcement: Enforcement::Hard }
    }
}

/// A limit of one organization that replaces its plan's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LimitOverride {
    /// None when unlimited.
    pub limit: Option<Quantity>,
    pub enforcement: Enforcement,
}

/// Additional allowance: raises the limit by `amount` from `starts_at` up to, not including, `ends_at` (None: no end).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Grant {
    pub id: String,
    pub metric: String,
    pub amount: Quantity,
    pub starts_at: Timestamp,
    pub ends_at: Option<Timestamp>,
}

/// A token bucket: `burst` requests at once, refilled by `per_second`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rate {
    pub per_second: u32,
    pub burst: u32,
}

/// The rates of an organization's requests: of all its keys together, and of a single key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RateLimits {
    pub organization: Rate,
    pub key: Rate,
}

/// The entitlements of an organization, as its Meter knows them. A lower `version` never replaces a higher one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Entitlements {
    pub version: i64,
    pub plan: String,
    pub plan_version: u32,
    pub subscription_started_at: Timestamp,
    /// Starts of the periods in order, at least two; each period ends where the next starts, the last entry only ends one.
    /// Reaches back to the subscription's start or 36 days, and about a year ahead.
    pub boundaries: Vec<Timestamp>,
    pub metrics: BTreeMap<String, MetricRule>,
    /// The test clock's time; None when the organization is on real time. Only moves forward.
    pub clock: Option<Timestamp>,
    /// None: not limited.
    #[serde(default)]
    pub rate_limits: Option<RateLimits>,
    /// The subscription is paused or has ended: consumption is refused, regardless of own limits and grants, except for `users`.
    /// Recorded usage still counts.
    #[serde(default)]
    pub admits_nothing: bool,
}
