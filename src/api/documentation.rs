//! The OpenAPI document, the interactive page and the texts for language models, served as static files.

use axum::response::{IntoResponse, Response};
use http::{HeaderName, header};

use crate::kernel::error::Error;

/// On a response: the edge replaces its body by this static file, so that the Worker does not contain rarely read text.
#[cfg(target_arch = "wasm32")]
#[derive(Clone, Copy)]
pub struct StaticFile(pub &'static str);

/// Headers of our pages: they load our own files only, run no inline script, and no other page frames them. Swagger UI sets styles inline.
pub const PAGE_POLICY: [(HeaderName, &str); 3] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
];

/// Whether a path is one of the static pages: `/docs` with its files, and the overview for language models.
pub fn is_page(path: &str) -> bool {
    path == "/docs" || path.starts_with("/docs/") || path == "/llms.txt"
}

/// The committed document; a test keeps it equal to the document of the routes.
pub async fn openapi_json() -> Response {
    #[cfg(target_arch = "wasm32")]
    let document = axum::Extension(StaticFile("/openapi.json"));
    #[cfg(not(target_arch = "wasm32"))]
    let document = include_str!("../../openapi.json");
    ([(header::CONTENT_TYPE, "application/json")], document).into_response()
}

/// The edge serves static pages before it calls the router; here the file is missing.
pub async fn page() -> Error {
    crate::http::refusal::unknown_route().into()
}
