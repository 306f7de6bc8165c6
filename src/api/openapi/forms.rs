//! The forms of operations: what operations have in common, from which common problems and headers follow.
//!
//! - `EVERY` operation; `CREDENTIAL`: needs one; `ORGANIZATION`: a platform key names the organization in a header.
//! - `INPUT` has a body or parameters, `BODY` a body, `NAMED` a name or an id in its path.
//! - `WRITE` changes something in a database; `TENANT_WRITE`: credentials of an organization may send it; `MOVABLE`: it writes into the
//!   database of an organization, which may be moving.
//! - `KEYED` honours `Idempotency-Key`, `STORED` with an answer in a database instead of the Meter.
//! - `RATE_LIMITED`: `RateLimit` headers are on the response.

use serde_json::{Value, json};

use crate::meter::hot_paths::HOT_PATHS;

/// `POST` without an effect: there is nothing that a key could protect, and a repetition computes the same. OAuth's own endpoint has no
/// keys, because each token is one more.
const KEYLESS: [&str; 5] = ["createAccessToken", "estimatePrice", "previewMigration", "previewSubscriptionChange", "simulate"];

/// Whether the operation honours `Idempotency-Key`.
pub fn is_keyed(method: &str, operation: &Value) -> bool {
    method == "post" && !KEYLESS.iter().any(|id| operation["operationId"] == *id)
}

/// Whether the Meter answers the operation and limits its rate.
pub fn is_hot(method: &str, path: &str) -> bool {
    HOT_PATHS.iter().any(|(hot, template, _)| hot.eq_ignore_ascii_case(method) && *template == path)
}

/// The forms of an operation whose parameters are complete.
pub fn of(path: &str, method: &str, operation: &Value) -> Vec<&'static str> {
    let security = operation["security"].to_string();
    let is_public = operation["security"] == json!([{}]);
    let is_hot = is_hot(method, path);
    let parameter = |holds: &dyn Fn(&Value) -> bool| operation["parameters"].as_array().is_some_and(|all| all.iter().any(holds));
    let names_organization = parameter(&|parameter| parameter["name"] == "Tenantry-Organization");
    let has_body = !operation["requestBody"].is_null();
    let is_keyed = is_keyed(method, operation);
    let is_write = is_keyed && method == "post" || ["put", "patch", "delete"].contains(&method);
    let acts_for_organization = security.contains("organizationKey") || security.contains("accessToken");
    let is_in_tenant = names_organization || acts_for_organization || is_public || path.starts_with("/v1/organizations/{id}");
    let forms = [
        ("EVERY", true),
        ("CREDENTIAL", !is_public),
        ("ORGANIZATION", names_organization),
        ("INPUT", has_body || parameter(&|parameter| parameter["in"] == "query")),
        ("BODY", has_body),
        ("NAMED", path.contains('{')),
        ("WRITE", is_write && !is_hot),
        ("TENANT_WRITE", is_write && acts_for_organization),
        ("MOVABLE", is_write && is_in_tenant && !is_hot),
        ("KEYED", is_keyed),
        ("STORED", is_keyed && !is_hot),
        ("RATE_LIMITED", is_hot || (is_public && method != "get")),
    ];
    forms.into_iter().filter(|(_, holds)| *holds).map(|(form, _)| form).collect()
}
