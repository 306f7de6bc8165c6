//! Usage as clients write and read it: what openapi.json says of it. The Meter reads and writes these documents itself, borrowing what it
//! has (`durable_objects/meter/{requests,answers}.rs`); `tests/api/` holds each of its answers against this description.

use std::collections::BTreeMap;

use rating::Quantity;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::quantity::QuantityDocument;
use crate::kernel::time::Timestamp;
use crate::meter::contract::{Aggregation, Enforcement, MetricKind};

/// Usage to record.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewUsage {
    #[schema(example = "apiCalls")]
    pub metric: String,
    /// An integer, or a decimal string with up to 9 decimals; 1 when absent. Negative amounts lower a level.
    #[schema(value_type = QuantityDocument, required = false, example = 1)]
    pub amount: Option<Quantity>,
    /// Makes a retry count once, for 35 days. The header `Idempotency-Key` does the same.
    #[schema(example = "req-8f1", min_length = 1, max_length = 255)]
    pub idempotency_key: Option<String>,
    /// When it happened; now when absent. At most 35 days back and 5 minutes ahead.
    pub timestamp: Option<Timestamp>,
    /// Yours. Part of what an idempotency key stands for.
    #[schema(value_type = Option<Object>)]
    pub metadata: Option<serde_json::Map<String, serde_json::Value>>,
}

/// Events to record.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UsageBatch {
    #[schema(max_items = 1000, min_items = 1)]
    pub events: Vec<NewUsage>,
}

/// The billing period that is counted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct UsagePeriod {
    pub start: Timestamp,
    pub end: Timestamp,
}

/// What was recorded, and where that leaves the metric.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct UsageReceipt {
    #[serde(rename = "$type")]
    pub type_name: &'static str,
    pub metric: String,
    #[schema(value_type = QuantityDocument)]
    pub current: Quantity,
    /// -1 when unlimited.
    #[schema(value_type = QuantityDocument)]
    pub limit: Quantity,
    /// Null when unlimited.
    #[schema(value_type = Option<QuantityDocument>)]
    pub remaining: Option<Quantity>,
    /// `current` / `limit`, at most 4 decimals; null when unlimited.
    #[schema(value_type = Option<f64>)]
    pub percentage: Option<serde_json::Number>,
    pub period: UsagePeriod,
    /// Grows by one with each recorded event of the organization.
    pub sequence: u64,
    pub replayed: bool,
}

/// A receipt of usage that was admitted.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct ConsumptionView {
    #[serde(flatten)]
    pub receipt: UsageReceipt,
    pub allowed: bool,
}

/// An event of a batch that was not recorded.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct RejectedUsage {
    pub index: usize,
    pub code: String,
    pub detail: String,
}

/// How the events of a batch fared.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct UsageBatchView {
    pub accepted: usize,
    pub replayed: usize,
    pub rejected: Vec<RejectedUsage>,
    /// Counters of the current period of the metrics in the batch.
    #[schema(value_type = BTreeMap<String, QuantityDocument>)]
    pub current: BTreeMap<String, Quantity>,
}

/// Whether an amount is free now.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct QuotaView {
    #[serde(rename = "$type")]
    #[schema(example = "QuotaCheck")]
    pub type_name: &'static str,
    pub allowed: bool,
    pub metric: String,
    #[schema(value_type = QuantityDocument)]
    pub current: Quantity,
    /// -1 when unlimited.
    #[schema(value_type = QuantityDocument)]
    pub limit: Quantity,
    /// What is free: the limit without `current` and without `reserved`; null when unlimited.
    #[schema(value_type = Option<QuantityDocument>)]
    pub remaining: Option<Quantity>,
    /// Held by reservations.
    #[schema(value_type = QuantityDocument)]
    pub reserved: Quantity,
    pub period: UsagePeriod,
    /// With `explain=true`: what decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explanation: Option<QuotaExplanation>,
}

/// What decided a quota.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct QuotaExplanation {
    pub plan: String,
    pub plan_version: u32,
    pub source: LimitSource,
    pub enforcement: Enforcement,
    pub kind: MetricKind,
    pub aggregation: Aggregation,
    #[schema(value_type = QuantityDocument)]
    pub required: Quantity,
    /// Before grants; -1 when unlimited.
    #[schema(value_type = QuantityDocument)]
    pub limit: Quantity,
    /// Those that count now: the limit is so much higher.
    pub grants: Vec<ActiveGrant>,
}

