//! How much: amounts that count, amounts that don't, and the limit.

use serde_json::json;

use crate::api::cast::Cast;
use crate::api::check::{accept, ask, check, refusal};
use crate::support::world::Credential;

/// A metric and an amount as JSON text, and why it is refused.
const BAD: &[(&str, &str, &str)] = &[
    ("apiCalls", "0", "amount_zero"),
    ("apiCalls", "\"0\"", "amount_zero"),
    ("apiCalls", "\"0.000000000\"", "amount_zero"),
    ("apiCalls", "-0", "invalid_value"),
    ("apiCalls", "-1", "amount_negative"),
    ("apiCalls", "\"-0.5\"", "amount_negative"),
    ("users", "0", "amount_zero"),
    ("users", "-1", "level_below_zero"),
    ("apiCalls", "1.5", "invalid_value"),
    ("apiCalls", "1.0", "invalid_value"),
    ("apiCalls", "1e3", "invalid_value"),
    ("apiCalls", "1e400", "malformed_json"),
    ("apiCalls", "NaN", "malformed_json"),
    ("apiCalls", "Infinity", "malformed_json"),
    ("apiCalls", "01", "malformed_json"),
    ("apiCalls", "+1", "malformed_json"),
    ("apiCalls", "\"NaN\"", "invalid_value"),
    ("apiCalls", "\"Infinity\"", "invalid_value"),
    ("apiCalls", "\"1e3\"", "invalid_value"),
    ("apiCalls", "\"0x10\"", "invalid_value"),
    ("apiCalls", "\"1,5\"", "invalid_value"),
    ("apiCalls", "\"1 000\"", "invalid_value"),
    ("apiCalls", "\" 1\"", "invalid_value"),
    ("apiCalls", "\"\"", "invalid_value"),
    ("apiCalls", "\".\"", "invalid_value"),
    ("apiCalls", "\"--1\"", "invalid_value"),
    ("apiCalls", "\"٣\"", "invalid_value"),
    ("apiCalls", "\"0.0000000001\"", "invalid_value"),
    ("apiCalls", "\"1.1234567890\"", "invalid_value"),
    ("apiCalls", "9000000000000001", "invalid_value"),
    ("apiCalls", "\"9000000000000000.000000001\"", "invalid_value"),
    ("apiCalls", "18446744073709551616", "invalid_value"),
    ("apiCalls", "\"99999999999999999999999999999999999999999999\"", "invalid_value"),
    ("apiCalls", "true", "invalid_value"),
    ("apiCalls", "[1]", "invalid_value"),
    ("apiCalls", "{\"value\":1}", "invalid_value"),
];

/// Amounts that count.
const GOOD: &[(&str, &str)] = &[
    ("apiCalls", "1"),
    ("apiCalls", "\"1\""),
    ("apiCalls", "\"2.0\""),
    ("users", "3"),
    ("users", "-1"),
    ("users", "\"-2\""),
    ("storage", "100"),
];

