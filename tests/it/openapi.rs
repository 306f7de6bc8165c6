//! How `openapi.json` reads: each operation has a tag, a summary of verb and resource and a description; each member of a schema has a
//! description, an example and, where it is a number, a unit.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde_json::Value;

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(include_str!("../../openapi.json")).unwrap());

/// The first words of summaries.
const VERBS: &[&str] = &[
    "Accept",
    "Advance",
    "Audit",
    "Cancel",
    "Check",
    "Complete",
    "Confirm",
    "Consume",
    "Create",
    "Delete",
    "Download",
    "End",
    "Enroll",
    "Estimate",
    "Export",
    "Get",
    "Invite",
    "List",
    "Log in",
    "Migrate",
    "Move",
    "Pause",
    "Preview",
    "Publish",
    "Record",
    "Refresh",
    "Release",
    "Remove",
    "Replay",
    "Request",
    "Resend",
    "Reserve",
    "Resume",
    "Revoke",
    "Rotate",
    "Set",
    "Settle",
    "Sign up",
    "Simulate",
    "Stream",
    "Suspend",
    "Transfer",
    "Update",
    "Void",
    "Withdraw",
    "Write off",
];
const SUMMARY_CHARACTERS_MAX: usize = 60;

/// Schemas of values: a member that holds one says itself what the value is.
const VALUES: &[&str] = &["Amount", "PriceSpecification", "Quantity", "Timestamp"];

/// What a number counts or measures; its description names one of these.
const UNITS: &[&str] = &[
    "number of",
    "minor units",
    "percent",
    "bytes",
    "milliseconds",
    "seconds",
    "minutes",
    "hours",
    "days",
    "months",
    "version",
    "position",
    "sequence",
    "status code",
    "year",
    "priority",
    "per second",
];

#[test]
fn operations_and_members_are_described() {
    let missing = missing();
    assert!(missing.is_empty(), "openapi.json lacks:\n{}", missing.join("\n"));
}

#[test]
fn no_two_operations_have_one_summary() {
    let mut seen: BTreeMap<&str, String> = BTreeMap::new();
    for (name, operation) in operations() {
        let summary = operation["summary"].as_str().unwrap_or_default();
        let other = seen.insert(summary, name.clone());
        assert!(
            other.is_none(),
            "{name} and {} are both called {summary:?}: name the resource that each is about",
            other.unwrap_or_default()
        );
    }
}

#[test]
fn each_operation_has_one_tag_of_the_list_and_each_tag_one_group() {
    let described: BTreeSet<&str> = strings(&DOCUMENT["tags"], "name").collect();
    let used: BTreeSet<&str> = operations().map(|(_, operation)| tag_of(operation)).collect();
    assert_eq!(used, described);
    let grouped: Vec<&str> = DOCUMENT["x-tagGroups"].as_array().unwrap().iter().flat_map(|group| texts(&group["tags"])).collect();
    assert_eq!(grouped.len(), described.len());
    assert_eq!(grouped.into_iter().collect::<BTreeSet<_>>(), described);
    let several: Vec<String> = operations().filter(|(_, operation)| texts(&operation["tags"]).count() != 1).map(|(name, _)| name).collect();
    assert!(several.is_empty(), "not exactly one tag: {several:?}");
}

/// A schema belongs to the first tag, in the order of the document, whose operations reach it.
fn missing() -> Vec<String> {
    let mut seen = BTreeSet::new();
    let mut all = Vec::new();
    for tag in strings(&DOCUMENT["tags"], "name") {
        let mut faults = Vec::new();
        for (name, operation) in operations().filter(|(_, operation)| tag_of(operation) == tag) {
            faults.extend(operation_fault(operation).map(|fault| format!("{name} {fault}")));
            for schema in references(operation) {
                members_of(&schema, &mut seen, &mut faults);
            }
        }
        all.extend(faults.into_iter().map(|fault| format!("{tag}: {fault}")));
    }
    all
}

fn operation_fault(operation: &Value) -> Option<String> {
    let summary = operation["summary"].as_str().unwrap_or_default();
    let begins = |verb: &str| summary.strip_prefix(verb).is_some_and(|rest| rest.starts_with(' '));
    if !VERBS.iter().any(|verb| begins(verb)) {
        return Some(format!("begins with none of VERBS: {summary:?}"));
    }
    if summary.ends_with('.') || summary.chars().count() > SUMMARY_CHARACTERS_MAX {
        return Some(format!("has a summary that ends with a period or is too long: {summary:?}"));
    }
    operation["description"].as_str().is_none_or(str::is_empty).then(|| "has no description".to_owned())
}

