//! The OpenAPI document and the interactive page, served as the static files that they are.

use axum::response::{IntoResponse, Response};
use http::header;

use crate::kernel::error::Error;

/// On a response: its body is this static file, which the edge puts in. So the Worker does not carry what is seldom read.
#[cfg(target_arch = "wasm32")]
#[derive(Clone, Copy)]
pub struct StaticFile(pub &'static str);

/// The committed document; a test keeps it the same as what the routes say.
pub async fn openapi_json() -> Response {
    #[cfg(target_arch = "wasm32")]
    let document = axum::Extension(StaticFile("/openapi.json"));
    #[cfg(not(target_arch = "wasm32"))]
    let document = include_str!("../../openapi.json");
    ([(header::CONTENT_TYPE, "application/json")], document).into_response()
}

/// `/docs` is a static file that the edge serves before it asks the router; here it is missing.
pub async fn docs() -> Error {
    crate::http::refusal::unknown_route().into()
}
