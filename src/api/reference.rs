//! The API reference as Markdown for language models, and its overview (llmstxt.org): written from the OpenAPI document, committed under
//! `assets/`, served as static files. Natively only.

use std::collections::BTreeSet;
use std::fmt::Write;

use serde_json::{Map, Value};

/// Members of members are listed up to this depth; deeper ones are in a schema of their own.
const DEPTH_MAX: usize = 4;
const INTRODUCTION: &str = include_str!("reference.md");
const OVERVIEW: &str = include_str!("llms.txt");

/// The whole reference: each tag with its operations, then the schemas that they name.
pub fn markdown(document: &Value) -> String {
    let mut text = format!("# Tenantry API reference\n\n{}", INTRODUCTION.trim_end());
    for tag in list(&document["tags"]) {
        let name = word(&tag["name"]);
        let _ = write!(text, "\n\n## {name}\n\n{}", line(&tag["description"]));
        for (path, method, operation) in operations(document).filter(|(_, _, operation)| operation["tags"][0] == name) {
            text.push_str("\n\n");
            text.push_str(&write_operation(document, path, method, operation));
        }
    }
    text.push_str("\n\n## Schemas\n\nThe answers and members that operations name, in the order of the alphabet.");
    let inline = bodies_of_requests(document);
    for (name, schema) in members(&document["components"]["schemas"]).filter(|(name, _)| !inline.contains(name.as_str())) {
        let _ = write!(text, "\n\n### {name}\n\n{}", write_schema(schema).trim_end());
    }
    text.push('\n');
    text
}

/// `/llms.txt`: what this is, and where to read on. `reference_bytes` is the size of the reference, so that a reader can decide.
pub fn overview(document: &Value, reference_bytes: usize) -> String {
    let count = operations(document).count();
    let kilobytes = reference_bytes.div_ceil(1024);
    let mut text = OVERVIEW.replace("{operations}", &count.to_string()).replace("{kilobytes}", &kilobytes.to_string());
    for tag in list(&document["tags"]) {
        let name = word(&tag["name"]);
        let anchor = name.to_lowercase().replace(' ', "-");
        let _ = writeln!(text, "- [{name}](/docs/reference.md#{anchor}): {}", line(&tag["description"]));
    }
    text
}

fn operations(document: &Value) -> impl Iterator<Item = (&str, &str, &Value)> {
    members(&document["paths"])
        .flat_map(|(path, methods)| members(methods).map(move |(method, operation)| (path.as_str(), method.as_str(), operation)))
}

fn write_operation(document: &Value, path: &str, method: &str, operation: &Value) -> String {
    let mut text = format!("### {} {path}\n\n{}.", method.to_uppercase(), line(&operation["summary"]));
    let description = line(&operation["description"]);
    if !description.is_empty() {
        let _ = write!(text, " {description}");
    }
    let _ = write!(text, "\n\nCredential: {}.", credentials(&operation["security"]));
    let parameters = list(&operation["parameters"]);
    if !parameters.is_empty() {
        text.push_str("\n\nParameters:\n");
        for parameter in parameters {
            let (name, place) = (word(&parameter["name"]), word(&parameter["in"]));
            let need = if parameter["required"] == true { "required" } else { "optional" };
            let about = about(&parameter["description"]);
            let _ = write!(text, "\n- `{name}` ({place}, {}, {need}){about}", kind(&parameter["schema"]));
        }
    }
    for (media, content) in members(&operation["requestBody"]["content"]) {
        let _ = write!(text, "\n\nBody ({media}{}):\n", named(&content["schema"]));
        text.push_str(&write_body(document, &content["schema"]));
    }
    text.push_str("\n\nAnswers:\n");
    for (status, response) in members(&operation["responses"]) {
        let _ = write!(text, "\n- {status}{}: {}", answer(response), line(&response["description"]));
        let codes = codes(response);
        if !codes.is_empty() {
            let _ = write!(text, " Codes: {}.", codes.join(", "));
        }
    }
    text
}

/// The credentials of which one is enough.
fn credentials(security: &Value) -> String {
    let each = list(security).iter().map(|scheme| {
        let Some((name, scopes)) = members(scheme).next() else { return "none".to_owned() };
        let scopes: Vec<String> = list(scopes).iter().map(|scope| format!("`{}`", word(scope))).collect();
        let name = match name.as_str() {
            "platformKey" => "platform key (the vendor)",
            "organizationKey" => "organization key",
            "accessToken" => "access token",
            other => other,
        };
        if scopes.is_empty() { name.to_owned() } else { format!("{name} with {}", scopes.join(", ")) }
    });
    each.collect::<Vec<_>>().join(", or ")
}

