//! The documents of the usage API, as openapi.json describes them. The Meter reads and writes them itself, borrowing its own data
//! (`durable_objects/meter/{bodies,answers}.rs`); `tests/it/api/` checks each of its answers against this description.

use std::collections::BTreeMap;

use rating::Quantity;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::quantity::QuantityDocument;
use crate::kernel::time::Timestamp;
use crate::meter::vocabulary::{Aggregation, Enforcement, MetricKind};

/// Usage to record.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewUsage {
    /// The key of the metric; see `GET /v1/metrics`.
    #[schema(example = "apiCalls")]
    pub metric: String,
    /// The amount in units of the metric: an integer, or a decimal string with up to 9 decimals. Default: 1. A negative amount lowers a
    /// level.
    #[schema(value_type = QuantityDocument, required = false, example = 1)]
    pub amount: Option<Quantity>,
    /// Makes a retry count once, for 35 days. The header `Idempotency-Key` does the same.
    #[schema(example = "req-8f1", min_length = 1, max_length = 255)]
    pub idempotency_key: Option<String>,
    /// When the usage happened, at most 35 days back and 5 minutes ahead. Default: now.
    pub timestamp: Option<Timestamp>,
    /// Your own data, stored with the event. A retry must send the same.
    #[schema(value_type = Option<Object>)]
    pub metadata: Option<serde_json::Map<String, serde_json::Value>>,
}

/// Events to record.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UsageBatch {
    /// The events to record, 1 to 1,000.
    #[schema(max_items = 1000, min_items = 1)]
    pub events: Vec<NewUsage>,
}

/// The billing period that is counted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct UsagePeriod {
    /// The start of the period, inclusive.
    pub start: Timestamp,
    /// The end of the period, exclusive.
    pub end: Timestamp,
}

/// The receipt of recorded usage, with the resulting count.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct UsageReceipt {
    /// The type of the resource.
    #[serde(rename = "$type")]
    #[schema(example = "UsageReceipt")]
    pub type_name: &'static str,
    /// The key of the metric.
    #[schema(example = "apiCalls")]
    pub metric: String,
    /// The count after this event, in units of the metric.
    #[schema(value_type = QuantityDocument)]
    pub current: Quantity,
    /// The limit in units of the metric; -1 when unlimited.
    #[schema(value_type = QuantityDocument)]
    pub limit: Quantity,
    /// The amount left below the limit, without reserved amounts, in units of the metric; null when unlimited.
    #[schema(value_type = Option<QuantityDocument>)]
    pub remaining: Option<Quantity>,
    /// `current` in percent of `limit`: a decimal with at most 2 decimals, cut off, above 100 past the limit; null when unlimited.
    #[schema(example = "42.1", pattern = r"^-?[0-9]+(\.[0-9]{1,2})?$")]
    pub percentage: Option<String>,
    /// The billing period in which the event counts.
    pub period: UsagePeriod,
    /// The sequence number of the event; it grows by one with each recorded event of the organization.
    #[schema(example = 421)]
    pub sequence: u64,
    /// Whether this is the answer to an earlier request with the same idempotency key; nothing was recorded again.
    #[schema(example = false)]
    pub replayed: bool,
}

/// The receipt of usage that was admitted and recorded.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct ConsumptionView {
    /// The receipt of the recorded event.
    #[serde(flatten)]
    pub receipt: UsageReceipt,
    /// Always true: a request over the quota is refused with a problem instead.
    #[schema(example = true)]
    pub allowed: bool,
}

/// An event of a batch that was not recorded.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct RejectedUsage {
    /// The position of the event in the batch, from 0.
    #[schema(example = 3)]
    pub index: usize,
    /// The stable error code.
    #[schema(example = "unknown_metric")]
    pub code: String,
    /// The cause and the remedy.
    #[schema(example = "There is no metric calls. Use one of: apiCalls, users.")]
    pub detail: String,
}

/// The result of a batch of events.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct UsageBatchView {
    /// The number of events recorded by this request.
    #[schema(example = 998)]
    pub accepted: usize,
    /// The number of events that an earlier request had recorded.
    #[schema(example = 1)]
    pub replayed: usize,
    /// The events that were not recorded, each with its reason.
    pub rejected: Vec<RejectedUsage>,
    /// The counts in the current period, by metric of the batch.
    #[schema(example = json!({"apiCalls": 1998}), value_type = BTreeMap<String, QuantityDocument>)]
    pub current: BTreeMap<String, Quantity>,
}

