//! Cross-origin requests (CORS): which answers a browser shows to the scripts of another origin.
//!
//! A page of an allowed origin reads answers to requests with an access token or without a credential (login, sign-up). A request with a
//! key gets no such headers, because a key does not belong in a browser. Cookies are not used, so credentials are never allowed.

use axum::body::Body;
use axum::response::Response;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, header};

use crate::http::request::text_header;
use crate::identity::access_tokens::jwt::resembles_token;
use crate::identity::allowed_origins;
use crate::kernel::error::Result;
use crate::kernel::ports::App;
use crate::kernel::problem::Problem;

/// The methods of the API.
const METHODS: &str = "GET, POST, PUT, PATCH, DELETE";
/// Request headers that a browser asks for, and that the bearer of an access token may need. A key's `Tenantry-Organization` is not one.
const REQUEST_HEADERS: &str = "Authorization, Content-Type, Idempotency-Key, If-None-Match, Last-Event-ID, Range, Second-Factor-Code";
/// Response headers that scripts may read, beside those that they may always read.
const RESPONSE_HEADERS: &str = "Content-Disposition, Content-Range, ETag, Idempotent-Replayed, RateLimit, RateLimit-Policy, Request-Id, \
     Retry-After, WWW-Authenticate";
/// How long a browser keeps the answer to a preflight. The answer grants nothing: each request is judged anew.
const PREFLIGHT_SECONDS: &str = "600";
/// Its credential is a client's secret, which does not belong in a browser either.
const TOKEN_PATH: &str = "/oauth/token";

/// A request of a page of another origin.
#[derive(Clone, Debug)]
pub struct CrossOrigin {
    origin: HeaderValue,
    pub is_preflight: bool,
    has_secret: bool,
}

impl CrossOrigin {
    /// None for a request without `Origin`.
    pub fn of<B>(request: &Request<B>) -> Option<Self> {
        let headers = request.headers();
        let origin = headers.get(header::ORIGIN)?.clone();
        let is_preflight = request.method() == Method::OPTIONS && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
        Some(Self { origin, is_preflight, has_secret: request.uri().path() == TOKEN_PATH || has_key(headers) })
    }

    /// The answer to a preflight. It carries no credential, so the origin alone decides.
    pub async fn preflight(&self, app: &App) -> Result<Response> {
        if !self.is_allowed(app).await? {
            return Err(not_allowed().into());
        }
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        for (name, value) in [
            (header::ACCESS_CONTROL_ALLOW_METHODS, METHODS),
            (header::ACCESS_CONTROL_ALLOW_HEADERS, REQUEST_HEADERS),
            (header::ACCESS_CONTROL_MAX_AGE, PREFLIGHT_SECONDS),
        ] {
            set(&mut response, name, value);
        }
        Ok(response)
    }

    /// Lets scripts of an allowed origin read the response. Without the list, they don't read it.
    pub async fn share(&self, app: &App, response: &mut Response) {
        if self.is_allowed(app).await.unwrap_or(false) {
            response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, self.origin.clone());
            if !self.is_preflight {
                set(response, header::ACCESS_CONTROL_EXPOSE_HEADERS, RESPONSE_HEADERS);
            }
        }
    }

    async fn is_allowed(&self, app: &App) -> Result<bool> {
        let Ok(origin) = self.origin.to_str() else { return Ok(false) };
        Ok(!self.has_secret && allowed_origins::store::remembered(app).await?.allow(origin))
    }
}

/// Tells caches that another origin gets another answer. A cache keeps only what says `public`.
pub fn vary(response: &mut Response, is_cross_origin: bool) {
    let is_public = text_header(response.headers(), "cache-control").contains("public");
    if is_cross_origin || is_public {
        response.headers_mut().append(header::VARY, HeaderValue::from_static("Origin"));
    }
}

/// Whether the credential is anything but an access token.
fn has_key(headers: &HeaderMap) -> bool {
    let header = text_header(headers, "authorization");
    headers.contains_key(header::AUTHORIZATION) && !header.split_once(' ').is_some_and(|(_, credential)| resembles_token(credential.trim()))
}

fn not_allowed() -> Problem {
    let detail =
        "Pages of this origin may not call the API. Add the origin with PUT /v1/allowed-origins, or call the API from your server.";
    Problem::new(403, "origin_not_allowed", "The origin is not allowed", detail)
}

fn set(response: &mut Response, name: HeaderName, value: &'static str) {
    response.headers_mut().insert(name, HeaderValue::from_static(value));
}
