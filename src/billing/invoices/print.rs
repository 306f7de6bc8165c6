//! The printed invoice: which form a client asked for, the content of the document, and the response. `crates/documents` does the printing.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use documents::{Catalog, Document};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use sha2::{Digest, Sha256};

use super::form::Form;
use crate::http::reply::Reply;
use crate::http::request::text_header;
use crate::kernel::error::{OrInternal, Result};
use crate::kernel::ports::App;
use crate::kernel::time::Timestamp;

/// The document in the requested form; only the headers when the client has it already.
pub async fn answer(app: &App, form: Form, document: &Document, headers: &HeaderMap) -> Result<Response> {
    let (bytes, content_type) = match form {
        Form::Pdf => (pdf(app, document).await?, "application/pdf"),
        Form::Html | Form::Json => (documents::html(document).or_internal()?.into_bytes(), "text/html; charset=utf-8"),
    };
    let tag = tag(&bytes);
    let known = text_header(headers, "if-none-match").split(',').any(|known| known.trim().trim_start_matches("W/") == tag);
    let mut response = Response::new(if known { Body::empty() } else { Body::from(bytes) });
    if known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let name = document.number.as_deref().unwrap_or("draft");
    // A printed invoice runs no script and loads nothing, whatever text it contains.
    let policy =
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
    for (header, value) in [
        (header::CONTENT_TYPE, content_type.to_owned()),
        (header::ETAG, tag),
        (header::VARY, "Accept".to_owned()),
        (header::CACHE_CONTROL, "private, no-cache".to_owned()),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        (header::CONTENT_SECURITY_POLICY, policy.to_owned()),
        (
            header::CONTENT_DISPOSITION,
            format!("inline; filename=\"{}.{}\"", file_name(name), if form == Form::Pdf { "pdf" } else { "html" }),
        ),
    ] {
        put(&mut response, header, &value);
    }
    Ok(response)
}

/// The invoice as JSON, which depends on `Accept` as well.
pub fn as_json(reply: Reply) -> Response {
    reply.with_headers([("vary", "Accept".to_owned())]).into_response()
}

fn put(response: &mut Response, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

fn tag(bytes: &[u8]) -> String {
    let hex: String = Sha256::digest(bytes).iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("\"{hex}\"")
}

/// A number may contain characters that a file name must not.
fn file_name(number: &str) -> String {
    number.chars().map(|letter| if letter.is_ascii_alphanumeric() || letter == '-' { letter } else { '_' }).collect()
}

/// Static files change with a deployment, and that starts new isolates.
const FONTS_KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// The PDF, with the fonts that the text of the document needs.
async fn pdf(app: &App, document: &Document) -> Result<Vec<u8>> {
    let now = app.moment().now;
    let catalog = match app.memory.recall::<Catalog>("fonts", now) {
        Some(catalog) => catalog,
        None => {
            let index = app.fonts.load("index.json").await?;
            let catalog = Catalog::parse(&String::from_utf8_lossy(&index)).or_internal()?;
            let catalog = Arc::new(catalog);
            app.memory.keep("fonts", now.plus(FONTS_KEPT), Arc::clone(&catalog));
            catalog
        }
    };
    let mut files = BTreeMap::new();
    for file in catalog.needed(document) {
        files.insert(file.to_owned(), font(app, file, now).await?);
    }
    documents::pdf(document, &documents::Fonts::new(&catalog, files)).or_internal()
}

/// The two fonts of nearly every document are kept in memory; the many slices of the large scripts are rarely used.
async fn font(app: &App, file: &str, now: Timestamp) -> Result<Arc<[u8]>> {
    if !file.starts_with("sans") {
        return app.fonts.load(file).await;
    }
    let name = format!("font {file}");
    if let Some(bytes) = app.memory.recall::<Arc<[u8]>>(&name, now) {
        return Ok(Arc::clone(&bytes));
    }
    let bytes = app.fonts.load(file).await?;
    app.memory.keep(&name, now.plus(FONTS_KEPT), Arc::new(Arc::clone(&bytes)));
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_named_by_its_number() {
        assert_eq!(file_name("INV/2026-000042\""), "INV_2026-000042_");
    }
}
