//! Every refusal: its status, its code, the place it names; and that it changed nothing.

use serde_json::json;

use crate::meter::world::{HotRequest, World, batch, consumption, get, keyed, request, usage};

fn check(sent: HotRequest, status: u16, code: &str, pointer: &str) {
    let mut world = World::new();
    let before = world.sql.dump();
    let answer = world.send(sent.clone());
    let named = &answer.body["errors"][0];
    // A general code is refined by the one of the place.
    let codes = [answer.code(), named["code"].as_str().unwrap_or_default()];
    assert!(answer.status == status && codes.contains(&code), "{sent:?}\n{answer:?}");
    // Where malformed JSON breaks, the text says.
    assert!(code == "malformed_json" || named["pointer"].as_str().unwrap_or_default() == pointer, "{answer:?}");
    assert!(answer.body["detail"].as_str().is_some_and(|detail| detail.len() > 10), "the detail says what to do");
    assert_eq!(answer.body["instance"], sent.target.split('?').next().unwrap());
    assert_eq!(world.sql.dump(), before, "a refusal changes nothing");
}

fn check_usage(body: serde_json::Value, code: &str, pointer: &str) {
    check(usage(body.clone()), 400, code, pointer);
    check(consumption(body.clone()), 400, code, pointer);
    // In a batch the same event is refused alone.
    let mut world = World::new();
    let answer = world.send(batch(json!([body, {"metric": "apiCalls"}])));
    assert_eq!((answer.status, &answer.body["accepted"]), (200, &json!(1)), "{answer:?}");
    assert_eq!(answer.body["rejected"][0]["code"], code, "{answer:?}");
    assert_eq!(answer.body["rejected"][0]["index"], 0);
}