/// Whose limit it is: the plan's, the organization's own, or nobody's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum LimitSource {
    Plan,
    Override,
    Unlimited,
}

/// A grant that counts now.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ActiveGrant {
    #[serde(rename = "$id")]
    pub id: String,
    #[schema(value_type = QuantityDocument)]
    pub amount: Quantity,
    pub starts_at: Timestamp,
    pub ends_at: Option<Timestamp>,
}

/// One metric in the current period.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MetricUsage {
    #[schema(value_type = QuantityDocument)]
    pub current: Quantity,
    #[schema(value_type = QuantityDocument)]
    pub limit: Quantity,
    #[schema(value_type = Option<QuantityDocument>)]
    pub remaining: Option<Quantity>,
    /// Held by reservations.
    #[schema(value_type = QuantityDocument)]
    pub reserved: Quantity,
    #[schema(value_type = Option<f64>)]
    pub percentage: Option<serde_json::Number>,
}

/// All metrics in the current period.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct UsageSummary {
    #[serde(rename = "$type")]
    pub type_name: &'static str,
    pub period: UsagePeriod,
    pub metrics: BTreeMap<String, MetricUsage>,
}

/// An amount to hold.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewReservation {
    /// A summed or counted metric.
    #[schema(example = "apiCalls")]
    pub metric: String,
    /// 1 when absent.
    #[schema(value_type = QuantityDocument, required = false, example = 1)]
    pub amount: Option<Quantity>,
    /// Seconds until it lapses by itself; 300 when absent.
    #[schema(minimum = 1, maximum = 86_400, example = 300)]
    pub ttl_seconds: Option<u32>,
}

/// A reservation.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Reservation)]
pub struct ReservationView {
    #[serde(rename = "$type")]
    pub type_name: &'static str,
    #[serde(rename = "$id")]
    #[schema(example = "res_...")]
    pub id: String,
    pub metric: String,
    #[schema(value_type = QuantityDocument)]
    pub amount: Quantity,
    /// `active`, `settled`, `released` or `expired`.
    pub status: String,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    /// What was used in the end; null until it is settled.
    #[schema(value_type = Option<QuantityDocument>)]
    pub settled_amount: Option<Quantity>,
}

/// A reservation that was made, and where that leaves the metric.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = NewReservationReceipt)]
pub struct NewReservationView {
    #[serde(flatten)]
    pub reservation: ReservationView,
    /// Held of the metric by all reservations.
    #[schema(value_type = QuantityDocument)]
    pub reserved: Quantity,
    #[schema(value_type = QuantityDocument)]
    pub current: Quantity,
    /// -1 when unlimited.
    #[schema(value_type = QuantityDocument)]
    pub limit: Quantity,
    /// Null when unlimited.
    #[schema(value_type = Option<QuantityDocument>)]
    pub remaining: Option<Quantity>,
}

/// What was used of a reservation.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewSettlement {
    #[schema(value_type = QuantityDocument, example = 1)]
    pub amount: Quantity,
    /// Whether it may be more than was reserved; false when absent.
    #[schema(nullable = false)]
    pub allow_overage: Option<bool>,
}

/// A receipt of usage that had been reserved.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct SettlementView {
    #[serde(flatten)]
    pub receipt: UsageReceipt,
    #[schema(example = "res_...")]
    pub reservation: String,
}

/// A CloudEvent (version 1.0 of the CNCF's specification) that is counted.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct CloudEvent {
    #[schema(example = "1.0")]
    pub specversion: String,
    /// With `source`, makes a retry count once.
    #[schema(example = "req-8f1")]
    pub id: String,
    #[schema(example = "/gateway")]
    pub source: String,
    /// A metric's key, or a type that is mapped to one.
    #[serde(rename = "type")]
    #[schema(example = "apiCalls")]
    pub event_type: String,
    pub time: Option<Timestamp>,
    /// `amount` is counted, 1 when absent; the rest is metadata.
    #[schema(value_type = Option<Object>)]
    pub data: Option<serde_json::Map<String, serde_json::Value>>,
}

/// One CloudEvent's receipt, or how those of a batch fared.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(untagged)]
pub enum EventsReceipt {
    One(UsageReceipt),
    Batch(UsageBatchView),
}

/// A message of the live feed: where metrics stand that changed.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = UsageChange)]
pub struct UsageChangeView {
    #[serde(rename = "$type")]
    pub type_name: &'static str,
    pub period: UsagePeriod,
    pub metrics: BTreeMap<String, MetricUsage>,
    /// Of the last event recorded.
    pub sequence: u64,
}
