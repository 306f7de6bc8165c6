//! Completes the derived schemas: repeated schemas become references, descriptions are moved to the member they describe, and members with
//! one meaning everywhere are described from one list.

mod answers;
mod closed_sets;
mod example_bodies;
mod examples;

use serde_json::{Map, Value, json};

use super::vocabulary;

/// Completes all schemas of the document.
pub fn complete(document: &mut Value) {
    refer_all(document);
    closed_sets::close(document);
    discriminate(document);
    complete_each(document);
    answers::complete(document);
    examples::complete(document);
}

/// Before anything is completed: a schema and its repetition are still the same.
fn refer_all(document: &mut Value) {
    let Some(schemas) = document["components"]["schemas"].as_object_mut() else { return };
    let named: Vec<(String, Value)> = schemas.iter().filter(|(_, schema)| !schema["properties"].is_null()).map(owned).collect();
    for schema in schemas.values_mut() {
        for part in parts_mut(schema) {
            refer(part, &named);
        }
    }
}

fn complete_each(document: &mut Value) {
    for (name, schema) in document["components"]["schemas"].as_object_mut().into_iter().flatten() {
        complete_schema(name, schema);
    }
}

/// The member that tells the choices of a `oneOf` apart has one value in each of them, and a choice has no other members than its own.
fn discriminate(document: &mut Value) {
    let Some(schemas) = document["components"]["schemas"].as_object_mut() else { return };
    let discriminators: Vec<Value> = schemas.values().map(|schema| schema["discriminator"].clone()).collect();
    for discriminator in &discriminators {
        let member = discriminator["propertyName"].as_str().unwrap_or_default();
        for (value, target) in discriminator["mapping"].as_object().into_iter().flatten() {
            let name = target.as_str().and_then(|text| text.rsplit('/').next()).unwrap_or_default();
            let Some(schema) = schemas.get_mut(name) else { continue };
            schema["properties"][member]["enum"] = json!([value]);
            schema["additionalProperties"] = json!(false);
        }
    }
}

fn owned((name, schema): (&String, &Value)) -> (String, Value) {
    (name.clone(), schema.clone())
}

/// The schemas directly within a schema.
fn parts_mut(schema: &mut Value) -> Vec<&mut Value> {
    let Some(keywords) = schema.as_object_mut() else { return Vec::new() };
    let mut parts = Vec::new();
    for (keyword, argument) in keywords {
        match keyword.as_str() {
            "properties" => parts.extend(argument.as_object_mut().into_iter().flat_map(Map::values_mut)),
            "items" | "additionalProperties" if argument.is_object() => parts.push(argument),
            "allOf" | "oneOf" | "anyOf" => parts.extend(argument.as_array_mut().into_iter().flatten()),
            _ => {}
        }
    }
    parts
}

/// A generic page repeats the schema of its rows: a reference is equivalent, and gives client generators a name.
fn refer(schema: &mut Value, named: &[(String, Value)]) {
    if let Some((name, _)) = named.iter().find(|(_, known)| known == schema) {
        *schema = json!({"$ref": format!("#/components/schemas/{name}")});
        return;
    }
    for part in parts_mut(schema) {
        refer(part, named);
    }
}

fn complete_schema(owner: &str, schema: &mut Value) {
    show_first_of_enum(schema);
    open_free_object(schema);
    for (name, member) in schema.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten() {
        complete_member(owner, name, member);
    }
    for part in parts_mut(schema) {
        complete_schema(owner, part);
    }
}

/// An object without named members has any.
fn open_free_object(schema: &mut Value) {
    let is_object = schema["type"] == "object" || schema["type"].as_array().is_some_and(|kinds| kinds.contains(&json!("object")));
    if is_object && schema["properties"].is_null() && schema["additionalProperties"].is_null() {
        schema["additionalProperties"] = json!(true);
    }
}

/// Each value of a closed list is an example of it.
fn show_first_of_enum(schema: &mut Value) {
    if has_example(schema) {
        return;
    }
    if let Some(first) = schema["enum"].get(0).cloned() {
        schema["examples"] = json!([first]);
    }
}

fn complete_member(owner: &str, name: &str, member: &mut Value) {
    hoist_description(member);
    if name == "$type" {
        close_type(owner, member);
    }
    let (description, example) = match name {
        "$type" => ("The type of this object.", Value::Null),
        _ => vocabulary::lookup(name).unwrap_or(("", Value::Null)),
    };
    if member["description"].is_null() && !description.is_empty() {
        member["description"] = description.into();
    }
    show_first_of_enum(member);
    if has_example(member) || refers(member) {
        return;
    }
    let example = vocabulary::free_object(owner, name).unwrap_or(example);
    if member["type"] == "boolean" {
        member["examples"] = json!([true]);
    } else if !example.is_null() {
        member["examples"] = json!([example]);
    }
}

/// An object's type is always the same text: the example that its slice gives, else the name of the schema.
fn close_type(owner: &str, member: &mut Value) {
    if member["enum"].is_null() {
        let name = member.get("example").cloned().unwrap_or_else(|| json!(owner));
        member["enum"] = json!([name]);
    }
}

fn has_example(schema: &Value) -> bool {
    !schema["example"].is_null() || !schema["examples"].is_null()
}

/// Whether the member's type is a schema of its own, which has its own example.
fn refers(member: &Value) -> bool {
    let is_reference = |schema: &Value| !schema["$ref"].is_null();
    is_reference(member) || member["oneOf"].as_array().is_some_and(|choices| choices.iter().any(is_reference))
}

/// `oneOf: [{$ref, description}, null]`: the description is the member's, not the reference's.
fn hoist_description(member: &mut Value) {
    let Some(member) = member.as_object_mut() else { return };
    let first = member.get_mut("oneOf").and_then(|choices| choices.get_mut(0)).and_then(Value::as_object_mut);
    let description = first.filter(|choice| choice.contains_key("$ref")).and_then(|choice| choice.remove("description"));
    if let Some(description) = description {
        member.entry("description").or_insert(description);
    }
}
