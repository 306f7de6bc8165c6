//! The shapes of the API, to the byte.

use serde_json::json;

use crate::meter::world::{World, batch, consumption, get, usage};

#[test]
fn a_receipt_reads_as_the_api_says() {
    let mut world = World::new();
    world.send(usage(json!({"metric": "apiCalls", "amount": 800})));
    let answer = world.send(usage(json!({"metric": "apiCalls"})));
    assert_eq!(
        answer.text,
        r#"{"$type":"UsageReceipt","metric":"apiCalls","current":801,"limit":1000,"remaining":199,"percentage":"80.1","period":{"start":"2026-01-01T00:00:00Z","end":"2026-02-01T00:00:00Z"},"sequence":2,"replayed":false}"#
    );
}

#[test]
fn a_consumption_reads_as_a_receipt_that_is_allowed() {
    let answer = World::new().send(consumption(json!({"metric": "apiCalls", "amount": "0.5"})));
    assert_eq!(
        answer.text,
        r#"{"$type":"UsageReceipt","metric":"apiCalls","current":"0.5","limit":1000,"remaining":"999.5","percentage":"0.05","period":{"start":"2026-01-01T00:00:00Z","end":"2026-02-01T00:00:00Z"},"sequence":1,"replayed":false,"allowed":true}"#
    );
}

#[test]
fn without_a_limit_remaining_and_percentage_are_null() {
    let answer = World::new().send(usage(json!({"metric": "tokens", "amount": 5})));
    assert_eq!(answer.body["limit"], -1);
    assert_eq!(answer.body["remaining"], json!(null));
    assert_eq!(answer.body["percentage"], json!(null));
}

#[test]
fn a_percentage_is_never_rounded_up() {
    for (amount, percentage) in [
        ("999.999", "99.99"),
        ("1000", "100"),
        ("1250", "125"),
        ("1255", "125.5"),
        ("0.01", "0"),
        ("333.3333", "33.33"),
        ("1.5", "0.15"),
        ("10.5", "1.05"),
    ] {
        let answer = World::new().send(usage(json!({"metric": "apiCalls", "amount": amount})));
        assert!(answer.text.contains(&format!(r#""percentage":"{percentage}","#)), "{amount}: {}", answer.text);
    }
}

#[test]
fn past_the_limit_usage_is_recorded_and_nothing_remains() {
    let mut world = World::new();
    let answer = world.send(usage(json!({"metric": "apiCalls", "amount": 1001})));
    assert_eq!((answer.status, &answer.body["remaining"]), (200, &json!(0)));
    assert_eq!(world.send(get("/v1/quotas/apiCalls")).body["remaining"], 0);
}

#[test]
fn a_quota_check_compares_the_required_amount_with_the_amount_left() {
    let mut world = World::new();
    world.send(usage(json!({"metric": "apiCalls", "amount": 990})));
    assert_eq!(
        world.send(get("/v1/quotas/apiCalls?amount=10")).text,
        r#"{"$type":"QuotaCheck","allowed":true,"metric":"apiCalls","current":990,"limit":1000,"remaining":10,"reserved":0,"period":{"start":"2026-01-01T00:00:00Z","end":"2026-02-01T00:00:00Z"}}"#
    );
    for (query, allowed) in [("", true), ("?amount=11", false), ("?amount=10.000000001", false), ("?amount=0%2E5", true)] {
        assert_eq!(world.send(get(&format!("/v1/quotas/apiCalls{query}"))).body["allowed"], allowed, "{query}");
    }
    assert_eq!(world.send(get("/v1/quotas/tokens?amount=9000000000000000")).body["allowed"], true);
}

#[test]
fn a_quota_explains_itself() {
    let answer = World::new().send(get("/v1/quotas/users?explain=true"));
    assert_eq!(
        answer.body["explanation"],
        json!({
            "plan": "professional", "planVersion": 3, "source": "plan", "enforcement": "hard", "kind": "level", "aggregation": "sum",
            "amount": 1, "limit": 10, "grants": []
        })
    );
}

#[test]
fn the_summary_lists_every_metric_of_the_current_period() {
    let mut world = World::new();
    world.send(usage(json!({"metric": "apiCalls", "amount": 250})));
    assert_eq!(
        world.send(get("/v1/usage")).text,
        concat!(
            r#"{"$type":"UsageSummary","period":{"start":"2026-01-01T00:00:00Z","end":"2026-02-01T00:00:00Z"},"metrics":{"#,
            r#""apiCalls":{"current":250,"limit":1000,"remaining":750,"percentage":"25","reserved":0},"#,
            r#""tokens":{"current":0,"limit":-1,"remaining":null,"percentage":null,"reserved":0},"#,
            r#""users":{"current":0,"limit":10,"remaining":10,"percentage":"0","reserved":0}}}"#
        )
    );
}

#[test]
fn a_batch_answers_with_its_numbers_and_rejected_events() {
    let mut world = World::new();
    let events = json!([{"metric": "apiCalls", "amount": 2}, {"metric": "users"}, {"metric": "nonsense"}]);
    assert_eq!(
        world.send(batch(events)).text,
        r#"{"accepted":2,"replayed":0,"rejected":[{"index":2,"code":"unknown_metric","detail":"There is no metric nonsense. Use one of: apiCalls, tokens, users."}],"current":{"apiCalls":2,"users":1}}"#
    );
}

#[test]
fn the_sequence_counts_every_recorded_event() {
    let mut world = World::new();
    world.send(batch(json!([{"metric": "apiCalls"}, {"metric": "tokens"}, {"metric": "nonsense"}])));
    world.send(usage(json!({"metric": "nonsense"})));
    world.restart();
    assert_eq!(world.send(usage(json!({"metric": "users"}))).body["sequence"], 3);
}

#[test]
fn every_answer_of_a_group_has_a_request_id_of_its_own() {
    let mut world = World::new();
    let answers = world.group(&[get("/v1/usage"), get("/v1/usage"), get("/v1/nothing")]);
    let ids: std::collections::BTreeSet<_> = answers.iter().filter_map(|answer| answer.header("Request-Id")).collect();
    assert_eq!(ids.len(), 3);
}