/// Adds what is missing in a schema and in those it refers to, once each.
fn members_of(name: &str, seen: &mut BTreeSet<String>, faults: &mut Vec<String>) {
    if !seen.insert(name.to_owned()) {
        return;
    }
    let schema = &DOCUMENT["components"]["schemas"][name];
    members_in(schema, name, faults);
    for reference in references(schema) {
        members_of(&reference, seen, faults);
    }
}

fn members_in(schema: &Value, place: &str, faults: &mut Vec<String>) {
    for (name, member) in schema["properties"].as_object().into_iter().flatten() {
        let place = format!("{place}.{name}");
        faults.extend(member_fault(member).map(|fault| format!("{place} {fault}")));
        members_in(member, &place, faults);
        members_in(&member["items"], &place, faults);
    }
    for keyword in ["allOf", "oneOf", "anyOf"] {
        schema[keyword].as_array().into_iter().flatten().for_each(|part| members_in(part, place, faults));
    }
}

fn member_fault(member: &Value) -> Option<&'static str> {
    let Some(description) = description_of(member) else { return Some("has no description") };
    if !has_example(member) {
        return Some("has no example");
    }
    let is_number = ["integer", "number"].iter().any(|kind| member["type"] == *kind || member["type"][0] == *kind);
    let lower = description.to_lowercase();
    (is_number && !UNITS.iter().any(|unit| lower.contains(unit))).then_some("is a number, and its description names no unit")
}

/// Its own description, or the one of the schema that it refers to, unless that is the schema of a value or of a list's rows.
fn description_of(member: &Value) -> Option<&str> {
    let own = member["description"].as_str().filter(|text| !text.is_empty());
    own.or_else(|| {
        let name = alternatives(member).find_map(reference_of)?;
        let schema = &DOCUMENT["components"]["schemas"][name];
        schema["description"].as_str().filter(|_| !VALUES.contains(&name))
    })
}

/// Whether a reader sees an example: its own, one of the schema it refers to, or an object whose members have theirs.
fn has_example(schema: &Value) -> bool {
    if ["example", "examples", "enum", "default"].iter().any(|keyword| !schema[*keyword].is_null()) || schema["properties"].is_object() {
        return true;
    }
    if let Some(name) = reference_of(schema) {
        return has_example(&DOCUMENT["components"]["schemas"][name]);
    }
    if schema["items"].is_object() {
        return has_example(&schema["items"]);
    }
    let parts = ["allOf", "oneOf", "anyOf"].iter().filter_map(|keyword| schema[*keyword].as_array()).flatten();
    parts.filter(|part| part["type"] != "null").any(has_example)
}

/// The schema itself and, where it is nullable, what it is when it is not null.
fn alternatives(schema: &Value) -> impl Iterator<Item = &Value> {
    std::iter::once(schema).chain(schema["oneOf"].as_array().into_iter().flatten())
}

fn reference_of(schema: &Value) -> Option<&str> {
    schema["$ref"].as_str()?.strip_prefix("#/components/schemas/")
}

/// The names of all schemas that are referred to anywhere within.
fn references(value: &Value) -> Vec<String> {
    match value {
        Value::Object(members) => {
            let own = reference_of(value).map(str::to_owned);
            own.into_iter().chain(members.values().flat_map(references)).collect()
        }
        Value::Array(items) => items.iter().flat_map(references).collect(),
        _ => Vec::new(),
    }
}

fn operations() -> impl Iterator<Item = (String, &'static Value)> {
    let paths = DOCUMENT["paths"].as_object().unwrap();
    paths.iter().flat_map(|(path, methods)| {
        methods.as_object().unwrap().iter().map(move |(method, operation)| (format!("{} {path}", method.to_uppercase()), operation))
    })
}

fn tag_of(operation: &'static Value) -> &'static str {
    operation["tags"][0].as_str().unwrap_or_default()
}

fn strings(list: &'static Value, member: &'static str) -> impl Iterator<Item = &'static str> {
    list.as_array().into_iter().flatten().filter_map(move |item| item[member].as_str())
}

fn texts(list: &'static Value) -> impl Iterator<Item = &'static str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str)
}

/// Members that are both optional and nullable in an answer, each with the reason: a schema, or a schema and its member.
const OPTIONAL_AND_NULLABLE: &[(&str, &str)] = &[
    ("PostalAddress.", "a read address may be sent back, and a request may clear a member with null; an answer lacks it"),
    ("Tier.upTo", "the last tier of a request may leave it out; an answer has null"),
    ("PercentageTier.upTo", "the last tier of a request may leave it out; an answer has null"),
    ("PercentagePrice.minimumPerEvent", "a request may say null for none; an answer lacks it"),
    ("PercentagePrice.maximumPerEvent", "a request may say null for none; an answer lacks it"),
];