/// The result of a quota check.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct QuotaView {
    /// The type of the resource.
    #[serde(rename = "$type")]
    #[schema(example = "QuotaCheck")]
    pub type_name: &'static str,
    /// Whether the amount is within the limit now.
    #[schema(example = true)]
    pub allowed: bool,
    /// The key of the metric.
    #[schema(example = "apiCalls")]
    pub metric: String,
    /// The count in the current period, in units of the metric.
    #[schema(value_type = QuantityDocument)]
    pub current: Quantity,
    /// The limit in units of the metric; -1 when unlimited.
    #[schema(value_type = QuantityDocument)]
    pub limit: Quantity,
    /// The amount left below the limit, without reserved amounts, in units of the metric; null when unlimited.
    #[schema(value_type = Option<QuantityDocument>)]
    pub remaining: Option<Quantity>,
    /// The amount held by reservations, in units of the metric.
    #[schema(value_type = QuantityDocument)]
    pub reserved: Quantity,
    /// The current billing period.
    pub period: UsagePeriod,
    /// The rule behind the answer; only with `explain=true`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explanation: Option<QuotaExplanation>,
}

/// The rule behind a quota check.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct QuotaExplanation {
    /// The key of the subscribed plan.
    #[schema(example = "professional")]
    pub plan: String,
    /// The version of the plan.
    #[schema(example = 1)]
    pub plan_version: u32,
    /// Where the limit comes from.
    pub source: LimitSource,
    /// Whether usage past the limit is refused.
    pub enforcement: Enforcement,
    /// Whether the metric starts at 0 each period.
    pub kind: MetricKind,
    /// How the count is computed from events.
    pub aggregation: Aggregation,
    /// The amount that was checked, in units of the metric.
    #[schema(value_type = QuantityDocument)]
    pub amount: Quantity,
    /// The limit without grants, in units of the metric; -1 when unlimited.
    #[schema(value_type = QuantityDocument)]
    pub limit: Quantity,
    /// The active grants, which raise the limit.
    pub grants: Vec<ActiveGrant>,
}

/// The source of a limit: the plan, the organization's own override, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = "plan")]
pub enum LimitSource {
    /// The subscribed plan.
    Plan,
    /// The organization's own limit.
    Override,
    /// There is no limit.
    Unlimited,
}

/// A grant that is active now.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ActiveGrant {
    /// The id of the grant.
    #[serde(rename = "$id")]
    #[schema(example = "grant_01h2xcejqtf2nbrexx3vqjhp41")]
    pub id: String,
    /// The amount by which the limit is raised, in units of the metric.
    #[schema(value_type = QuantityDocument)]
    pub amount: Quantity,
    /// The start of the grant, inclusive.
    pub starts_at: Timestamp,
    /// The end of the grant, exclusive; null when it has none.
    pub ends_at: Option<Timestamp>,
}

/// The usage of one metric in the current period.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MetricUsage {
    /// The count in the current period, in units of the metric.
    #[schema(value_type = QuantityDocument)]
    pub current: Quantity,
    /// The limit in units of the metric; -1 when unlimited.
    #[schema(value_type = QuantityDocument)]
    pub limit: Quantity,
    /// The amount left below the limit, without reserved amounts, in units of the metric; null when unlimited.
    #[schema(value_type = Option<QuantityDocument>)]
    pub remaining: Option<Quantity>,
    /// The amount held by reservations, in units of the metric.
    #[schema(value_type = QuantityDocument)]
    pub reserved: Quantity,
    /// `current` in percent of `limit`: a decimal with at most 2 decimals, cut off, above 100 past the limit; null when unlimited.
    #[schema(example = "42.1", pattern = r"^-?[0-9]+(\.[0-9]{1,2})?$")]
    pub percentage: Option<String>,
}

/// The usage of all metrics in the current period.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct UsageSummary {
    /// The type of the resource.
    #[serde(rename = "$type")]
    #[schema(example = "UsageSummary")]
    pub type_name: &'static str,
    /// The current billing period.
    pub period: UsagePeriod,
    /// The usage by metric.
    #[schema(example = json!({"apiCalls": {"current": 421, "limit": 1000, "remaining": 579, "reserved": 0, "percentage": "42.1"}}))]
    pub metrics: BTreeMap<String, MetricUsage>,
}

/// A reservation to create.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewReservation {
    /// The key of a summed or counted metric.
    #[schema(example = "apiCalls")]
    pub metric: String,
    /// The amount to hold, in units of the metric. Default: 1.
    #[schema(value_type = QuantityDocument, required = false, example = 1)]
    pub amount: Option<Quantity>,
    /// Seconds until the reservation expires. Default: 300.
    #[schema(minimum = 1, maximum = 86_400, example = 300)]
    pub ttl_seconds: Option<u32>,
}