/// ` Name`, if the schema has one.
fn named(schema: &Value) -> String {
    reference(schema).map(|name| format!(", `{name}`")).unwrap_or_default()
}

/// The members of a body, or its kind where it has none.
fn write_body(document: &Value, schema: &Value) -> String {
    let resolved = reference(schema).map_or(schema, |name| &document["components"]["schemas"][name]);
    if resolved["properties"].is_object() {
        write_members(resolved, 0)
    } else {
        format!("\n- {}{}", kind(resolved), about(&resolved["description"]))
    }
}

fn answer(response: &Value) -> String {
    let Some((media, content)) = members(&response["content"]).next() else { return String::new() };
    match kind(&content["schema"]) {
        _ if media == "application/problem+json" => " (problem)".to_owned(),
        kind if media == "application/json" => format!(" ({kind})"),
        kind => format!(" ({media}, {kind})"),
    }
}

/// The codes of the problems of a response, where the document names them.
fn codes(schema: &Value) -> Vec<String> {
    let own = list(&schema["properties"]["code"]["enum"]).iter().map(|code| format!("`{}`", word(code)));
    let inner = match schema {
        Value::Object(within) => within.values().flat_map(codes).collect(),
        Value::Array(within) => within.iter().flat_map(codes).collect(),
        _ => Vec::new(),
    };
    own.chain(inner).collect()
}

fn write_schema(schema: &Value) -> String {
    let mut text = line(&schema["description"]);
    if !text.is_empty() {
        text.push_str("\n\n");
    }
    if !schema["properties"].is_object() {
        let _ = write!(text, "Type: {}.", kind(schema));
    }
    text.push_str(write_members(schema, 0).trim_start());
    text
}

/// A line for each member, those of inner objects below it.
fn write_members(schema: &Value, depth: usize) -> String {
    let required: BTreeSet<&str> = list(&schema["required"]).iter().map(word).collect();
    let indent = "  ".repeat(depth);
    let mut text = String::new();
    for (name, member) in members(&schema["properties"]) {
        let need = if required.contains(name.as_str()) { "" } else { ", optional" };
        let _ = write!(text, "\n{indent}- `{name}` ({}{need}){}", kind(member), about(&member["description"]));
        let inner = if member["items"]["properties"].is_object() { &member["items"] } else { member };
        if depth < DEPTH_MAX {
            text.push_str(&write_members(inner, depth.saturating_add(1)));
        }
    }
    for part in ["allOf", "oneOf", "anyOf"].iter().flat_map(|keyword| list(&schema[*keyword])) {
        text.push_str(&write_members(part, depth));
    }
    text
}

/// What a value is, in a few words.
fn kind(schema: &Value) -> String {
    if let Some(name) = reference(schema) {
        return format!("`{name}`");
    }
    let choices = list(&schema["enum"]);
    if !choices.is_empty() {
        return format!("one of {}", choices.iter().map(|choice| format!("`{}`", plain(choice))).collect::<Vec<_>>().join(", "));
    }
    for (keyword, between) in [("oneOf", " or "), ("anyOf", " or "), ("allOf", " with ")] {
        let parts = list(&schema[keyword]);
        if !parts.is_empty() {
            return parts.iter().map(kind).collect::<Vec<_>>().join(between);
        }
    }
    let types = match &schema["type"] {
        Value::Array(types) => types.iter().map(word).collect(),
        Value::String(kind) => vec![kind.as_str()],
        _ => vec!["any value"],
    };
    types.into_iter().map(|name| kind_of(name, schema)).collect::<Vec<_>>().join(" or ")
}

fn kind_of(name: &str, schema: &Value) -> String {
    let between = |least: &str, most: &str, unit: &str| match (schema[least].as_i64(), schema[most].as_i64()) {
        (Some(least), Some(most)) => format!(" of {least} to {most}{unit}"),
        (Some(least), None) if least != 0 => format!(" of at least {least}{unit}"),
        (_, Some(most)) => format!(" of at most {most}{unit}"),
        _ => String::new(),
    };
    match name {
        "array" => format!("array of {}{}", kind(&schema["items"]), between("minItems", "maxItems", " items")),
        "object" if schema["additionalProperties"].is_object() => format!("object of {}", kind(&schema["additionalProperties"])),
        "string" => {
            let format = schema["format"].as_str().map(|format| format!(" ({format})")).unwrap_or_default();
            format!("string{format}{}", between("minLength", "maxLength", " characters"))
        }
        "integer" => format!("integer{}", between("minimum", "maximum", "")),
        other => other.to_owned(),
    }
}

