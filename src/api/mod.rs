//! API: from a request to the handler of a slice, and back.
//!
//! Owns: the list of routes, request ids, problem documents, and what browsers are told (CORS, the pages). Does not own: actors
//! (`identity/callers/`), any rule.
//! Invariant: every answer has a `Request-Id`, and every refusal is a problem document, also those of the framework.

pub mod cors;
pub mod documentation;
pub mod experiments;
pub mod health;
pub mod home;
pub mod openapi;
#[cfg(not(target_arch = "wasm32"))]
#[allow(clippy::indexing_slicing, reason = "natively, at development time, on a document whose shape is known")]
pub mod reference;
pub mod router;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, Request, StatusCode, header};
use tower::ServiceExt;

use self::cors::CrossOrigin;
use crate::http::refusal::{Cause, Refused, unknown_route};
use crate::http::request;
use crate::identity::authentication::Credentials;
use crate::identity::callers::authenticate::Authenticator;
use crate::kernel::error::Error;
use crate::kernel::ids::RequestId;
use crate::kernel::ports::App;
use crate::kernel::problem::Problem;

/// Answers one request. Never fails: every error is a problem document.
pub async fn handle(app: App, mut request: Request<Body>) -> Response {
    let request_id = RequestId::new(app.moment());
    let path = request.uri().path().to_owned();
    if path.starts_with("/dev/") && !app.settings.development {
        return finish(Error::from(unknown_route()).into_response(), &app, &path, request_id);
    }
    let page = CrossOrigin::of(&request);
    let mut response = match &page {
        Some(page) if page.is_preflight => page.preflight(&app).await.unwrap_or_else(IntoResponse::into_response),
        _ => {
            let origin = request::origin(request_id, request.headers());
            request.extensions_mut().insert(app.serving(origin));
            request.extensions_mut().insert(request_id);
            request.extensions_mut().insert(Authenticator(&Credentials));
            let Ok(response) = router::router().oneshot(request).await;
            response
        }
    };
    response = finish(response, &app, &path, request_id);
    if let Some(page) = &page {
        page.share(&app, &mut response).await;
    }
    cors::vary(&mut response, page.is_some());
    response
}

/// Adds the request id, and writes refusals and the framework's own rejections as problem documents.
fn finish(mut response: Response, app: &App, path: &str, request_id: RequestId) -> Response {
    if let Some(problem) = refusal(&response) {
        let allow = response.headers().get(header::ALLOW).cloned();
        let cause = response.extensions_mut().remove::<Cause>();
        response = document(&problem, app, path, request_id);
        if let Some(cause) = cause {
            response.extensions_mut().insert(cause);
        }
        if let Some(allow) = allow {
            response.headers_mut().insert(header::ALLOW, allow);
        }
    }
    if let Ok(value) = HeaderValue::from_str(&request_id.to_string()) {
        // The Meter sets the ids of its requests itself.
        response.headers_mut().entry("request-id").or_insert(value);
    }
    response
}

/// The refusal of a response, if it is one.
fn refusal(response: &Response) -> Option<Problem> {
    if let Some(Refused(problem)) = response.extensions().get::<Refused>() {
        return Some(problem.clone());
    }
    match response.status() {
        StatusCode::NOT_FOUND if !response.headers().contains_key(header::CONTENT_TYPE) => Some(unknown_route()),
        StatusCode::METHOD_NOT_ALLOWED => {
            Some(Problem::new(405, "method_not_allowed", "Method not allowed", "Use one of the methods in the Allow header."))
        }
        _ => None,
    }
}

/// A problem as `application/problem+json`.
fn document(problem: &Problem, app: &App, path: &str, request_id: RequestId) -> Response {
    let body = problem.document(&app.settings.api_url, path, &request_id.to_string()).to_string();
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    for (name, value) in &problem.headers {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(*name, value);
        }
    }
    response
}