#[test]
fn an_amount_that_is_none_is_refused_everywhere() {
    let cast = Cast::new();
    let backend = cast.acme().key(&["usage.write", "usage.read"]);
    for (metric, amount, code) in BAD {
        let pointer = if *code == "malformed_json" { "" } else { "/amount" };
        let event = format!(r#"{{"metric":"{metric}","amount":{amount}}}"#);
        for path in ["/v1/usage", "/v1/usage/consumption"] {
            check(&cast.world, &ask(&backend, "POST", path).json(event.clone()), refusal(400, code, pointer));
        }
        if *code != "malformed_json" {
            let answer = accept(&cast.world, &ask(&backend, "POST", "/v1/usage/batch").json(format!(r#"{{"events":[{event}]}}"#)), 200);
            assert_eq!(
                (&answer.body["accepted"], &answer.body["rejected"][0]["code"]),
                (&json!(0), &json!(code)),
                "{event}: {}",
                answer.text
            );
        }
    }
    assert_eq!(cast.acme().get("/v1/usage")["metrics"]["apiCalls"]["current"], 0, "nothing was counted");
}

#[test]
fn an_amount_counts_on_each_way() {
    for path in ["/v1/usage", "/v1/usage/consumption"] {
        let cast = Cast::new();
        let backend = cast.acme().key(&["usage.write"]);
        for (metric, amount) in GOOD {
            let event = format!(r#"{{"metric":"{metric}","amount":{amount}}}"#);
            accept(&cast.world, &ask(&backend, "POST", path).json(event), 200);
        }
        let metrics = &cast.acme().get("/v1/usage")["metrics"];
        let current = |metric: &str| metrics[metric]["current"].clone();
        assert_eq!((current("apiCalls"), current("users"), current("storage")), (json!(4), json!(0), json!(100)), "{path}");
    }
}

#[test]
fn past_the_limit_only_recording_goes_on() {
    let cast = Cast::new();
    let backend = cast.acme().key(&["usage.write", "usage.read"]);
    let post =
        |path: &str, metric: &str, amount: u32| ask(&backend, "POST", path).json(json!({"metric": metric, "amount": amount}).to_string());
    accept(&cast.world, &post("/v1/usage/consumption", "apiCalls", 100_000), 200);
    let refused = check(&cast.world, &post("/v1/usage/consumption", "apiCalls", 1), refusal(429, "quota_exceeded", ""));
    let members = ["metric", "current", "limit", "required"].map(|name| refused.body[name].clone());
    assert_eq!(members, [json!("apiCalls"), json!(100_000), json!(100_000), json!(1)]);
    assert_eq!(refused.header("retry-after"), "1987200", "23 days to the period's end");
    accept(&cast.world, &post("/v1/usage", "apiCalls", 1), 200);
    accept(&cast.world, &post("/v1/usage/consumption", "users", 25), 200);
    let level = check(&cast.world, &post("/v1/usage/consumption", "users", 1), refusal(403, "quota_exceeded", ""));
    assert_eq!(level.body["limit"], 25);
    accept(&cast.world, &post("/v1/usage", "users", 1), 200);
    check(&cast.world, &post("/v1/usage/consumption", "users", 1), refusal(403, "quota_exceeded", ""));
}

#[test]
fn a_level_goes_down_to_zero_and_no_further() {
    let cast = Cast::new();
    let backend = cast.acme().key(&["usage.write"]);
    let users = |amount: i32| ask(&backend, "POST", "/v1/usage").json(json!({"metric": "users", "amount": amount}).to_string());
    accept(&cast.world, &users(2), 200);
    check(&cast.world, &users(-3), refusal(400, "level_below_zero", "/amount"));
    accept(&cast.world, &users(-2), 200);
    check(&cast.world, &users(-1), refusal(400, "level_below_zero", "/amount"));
}

#[test]
fn a_count_has_its_highest() {
    let cast = Cast::new();
    let backend: Credential = cast.acme().key(&["usage.write"]);
    let most = || ask(&backend, "POST", "/v1/usage").json(r#"{"metric":"apiCalls","amount":9000000000000000}"#);
    accept(&cast.world, &most(), 200);
    check(&cast.world, &most(), refusal(400, "amount_too_large", "/amount"));
}

/// A query of a quota, and why it is refused.
const BAD_QUOTAS: &[(&str, u16, &str, &str)] = &[
    ("apiCalls?amount=0", 400, "amount_zero", "amount"),
    ("apiCalls?amount=-1", 400, "amount_negative", "amount"),
    ("apiCalls?amount=", 400, "invalid_value", "amount"),
    ("apiCalls?amount=many", 400, "invalid_value", "amount"),
    ("apiCalls?amount=NaN", 400, "invalid_value", "amount"),
    ("apiCalls?amount=1e3", 400, "invalid_value", "amount"),
    ("apiCalls?amount=0.0000000001", 400, "invalid_value", "amount"),
    ("apiCalls?amount=9000000000000001", 400, "invalid_value", "amount"),
    ("apiCalls?explain=maybe", 400, "invalid_value", "explain"),
    ("apiCalls?explain=", 400, "invalid_value", "explain"),
    ("apiCalls?requires=1", 400, "unknown_parameter", "requires"),
    ("apiCalls?organization=org_1", 400, "unknown_parameter", "organization"),
    ("seats", 404, "unknown_metric", ""),
    ("%61piCall", 404, "unknown_metric", ""),
];

#[test]
fn a_quota_is_asked_for_an_amount() {
    let cast = Cast::new();
    let reader = cast.acme().key(&["usage.read"]);
    for (target, status, code, pointer) in BAD_QUOTAS {
        check(&cast.world, &ask(&reader, "GET", &format!("/v1/quotas/{target}")), refusal(*status, code, pointer));
    }
    check(&cast.world, &ask(&reader, "GET", "/v1/usage?metric=apiCalls"), refusal(400, "unknown_parameter", "metric"));
    accept(&cast.world, &ask(&reader, "GET", "/v1/usage"), 200);
    for (target, allowed) in
        [("apiCalls", true), ("%61piCalls?amount=100000", true), ("apiCalls?amount=100001", false), ("users?amount=25", true)]
    {
        let answer = accept(&cast.world, &ask(&reader, "GET", &format!("/v1/quotas/{target}")), 200);
        assert_eq!(answer.body["allowed"], allowed, "{target}");
    }
    accept(&cast.world, &ask(&reader, "GET", "/v1/quotas/apiCalls?amount=1&explain=true"), 200);
}