/// A reservation.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Reservation)]
pub struct ReservationView {
    /// The type of the resource.
    #[serde(rename = "$type")]
    #[schema(example = "Reservation")]
    pub type_name: &'static str,
    /// The id of the reservation.
    #[serde(rename = "$id")]
    #[schema(example = "res_01h2xcejqtf2nbrexx3vqjhp41")]
    pub id: String,
    /// The key of the metric.
    #[schema(example = "apiCalls")]
    pub metric: String,
    /// The amount held, in units of the metric.
    #[schema(value_type = QuantityDocument)]
    pub amount: Quantity,
    /// The status: `active`, `settled`, `released` or `expired`.
    #[schema(example = "active")]
    pub status: String,
    /// When the reservation was created.
    pub created_at: Timestamp,
    /// When the reservation expires unless it is settled or released before.
    pub expires_at: Timestamp,
    /// The amount used, in units of the metric; null until the reservation is settled.
    #[schema(value_type = Option<QuantityDocument>)]
    pub settled_amount: Option<Quantity>,
}

/// A new reservation, with the resulting usage of its metric.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = NewReservationReceipt)]
pub struct NewReservationView {
    /// The reservation.
    #[serde(flatten)]
    pub reservation: ReservationView,
    /// The amount held by all reservations of the metric, in units of the metric.
    #[schema(value_type = QuantityDocument)]
    pub reserved: Quantity,
    /// The count in the current period, in units of the metric.
    #[schema(value_type = QuantityDocument)]
    pub current: Quantity,
    /// The limit in units of the metric; -1 when unlimited.
    #[schema(value_type = QuantityDocument)]
    pub limit: Quantity,
    /// The amount left below the limit, without reserved amounts, in units of the metric; null when unlimited.
    #[schema(value_type = Option<QuantityDocument>)]
    pub remaining: Option<Quantity>,
}

/// The usage to settle a reservation with.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewSettlement {
    /// The amount used, in units of the metric; 0 or more.
    #[schema(value_type = QuantityDocument, example = 1)]
    pub amount: Quantity,
    /// Whether the amount may exceed the reserved one. Default: false.
    #[schema(example = false, nullable = false)]
    pub allow_overage: Option<bool>,
}

/// The receipt of a settled reservation.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct SettlementView {
    /// The receipt of the recorded usage.
    #[serde(flatten)]
    pub receipt: UsageReceipt,
    /// The id of the reservation.
    #[schema(example = "res_01h2xcejqtf2nbrexx3vqjhp41")]
    pub reservation: String,
}

/// A CloudEvent (version 1.0 of the CNCF's specification) to record as usage.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct CloudEvent {
    /// The version of the specification.
    #[schema(example = "1.0")]
    pub specversion: String,
    /// The id of the event. A retry with the same `source` and `id` counts once.
    #[schema(example = "req-8f1")]
    pub id: String,
    /// The source of the event, a URI reference.
    #[schema(example = "/gateway")]
    pub source: String,
    /// The key of a metric, or a metric's `eventType`.
    #[serde(rename = "type")]
    #[schema(example = "apiCalls")]
    pub event_type: String,
    /// When the usage happened, at most 35 days back and 5 minutes ahead. Default: now.
    pub time: Option<Timestamp>,
    /// `amount` is the amount in units of the metric, 1 by default; the other members are metadata.
    #[schema(value_type = Option<Object>)]
    pub data: Option<serde_json::Map<String, serde_json::Value>>,
}

/// The receipt of one CloudEvent, or the result of a batch.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(untagged)]
pub enum EventsReceipt {
    /// Of one event.
    One(UsageReceipt),
    /// Of a batch.
    Batch(UsageBatchView),
}

/// A message of the live feed: the usage of the metrics that changed.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = UsageChange)]
pub struct UsageChangeView {
    /// The type of the resource.
    #[serde(rename = "$type")]
    #[schema(example = "UsageChange")]
    pub type_name: &'static str,
    /// The current billing period.
    pub period: UsagePeriod,
    /// The usage of the changed metrics.
    #[schema(example = json!({"apiCalls": {"current": 421, "limit": 1000, "remaining": 579, "reserved": 0, "percentage": "42.1"}}))]
    pub metrics: BTreeMap<String, MetricUsage>,
    /// The sequence number of the last recorded event; it grows by one with each event of the organization.
    #[schema(example = 421)]
    pub sequence: u64,
}
