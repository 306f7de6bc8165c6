//! `/`: what runs here and where to go next, as a page for people and as JSON for programs.

use axum::response::{IntoResponse, Response};
use http::{HeaderMap, header};
use serde::Serialize;

use super::documentation::PAGE_POLICY;
use crate::http::reply::Reply;
use crate::http::request::{RequestContext, text_header};
use crate::kernel::error::{OrInternal, Result};

/// What runs, and the paths of what explains it.
#[derive(Serialize)]
struct Home {
    name: &'static str,
    version: &'static str,
    environment: &'static str,
    links: Vec<Link>,
}

#[derive(Serialize)]
struct Link {
    rel: &'static str,
    href: &'static str,
    title: &'static str,
}

const LINKS: &[Link] = &[
    link("docs", "/docs", "The interactive API reference"),
    link("openapi", "/openapi.json", "The API description (OpenAPI 3.1)"),
    link("llms", "/llms.txt", "An overview for language models"),
    link("reference", "/docs/reference.md", "The API reference as Markdown"),
    link("health", "/healthz", "Whether every binding answers"),
    link("authorizationServer", "/.well-known/oauth-authorization-server", "OAuth 2.0 metadata, for clients of access tokens"),
];
/// They exist in development only.
const DEVELOPMENT_LINKS: &[Link] = &[link("inbox", "/dev/inbox", "The mails that would have been sent")];

const fn link(rel: &'static str, href: &'static str, title: &'static str) -> Link {
    Link { rel, href, title }
}

/// `GET /`
pub async fn home(context: RequestContext, headers: HeaderMap) -> Result<Response> {
    let development = context.app.settings.development;
    let more = if development { DEVELOPMENT_LINKS } else { &[] };
    let home = Home {
        name: "Tenantry",
        version: env!("CARGO_PKG_VERSION"),
        environment: if development { "development" } else { "production" },
        links: LINKS.iter().chain(more).map(|each| link(each.rel, each.href, each.title)).collect(),
    };
    let mut response = if prefers_a_page(&text_header(&headers, "accept")) { page(&home)? } else { Reply::ok(&home)?.into_response() };
    response.headers_mut().append(header::VARY, header::HeaderValue::from_static("Accept"));
    Ok(response)
}

/// Browsers name HTML first. Programs name JSON, or anything.
fn prefers_a_page(accept: &str) -> bool {
    let place = |name: &str| accept.split(',').position(|range| range.split(';').next().is_some_and(|kind| kind.trim() == name));
    match (place("text/html"), place("application/json")) {
        (Some(page), Some(json)) => page < json,
        (page, _) => page.is_some(),
    }
}

fn page(home: &Home) -> Result<Response> {
    let mut environment = minijinja::Environment::new();
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::Html);
    let home = minijinja::Value::from(minijinja::value::Serde(home));
    let text = environment.render_named_str("home.html", include_str!("home.html"), minijinja::context! { home }).or_internal()?;
    let mut response = axum::response::Html(text).into_response();
    for (name, value) in PAGE_POLICY {
        response.headers_mut().insert(name.clone(), header::HeaderValue::from_static(value));
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_get_a_page_and_programs_json() {
        for accept in ["text/html", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text/html, application/json"] {
            assert!(prefers_a_page(accept), "{accept}");
        }
        for accept in ["", "*/*", "application/json", "application/json, text/html", "text/plain", "text/htmlx"] {
            assert!(!prefers_a_page(accept), "{accept}");
        }
    }
}
