//! The examples of requests: one that succeeds for each body, and for each required parameter. `tests/it/examples.rs` sends all of them; it
//! puts ids of its own in place of the ids and secrets here.

use serde_json::{Map, Value, json};

use super::example_bodies::BODIES;

/// Adds the examples to the operations.
pub fn complete(document: &mut Value) {
    for (path, methods) in document["paths"].as_object_mut().into_iter().flatten() {
        for (_, operation) in methods.as_object_mut().into_iter().flatten() {
            let id = operation["operationId"].as_str().unwrap_or_default().to_owned();
            for parameter in operation.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten() {
                complete_parameter(path, parameter);
            }
            let contents = operation.pointer_mut("/requestBody/content").and_then(Value::as_object_mut);
            for (media_type, content) in contents.into_iter().flatten() {
                complete_body(&id, media_type, content);
            }
        }
    }
}

fn complete_body(operation: &str, media_type: &str, content: &mut Value) {
    let Some(content) = content.as_object_mut() else { return };
    let is_batch = media_type.contains("batch");
    let of_operation = BODIES.iter().filter(|(name, ..)| *name == operation);
    let examples: Map<String, Value> = of_operation
        .filter_map(|(_, name, summary, body)| {
            let value: Value = serde_json::from_str(body).ok()?;
            (value.is_array() == is_batch).then(|| ((*name).to_owned(), json!({"summary": summary, "value": value})))
        })
        .collect();
    content.remove("example");
    content.insert("examples".to_owned(), examples.into());
}

/// A required parameter: the beginning of its path, its name and an example.
const PARAMETERS: &[(&str, &str, &str)] = &[
    ("/v1/api-keys/", "id", "key_01h2xcejqtf2nbrexx3vqjhp41"),
    ("/v1/credit-notes/", "id", "cn_01h2xcejqtf2nbrexx3vqjhp41"),
    ("/v1/exports/", "id", "export_01h2xcejqtf2nbrexx3vqjhp41"),
    ("/v1/invitations/", "id", "invitation_01h2xcejqtf2nbrexx3vqjhp41"),
    ("/v1/invoices/", "id", "inv_01h2xcejqtf2nbrexx3vqjhp41"),
    ("/v1/members/", "id", "user_01h2xcejqtf2nbrexx3vqjhp41"),
    ("/v1/oauth-clients/", "id", "client_01h2xcejqtf2nbrexx3vqjhp41"),
    ("/v1/organizations/", "id", "org_01h2xcejqtf2nbrexx3vqjhp41"),
    ("/v1/organizations/", "credit", "credit_01h2xcejqtf2nbrexx3vqjhp41"),
    ("/v1/organizations/", "discount", "disc_01h2xcejqtf2nbrexx3vqjhp41"),
    ("/v1/organizations/", "grant", "grant_01h2xcejqtf2nbrexx3vqjhp41"),
    ("/v1/organizations/", "key", "sso"),
    ("/v1/organizations/", "metric", "apiCalls"),
    ("/v1/platform-keys/", "id", "platformkey_01h2xcejqtf2nbrexx3vqjhp41"),
    ("/v1/refunds/", "id", "refund_01h2xcejqtf2nbrexx3vqjhp41"),
    ("/v1/reservations/", "id", "res_01h2xcejqtf2nbrexx3vqjhp41"),
    ("/v1/roles/", "id", "role_01h2xcejqtf2nbrexx3vqjhp41"),
    ("/v1/sessions/", "id", "sess_01h2xcejqtf2nbrexx3vqjhp41"),
    ("/v1/teams/", "id", "team_01h2xcejqtf2nbrexx3vqjhp41"),
    ("/v1/teams/", "member", "user_01h2xcejqtf2nbrexx3vqjhp41"),
    ("/v1/test-clocks/", "id", "clock_01h2xcejqtf2nbrexx3vqjhp41"),
    ("/v1/entitlements/", "key", "sso"),
    ("/v1/metrics/", "key", "apiCalls"),
    ("/v1/onboarding/items/", "key", "setUpBilling"),
    ("/v1/permissions/check", "permission", "usage.read"),
    ("/v1/plans/", "key", "professional"),
    ("/v1/quotas/", "metric", "apiCalls"),
    ("/v1/usage/history", "metric", "apiCalls"),
    ("/", "Tenantry-Organization", "org_01h2xcejqtf2nbrexx3vqjhp41"),
];

fn complete_parameter(path: &str, parameter: &mut Value) {
    let is_of = |(begin, name, _): &&(&str, &str, &str)| path.starts_with(begin) && parameter["name"] == *name;
    let found = PARAMETERS.iter().find(is_of).filter(|_| parameter["required"] == true);
    if let Some((.., example)) = found {
        parameter["example"] = json!(example);
    }
}
