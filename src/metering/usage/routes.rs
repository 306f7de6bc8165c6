//! The usage and quota endpoints. An organization's own keys take the short way (`src/edge/shell.mjs`) to the same Meter; here are
//! the vendor's platform keys, and natively all callers.

use axum::extract::Request;
use axum::response::Response;

pub use super::exports::*;
use super::forwarding::forward;
pub use super::history_routes::*;
pub use super::live::*;
use super::wire::{
    CloudEvent, ConsumptionView, EventsReceipt, NewReservation, NewReservationView, NewSettlement, NewUsage, QuotaView, ReservationView,
    SettlementView, UsageBatch, UsageBatchView, UsageReceipt, UsageSummary,
};
use crate::identity::callers::actors::Authorized;
use crate::identity::permissions::needs;
use crate::kernel::error::Result;
use crate::kernel::json;

/// Record usage
///
/// Records one event of a metric, also past the limit. A retry with the same idempotency key counts once and gets the first answer.
#[utoipa::path(post, path = "/v1/usage", operation_id = "recordUsage", request_body = NewUsage,
    responses((status = 200, description = "The event was recorded", body = UsageReceipt)))]
pub async fn record(caller: Authorized<needs::UsageWrite>, request: Request) -> Result<Response> {
    forward(caller, request, json::BODY_BYTES_MAX).await
}

/// Record usage within a quota
///
/// Checks the quota and records one event, atomically: concurrent requests never exceed a hard limit. Past the limit nothing is recorded
/// and the answer is 429 (`quota_exceeded`, with `Retry-After`) for a consumable metric, 403 for a level.
#[utoipa::path(post, path = "/v1/usage/consumption", operation_id = "consumeUsage", request_body = NewUsage,
    responses((status = 200, description = "The event was admitted and recorded", body = ConsumptionView)))]
pub async fn consume(caller: Authorized<needs::UsageWrite>, request: Request) -> Result<Response> {
    forward(caller, request, json::BODY_BYTES_MAX).await
}

/// Record a batch of usage
///
/// Records up to 1,000 events, also past the limit. Valid events are recorded even when others are invalid; `rejected` lists the invalid
/// ones with their reasons.
#[utoipa::path(post, path = "/v1/usage/batch", operation_id = "recordUsageBatch", request_body = UsageBatch,
    responses((status = 200, description = "The result of the batch", body = UsageBatchView)))]
pub async fn batch(caller: Authorized<needs::UsageWrite>, request: Request) -> Result<Response> {
    forward(caller, request, json::BATCH_BYTES_MAX).await
}

/// Get the usage of the current period
///
/// The count, the limit and the amount left of every metric.
#[utoipa::path(get, path = "/v1/usage", operation_id = "getUsage",
    responses((status = 200, description = "The usage by metric", body = UsageSummary)))]
pub async fn summary(caller: Authorized<needs::UsageRead>, request: Request) -> Result<Response> {
    forward(caller, request, 0).await
}

/// Check a quota
///
/// Gives whether an amount is within the limit now. Nothing is recorded or reserved: another request may use the amount first.
#[utoipa::path(get, path = "/v1/quotas/{metric}", operation_id = "getQuota",
    params(("metric" = String, Path, description = "The key of a metric", example = "apiCalls"),
        ("amount" = Option<i64>, Query, description = "The amount to check, in units of the metric. Default: 1"),
        ("explain" = Option<bool>, Query, description = "Whether to include the rule behind the answer. Default: false")),
    responses((status = 200, description = "The result of the check", body = QuotaView)))]
pub async fn quota(caller: Authorized<needs::UsageRead>, request: Request) -> Result<Response> {
    forward(caller, request, 0).await
}

/// Record CloudEvents
///
/// CloudEvents 1.0 in structured, batch or binary mode. `type` is the key of a metric or the `eventType` of one; a retry with the same
/// `source` and `id` counts once.
#[utoipa::path(post, path = "/v1/events", operation_id = "recordEvents",
    request_body(description = "In binary mode the attributes are `ce-` headers, and the body is the data or empty",
        content((CloudEvent = "application/cloudevents+json"),
            (Vec<CloudEvent> = "application/cloudevents-batch+json"))),
    responses((status = 200, description = "The events were recorded", body = EventsReceipt)))]
pub async fn events(caller: Authorized<needs::UsageWrite>, request: Request) -> Result<Response> {
    forward(caller, request, json::BATCH_BYTES_MAX).await
}

/// Create a reservation
///
/// Holds an amount below the limit until the reservation is settled, released or expired, for work whose size is known only afterwards.
/// At most 1,000 reservations are active at a time.
#[utoipa::path(post, path = "/v1/reservations", operation_id = "createReservation", request_body = NewReservation,
    responses((status = 201, description = "The reservation", body = NewReservationView)))]
pub async fn reserve(caller: Authorized<needs::UsageWrite>, request: Request) -> Result<Response> {
    forward(caller, request, json::BODY_BYTES_MAX).await
}

/// Get a reservation
///
/// Its amount, its status and, once settled, the amount used. Reservations are kept for 35 days.
#[utoipa::path(get, path = "/v1/reservations/{id}", operation_id = "getReservation",
    params(("id" = String, Path, description = "`res_...`")),
    responses((status = 200, description = "The reservation", body = ReservationView)))]
pub async fn reservation(caller: Authorized<needs::UsageRead>, request: Request) -> Result<Response> {
    forward(caller, request, 0).await
}

/// Settle a reservation
///
/// Records the amount used and frees the rest. A repeated request with the same amount gets the same answer. More than the reserved
/// amount needs `allowOverage`.
#[utoipa::path(post, path = "/v1/reservations/{id}/settlement", operation_id = "settleReservation",
    request_body = NewSettlement,
    params(("id" = String, Path, description = "`res_...`")),
    responses((status = 200, description = "The usage was recorded", body = SettlementView)))]
pub async fn settle(caller: Authorized<needs::UsageWrite>, request: Request) -> Result<Response> {
    forward(caller, request, json::BODY_BYTES_MAX).await
}

/// Release a reservation
///
/// Frees the whole amount. Releasing a released or expired reservation changes nothing; a settled one is refused.
#[utoipa::path(delete, path = "/v1/reservations/{id}", operation_id = "releaseReservation",
    params(("id" = String, Path, description = "`res_...`")),
    responses((status = 204, description = "The reservation was released")))]
pub async fn release(caller: Authorized<needs::UsageWrite>, request: Request) -> Result<Response> {
    forward(caller, request, 0).await
}
