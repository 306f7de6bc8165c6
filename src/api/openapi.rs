//! The OpenAPI document: made from the routes natively, committed as `openapi.json`, served as it is.

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

/// The document as the routes say it. Not in the Worker, which serves the committed text.
#[cfg(not(target_arch = "wasm32"))]
#[allow(clippy::indexing_slicing, reason = "natively, at development time, on a document whose shape is known")]
pub mod document {
    use serde_json::{Map, Value, json};
    use utoipa::OpenApi;

    use super::super::router::Document;
    use crate::meter::hot_paths::HOT_PATHS;

    /// The document, with what all operations have in common added once, here.
    pub fn generate() -> Value {
        let mut document = serde_json::to_value(Document::openapi()).unwrap_or_default();
        document["info"] = json!({
            "title": "Tenantry",
            "version": "1",
            "description": "The backend every B2B SaaS company would otherwise write itself: organizations, metering and quotas, subscriptions and invoices.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        });
        document["servers"] = json!([{"url": "/"}]);
        document["components"]["securitySchemes"] = json!({
            "platformKey": {"type": "http", "scheme": "bearer", "description": "`tk_platform_...`: the vendor. On tenant endpoints name the organization in `Tenantry-Organization`."},
            "organizationKey": {"type": "http", "scheme": "bearer", "description": "`tk_org_...`: one organization, within its scopes."},
            "accessToken": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "A member within their roles, or a machine within the scopes it was granted (`POST /oauth/token`). Keys: `/.well-known/jwks.json`."},
        });
        document["components"]["schemas"]["Problem"] = problem_schema();
        document["components"]["headers"] = rate_headers();
        for (path, methods) in document["paths"].as_object_mut().into_iter().flatten() {
            for (method, operation) in methods.as_object_mut().into_iter().flatten() {
                complete(path, method, operation);
            }
        }
        document
    }

    fn complete(path: &str, method: &str, operation: &mut Value) {
        let refusal = json!({"description": "Refused or failed: a problem document (RFC 9457)", "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}});
        for status in ["4XX", "5XX"] {
            if operation["responses"][status].is_null() {
                operation["responses"][status] = refusal.clone();
            }
        }
        let is_throttled = operation["security"] == json!([{}]) && method != "get";
        if is_throttled || is_hot(method, path) {
            for response in operation["responses"].as_object_mut().into_iter().flat_map(Map::values_mut) {
                let reference = |name: &str| json!({"$ref": format!("#/components/headers/{name}")});
                response["headers"] = json!({"RateLimit-Policy": reference("RateLimit-Policy"), "RateLimit": reference("RateLimit")});
            }
        }
        let tenant = operation["security"].to_string().contains("organizationKey");
        let anybody = operation["security"][0]["organizationKey"] == json!([]);
        let mut parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
        if tenant && !anybody {
            parameters.push(header("Tenantry-Organization", "With a platform key: the organization it acts for"));
        }
        if method == "post" {
            parameters.push(header("Idempotency-Key", "Makes a retry find the first answer (48 hours; usage: 35 days)"));
        }
        for parameter in &mut parameters {
            bound(parameter);
        }
        if !parameters.is_empty() {
            operation["parameters"] = parameters.into();
        }
    }

    /// Whether the Meter answers it, and limits its rate.
    fn is_hot(method: &str, path: &str) -> bool {
        HOT_PATHS.iter().any(|(hot, template, _)| hot.eq_ignore_ascii_case(method) && *template == path)
    }

    fn rate_headers() -> Value {
        json!({
            "RateLimit-Policy": {"description": "Where the rate is limited, by the plan or by address: how many requests at once (`q`), and in how many seconds they come back (`w`)", "schema": {"type": "string", "example": "\"default\";q=100;w=10"}},
            "RateLimit": {"description": "Where the rate is limited: how many requests are left (`r`), and seconds until all are (`t`)", "schema": {"type": "string", "example": "\"default\";r=99;t=1"}},
        })
    }

    /// What every parameter of one name is held to.
    fn bound(parameter: &mut Value) {
        let schema = match parameter["name"].as_str() {
            Some("limit") => json!({"type": "integer", "minimum": 1, "maximum": 100, "default": 20}),
            Some("cursor") => json!({"type": "string", "minLength": 1}),
            Some("required") => json!({"$ref": "#/components/schemas/Quantity"}),
            Some("Idempotency-Key") => json!({"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"}),
            _ => return,
        };
        parameter["schema"] = schema;
    }

    fn header(name: &str, description: &str) -> Value {
        json!({"name": name, "in": "header", "required": false, "description": description, "schema": {"type": "string"}})
    }

    fn problem_schema() -> Value {
        json!({
            "type": "object",
            "description": "RFC 9457. `code` is stable and for programs, `detail` says what to do next.",
            "required": ["type", "title", "status", "detail", "code", "instance", "requestId"],
            "properties": {
                "type": {"type": "string", "format": "uri"}, "title": {"type": "string"}, "status": {"type": "integer"},
                "detail": {"type": "string"}, "code": {"type": "string"}, "instance": {"type": "string"}, "requestId": {"type": "string"},
                "errors": {"type": "array", "items": {"type": "object", "required": ["pointer", "code", "detail"], "properties": {
                    "pointer": {"type": "string"}, "code": {"type": "string"}, "detail": {"type": "string"}}}},
            },
        })
    }
}
