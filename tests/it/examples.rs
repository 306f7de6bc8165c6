//! The examples of `openapi.json`: each is sent, and each succeeds. Ids and secrets of the world take the place of those in the examples.

use serde_json::Value;

use crate::api::cast::Cast;
use crate::api::check::{Ask, ask};
use crate::api::document::Operation;
use crate::api::rows::{Row, each};
use crate::support::world::{Credential, vendor};

/// Parts of examples that only the world knows: an operation, a JSON pointer into its body, and what the cast puts there.
const OF_THE_WORLD: &[(&str, &str, &str)] = &[
    ("createAccessToken", "/client_id", "{client}"),
    ("createAccessToken", "/client_secret", "{clientSecret}"),
    ("createCreditNote", "/invoice", "{openInvoice}"),
    ("replayDeadLetter", "/id", "{deadLetter}"),
    ("acceptInvitation", "/token", "{token}"),
    ("transferOwnership", "/to", "user_00000000000000000000000002"),
    ("moveOrganization", "/shard", "{elsewhere}"),
    ("confirmSecondFactor", "/code", "{secondFactorCode}"),
    ("refreshSession", "/refreshToken", "{refreshToken}"),
    ("createSession", "/code", "{code}"),
];

#[test]
fn every_example_succeeds() {
    let mut faults = Vec::new();
    for (row, operation) in each() {
        let bodies = bodies(&operation);
        if bodies.is_empty() && !operation.about["requestBody"].is_null() {
            faults.push(format!("{} has a body and no example", row.operation));
        }
        faults.extend(send(row, &operation, None).filter(|_| bodies.is_empty()));
        faults.extend(bodies.iter().filter_map(|body| send(row, &operation, Some(body))));
    }
    assert!(faults.is_empty(), "examples that were refused, see src/api/openapi/schemas/example_bodies.rs:\n{}", faults.join("\n"));
}

/// Each body of an operation: its media type and the example.
fn bodies(operation: &Operation) -> Vec<(String, Value)> {
    let content = operation.about["requestBody"]["content"].as_object().into_iter().flatten();
    content
        .flat_map(|(media_type, content)| {
            let examples = content["examples"].as_object().unwrap_or_else(|| panic!("{}: {media_type} has no example", operation.id));
            examples.values().map(move |example| (media_type.clone(), example["value"].clone()))
        })
        .collect()
}

/// What is wrong with the answer to an example.
fn send(row: &Row, operation: &Operation, body: Option<&(String, Value)>) -> Option<String> {
    let cast = Cast::new();
    let who = caller(&cast, operation);
    let right = row.ask(&cast, operation, &who);
    let asked = ask(&who, &operation.method, &path(&right, operation)).header("accept", &operation.answers_with());
    let asked = match body {
        Some((media_type, body)) => asked.header("content-type", media_type).body(text(&cast, operation, media_type, body.clone())),
        None => asked,
    };
    prepare(&cast, operation, &asked);
    let answer = asked.send(&cast.world);
    let is_good = answer.status == operation.status();
    (!is_good).then(|| format!("{} {} {} → {}", row.operation, asked.path, String::from_utf8_lossy(&asked.body), answer.text))
}

/// As in `/docs` with the key that `npm run dev` prints: the vendor calls, wherever no person has to.
fn caller(cast: &Cast, operation: &Operation) -> Credential {
    if operation.is_public() {
        Credential::Nobody
    } else if operation.is_a_persons() {
        cast.ada()
    } else if operation.scopes().is_some() || operation.is_vendors_for_an_organization() {
        cast.acme().vendor()
    } else {
        vendor()
    }
}

/// The path of the right request, with the examples of its parameters; of ids, only the kind is compared.
fn path(right: &Ask, operation: &Operation) -> String {
    let (route, query) = right.path.split_once('?').unwrap_or((&right.path, ""));
    let parts = operation.path.split('/').zip(route.split('/')).map(|(template, part)| {
        let Some(name) = template.strip_prefix('{').map(|name| name.trim_end_matches('}')) else { return part.to_owned() };
        let example = example_of(operation, name);
        match (is_id(&example), is_id(part)) {
            (false, _) => example,
            (true, is_id) => {
                let kind = |id: &str| id.rsplit_once('_').map(|(kind, _)| kind.to_owned());
                assert!(is_id && kind(&example) == kind(part), "{}: {example} is not of the kind of {part}", operation.id);
                part.to_owned()
            }
        }
    });
    let path = parts.collect::<Vec<_>>().join("/");
    let of_query = operation.about["parameters"].as_array().into_iter().flatten();
    let of_query = of_query.filter(|parameter| parameter["in"] == "query" && parameter["required"] == true);
    let required: Vec<String> = of_query
        .map(|parameter| parameter["name"].as_str().unwrap())
        .map(|name| format!("{name}={}", example_of(operation, name)))
        .collect();
    let optional = query.split('&').filter(|pair| !pair.is_empty() && !required.iter().any(|given| given == pair)).map(str::to_owned);
    let query: Vec<String> = required.clone().into_iter().chain(optional).collect();
    if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) }
}

/// The example of a required parameter.
fn example_of(operation: &Operation, name: &str) -> String {
    let parameter = operation.about["parameters"].as_array().into_iter().flatten().find(|parameter| parameter["name"] == name);
    let example = parameter.and_then(|parameter| parameter["example"].as_str());
    example.unwrap_or_else(|| panic!("{}: the parameter {name} has no example", operation.id)).to_owned()
}

fn is_id(text: &str) -> bool {
    text.rsplit_once('_').is_some_and(|(_, number)| number.len() == 26)
}

/// What has to be there before it can be taken away.
fn prepare(cast: &Cast, operation: &Operation, asked: &Ask) {
    let body = match operation.id {
        "deleteLimit" => r#"{"limit":7}"#,
        "deleteEntitlement" => r#"{"value":true}"#,
        _ => return,
    };
    ask(&vendor(), "PUT", &asked.path).json(body).send(&cast.world).expect(200);
}

/// The body as it is sent.
fn text(cast: &Cast, operation: &Operation, media_type: &str, mut body: Value) -> String {
    for (_, pointer, own) in OF_THE_WORLD.iter().filter(|(id, ..)| *id == operation.id) {
        let filled = cast.fill(own);
        let part = body.pointer_mut(pointer).unwrap_or_else(|| panic!("{} has no {pointer}", operation.id));
        *part = if part.is_number() { filled.parse().unwrap() } else { filled.into() };
    }
    if media_type != "application/x-www-form-urlencoded" {
        return body.to_string();
    }
    let pairs = body.as_object().unwrap().iter().map(|(name, value)| format!("{name}={}", value.as_str().unwrap()));
    pairs.collect::<Vec<_>>().join("&")
}
