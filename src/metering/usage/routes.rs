//! The usage and quota endpoints. An organization's own keys take the short way (`src/edge/shell.mjs`) to the same Meter; here come the
//! vendor's platform keys, and natively all callers.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};

pub use super::exports::*;
pub use super::history::*;
pub use super::live::*;
use super::wire::{
    CloudEvent, ConsumptionView, EventsReceipt, NewReservation, NewReservationView, NewSettlement, NewUsage, QuotaView, ReservationView,
    SettlementView, UsageBatch, UsageBatchView, UsageReceipt, UsageSummary,
};
use crate::http::request::{content_type, read_body};
use crate::identity::callers::actors::Authorized;
use crate::identity::permissions::{Need, needs};
use crate::kernel::error::{OrInternal, Result};
use crate::kernel::{idempotency, json};
use crate::meter::contract::{HotCaller, HotReply, HotRequest};

/// Record usage
///
/// Always accepted, also past the limit. Retry with the same idempotency key: it counts once.
#[utoipa::path(post, path = "/v1/usage", tag = "usage", operation_id = "recordUsage", request_body = NewUsage,
    responses((status = 200, description = "Recorded", body = UsageReceipt)), security(("organizationKey" = ["usage.write"]), ("platformKey" = [])))]
pub async fn record(caller: Authorized<needs::UsageWrite>, request: Request) -> Result<Response> {
    serve(caller, request, json::BODY_BYTES_MAX).await
}

/// Check a quota and record usage, atomically
///
/// No interleaving of any number of callers ever admits more than the limit.
#[utoipa::path(post, path = "/v1/usage/consumption", tag = "usage", operation_id = "consumeUsage", request_body = NewUsage,
    responses((status = 200, description = "Admitted and recorded", body = ConsumptionView)), security(("organizationKey" = ["usage.write"]), ("platformKey" = [])))]
pub async fn consume(caller: Authorized<needs::UsageWrite>, request: Request) -> Result<Response> {
    serve(caller, request, json::BODY_BYTES_MAX).await
}

/// Record up to 1,000 events
///
/// The good ones are recorded even when others are bad.
#[utoipa::path(post, path = "/v1/usage/batch", tag = "usage", operation_id = "recordUsageBatch", request_body = UsageBatch,
    responses((status = 200, description = "How each fared", body = UsageBatchView)), security(("organizationKey" = ["usage.write"]), ("platformKey" = [])))]
pub async fn batch(caller: Authorized<needs::UsageWrite>, request: Request) -> Result<Response> {
    serve(caller, request, json::BATCH_BYTES_MAX).await
}

/// Read the usage of the current period
#[utoipa::path(get, path = "/v1/usage", tag = "usage", operation_id = "getUsage",
    responses((status = 200, description = "All metrics", body = UsageSummary)), security(("organizationKey" = ["usage.read"]), ("platformKey" = [])))]
pub async fn summary(caller: Authorized<needs::UsageRead>, request: Request) -> Result<Response> {
    serve(caller, request, 0).await
}

/// Check a quota
#[utoipa::path(get, path = "/v1/quotas/{metric}", tag = "usage", operation_id = "getQuota",
    params(("metric" = String, Path, description = "`apiCalls`"), ("required" = Option<i64>, Query, description = "How much is wanted; 1 when absent"), ("explain" = Option<bool>, Query, description = "Also say what decided")),
    responses((status = 200, description = "Whether so much is free now", body = QuotaView)), security(("organizationKey" = ["usage.read"]), ("platformKey" = [])))]
pub async fn quota(caller: Authorized<needs::UsageRead>, request: Request) -> Result<Response> {
    serve(caller, request, 0).await
}

/// Record CloudEvents
///
/// CloudEvents 1.0 in structured, batch or binary mode. `type` is a metric's key, or one that the platform has mapped to a metric; `source`
/// and `id` make a retry count once.
#[utoipa::path(post, path = "/v1/events", tag = "usage", operation_id = "recordEvents",
    request_body(description = "Binary mode: the attributes are `ce-` headers, the body is the data or empty", content((CloudEvent = "application/cloudevents+json"), (Vec<CloudEvent> = "application/cloudevents-batch+json"))),
    responses((status = 200, description = "Recorded", body = EventsReceipt)), security(("organizationKey" = ["usage.write"]), ("platformKey" = [])))]
pub async fn events(caller: Authorized<needs::UsageWrite>, request: Request) -> Result<Response> {
    serve(caller, request, json::BATCH_BYTES_MAX).await
}

