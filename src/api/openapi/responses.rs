//! The responses of each operation: its problems by status, with the codes that it answers with, and the headers of all its responses.
//!
//! Problems that follow from the form of an operation are components that many operations share; those with a code of the operation's own
//! are written with the operation. Each distinct list of codes is one schema.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::catalogue::{Kind, headers, kinds, members};
use super::{forms, problems};

/// Headers of successful responses, by operation, status and name. Others have none of their own.
const OF_SUCCESS: [(&str, &str, &[&str]); 7] = [
    ("getInvoice", "200", &["ETag", "Content-Disposition"]),
    ("getInvoice", "304", &["ETag", "Content-Disposition"]),
    ("exportAuditLog", "200", &["Content-Disposition"]),
    ("exportPlatformAuditLog", "200", &["Content-Disposition"]),
    ("getExportContent", "200", &["Accept-Ranges", "Content-Disposition"]),
    ("getExportContent", "206", &["Accept-Ranges", "Content-Range"]),
    ("exportUsageEvents", "200", &["Content-Disposition"]),
];

/// Adds the responses of all operations, and the components that they refer to.
pub fn complete(document: &mut Value) {
    document["components"]["headers"] = described_headers();
    document["components"]["schemas"]["Problem"] = problems::schema();
    let kinds = kinds();
    let mut shared = Components::default();
    for (path, methods) in document["paths"].as_object_mut().into_iter().flatten() {
        for (method, operation) in methods.as_object_mut().into_iter().flatten() {
            let (forms, id) = (forms::of(path, method, operation), text(&operation["operationId"]));
            let own = Own { forms, id, is_oauth: path == "/oauth/token" };
            complete_successes(operation, &own);
            add_problems(operation, &own, &kinds, &mut shared);
        }
    }
    document["components"]["responses"] = shared.responses.into();
    for (name, schema) in shared.schemas {
        document["components"]["schemas"][name] = schema;
    }
}

#[derive(Default)]
struct Components {
    responses: Map<String, Value>,
    schemas: Map<String, Value>,
}

/// An operation: its name and its forms.
struct Own {
    id: String,
    forms: Vec<&'static str>,
    is_oauth: bool,
}

impl Own {
    fn is(&self, form: &str) -> bool {
        self.forms.contains(&form)
    }

    /// Whether `RateLimit` stands on the responses of this status: the rate is counted once the caller is known.
    fn shows_rate(&self, status: u16) -> bool {
        let guesses = ["confirmSecondFactor", "removeSecondFactor"].contains(&self.id.as_str()) && status == 429;
        guesses || self.is("RATE_LIMITED") && ![401, 413, 500, 503].contains(&status)
    }
}

fn complete_successes(operation: &mut Value, own: &Own) {
    if own.id == "getInvoice" {
        operation["responses"]["304"] = json!({"description": "The client has this form of the invoice: `If-None-Match` names it"});
    }
    if own.id == "getExportContent" {
        let whole = operation["responses"]["200"]["content"].clone();
        operation["responses"]["206"] = json!({"description": "The part of the export that `Range` asks for", "content": whole});
    }
    if own.id == "followUsage" {
        operation["responses"]["101"] = json!({"description": "The feed as a WebSocket, when the request asks to upgrade"});
    }
    let responses = operation["responses"].as_object_mut().into_iter().flatten();
    for (status, response) in responses.filter(|(status, _)| status.parse::<u16>().is_ok()) {
        let mut names = vec!["Request-Id"];
        if own.is("KEYED") {
            names.push("Idempotent-Replayed");
        }
        if own.is("RATE_LIMITED") {
            names.extend(["RateLimit-Policy", "RateLimit"]);
        }
        let special = OF_SUCCESS.iter().filter(|(id, of, _)| *id == own.id && of == status);
        names.extend(special.flat_map(|(.., names)| names.iter()));
        response["headers"] = references(&names);
    }
}

fn add_problems(operation: &mut Value, own: &Own, kinds: &[Kind], shared: &mut Components) {
    let mut by_status: BTreeMap<u16, Vec<&Kind>> = BTreeMap::new();
    for kind in kinds.iter().filter(|kind| kind.places.iter().any(|place| own.is(place) || own.id == *place)) {
        by_status.entry(kind.status).or_default().push(kind);
    }
    let oauth = own.is_oauth.then(|| operation["responses"]["4XX"]["content"].clone());
    if let Some(responses) = operation["responses"].as_object_mut() {
        responses.retain(|status, _| !status.ends_with("XX"));
    }
    for (status, kinds) in by_status {
        let response = match &oauth {
            Some(content) => oauth_problem(status, &kinds, content, own),
            None => problem(status, &kinds, own, shared),
        };
        operation["responses"][status.to_string()] = response;
    }
}

/// RFC 6749 defines the errors of the endpoint of tokens.
fn oauth_problem(status: u16, kinds: &[&Kind], content: &Value, own: &Own) -> Value {
    let meanings: Vec<String> = kinds.iter().map(|kind| format!("- {} {}", kind.meaning, kind.remedy)).collect();
    let description = format!("An OAuth error (RFC 6749):\n\n{}", meanings.join("\n"));
    json!({"description": description, "headers": headers_of(status, own), "content": content})
}

