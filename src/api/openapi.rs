//! The OpenAPI document: made from the routes natively, committed as `openapi.json`, served as it is.

#[cfg(not(target_arch = "wasm32"))]
pub mod catalogue;
#[cfg(not(target_arch = "wasm32"))]
pub mod errors;
#[cfg(not(target_arch = "wasm32"))]
#[allow(clippy::indexing_slicing, reason = "natively, at development time, on a document whose shape is known")]
mod forms;
#[cfg(not(target_arch = "wasm32"))]
mod problems;
#[cfg(not(target_arch = "wasm32"))]
#[allow(clippy::indexing_slicing, reason = "natively, at development time, on a document whose shape is known")]
mod responses;
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
    use super::{forms, responses, schemas, tags};
    use crate::identity::permissions::Permission;

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
        tags::describe(&mut document);
        for operation in operations() {
            document["paths"][&operation.path][operation.method]["tags"] = json!([tags::name_of(operation.slice)]);
        }
        schemas::complete(&mut document);
        for methods in document["paths"].as_object_mut().into_iter().flat_map(Map::values_mut) {
            for (method, operation) in methods.as_object_mut().into_iter().flatten() {
                complete(method, operation);
            }
        }
        responses::complete(&mut document);
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

    fn complete(method: &str, operation: &mut Value) {
        let tenant = operation["security"].to_string().contains("organizationKey");
        let anybody = operation["security"][0]["organizationKey"] == json!([]);
        let mut parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
        if tenant && !anybody {
            parameters.push(header("Tenantry-Organization", "With a platform key: the organization it acts for"));
        }
        if forms::is_keyed(method, operation) {
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
}