/// Reserve usage before the work
///
/// Holds an amount of what is left until it is settled, released or expired, for work whose size is only known when it is done.
#[utoipa::path(post, path = "/v1/reservations", tag = "usage", operation_id = "createReservation", request_body = NewReservation,
    responses((status = 201, description = "Reserved", body = NewReservationView)), security(("organizationKey" = ["usage.write"]), ("platformKey" = [])))]
pub async fn reserve(caller: Authorized<needs::UsageWrite>, request: Request) -> Result<Response> {
    serve(caller, request, json::BODY_BYTES_MAX).await
}

/// Read a reservation
#[utoipa::path(get, path = "/v1/reservations/{id}", tag = "usage", operation_id = "getReservation", params(("id" = String, Path, description = "`res_...`")),
    responses((status = 200, description = "The reservation", body = ReservationView)), security(("organizationKey" = ["usage.read"]), ("platformKey" = [])))]
pub async fn reservation(caller: Authorized<needs::UsageRead>, request: Request) -> Result<Response> {
    serve(caller, request, 0).await
}

/// Settle a reservation with what was used
///
/// Records the amount and gives the rest back. Sent again with the same amount, it answers the same.
#[utoipa::path(post, path = "/v1/reservations/{id}/settlement", tag = "usage", operation_id = "settleReservation", request_body = NewSettlement, params(("id" = String, Path, description = "`res_...`")),
    responses((status = 200, description = "Recorded", body = SettlementView)), security(("organizationKey" = ["usage.write"]), ("platformKey" = [])))]
pub async fn settle(caller: Authorized<needs::UsageWrite>, request: Request) -> Result<Response> {
    serve(caller, request, json::BODY_BYTES_MAX).await
}

/// Release a reservation
///
/// Gives all of it back.
#[utoipa::path(delete, path = "/v1/reservations/{id}", tag = "usage", operation_id = "releaseReservation", params(("id" = String, Path, description = "`res_...`")),
    responses((status = 204, description = "Released")), security(("organizationKey" = ["usage.write"]), ("platformKey" = [])))]
pub async fn release(caller: Authorized<needs::UsageWrite>, request: Request) -> Result<Response> {
    serve(caller, request, 0).await
}

/// Hands the request to the organization's Meter as it is, and its answer back.
async fn serve<N: Need>(caller: Authorized<N>, request: Request, bytes_max: usize) -> Result<Response> {
    let tenant = caller.tenant;
    let headers = request.headers().clone();
    let target = request.uri().path_and_query().map(ToString::to_string).unwrap_or_default();
    // The router answers HEAD as GET without its body.
    let method = if request.method() == Method::HEAD { Method::GET.to_string() } else { request.method().to_string() };
    let body = if bytes_max == 0 { Vec::new() } else { read_body(request, &(), bytes_max).await?.to_vec() };
    let hot = HotRequest {
        caller: HotCaller::Trusted,
        method: method.into(),
        target: target.as_str().into(),
        content_type: content_type(&headers).into(),
        idempotency_key: sent_key(&headers)?.into(),
        attributes: event_attributes(&target, &headers)?.into(),
        is_told: false,
        // What is no UTF-8 is no JSON either; the Meter says so.
        body: String::from_utf8(body).unwrap_or_else(|_| "\u{fffd}".to_owned()).into(),
    };
    Ok(respond(super::serving::serve(&tenant, hot).await?))
}

/// The headers that say what a CloudEvent is when its body is only its data, as the shell gathers them.
fn event_attributes(target: &str, headers: &HeaderMap) -> Result<String> {
    let sent = headers.iter().filter(|(name, _)| target.starts_with("/v1/events") && name.as_str().starts_with("ce-"));
    // One header sent twice is one with both values, as the platform reads it.
    let mut attributes: BTreeMap<&str, String> = BTreeMap::new();
    for (name, value) in sent {
        let value = value.to_str().unwrap_or("\u{fffd}");
        attributes.entry(name.as_str()).and_modify(|first| *first = format!("{first}, {value}")).or_insert_with(|| value.to_owned());
    }
    if attributes.is_empty() {
        return Ok(String::new());
    }
    serde_json::to_string(&attributes).or_internal()
}

/// The `Idempotency-Key` as sent, empty when absent. One that can't be a key is refused: ignoring it would count a retry twice.
fn sent_key(headers: &HeaderMap) -> Result<String> {
    match headers.get("idempotency-key").map(|key| key.to_str().unwrap_or_default()) {
        None => Ok(String::new()),
        Some("") => Err(idempotency::invalid_key().into()),
        Some(key) => Ok(key.to_owned()),
    }
}

fn respond(reply: HotReply) -> Response {
    let mut response = Response::new(Body::from(reply.body));
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in reply.headers {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(&value)) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}
