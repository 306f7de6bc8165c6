//! The usage and quota endpoints. An organization's own keys take the short way (`src/edge/shell.mjs`) to the same Meter; here come the
//! vendor's platform keys, and natively all callers.

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
/// Always accepted, also past the limit. Retry with the same idempotency key: it counts once.
#[utoipa::path(post, path = "/v1/usage", tag = "usage", operation_id = "recordUsage", request_body = NewUsage,
    responses((status = 200, description = "Recorded", body = UsageReceipt)))]
pub async fn record(caller: Authorized<needs::UsageWrite>, request: Request) -> Result<Response> {
    forward(caller, request, json::BODY_BYTES_MAX).await
}

/// Check a quota and record usage, atomically
///
/// No interleaving of any number of callers ever admits more than the limit.
#[utoipa::path(post, path = "/v1/usage/consumption", tag = "usage", operation_id = "consumeUsage", request_body = NewUsage,
    responses((status = 200, description = "Admitted and recorded", body = ConsumptionView)))]
pub async fn consume(caller: Authorized<needs::UsageWrite>, request: Request) -> Result<Response> {
    forward(caller, request, json::BODY_BYTES_MAX).await
}

/// Record up to 1,000 events
///
/// The good ones are recorded even when others are bad.
#[utoipa::path(post, path = "/v1/usage/batch", tag = "usage", operation_id = "recordUsageBatch", request_body = UsageBatch,
    responses((status = 200, description = "How each fared", body = UsageBatchView)))]
pub async fn batch(caller: Authorized<needs::UsageWrite>, request: Request) -> Result<Response> {
    forward(caller, request, json::BATCH_BYTES_MAX).await
}

/// Read the usage of the current period
#[utoipa::path(get, path = "/v1/usage", tag = "usage", operation_id = "getUsage",
    responses((status = 200, description = "All metrics", body = UsageSummary)))]
pub async fn summary(caller: Authorized<needs::UsageRead>, request: Request) -> Result<Response> {
    forward(caller, request, 0).await
}

/// Check a quota
#[utoipa::path(get, path = "/v1/quotas/{metric}", tag = "usage", operation_id = "getQuota",
    params(("metric" = String, Path, description = "`apiCalls`"), ("required" = Option<i64>, Query, description = "How much is wanted; 1 when absent"), ("explain" = Option<bool>, Query, description = "Also say what decided")),
    responses((status = 200, description = "Whether so much is free now", body = QuotaView)))]
pub async fn quota(caller: Authorized<needs::UsageRead>, request: Request) -> Result<Response> {
    forward(caller, request, 0).await
}

/// Record CloudEvents
///
/// CloudEvents 1.0 in structured, batch or binary mode. `type` is a metric's key, or one that the platform has mapped to a metric; `source`
/// and `id` make a retry count once.
#[utoipa::path(post, path = "/v1/events", tag = "usage", operation_id = "recordEvents",
    request_body(description = "Binary mode: the attributes are `ce-` headers, the body is the data or empty", content((CloudEvent = "application/cloudevents+json"), (Vec<CloudEvent> = "application/cloudevents-batch+json"))),
    responses((status = 200, description = "Recorded", body = EventsReceipt)))]
pub async fn events(caller: Authorized<needs::UsageWrite>, request: Request) -> Result<Response> {
    forward(caller, request, json::BATCH_BYTES_MAX).await
}

/// Reserve usage before the work
///
/// Holds an amount of what is left until it is settled, released or expired, for work whose size is only known when it is done.
#[utoipa::path(post, path = "/v1/reservations", tag = "usage", operation_id = "createReservation", request_body = NewReservation,
    responses((status = 201, description = "Reserved", body = NewReservationView)))]
pub async fn reserve(caller: Authorized<needs::UsageWrite>, request: Request) -> Result<Response> {
    forward(caller, request, json::BODY_BYTES_MAX).await
}

/// Read a reservation
#[utoipa::path(get, path = "/v1/reservations/{id}", tag = "usage", operation_id = "getReservation", params(("id" = String, Path, description = "`res_...`")),
    responses((status = 200, description = "The reservation", body = ReservationView)))]
pub async fn reservation(caller: Authorized<needs::UsageRead>, request: Request) -> Result<Response> {
    forward(caller, request, 0).await
}

/// Settle a reservation with what was used
///
/// Records the amount and gives the rest back. Sent again with the same amount, it answers the same.
#[utoipa::path(post, path = "/v1/reservations/{id}/settlement", tag = "usage", operation_id = "settleReservation", request_body = NewSettlement, params(("id" = String, Path, description = "`res_...`")),
    responses((status = 200, description = "Recorded", body = SettlementView)))]
pub async fn settle(caller: Authorized<needs::UsageWrite>, request: Request) -> Result<Response> {
    forward(caller, request, json::BODY_BYTES_MAX).await
}

/// Release a reservation
///
/// Gives all of it back.
#[utoipa::path(delete, path = "/v1/reservations/{id}", tag = "usage", operation_id = "releaseReservation", params(("id" = String, Path, description = "`res_...`")),
    responses((status = 204, description = "Released")))]
pub async fn release(caller: Authorized<needs::UsageWrite>, request: Request) -> Result<Response> {
    forward(caller, request, 0).await
}