/// The schemas of request bodies that nothing else names: they are listed at their operations.
fn bodies_of_requests(document: &Value) -> BTreeSet<&str> {
    let bodies: BTreeSet<&str> = operations(document)
        .flat_map(|(_, _, operation)| members(&operation["requestBody"]["content"]))
        .filter_map(|(_, content)| reference(&content["schema"]))
        .collect();
    let answers = operations(document).flat_map(|(_, _, operation)| references(&operation["responses"]));
    let within = members(&document["components"]["schemas"]).flat_map(|(_, schema)| references(schema));
    let elsewhere: BTreeSet<&str> = answers.chain(within).collect();
    bodies.difference(&elsewhere).copied().collect()
}

/// The names of all schemas that are referred to anywhere within.
fn references(value: &Value) -> Vec<&str> {
    match value {
        Value::Object(within) => reference(value).into_iter().chain(within.values().flat_map(references)).collect(),
        Value::Array(within) => within.iter().flat_map(references).collect(),
        _ => Vec::new(),
    }
}

fn reference(schema: &Value) -> Option<&str> {
    schema["$ref"].as_str()?.strip_prefix("#/components/schemas/")
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter)
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn word(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A text on one line.
fn line(text: &Value) -> String {
    word(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `: description`, if there is one.
fn about(description: &Value) -> String {
    let text = line(description);
    if text.is_empty() { text } else { format!(": {text}") }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn small() -> Value {
        let body = |media: &str, schema: Value| json!({media: {"schema": schema}});
        let named = |name: &str| body("application/json", json!({"$ref": format!("#/components/schemas/{name}")}));
        let refusal = body("application/problem+json", json!({"properties": {"code": {"enum": ["period_ended"]}}}));
        json!({
            "tags": [{"name": "Price estimates", "description": "What a quantity costs."}],
            "paths": {"/v1/estimates/{id}": {"post": {
                "tags": ["Price estimates"], "summary": "Estimate a price", "description": "Computes.\nKeeps nothing.",
                "security": [{"organizationKey": []}, {"accessToken": ["usage.read"]}],
                "parameters": [{"name": "id", "in": "path", "required": true, "description": "The id.", "schema": {"type": "string"}}],
                "requestBody": {"content": named("NewEstimate")},
                "responses": {
                    "200": {"description": "The estimate", "content": named("Estimate")},
                    "409": {"description": "Refused", "content": refusal},
                },
            }}},
            "components": {"schemas": {
                "NewEstimate": {"required": ["quantity"], "properties": {
                    "quantity": {"type": "integer", "minimum": 1, "maximum": 9, "description": "The number of units."},
                    "lines": {"type": "array", "items": {"properties": {"key": {"type": ["string", "null"], "maxLength": 5}}}},
                }},
                "Estimate": {"description": "What it costs.", "properties": {"status": {"enum": ["open", "done"]}}},
            }},
        })
    }

    #[test]
    fn an_operation_is_told_with_its_members_answers_and_codes() {
        let text = markdown(&small());
        for part in [
            "## Price estimates\n\nWhat a quantity costs.\n\n### POST /v1/estimates/{id}\n\nEstimate a price. Computes. Keeps nothing.",
            "Credential: organization key, or access token with `usage.read`.",
            "Parameters:\n\n- `id` (path, string, required): The id.",
            "Body (application/json, `NewEstimate`):\n\n- `lines` (array of any value, optional)\n  - `key` (string of",
            "(string of at most 5 characters or null, optional)",
            "- `quantity` (integer of 1 to 9): The number of units.",
            "- 200 (`Estimate`): The estimate\n- 409 (problem): Refused Codes: `period_ended`.",
            "### Estimate\n\nWhat it costs.\n\n- `status` (one of `open`, `done`, optional)",
        ] {
            assert!(text.contains(part), "{part}\nis not in\n{text}");
        }
        assert!(!text.contains("### NewEstimate"), "the body of one request is listed there");
    }

    #[test]
    fn the_overview_leads_to_each_tag() {
        let text = overview(&small(), 2_049);
        assert!(text.starts_with("# Tenantry\n\n> "), "{text}");
        assert!(text.contains("1 operations") && text.contains("3 KB"), "{text}");
        assert!(text.ends_with("- [Price estimates](/docs/reference.md#price-estimates): What a quantity costs.\n"), "{text}");
    }
}
