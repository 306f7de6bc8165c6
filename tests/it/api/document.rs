//! Answers against `openapi.json`: a validator of the part of JSON Schema that our document uses. A keyword it doesn't know is a fault,
//! so that nothing goes unchecked. Stricter than JSON Schema in one thing: a member that the document doesn't name is a fault.

use std::sync::LazyLock;

use serde_json::{Map, Value};
use tenantry::kernel::time::Timestamp;

pub static DOCUMENT: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(include_str!("../../../openapi.json")).unwrap());

/// The pattern of a quantity that is no integer.
const QUANTITY: &str = r"^-?[0-9]+(\.[0-9]{1,9})?$";

/// The pattern of a percentage.
const PERCENTAGE: &str = r"^-?[0-9]+(\.[0-9]{1,2})?$";

/// One operation of the document.
#[derive(Clone, Debug)]
pub struct Operation {
    pub id: &'static str,
    pub method: String,
    pub path: &'static str,
    pub about: &'static Value,
}

impl Operation {
    /// The status of success.
    pub fn status(&self) -> u16 {
        self.about["responses"]
            .as_object()
            .unwrap()
            .keys()
            .filter_map(|status| status.parse().ok())
            .find(|status| (200..300).contains(status))
            .unwrap()
    }

    /// The media type of success; what has none is JSON, too.
    pub fn answers_with(&self) -> String {
        first_type(&self.about["responses"][self.status().to_string()]["content"])
    }

    /// The media type of the body it reads.
    pub fn reads(&self) -> String {
        first_type(&self.about["requestBody"]["content"])
    }

    /// Whether it needs no credential: what is asked proves itself.
    pub fn is_public(&self) -> bool {
        self.about["security"].as_array().unwrap().iter().all(|scheme| scheme.as_object().unwrap().is_empty())
    }

    /// Whether only a person's own access token opens it.
    pub fn is_a_persons(&self) -> bool {
        let schemes = self.about["security"].as_array().unwrap();
        schemes.iter().all(|scheme| scheme.get("accessToken").is_some())
    }

    /// Whether only the vendor may, acting for the organization that a header names.
    pub fn is_vendors_for_an_organization(&self) -> bool {
        let is_named = |parameter: &Value| parameter["name"] == "Tenantry-Organization" && parameter["required"] == true;
        self.scopes().is_none() && self.about["parameters"].as_array().is_some_and(|parameters| parameters.iter().any(is_named))
    }

    /// The scopes that an organization key needs; None when such a key can't call this at all.
    pub fn scopes(&self) -> Option<Vec<&'static str>> {
        let schemes = self.about["security"].as_array().unwrap();
        schemes.iter().find(|scheme| scheme.get("organizationKey").is_some())?;
        let scopes = schemes.iter().find_map(|scheme| scheme["accessToken"].as_array())?;
        Some(scopes.iter().map(|scope| scope.as_str().unwrap()).collect())
    }
}

fn first_type(content: &Value) -> String {
    content.as_object().and_then(|types| types.keys().next()).map_or("application/json", String::as_str).to_owned()
}

pub fn operations() -> Vec<Operation> {
    let paths = DOCUMENT["paths"].as_object().unwrap();
    let each =
        paths.iter().flat_map(|(path, methods)| methods.as_object().unwrap().iter().map(move |(method, about)| (path, method, about)));
    each.map(|(path, method, about)| Operation { id: about["operationId"].as_str().unwrap(), method: method.to_uppercase(), path, about })
        .collect()
}

/// What is wrong with a body that was answered.
pub fn faults(method: &str, path: &str, status: u16, body: &Value) -> Vec<String> {
    let Some(operation) = operations().into_iter().find(|operation| operation.method == method && matches(operation.path, path)) else {
        return vec![format!("{method} {path} is not in the document")];
    };
    match referred(&operation.about["responses"][status.to_string()]) {
        Value::Null => vec![format!("the document doesn't know {status}")],
        response if response["content"].is_null() && body.is_null() => Vec::new(),
        response if response["content"].is_null() => vec!["a body that the document doesn't describe".to_owned()],
        response => all_faults(&response["content"]["application/json"]["schema"], body, true),
    }
}

/// What is wrong with a problem document: it has only members that are described.
pub fn faults_of_problem(body: &Value) -> Vec<String> {
    all_faults(&DOCUMENT["components"]["schemas"]["Problem"], body, true)
}