#[test]
fn bodies() {
    check_usage(json!({}), "invalid_value", "");
    check_usage(json!({"metric": 1}), "invalid_value", "/metric");
    check_usage(json!({"metric": "apiCalls", "amuont": 1}), "invalid_value", "/amuont");
    check_usage(json!({"metric": "apiCalls", "metadata": "x"}), "invalid_value", "/metadata");
    check_usage(json!({"metric": "apiCalls", "timestamp": "yesterday"}), "invalid_value", "/timestamp");
    check_usage(json!("apiCalls"), "invalid_value", "");
    check(request("POST", "/v1/usage", "{"), 400, "malformed_json", "");
    check(request("POST", "/v1/usage", ""), 400, "malformed_json", "");
    check(request("POST", "/v1/usage", r#"{"metric":"apiCalls"} x"#), 400, "malformed_json", "");
    check(request("POST", "/v1/usage", &" ".repeat(70_000)), 413, "body_too_large", "");
    check(request("POST", "/v1/usage/batch", &" ".repeat(1_100_000)), 413, "body_too_large", "");
    check(HotRequest { content_type: "text/plain".into(), ..usage(json!({"metric": "apiCalls"})) }, 415, "unsupported_media_type", "");
    check(HotRequest { content_type: "".into(), ..batch(json!([])) }, 415, "unsupported_media_type", "");
}

#[test]
fn amounts() {
    check_usage(json!({"metric": "apiCalls", "amount": 0}), "amount_zero", "/amount");
    check_usage(json!({"metric": "apiCalls", "amount": "0.0"}), "amount_zero", "/amount");
    check_usage(json!({"metric": "apiCalls", "amount": -1}), "amount_negative", "/amount");
    check_usage(json!({"metric": "apiCalls", "amount": 1.5}), "invalid_value", "/amount");
    check_usage(json!({"metric": "apiCalls", "amount": null}), "invalid_value", "/amount");
    check_usage(json!({"metric": "apiCalls", "amount": "1e3"}), "invalid_value", "/amount");
    check_usage(json!({"metric": "apiCalls", "amount": "0.0000000001"}), "invalid_value", "/amount");
    check_usage(json!({"metric": "apiCalls", "amount": 9_000_000_000_000_001_i64}), "invalid_value", "/amount");
    check_usage(json!({"metric": "users", "amount": -1}), "level_below_zero", "/amount");
}

#[test]
fn a_count_that_would_grow_too_large() {
    let mut world = World::new();
    let most = json!({"metric": "tokens", "amount": 9_000_000_000_000_000_i64});
    assert_eq!(world.send(usage(most)).status, 200);
    let answer = world.send(usage(json!({"metric": "tokens", "amount": "0.000000001"})));
    assert_eq!((answer.status, answer.code()), (400, "amount_too_large"));
}

#[test]
fn metrics_and_times() {
    check_usage(json!({"metric": "nonsense"}), "unknown_metric", "/metric");
    check_usage(json!({"metric": "apiCalls", "timestamp": "2026-01-10T12:05:00.001Z"}), "timestamp_in_future", "/timestamp");
    check_usage(json!({"metric": "apiCalls", "timestamp": "2025-12-06T11:59:59.999Z"}), "timestamp_too_old", "/timestamp");
    check_usage(json!({"metric": "apiCalls", "timestamp": "2025-12-19T23:59:59.999Z"}), "timestamp_before_subscription", "/timestamp");
}

#[test]
fn idempotency_keys() {
    for key in ["", "ümlaut", "a\u{7f}", &"k".repeat(256)] {
        check_usage(json!({"metric": "apiCalls", "idempotencyKey": key}), "invalid_idempotency_key", "/idempotencyKey");
    }
    for key in ["\"\"", "ümlaut", &"k".repeat(256)] {
        check(keyed(key, usage(json!({"metric": "apiCalls"}))), 400, "invalid_idempotency_key", "Idempotency-Key");
        check(keyed(key, batch(json!([{"metric": "apiCalls"}]))), 400, "invalid_idempotency_key", "Idempotency-Key");
    }
    let both = keyed("one", usage(json!({"metric": "apiCalls", "idempotencyKey": "other"})));
    check(both, 400, "idempotency_keys_differ", "/idempotencyKey");
}

#[test]
fn batches() {
    check(batch(json!([])), 400, "no_events", "/events");
    check(batch(json!(vec![json!({"metric": "apiCalls"}); 1001])), 400, "too_many_events", "/events");
    check(request("POST", "/v1/usage/batch", r#"{"event":[]}"#), 400, "invalid_value", "/event");
    check(request("POST", "/v1/usage/batch", r#"{"events":[{"metric":"apiCalls"},]}"#), 400, "malformed_json", "");
}

#[test]
fn quotas() {
    check(get("/v1/quotas/nonsense"), 404, "unknown_metric", "");
    check(get("/v1/quotas/apiCalls?amount=x"), 400, "invalid_value", "amount");
    check(get("/v1/quotas/apiCalls?amount=0"), 400, "amount_zero", "amount");
    check(get("/v1/quotas/users?amount=-1"), 400, "amount_negative", "amount");
    check(get("/v1/quotas/apiCalls?explain=yes"), 400, "invalid_value", "explain");
    check(get("/v1/quotas/apiCalls?requierd=5"), 400, "unknown_parameter", "requierd");
    check(get("/v1/usage?metric=apiCalls"), 400, "unknown_parameter", "metric");
}

#[test]
fn routes() {
    for (method, target, allow) in [
        ("DELETE", "/v1/usage", "GET, POST"),
        ("GET", "/v1/usage/batch", "POST"),
        ("PUT", "/v1/usage/consumption", "POST"),
        ("POST", "/v1/quotas/apiCalls", "GET"),
    ] {
        let answer = World::new().send(request(method, target, "{}"));
        assert_eq!((answer.status, answer.code(), answer.header("Allow")), (405, "method_not_allowed", Some(allow)));
    }
    for target in ["/v1/nothing", "/v1/quotas/", "/v1/quotas/a/b"] {
        check(get(target), 404, "not_found", "");
    }
}

#[test]
fn a_used_up_quota() {
    let mut world = World::new();
    world.send(usage(json!({"metric": "apiCalls", "amount": 999})));
    assert_eq!(world.send(consumption(json!({"metric": "apiCalls"}))).short(), "200 1000");
    let answer = world.send(consumption(json!({"metric": "apiCalls", "amount": "0.5"})));
    assert_eq!((answer.status, answer.code()), (429, "quota_exceeded"));
    assert_eq!(
        json!([answer.body["metric"], answer.body["current"], answer.body["limit"], answer.body["required"]]),
        json!(["apiCalls", 1000, 1000, "0.5"])
    );
    // From 10 January, noon, to 1 February.
    assert_eq!(answer.header("Retry-After"), Some("1857600"));
}

#[test]
fn a_full_level_is_forbidden_and_not_to_be_retried() {
    let mut world = World::new();
    assert_eq!(world.send(consumption(json!({"metric": "users", "amount": 10}))).short(), "200 10");
    let answer = world.send(consumption(json!({"metric": "users"})));
    assert_eq!((answer.status, answer.code(), answer.header("Retry-After")), (403, "quota_exceeded", None));
    assert_eq!(answer.body["current"], 10);
}

#[test]
fn an_organization_without_a_plan() {
    let mut world = World::untouched();
    for sent in [usage(json!({"metric": "apiCalls"})), batch(json!([{"metric": "apiCalls"}])), get("/v1/usage"), get("/v1/quotas/apiCalls")]
    {
        let answer = world.send(sent);
        assert_eq!((answer.status, answer.code()), (409, "no_subscription"));
    }
    assert!(world.sql.dump().is_empty(), "nothing is stored for it");
}

#[test]
fn a_request_that_is_not_one() {
    let mut world = World::new();
    let broken = HotRequest { method: "".into(), ..get("") };
    assert_eq!(world.send(broken).status, 404);
}
