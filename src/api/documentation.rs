//! The OpenAPI document and the interactive page, served as static files.

use axum::response::{IntoResponse, Response};
use http::header;

use crate::kernel::error::Error;

/// On a response: the edge replaces its body by this static file, so that the Worker does not contain rarely read text.
#[cfg(target_arch = "wasm32")]
#[derive(Clone, Copy)]
pub struct StaticFile(pub &'static str);

/// The committed document; a test keeps it equal to the document of the routes.
pub async fn openapi_json() -> Response {
    #[cfg(target_arch = "wasm32")]
    let document = axum::Extension(StaticFile("/openapi.json"));
    #[cfg(not(target_arch = "wasm32"))]
    let document = include_str!("../../openapi.json");
    ([(header::CONTENT_TYPE, "application/json")], document).into_response()
}

/// The edge serves the static file `/docs` before it calls the router; here the file is missing.
pub async fn docs() -> Error {
    crate::http::refusal::unknown_route().into()
}
