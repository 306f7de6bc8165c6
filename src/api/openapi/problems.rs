//! The schema of a problem document, with every member that a problem ever has.

use serde_json::{Value, json};

/// The schema that the problems of all operations extend.
pub fn schema() -> Value {
    let text = |description: &str, example: &str| json!({"type": "string", "description": description, "examples": [example]});
    let mut properties = json!({
        "type": {
            "type": "string",
            "format": "uri",
            "description": "The address of the code's documentation on this Worker.",
            "examples": ["https://api.example.com/docs/errors#invalid_request"],
        },
        "title": text("A short summary of the kind of problem.", "The request is not valid"),
        "status": {"type": "integer", "description": "The HTTP status code.", "examples": [400]},
        "detail": text("The cause of this problem, and how to resolve it.", "Send a limit from 1 to 100."),
        "code": text("A stable identifier of the kind of problem. `/docs/errors` lists all.", "invalid_request"),
        "instance": text("The path of the request.", "/v1/invoices"),
        "requestId": text("The id of the request, as answered in the header `Request-Id`.", "req_01h2xcejqtf2nbrexx3vqjhp41"),
        "errors": errors(),
    });
    if let (Some(all), Value::Object(added)) = (properties.as_object_mut(), added_members()) {
        all.extend(added);
    }
    json!({
        "type": "object",
        "description": "A problem document (RFC 9457). `code` is stable and for programs; `detail` states the cause and the remedy.",
        "required": ["type", "title", "status", "detail", "code", "instance", "requestId"],
        "properties": properties,
    })
}

fn errors() -> Value {
    let text = |description: &str, example: &str| json!({"type": "string", "description": description, "examples": [example]});
    json!({
        "type": "array",
        "description": "The places of the request that are not valid.",
        "items": {"type": "object", "required": ["pointer", "code", "detail"], "properties": {
            "pointer": text("A JSON pointer into the body, or the name of a query parameter or header.", "/amount"),
            "code": text("A stable identifier of the error. `/docs/errors` lists all.", "invalid_value"),
            "detail": text("The cause of this error, and how to resolve it.", "Send an amount above zero."),
        }},
    })
}

/// The members of some codes.
fn added_members() -> Value {
    let quantity = |description: &str| json!({"description": description, "allOf": [{"$ref": "#/components/schemas/Quantity"}]});
    json!({
        "metric": {"type": "string", "description": "With `quota_exceeded`: the key of the metric.", "examples": ["apiCalls"]},
        "current": quantity("With `quota_exceeded`: the usage so far."),
        "reserved": quantity("With `quota_exceeded`: the amount that reservations hold."),
        "limit": quantity("With `quota_exceeded`: the limit."),
        "required": quantity("With `quota_exceeded`: the amount that the request asked for."),
        "missingPermission": {
            "type": "string",
            "description": "With 403 `forbidden`: the permission that the credential lacks.",
            "examples": ["teams.read"],
        },
        "organizations": {
            "type": "array",
            "description": "With 409 `organization_required`: the organizations of the person.",
            "items": {"type": "object", "required": ["$id", "name"], "properties": {
                "$id": {"type": "string", "description": "The id of the organization.", "examples": ["org_01h2xcejqtf2nbrexx3vqjhp41"]},
                "name": {"type": "string", "description": "The name of the organization.", "examples": ["Acme"]},
            }},
        },
    })
}
