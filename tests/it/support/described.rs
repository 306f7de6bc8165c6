//! Each response that a test receives, against `openapi.json`: the operation is there, the status is one of its responses, the code one of
//! that response, and each header is described. An undeclared response fails the test that received it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde_json::Value;
use tenantry::api::openapi::catalogue;
use tenantry::meter::wire::HotReply;

use super::world::Answer;
use crate::api::document;

/// Headers of HTTP itself, which are no part of the contract; and the shell's own, which it removes.
const OF_TRANSPORT: [&str; 7] =
    ["cache-control", "content-length", "content-security-policy", "content-type", "tenantry-feed", "vary", "x-content-type-options"];

/// Paths of people and of development, which are no operations.
const UNDESCRIBED: [&str; 4] = ["/healthz", "/openapi.json", "/docs", "/dev/"];

/// A response, and the request that it answers.
pub struct Seen<'a> {
    method: &'a str,
    path: &'a str,
    status: u16,
    headers: BTreeMap<String, String>,
    body: Option<Value>,
}

impl<'a> Seen<'a> {
    pub fn of(method: &'a str, target: &'a str, answer: &Answer) -> Self {
        let text = |value: &http::HeaderValue| value.to_str().unwrap_or_default().to_owned();
        let headers = answer.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect();
        Self::new(method, target, answer.status, headers, &answer.text)
    }

    fn new(method: &'a str, target: &'a str, status: u16, headers: BTreeMap<String, String>, text: &str) -> Self {
        let method = if method == "HEAD" { "GET" } else { method };
        let path = target.split('?').next().unwrap_or_default();
        let is_problem = headers.get("content-type").is_some_and(|kind| kind == "application/problem+json");
        let body = is_problem.then(|| serde_json::from_str(text).unwrap_or(Value::Null)).filter(|_| !text.is_empty());
        Self { method, path, status, headers, body }
    }
}

/// The responses of an operation, by status.
struct Described {
    template: &'static str,
    responses: BTreeMap<u16, Response>,
}

/// The codes and the headers of one response.
struct Response {
    codes: BTreeSet<&'static str>,
    headers: BTreeSet<String>,
}

/// All operations by method; a fixed path before one with a name in it.
static OPERATIONS: LazyLock<BTreeMap<String, Vec<Described>>> = LazyLock::new(|| {
    let mut all: BTreeMap<String, Vec<Described>> = BTreeMap::new();
    for operation in document::operations() {
        let responses = operation.about["responses"].as_object().unwrap();
        let responses = responses.iter().map(|(status, response)| (status.parse().unwrap(), read(response))).collect();
        all.entry(operation.method).or_default().push(Described { template: operation.path, responses });
    }
    all.values_mut().for_each(|operations| operations.sort_by_key(|operation| operation.template.matches('{').count()));
    all
});

static FIELD_CODES: LazyLock<BTreeSet<&str>> = LazyLock::new(|| {
    let fields = catalogue::field_kinds().iter().map(|kind| kind.code);
    fields.chain(catalogue::kinds().into_iter().filter(|kind| kind.status == 400).map(|kind| kind.code)).collect()
});

fn read(response: &'static Value) -> Response {
    let response = document::referred(response);
    let schema = document::referred(&response["content"]["application/problem+json"]["schema"]);
    let codes = schema["allOf"][1]["properties"]["code"]["enum"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let headers = response["headers"].as_object().into_iter().flatten().map(|(name, _)| name.to_lowercase());
    Response { codes: codes.collect(), headers: headers.collect() }
}

/// A response of the router.
#[track_caller]
pub fn check(seen: &Seen<'_>) {
    let code = seen.body.as_ref().and_then(|body| body["code"].as_str());
    let faults = match (code, found(seen)) {
        // These are answers to what is no operation.
        (Some("route_not_found"), _) => expected_headers(seen, &["request-id"]),
        (Some("method_not_allowed"), _) => expected_headers(seen, &["request-id", "allow"]),
        // A preflight of a browser is no operation.
        _ if seen.method == "OPTIONS" || seen.path == "/" => expected_headers(seen, &["request-id"]),
        (_, Some(described)) => faults(seen, described),
        (_, None) if UNDESCRIBED.iter().any(|start| seen.path.starts_with(start)) => Vec::new(),
        (_, None) => vec!["no such operation is described".to_owned()],
    };
    assert!(faults.is_empty(), "{} {} → {} {:?}, and openapi.json: {faults:#?}", seen.method, seen.path, seen.status, seen.body);
}

/// A response of the Meter alone, which is asked for other paths, too.
#[track_caller]
pub fn check_of_meter(method: &str, target: &str, reply: &HotReply) {
    let headers = reply.headers.iter().map(|(name, value)| (name.to_lowercase(), value.clone())).collect();
    let seen = Seen::new(method, target, reply.status, headers, &reply.body);
    if found(&seen).is_some() {
        check(&seen);
    }
}

fn found(seen: &Seen<'_>) -> Option<&'static Described> {
    OPERATIONS.get(seen.method)?.iter().find(|operation| document::matches(operation.template, seen.path))
}

fn faults(seen: &Seen<'_>, described: &Described) -> Vec<String> {
    let Some(response) = described.responses.get(&seen.status) else { return vec!["the status is not declared".to_owned()] };
    let mut faults = expected_headers(seen, &["request-id"]);
    faults.extend(expected_headers(seen, catalogue::headers(seen.status)));
    // What browsers are told is the same everywhere: `tests/it/api/cross_origin.rs`.
    let is_general = |name: &str| OF_TRANSPORT.contains(&name) || name.starts_with("access-control-");
    let undeclared = seen.headers.keys().filter(|name| !is_general(name) && !response.headers.contains(*name));
    faults.extend(undeclared.map(|name| format!("the header {name} is not declared")));
    if let Some(body) = &seen.body {
        let code = body["code"].as_str().unwrap_or_default();
        if !response.codes.contains(code) {
            faults.push(format!("{code} is not among {:?}", response.codes));
        }
        faults.extend(faults_of_members(body, code));
    } else if seen.status >= 400 && response.codes.iter().next().is_some() && seen.headers.contains_key("content-type") {
        faults.push("this is no problem document".to_owned());
    }
    faults
}

/// The members and the codes of `errors`.
fn faults_of_members(body: &Value, code: &str) -> Vec<String> {
    let mut faults = document::faults_of_problem(body);
    let common = ["type", "title", "status", "detail", "code", "instance", "requestId", "errors"];
    let known = catalogue::members(code);
    let added = body.as_object().into_iter().flatten().map(|(name, _)| name.as_str()).filter(|name| !common.contains(name));
    faults.extend(added.filter(|name| !known.contains(name)).map(|name| format!("{code} has the member {name}, not in the catalogue")));
    let places = body["errors"].as_array().into_iter().flatten().filter_map(|error| error["code"].as_str());
    faults.extend(places.filter(|code| !FIELD_CODES.contains(code)).map(|code| format!("{code} is no code of errors")));
    faults
}

fn expected_headers(seen: &Seen<'_>, names: &[&str]) -> Vec<String> {
    let missing = names.iter().filter(|name| !seen.headers.contains_key(&name.to_lowercase()));
    missing.map(|name| format!("the header {name} is missing")).collect()
}
