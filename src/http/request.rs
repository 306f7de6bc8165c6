//! Reading requests: bodies, queries and ids in paths; each refusal is a problem with its remedy.

use std::str::FromStr;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use http::HeaderMap;
use http::request::Parts;
use serde::de::DeserializeOwned;
use utoipa::openapi::security::SecurityRequirement;

use crate::http::security;
use crate::http::security::Secured;
use crate::kernel::audit::Origin;
use crate::kernel::error::Error;
use crate::kernel::idempotency::Claim;
use crate::kernel::ids::RequestId;
use crate::kernel::json;
use crate::kernel::ports::App;
use crate::kernel::problem::Problem;
use crate::kernel::wording::sentence;

/// A JSON body of type `T`, and the claim of its `Idempotency-Key` if it has one.
pub struct Command<T> {
    pub body: T,
    pub claim: Option<Claim>,
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Command<T> {
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self, Error> {
        let headers = request.headers().clone();
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let bytes = read_body(request, state, json::BODY_BYTES_MAX).await?;
        let body = read_json(&content_type(&headers), &bytes)?;
        let claim = match headers.get("idempotency-key") {
            None => None,
            Some(key) => Some(Claim::new(key.to_str().unwrap_or_default(), method.as_str(), &path, &bytes)?),
        };
        Ok(Self { body, claim })
    }
}

/// The JSON body of a `POST` without an effect. An `Idempotency-Key` is ignored: there is nothing that it could protect.
pub struct Input<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Input<T> {
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self, Error> {
        let content_type = content_type(request.headers());
        let bytes = read_body(request, state, json::BODY_BYTES_MAX).await?;
        Ok(Self(read_json(&content_type, &bytes)?))
    }
}

/// An absent body without a type is an empty object.
fn read_json<T: DeserializeOwned>(content_type: &str, bytes: &[u8]) -> Result<T, Problem> {
    if bytes.is_empty() && content_type.is_empty() {
        json::read("application/json", b"{}", json::BODY_BYTES_MAX)
    } else {
        json::read(content_type, bytes, json::BODY_BYTES_MAX)
    }
}

/// The claim of a `POST` without a body, if it has an `Idempotency-Key`.
pub struct IdempotencyKey(pub Option<Claim>);

impl<S: Send + Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        let Some(key) = parts.headers.get("idempotency-key") else { return Ok(Self(None)) };
        Ok(Self(Some(Claim::new(key.to_str().unwrap_or_default(), parts.method.as_str(), parts.uri.path(), &[])?)))
    }
}

/// The `Content-Type` as sent, empty when absent.
pub fn content_type(headers: &HeaderMap) -> String {
    text_header(headers, "content-type")
}

/// A header's text, empty when absent or not ASCII.
pub fn text_header(headers: &HeaderMap, name: &str) -> String {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}

/// The whole body, refused when larger than `bytes_max`.
pub async fn read_body<S: Send + Sync>(request: Request, state: &S, bytes_max: usize) -> Result<Bytes, Error> {
    let bytes = Bytes::from_request(request, state)
        .await
        .map_err(|_| Error::from(json::check_size(usize::MAX, bytes_max).err().unwrap_or_else(Problem::internal)))?;
    json::check_size(bytes.len(), bytes_max)?;
    Ok(bytes)
}

/// Query parameters of type `T`; unknown ones are refused if `T` denies them.
pub struct Filter<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Filter<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        let query = Query::<T>::try_from_uri(&parts.uri).map_err(|rejection| invalid_query(&rejection.body_text()))?;
        Ok(Self(query.0))
    }
}

/// The refusal of a query, from the message of axum: `...: name: message`, or a message that holds the name.
fn invalid_query(rejection: &str) -> Problem {
    let message = rejection.split_once(": ").map_or(rejection, |(_, message)| message);
    let quoted = || message.split('`').nth(1);
    let is_of_member = ["missing field", "duplicate field", "unknown field"].iter().any(|start| message.starts_with(start));
    let (name, message) = match message.split_once(": ") {
        _ if is_of_member => (quoted().unwrap_or("query"), message),
        Some((name, message)) => (name, message),
        None => ("query", message),
    };
    Problem::invalid(name, "invalid_query", sentence(message, "parameter"))
}

/// For lists that are never long enough to be paged.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoParameters {}

/// The id in the path. An invalid one is answered like an unknown one.
pub struct IdInPath<T>(pub T);

impl<T: FromStr, S: Send + Sync> FromRequestParts<S> for IdInPath<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let text = Path::<String>::from_request_parts(parts, state).await.map(|path| path.0).unwrap_or_default();
        text.parse().map(Self).map_err(|_| Problem::not_found("object").into())
    }
}

/// The two ids in the path, the second within the first. An invalid one is answered like an unknown one.
pub struct IdsInPath<A, B>(pub A, pub B);

impl<A: FromStr, B: FromStr, S: Send + Sync> FromRequestParts<S> for IdsInPath<A, B> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let (outer, inner) = Path::<(String, String)>::from_request_parts(parts, state).await.map(|path| path.0).unwrap_or_default();
        let ids = outer.parse().ok().zip(inner.parse().ok());
        ids.map(|(outer, inner)| Self(outer, inner)).ok_or_else(|| Problem::not_found("object").into())
    }
}

/// The name in the path: of a plan, a metric, a checklist item.
pub struct NameInPath(pub String);

impl<S: Send + Sync> FromRequestParts<S> for NameInPath {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        Ok(Self(Path::<String>::from_request_parts(parts, state).await.map(|path| path.0).unwrap_or_default()))
    }
}

/// Characters of the stored address and user agent of a request at most.
const ADDRESS_LENGTH_MAX: usize = 64;
const USER_AGENT_LENGTH_MAX: usize = 500;

/// The origin of a request. The address is the one that Cloudflare reports; a client can't set this header.
pub fn origin(request: RequestId, headers: &HeaderMap) -> Origin {
    let kept = |name: &str, length_max: usize| {
        let text: String = text_header(headers, name).chars().take(length_max).collect();
        Some(text).filter(|text| !text.is_empty())
    };
    let (address, user_agent) = (kept("cf-connecting-ip", ADDRESS_LENGTH_MAX), kept("user-agent", USER_AGENT_LENGTH_MAX));
    Origin { request: Some(request), address, user_agent }
}

/// The context of a request, which [`crate::api::handle`] adds to every request.
pub struct RequestContext {
    pub app: App,
    pub request_id: RequestId,
}

/// A handler whose first argument it is serves public resources, because it has no caller.
impl Secured for RequestContext {
    fn accepts() -> Vec<SecurityRequirement> {
        vec![security::nothing()]
    }
}

impl<S: Send + Sync> FromRequestParts<S> for RequestContext {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        let app = parts.extensions.get::<App>().cloned();
        let request_id = parts.extensions.get::<RequestId>().copied();
        app.zip(request_id)
            .map(|(app, request_id)| Self { app, request_id })
            .ok_or_else(|| Error::internal("the request did not come through api::handle"))
    }
}