/// A response, or the component that it refers to.
pub fn referred(response: &'static Value) -> &'static Value {
    response.get("$ref").map_or(response, resolved)
}

pub fn matches(template: &str, path: &str) -> bool {
    let (wanted, given): (Vec<&str>, Vec<&str>) = (template.split('/').collect(), path.split('/').collect());
    wanted.len() == given.len() && wanted.iter().zip(given).all(|(wanted, given)| wanted.starts_with('{') || *wanted == given)
}

fn all_faults(schema: &Value, value: &Value, is_closed: bool) -> Vec<String> {
    let mut faults = Vec::new();
    judge(schema, value, "", is_closed, &mut faults);
    faults
}

/// Judges one value; `is_closed` refuses members that the schema doesn't name.
fn judge(schema: &Value, value: &Value, place: &str, is_closed: bool, faults: &mut Vec<String>) {
    let Some(keywords) = schema.as_object() else {
        return faults.push(format!("{place}: {schema} is no schema"));
    };
    for (keyword, argument) in keywords {
        if let Some(fault) = obey(keyword, argument, value, place, faults) {
            faults.push(format!("{place}: {value} {fault}"));
        }
    }
    let is_closed = is_closed || schema["additionalProperties"] == false;
    if let (true, Some(members)) = (is_closed, value.as_object()) {
        let named = members_named(schema);
        let is_map = !keywords.contains_key("$ref") && (schema["additionalProperties"].is_object() || named.is_empty());
        let unnamed = members.keys().filter(|name| !is_map && !named.contains_key(*name));
        faults.extend(unnamed.map(|name| format!("{place}/{name} is not in the document")));
    }
}

/// Checks one keyword; what is wrong is returned or, for parts of the value, added.
fn obey(keyword: &str, argument: &Value, value: &Value, place: &str, faults: &mut Vec<String>) -> Option<String> {
    let holds = match keyword {
        "description" | "example" | "examples" | "propertyNames" => true,
        // Members that are not named are refused anyway.
        "additionalProperties" if argument.is_boolean() => true,
        // The choices tell themselves apart: exactly one of them holds.
        "discriminator" => true,
        "$ref" => {
            judge(resolved(argument), value, place, !resolved(argument)["properties"].is_null(), faults);
            true
        }
        "allOf" => {
            argument.as_array()?.iter().for_each(|part| judge(open(part), value, place, false, faults));
            true
        }
        "oneOf" => argument.as_array()?.iter().filter(|choice| all_faults(choice, value, true).is_empty()).count() == 1,
        "type" => argument.as_array().map_or_else(|| is_of(argument, value), |types| types.iter().any(|kind| is_of(kind, value))),
        "enum" => argument.as_array()?.contains(value),
        "required" => argument.as_array()?.iter().all(|name| value.get(name.as_str().unwrap_or_default()).is_some()),
        "properties" => {
            let given = argument.as_object()?.iter().filter_map(|(name, schema)| Some((name, schema, value.get(name)?)));
            given.for_each(|(name, schema, member)| judge(schema, member, &format!("{place}/{name}"), true, faults));
            true
        }
        "additionalProperties" if argument.is_object() => {
            value.as_object()?.iter().for_each(|(name, member)| judge(argument, member, &format!("{place}/{name}"), true, faults));
            true
        }
        "items" => {
            value.as_array()?.iter().enumerate().for_each(|(index, item)| judge(argument, item, &format!("{place}/{index}"), true, faults));
            true
        }
        "minimum" => value.as_f64().is_none_or(|number| Some(number) >= argument.as_f64()),
        "maximum" => value.as_f64().is_none_or(|number| Some(number) <= argument.as_f64()),
        "pattern" if argument == PERCENTAGE => value.as_str().is_none_or(|text| text.parse::<rating::Decimal>().is_ok()),
        "minItems" => value.as_array().is_none_or(|items| items.len() as u64 >= argument.as_u64().unwrap_or_default()),
        "maxItems" => value.as_array().is_none_or(|items| items.len() as u64 <= argument.as_u64().unwrap_or_default()),
        "pattern" if argument == QUANTITY => value.as_str().is_none_or(|text| text.parse::<rating::Quantity>().is_ok()),
        "pattern" => return Some("has a pattern, which this validator doesn't know".to_owned()),
        "format" => value.as_str().is_none_or(|text| is_formatted(argument, text)),
        _ => return Some(format!("has the keyword {keyword}, which this validator doesn't know")),
    };
    (!holds).then(|| format!("breaks {keyword}: {argument}"))
}

fn resolved(reference: &Value) -> &'static Value {
    let pointer = reference.as_str().and_then(|text| text.strip_prefix('#')).unwrap_or_default();
    DOCUMENT.pointer(pointer).unwrap_or_else(|| panic!("{reference} leads nowhere"))
}

/// A part of `allOf` names only a part of the members.
fn open(part: &Value) -> &Value {
    match part.get("$ref") {
        Some(reference) => resolved(reference),
        None => part,
    }
}

fn members_named(schema: &Value) -> Map<String, Value> {
    let schema = open(schema);
    let mut members = schema["properties"].as_object().cloned().unwrap_or_default();
    for part in schema["allOf"].as_array().into_iter().flatten().chain(schema["oneOf"].as_array().into_iter().flatten()) {
        members.extend(members_named(part));
    }
    members
}

fn is_of(kind: &Value, value: &Value) -> bool {
    match kind.as_str().unwrap_or_default() {
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "object" => value.is_object(),
        "array" => value.is_array(),
        "null" => value.is_null(),
        _ => false,
    }
}

fn is_formatted(format: &Value, text: &str) -> bool {
    match format.as_str().unwrap_or_default() {
        "date-time" => text.ends_with('Z') && Timestamp::parse(text).is_ok(),
        "uri" => text.starts_with("https://"),
        "email" => text.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.contains('.') && !host.contains('@')),
        "date" => text.len() == 10 && Timestamp::parse(&format!("{text}T00:00:00Z")).is_ok(),
        _ => false,
    }
}
