//! Batches: the good events count even when others are bad.

use serde_json::{Value, json};
use tenantry::kernel::json::BATCH_BYTES_MAX;

use crate::meter::world::{World, batch, request, usage};

#[test]
fn a_thousand_events_are_one_batch() {
    let mut world = World::new();
    let events: Vec<Value> = (0..1000).map(|index| json!({"metric": "apiCalls", "idempotencyKey": format!("event-{index}")})).collect();
    let answer = world.send(batch(json!(events)));
    assert_eq!(answer.text, r#"{"accepted":1000,"replayed":0,"rejected":[],"current":{"apiCalls":1000}}"#);
    let again = world.send(batch(json!(events)));
    assert_eq!(again.text, r#"{"accepted":0,"replayed":1000,"rejected":[],"current":{"apiCalls":1000}}"#);
}

#[test]
fn one_bad_event_spoils_nothing() {
    let mut world = World::new();
    let answer = world.send(batch(json!([
        {"metric": "apiCalls"},
        {"metric": "apiCalls", "amount": 1.5},
        "what?",
        {"metric": "apiCalls", "timestamp": "2027-01-01T00:00:00Z"},
        {"metric": "users", "amount": -5},
        {"metric": "apiCalls", "typo": true},
        {"metric": "apiCalls", "amount": "2"},
    ])));
    assert_eq!(answer.body["accepted"], 2);
    assert_eq!(answer.body["current"], json!({"apiCalls": 3}));
    let rejected: Vec<_> =
        answer.body["rejected"].as_array().unwrap().iter().map(|entry| (entry["index"].as_u64(), entry["code"].as_str())).collect();
    assert_eq!(
        rejected,
        [
            (Some(1), Some("invalid_value")),
            (Some(2), Some("invalid_value")),
            (Some(3), Some("timestamp_in_future")),
            (Some(4), Some("level_below_zero")),
            (Some(5), Some("invalid_value")),
        ]
    );
    assert!(answer.body["rejected"][0]["detail"].as_str().unwrap().starts_with("/amount: "));
}

#[test]
fn past_the_limit_a_batch_is_recorded() {
    let mut world = World::new();
    let answer = world.send(batch(json!([{"metric": "apiCalls", "amount": 999}, {"metric": "apiCalls", "amount": 999}])));
    assert_eq!(answer.body["current"]["apiCalls"], 1998);
}

#[test]
fn the_answered_counts_are_those_of_the_current_period() {
    let mut world = World::new();
    let answer = world.send(batch(json!([{"metric": "apiCalls", "timestamp": "2025-12-31T23:59:59Z"}, {"metric": "tokens", "amount": 7}])));
    assert_eq!(answer.body["current"], json!({"apiCalls": 0, "tokens": 7}));
}

#[test]
fn the_detail_of_an_invalid_event_is_short() {
    let mut world = World::new();
    let endless = "\u{1}ü".repeat(100_000);
    let body = json!({"events": [{"metric": endless}, {endless.clone(): 1}]}).to_string();
    assert!(body.len() < BATCH_BYTES_MAX * 2);
    let answer = world.send(request("POST", "/v1/usage/batch", &body[..]));
    if answer.status == 200 {
        assert!(answer.text.len() < 1_000, "{}", answer.text.len());
    } else {
        assert_eq!(answer.status, 413);
    }
    let shorter = "\u{1}ü".repeat(50_000);
    let answer = world.send(batch(json!([{"metric": shorter}, {"metric": "apiCalls", shorter.clone(): 1}])));
    assert_eq!(answer.status, 200);
    assert!(answer.text.len() < 1_000);
}

#[test]
fn many_large_batches_fit_into_one_group() {
    let mut world = World::new();
    let long = "k".repeat(240);
    let group: Vec<_> = (0..6)
        .map(|number| {
            let events: Vec<Value> =
                (0..1000).map(|index| json!({"metric": "tokens", "idempotencyKey": format!("{long}-{number}-{index}")})).collect();
            batch(json!(events))
        })
        .collect();
    assert!(world.group(&group).iter().all(|answer| answer.body["accepted"] == 1000));
    assert!(world.group(&group).iter().all(|answer| answer.body["replayed"] == 1000));
    assert_eq!(world.send(usage(json!({"metric": "tokens"}))).short(), "200 6001");
}