/// The response of one status: a reference where only forms decide, else written here.
fn problem(status: u16, kinds: &[&Kind], own: &Own, shared: &mut Components) -> Value {
    let is_special = kinds.iter().any(|kind| kind.places.contains(&own.id.as_str()));
    let name = if is_special { own_name(status, own) } else { shared_name(status, kinds, own) };
    let schema_name = format!("{name}Problem");
    shared.schemas.entry(schema_name.clone()).or_insert_with(|| schema(status, kinds));
    let response = json!({
        "description": description(status, kinds),
        "headers": headers_of(status, own),
        "content": {"application/problem+json": {"schema": {"$ref": format!("#/components/schemas/{schema_name}")}}},
    });
    if is_special {
        return response;
    }
    let name = if own.shows_rate(status) { format!("{name}Limited") } else { name };
    shared.responses.entry(name.clone()).or_insert(response);
    json!({"$ref": format!("#/components/responses/{name}")})
}

fn schema(status: u16, kinds: &[&Kind]) -> Value {
    let codes: Vec<&str> = kinds.iter().map(|kind| kind.code).collect();
    let added: Vec<&str> = codes.iter().flat_map(|code| members(code)).copied().collect();
    let mut schema = json!({
        "description": format!("A problem of status {status}."),
        "allOf": [{"$ref": "#/components/schemas/Problem"}, {
            "type": "object",
            "required": ["code"],
            "properties": {
                "code": {"type": "string", "description": "The kind of the problem.", "enum": codes, "examples": [codes.first()]},
            },
        }],
    });
    if !added.is_empty() {
        schema["description"] = format!("A problem of status {status}. It may have the members {}.", listed(&added)).into();
    }
    schema
}

fn listed(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// The codes with meaning and remedy, as a list in Markdown.
fn description(status: u16, kinds: &[&Kind]) -> String {
    let lines: Vec<String> = kinds.iter().map(|kind| format!("- `{}`: {} {}", kind.code, kind.meaning, kind.remedy)).collect();
    format!("{}:\n\n{}", reason(status).0, lines.join("\n"))
}

fn own_name(status: u16, own: &Own) -> String {
    let mut letters = own.id.chars();
    let capital: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    format!("{capital}{}{}", letters.as_str(), reason(status).1)
}

/// The status, and a word for each form that adds a code.
fn shared_name(status: u16, kinds: &[&Kind], own: &Own) -> String {
    let words = [("INPUT", "Input"), ("KEYED", "Key"), ("STORED", "Key"), ("ORGANIZATION", "Organization"), ("NAMED", "")];
    let words = words.into_iter().chain([("TENANT_WRITE", "Write"), ("WRITE", "Write"), ("MOVABLE", "Moving")]);
    let adds = |form: &str| own.is(form) && kinds.iter().any(|kind| kind.places.contains(&form));
    let parts: String = words.filter(|(form, _)| status != 404 && status != 422 && adds(form)).map(|(_, word)| word).collect();
    format!("{}{parts}", reason(status).1)
}

/// The reason of a status as text, and as a part of a name.
fn reason(status: u16) -> (&'static str, &'static str) {
    match status {
        400 => ("The request is not valid", "BadRequest"),
        401 => ("The credential is not valid", "Unauthorized"),
        403 => ("The credential may not do this", "Forbidden"),
        404 => ("Not found", "NotFound"),
        406 => ("Not acceptable", "NotAcceptable"),
        409 => ("The request conflicts with the present state", "Conflict"),
        410 => ("Gone", "Gone"),
        413 => ("The body is too large", "ContentTooLarge"),
        415 => ("The type of the body is not supported", "UnsupportedMediaType"),
        416 => ("The range is not satisfiable", "RangeNotSatisfiable"),
        422 => ("The idempotency key belongs to another request", "IdempotencyMismatch"),
        429 => ("Too many requests, or too much usage", "TooManyRequests"),
        500 => ("An internal error", "InternalError"),
        _ => ("Not available right now", "Unavailable"),
    }
}

fn headers_of(status: u16, own: &Own) -> Value {
    let mut names = vec!["Request-Id"];
    names.extend(headers(status));
    if own.shows_rate(status) {
        names.extend(["RateLimit-Policy", "RateLimit"]);
    }
    references(&names)
}

fn references(names: &[&str]) -> Value {
    names.iter().map(|name| ((*name).to_owned(), json!({"$ref": format!("#/components/headers/{name}")}))).collect::<Map<_, _>>().into()
}

fn described_headers() -> Value {
    let header =
        |description: &str, example: &str| json!({"description": description, "schema": {"type": "string", "examples": [example]}});
    let policy = concat!(
        "The rate limit of the plan or the address: the number of requests at once (`q`), ",
        "and the number of seconds in which they come back (`w`)."
    );
    let left = "The number of requests that are left (`r`), and the number of seconds until all are (`t`).";
    json!({
        "RateLimit-Policy": header(policy, "\"default\";q=100;w=10"),
        "RateLimit": header(left, "\"default\";r=99;t=1"),
        "Request-Id": header("The id of the request, for reports and for the log.", "req_01h2xcejqtf2nbrexx3vqjhp41"),
        "Retry-After": {
            "description": "The number of seconds after which the request can succeed.",
            "schema": {"type": "integer", "minimum": 1, "examples": [1]},
        },
        "Idempotent-Replayed": {
            "description": "`true` when this is the response of an earlier request with the same `Idempotency-Key`; absent otherwise.",
            "schema": {"type": "string", "enum": ["true"]},
        },
        "WWW-Authenticate": header("The scheme of credentials that the endpoint takes.", "Bearer realm=\"tenantry\""),
        "ETag": header("The version of this form of the resource, for `If-None-Match`.", "\"9f86d081\""),
        "Content-Disposition": header("The name of the file.", "attachment; filename=\"INV-000001.pdf\""),
        "Accept-Ranges": header("The unit of `Range`.", "bytes"),
        "Content-Range": header("The range that is sent, and the size of the whole.", "bytes 0-1023/4096"),
    })
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