/// A member of an answer is always present, or may be absent and then is never null: a client checks one of both.
#[test]
fn no_member_of_an_answer_may_be_both_absent_and_null() {
    let mut used = BTreeSet::new();
    let both: Vec<String> = answered_members()
        .filter(|(_, schema, name, member)| is_nullable(member) && !is_required(schema, name))
        .map(|(owner, _, name, _)| format!("{owner}.{name}"))
        .filter(|place| {
            let known = OPTIONAL_AND_NULLABLE.iter().find(|(known, _)| place.starts_with(known));
            used.extend(known.map(|(known, _)| *known));
            known.is_none()
        })
        .collect();
    assert!(both.is_empty(), "optional and nullable, see src/api/openapi/schemas/answers.rs: {both:?}");
    assert_eq!(used.len(), OPTIONAL_AND_NULLABLE.len(), "remove what is no exception any more; left: {used:?}");
}

#[test]
fn no_object_has_both_type_members() {
    let both: Vec<String> = objects().filter(|(_, schema)| has(schema, "$type") && has(schema, "type")).map(|(owner, _)| owner).collect();
    assert!(both.is_empty(), "these have `$type` and `type`, which a reader confuses: {both:?}");
}

/// A number with decimals would be a float in most clients: it is a decimal string.
#[test]
fn no_member_is_a_float() {
    let floats: Vec<String> = objects()
        .flat_map(|(owner, schema)| {
            let members = schema["properties"].as_object().into_iter().flatten();
            members.filter(|(_, member)| texts_of(&member["type"]).contains(&"number")).map(move |(name, _)| format!("{owner}.{name}"))
        })
        .collect();
    assert!(floats.is_empty(), "{floats:?}");
}

#[test]
fn a_free_object_says_that_it_is_free() {
    let is_unsaid = |schema: &Value| {
        texts_of(&schema["type"]).contains(&"object") && schema["properties"].is_null() && schema["additionalProperties"].is_null()
    };
    let mut unsaid = Vec::new();
    for (name, schema) in DOCUMENT["components"]["schemas"].as_object().unwrap() {
        within(schema, &mut |part| unsaid.extend(is_unsaid(part).then(|| name.clone())));
    }
    assert!(unsaid.is_empty(), "generated clients could not set a member of: {unsaid:?}");
}

/// Every object schema, named by its place.
fn objects() -> impl Iterator<Item = (String, &'static Value)> {
    let schemas = DOCUMENT["components"]["schemas"].as_object().unwrap();
    schemas.iter().flat_map(|(name, schema)| {
        let parts = schema["allOf"].as_array().into_iter().flatten();
        std::iter::once(schema).chain(parts).filter(|part| part["properties"].is_object()).map(|part| (name.clone(), part))
    })
}

/// The members of all objects that an answer reaches: owner, object, name and member. Problem documents have their own rules.
fn answered_members() -> impl Iterator<Item = (String, &'static Value, &'static String, &'static Value)> {
    let mut open: Vec<String> = operations().flat_map(|(_, operation)| references(&operation["responses"])).collect();
    let mut answered = BTreeSet::new();
    while let Some(name) = open.pop() {
        if answered.insert(name.clone()) {
            open.extend(references(&DOCUMENT["components"]["schemas"][&name]));
        }
    }
    let of_answers = objects().filter(move |(owner, _)| answered.contains(owner) && owner != "Problem");
    of_answers.flat_map(|(owner, schema)| {
        let members = schema["properties"].as_object().unwrap().iter();
        members.map(move |(name, member)| (owner.clone(), schema, name, member))
    })
}

fn has(schema: &Value, name: &str) -> bool {
    schema["properties"][name].is_object()
}

fn is_required(schema: &Value, name: &str) -> bool {
    schema["required"].as_array().is_some_and(|names| names.iter().any(|required| required == name))
}

fn is_nullable(member: &Value) -> bool {
    let is_null = |choice: &Value| choice["type"] == "null";
    texts_of(&member["type"]).contains(&"null") || member["oneOf"].as_array().is_some_and(|choices| choices.iter().any(is_null))
}

/// The types of a schema, one or several.
fn texts_of(kind: &Value) -> Vec<&str> {
    match kind {
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
        one => one.as_str().into_iter().collect(),
    }
}

/// Visits a schema and everything within, without its examples.
fn within(schema: &Value, visit: &mut impl FnMut(&Value)) {
    match schema {
        Value::Object(keywords) => {
            visit(schema);
            let parts = keywords.iter().filter(|(keyword, _)| !["example", "examples", "enum", "default"].contains(&keyword.as_str()));
            parts.for_each(|(_, part)| within(part, visit));
        }
        Value::Array(items) => items.iter().for_each(|item| within(item, visit)),
        _ => {}
    }
}
