//! The members of answers: each is always present, and null where it has no value; or it may be absent, and then it is never null.

use std::collections::BTreeSet;

use serde_json::{Value, json};

/// Members that an answer may lack: a schema, its member and the reason.
pub const MAY_BE_ABSENT: &[(&str, &str, &str)] = &[
    ("ApiKey", "secret", SHOWN_ONCE),
    ("PlatformKey", "secret", SHOWN_ONCE),
    ("OAuthClient", "secret", SHOWN_ONCE),
    ("SecondFactor", "secret", SHOWN_ONCE),
    ("SecondFactor", "otpauthUri", SHOWN_ONCE),
    ("SecondFactor", "recoveryCodes", SHOWN_ONCE),
    ("QuotaView", "explanation", "only with `explain=true`"),
    ("AuditEntry", "hash", "an exported entry is the hashed text, which has no member of its own hash"),
    ("AuditActor", "session", "a hashed text has no member without a value"),
];
const SHOWN_ONCE: &str = "a secret is shown once, and a null would promise that there is none";

/// Applies the rule to the schemas that only answers have. The problem document has rules of its own.
pub fn complete(document: &mut Value) {
    let (answered, sent) = (reached(document, "responses"), reached(document, "requestBody"));
    for name in answered.difference(&sent).filter(|name| *name != "Problem") {
        settle(name, &mut document["components"]["schemas"][name]);
    }
}

/// The names of the schemas that a part of all operations refers to.
fn reached(document: &Value, part: &str) -> BTreeSet<String> {
    let methods = document["paths"].as_object().into_iter().flatten().filter_map(|(_, methods)| methods.as_object()).flatten();
    let mut open: Vec<String> = methods.flat_map(|(_, operation)| references(&operation[part])).collect();
    let mut found = BTreeSet::new();
    while let Some(name) = open.pop() {
        if found.insert(name.clone()) {
            open.extend(references(&document["components"]["schemas"][&name]));
        }
    }
    found
}

fn references(value: &Value) -> Vec<String> {
    match value {
        Value::Object(members) => {
            let own = members.get("$ref").and_then(Value::as_str).and_then(|text| text.strip_prefix("#/components/schemas/"));
            own.map(str::to_owned).into_iter().chain(members.values().flat_map(references)).collect()
        }
        Value::Array(items) => items.iter().flat_map(references).collect(),
        _ => Vec::new(),
    }
}

fn settle(owner: &str, schema: &mut Value) {
    for part in schema.get_mut("allOf").and_then(Value::as_array_mut).into_iter().flatten() {
        settle(owner, part);
    }
    let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) else { return };
    let may_be_absent = |name: &str| MAY_BE_ABSENT.iter().any(|(schema, member, _)| (*schema, *member) == (owner, name));
    let (absent, present): (Vec<String>, Vec<String>) = properties.keys().cloned().partition(|name| may_be_absent(name));
    for name in &absent {
        properties.get_mut(name).into_iter().for_each(never_null);
    }
    schema["required"] = present.into();
}

/// Takes null out of the values of a member.
fn never_null(member: &mut Value) {
    if let Some(kinds) = member["type"].as_array() {
        let kinds: Vec<&Value> = kinds.iter().filter(|kind| *kind != "null").collect();
        member["type"] = kinds.first().map_or(Value::Null, |kind| (*kind).clone());
    }
    let choices = member["oneOf"].as_array().cloned().unwrap_or_default();
    if let ([choice], Some(keywords)) =
        (&choices.iter().filter(|choice| **choice != json!({"type": "null"})).collect::<Vec<_>>()[..], member.as_object_mut())
    {
        keywords.remove("oneOf");
        keywords.extend(choice.as_object().cloned().unwrap_or_default());
    }
}
