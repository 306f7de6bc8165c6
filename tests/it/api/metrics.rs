//! Metrics of the platform: defined once, for good, and read by anybody.

use serde_json::{Value, json};

use crate::api::cast::{Cast, text};
use crate::api::check::{Ask, accept, ask, check, difference, refusal, state};
use crate::support::world::vendor;

fn define(body: Value) -> Ask {
    ask(&vendor(), "POST", "/v1/metrics").json(body.to_string())
}

fn sum(key: &str) -> Value {
    json!({"key": key, "aggregation": "sum", "kind": "consumable"})
}

fn keys(page: &Value) -> Vec<String> {
    page["data"].as_array().unwrap().iter().map(|metric| text(&metric["key"])).collect()
}

#[test]
fn a_metric_is_read_as_it_was_defined() {
    let cast = Cast::new();
    let body = json!({"key": "active.users", "name": "Active users", "description": "Who was there", "aggregation": "unique",
        "kind": "consumable", "uniqueProperty": "userId", "unit": "people", "eventType": "com.example.login"});
    let made = accept(&cast.world, &define(body.clone()), 201).body;
    for (name, value) in body.as_object().unwrap() {
        assert_eq!(made[name], *value, "{name}");
    }
    let told = [&made["$type"], &made["builtIn"], &made["createdAt"]];
    assert_eq!(told, [&json!("Metric"), &json!(false), &json!("2026-01-01T00:00:00Z")]);
    for who in [vendor(), cast.acme().key(&["members.read"]), cast.globex().vendor()] {
        assert_eq!(accept(&cast.world, &ask(&who, "GET", "/v1/metrics/active.users"), 200).body, made);
        assert_eq!(accept(&cast.world, &ask(&who, "GET", "/v1/metrics"), 200).body["data"][0], made);
    }
}

#[test]
fn the_least_that_makes_a_metric_is_enough_for_each_aggregation() {
    let cast = Cast::new();
    for (aggregation, kinds) in [
        ("count", ["consumable", "level"].as_slice()),
        ("sum", &["consumable", "level"]),
        ("max", &["consumable", "level"]),
        ("latest", &["consumable", "level"]),
        ("weighted_sum", &["level"]),
    ] {
        for kind in kinds {
            let key = format!("{aggregation}-{kind}");
            let made = accept(&cast.world, &define(json!({"key": key, "aggregation": aggregation, "kind": kind})), 201).body;
            assert_eq!((&made["name"], &made["uniqueProperty"], &made["eventType"]), (&Value::Null, &Value::Null, &Value::Null));
        }
    }
}

#[test]
fn four_metrics_are_built_in() {
    let cast = Cast::new();
    let page = accept(&cast.world, &ask(&cast.admin(), "GET", "/v1/metrics"), 200).body;
    assert_eq!(keys(&page), ["apiCalls", "users", "projects", "storage"]);
    for metric in page["data"].as_array().unwrap() {
        assert_eq!([&metric["builtIn"], &metric["aggregation"], &metric["createdAt"]], [&json!(true), &json!("sum"), &Value::Null]);
        let path = format!("/v1/metrics/{}", text(&metric["key"]));
        assert_eq!(accept(&cast.world, &ask(&cast.admin(), "GET", &path), 200).body, *metric);
    }
    check(&cast.world, &ask(&cast.admin(), "GET", "/v1/metrics/apicalls"), refusal(404, "not_found", ""));
}

#[test]
fn a_name_means_one_metric() {
    let cast = Cast::new();
    let typed = |key: &str, event_type: &str| json!({"key": key, "aggregation": "sum", "kind": "consumable", "eventType": event_type});
    accept(&cast.world, &define(typed("tokens", "com.example.tokens")), 201);
    for key in ["tokens", "apiCalls"] {
        check(&cast.world, &define(sum(key)), refusal(409, "metric_exists", ""));
    }
    for body in [typed("other", "com.example.tokens"), typed("other", "tokens"), typed("other", "users"), sum("com.example.tokens")] {
        check(&cast.world, &define(body), refusal(409, "event_type_taken", ""));
    }
    accept(&cast.world, &define(typed("own", "own")), 201);
}

#[test]
fn a_metric_never_changes() {
    let cast = Cast::new();
    accept(&cast.world, &define(sum("tokens")), 201);
    for method in ["PATCH", "PUT", "DELETE", "POST"] {
        check(&cast.world, &ask(&vendor(), method, "/v1/metrics/tokens").json("{}"), refusal(405, "method_not_allowed", ""));
    }
}

#[test]
fn texts_have_their_longest() {
    let cast = Cast::new();
    let longest = [("key", 64), ("name", 200), ("description", 2_000), ("unit", 60), ("uniqueProperty", 255), ("eventType", 255)];
    for (field, length) in longest {
        let body = |length: usize| {
            let mut body = json!({"key": format!("of-{field}"), "aggregation": "unique", "kind": "consumable", "uniqueProperty": "userId"});
            body[field] = if field == "key" { "k".repeat(length) } else { "ü".repeat(length) }.into();
            body
        };
        check(&cast.world, &define(body(length + 1)), refusal(400, "invalid_value", &format!("/{field}")));
        accept(&cast.world, &define(body(length)), 201);
    }
}

#[test]
fn a_repeated_definition_gets_the_first_answer() {
    let cast = Cast::new();
    let define_once = |body: Value| define(body).header("idempotency-key", "tokens-1");
    let first = accept(&cast.world, &define_once(sum("tokens")), 201);
    let before = state(&cast.world);
    let again = accept(&cast.world, &define_once(sum("tokens")), 201);
    assert_eq!((again.header("idempotent-replayed"), &again.text), ("true", &first.text));
    assert_eq!(difference(&before, &state(&cast.world)), [""; 0]);
    check(&cast.world, &define_once(sum("other")), refusal(422, "idempotency_mismatch", ""));
    check(&cast.world, &define(sum("tokens")).header("idempotency-key", "tokens-2"), refusal(409, "metric_exists", ""));
    accept(&cast.world, &define(sum("other")).header("idempotency-key", "tokens-2"), 201);
}

#[test]
fn all_metrics_are_shown_once_newest_first() {
    let cast = Cast::new();
    for number in 0..25 {
        accept(&cast.world, &define(sum(&format!("metric{number:02}"))), 201);
    }
    let all = keys(&accept(&cast.world, &ask(&vendor(), "GET", "/v1/metrics?limit=100"), 200).body);
    assert_eq!((all.len(), all[0].as_str(), all[24].as_str(), all[28].as_str()), (29, "metric24", "metric00", "storage"));
    for limit in [1, 7, 28, 29, 30] {
        let (mut walked, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = accept(&cast.world, &ask(&vendor(), "GET", &format!("/v1/metrics?limit={limit}{cursor}")), 200).body;
            walked.extend(keys(&page));
            match page["nextCursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(walked, all, "in pages of {limit}");
    }
}
