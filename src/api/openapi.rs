//! The OpenAPI document: made from the routes natively, committed as `openapi.json`, served as it is.

#[cfg(not(target_arch = "wasm32"))]
#[allow(clippy::indexing_slicing, reason = "natively, at development time, on a document whose shape is known")]
mod schemas;
#[cfg(not(target_arch = "wasm32"))]
#[allow(clippy::indexing_slicing, reason = "natively, at development time, on a document whose shape is known")]
mod tags;
#[cfg(not(target_arch = "wasm32"))]
mod vocabulary;

/// The document of the routes. Not in the Worker, which serves the committed text.
#[cfg(not(target_arch = "wasm32"))]
#[allow(clippy::indexing_slicing, reason = "natively, at development time, on a document whose shape is known")]
pub mod document {
    use serde_json::{Map, Value, json};
    use utoipa::OpenApi;

    use super::super::router::{Document, operations};
    use super::{schemas, tags};
    use crate::identity::permissions::Permission;
    use crate::meter::hot_paths::HOT_PATHS;

    /// The document, with the common parts of all operations added here.
    pub fn generate() -> Value {
        let mut document = serde_json::to_value(Document::openapi()).unwrap_or_default();
        document["info"] = json!({
            "title": "Tenantry",
            "version": "1",
            "description": concat!(
                "The backend every B2B SaaS company would otherwise write itself: ",
                "organizations, metering and quotas, subscriptions and invoices."
            ),
            "contact": {"name": "Tenantry", "url": "https://tenantry.example"},
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        });
        document["servers"] = json!([{"url": "/"}]);
        document["components"]["securitySchemes"] = security_schemes();
        document["components"]["schemas"]["Problem"] = problem_schema();
        document["components"]["headers"] = rate_headers();
        tags::describe(&mut document);
        for operation in operations() {
            document["paths"][&operation.path][operation.method]["tags"] = json!([tags::name_of(operation.slice)]);
        }
        schemas::complete(&mut document);
        for (path, methods) in document["paths"].as_object_mut().into_iter().flatten() {
            for (method, operation) in methods.as_object_mut().into_iter().flatten() {
                complete(path, method, operation);
            }
        }
        document
    }

    fn security_schemes() -> Value {
        let key = |description: &str| json!({"type": "http", "scheme": "bearer", "description": description});
        let access_token = concat!(
            "A bearer token (JWT): a member within their roles, or a machine within the scopes it was granted. ",
            "A member's comes from `POST /v1/sessions`, a machine's from `POST /oauth/token`. Keys: `/.well-known/jwks.json`."
        );
        json!({
            "platformKey": key("`tk_platform_...`: the vendor. On tenant endpoints, name the organization in `Tenantry-Organization`."),
            "organizationKey": key("`tk_org_...`: one organization. The key needs the scopes that are listed for `accessToken`."),
            "accessToken": {
                "type": "oauth2",
                "description": access_token,
                "flows": {"clientCredentials": {"tokenUrl": "/oauth/token", "scopes": scopes()}},
            },
        })
    }

    fn complete(path: &str, method: &str, operation: &mut Value) {
        let refusal = json!({
            "description": "Refused or failed: a problem document (RFC 9457)",
            "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
        });
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
        name_scopes_once(operation);
    }

    /// Scopes are OAuth's; the description of the scheme says that a key of the same scopes may call the same operations.
    fn name_scopes_once(operation: &mut Value) {
        for scheme in operation["security"].as_array_mut().into_iter().flatten() {
            if let Some(scopes) = scheme.get_mut("organizationKey") {
                *scopes = json!([]);
            }
        }
    }

    fn scopes() -> Map<String, Value> {
        let describe = |scope: &str| match scope.split_once('.') {
            Some((resource, "read")) => format!("Read `{resource}`"),
            Some((resource, "write")) => format!("Create, update and delete `{resource}`"),
            Some((resource, action)) => format!("Act on `{resource}` with `{action}`"),
            None => scope.to_owned(),
        };
        Permission::ALL.iter().map(|permission| permission.wire_name()).map(|scope| (scope.to_owned(), describe(scope).into())).collect()
    }

    /// Whether the Meter answers the operation and limits its rate.
    fn is_hot(method: &str, path: &str) -> bool {
        HOT_PATHS.iter().any(|(hot, template, _)| hot.eq_ignore_ascii_case(method) && *template == path)
    }

    fn rate_headers() -> Value {
        let header =
            |description: &str, example: &str| json!({"description": description, "schema": {"type": "string", "example": example}});
        let policy = concat!(
            "The rate limit of the plan or the address: the number of requests at once (`q`), ",
            "and the number of seconds in which they come back (`w`)."
        );
        let left = "The number of requests that are left (`r`), and the number of seconds until all are (`t`).";
        json!({
            "RateLimit-Policy": header(policy, "\"default\";q=100;w=10"),
            "RateLimit": header(left, "\"default\";r=99;t=1"),
        })
    }

    /// The schema of every parameter of one name.
    fn bound(parameter: &mut Value) {
        let schema = match parameter["name"].as_str() {
            Some("limit") => json!({"type": "integer", "minimum": 1, "maximum": 100, "default": 20}),
            Some("cursor") => json!({"type": "string", "minLength": 1}),
            Some("amount") => json!({"$ref": "#/components/schemas/Quantity"}),
            Some("Idempotency-Key") => json!({"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"}),
            _ => return,
        };
        parameter["schema"] = schema;
    }

    fn header(name: &str, description: &str) -> Value {
        json!({"name": name, "in": "header", "required": false, "description": description, "schema": {"type": "string"}})
    }

    fn problem_schema() -> Value {
        let text = |description: &str, example: &str| json!({"type": "string", "description": description, "examples": [example]});
        let kind = text("A URI that names the kind of problem.", "https://tenantry.dev/problems/invalid_request");
        json!({
            "type": "object",
            "description": "A problem document (RFC 9457). `code` is stable and for programs; `detail` states the cause and the remedy.",
            "required": ["type", "title", "status", "detail", "code", "instance", "requestId"],
            "properties": {
                "type": with(kind, "format", "uri"),
                "title": text("A short summary of the kind of problem.", "The request is not valid"),
                "status": {"type": "integer", "description": "The HTTP status code.", "examples": [400]},
                "detail": text("The cause of this problem, and how to resolve it.", "Send a limit from 1 to 100."),
                "code": text("A stable identifier of the kind of problem.", "invalid_request"),
                "instance": text("The path of the request.", "/v1/invoices"),
                "requestId": text("The id of the request, as answered in the header `Request-Id`.", "req_01h2xcejqtf2nbrexx3vqjhp41"),
                "missingPermission": text("With 403 `forbidden`: the permission that the credential lacks.", "teams.read"),
                "errors": {
                    "type": "array",
                    "description": "The members of the request that are not valid.",
                    "items": {"type": "object", "required": ["pointer", "code", "detail"], "properties": {
                        "pointer": text("A JSON pointer into the body, or the name of a query parameter or header.", "/amount"),
                        "code": text("A stable identifier of the error.", "invalid_value"),
                        "detail": text("The cause of this error, and how to resolve it.", "Send an amount above zero."),
                    }},
                },
            },
        })
    }

    fn with(mut schema: Value, keyword: &str, argument: &str) -> Value {
        schema[keyword] = argument.into();
        schema
    }
}
