//! Requests of the usage API that take the long way to the Meter: handed over as they are, and answered with its answer.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};

use super::serving;
use crate::http::request::{content_type, read_body};
use crate::identity::callers::actors::Authorized;
use crate::identity::permissions::Need;
use crate::kernel::error::{OrInternal, Result};
use crate::kernel::idempotency;
use crate::meter::hot_paths::EVENTS;
use crate::meter::wire::{HotCaller, HotReply, HotRequest};

/// Hands the request to the organization's Meter as it is, and its answer back.
pub async fn forward<N: Need>(caller: Authorized<N>, request: Request, bytes_max: usize) -> Result<Response> {
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
        has_all_metrics: false,
        // What is no UTF-8 is no JSON either; the Meter says so.
        body: String::from_utf8(body).unwrap_or_else(|_| "\u{fffd}".to_owned()).into(),
    };
    Ok(respond(serving::serve(&tenant, hot).await?))
}

/// The headers that say what a CloudEvent is when its body is only its data, as the shell gathers them.
fn event_attributes(target: &str, headers: &HeaderMap) -> Result<String> {
    let sent = headers.iter().filter(|(name, _)| target.starts_with(EVENTS) && name.as_str().starts_with("ce-"));
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
