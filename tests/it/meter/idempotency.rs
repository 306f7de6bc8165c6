//! One key counts once, and a repeated request is answered as it was the first time.

use serde_json::{Value, json};
use tenantry::kernel::time::{days, hours};
use tenantry::meter::contract::Call;
use tenantry::meter::vocabulary::{Aggregation, MetricKind, MetricRule};

use crate::meter::world::{World, batch, consumption, entitlements, keyed, usage};

fn event(key: &str) -> Value {
    json!({"metric": "apiCalls", "amount": 3, "idempotencyKey": key, "timestamp": "2026-01-10T10:00:00Z", "metadata": {"b": 1, "a": [2]}})
}

#[test]
fn a_replay_is_the_first_answer_to_the_byte() {
    let mut world = World::new();
    let first = world.send(usage(event("a")));
    world.send(usage(json!({"metric": "apiCalls", "amount": 100})));
    // The limit changes in between; the answer does not.
    let mut richer = entitlements();
    richer.version = 2;
    richer.metrics.get_mut("apiCalls").unwrap().limit = None;
    world.call(Call::Configure { entitlements: richer });
    world.restart();
    let again = world.send(usage(event("a")));
    assert_eq!(again.text, first.text.replace(r#""replayed":false"#, r#""replayed":true"#));
    assert_eq!((first.header("Idempotent-Replayed"), again.header("Idempotent-Replayed")), (None, Some("true")));
    assert_ne!(first.header("Request-Id"), again.header("Request-Id"));
    assert_eq!(world.current("apiCalls"), 103);
}

#[test]
fn a_consumption_replays_even_when_the_quota_is_used_up() {
    let mut world = World::new();
    let all = consumption(json!({"metric": "apiCalls", "amount": 1000, "idempotencyKey": "all"}));
    let first = world.send(all.clone());
    let again = world.send(all);
    assert_eq!(again.text, first.text.replace(r#""replayed":false"#, r#""replayed":true"#));
    assert_eq!(again.body["allowed"], true);
}

#[test]
fn a_refusal_is_not_remembered() {
    let mut world = World::new();
    world.send(usage(json!({"metric": "users", "amount": 10})));
    let one_more = consumption(json!({"metric": "users", "idempotencyKey": "u"}));
    assert_eq!(world.send(one_more.clone()).status, 403);
    world.send(usage(json!({"metric": "users", "amount": -1})));
    let answer = world.send(one_more);
    assert_eq!((answer.short().as_str(), &answer.body["replayed"]), ("200 10", &json!(false)));
}

#[test]
fn another_request_under_the_same_key_is_a_mistake() {
    let mut world = World::new();
    world.send(usage(event("a")));
    for (what, sent) in [
        ("amount", usage(json!({"metric": "apiCalls", "amount": 4, "idempotencyKey": "a"}))),
        ("metric", usage(json!({"metric": "tokens", "amount": 3, "idempotencyKey": "a"}))),
        ("path", consumption(event("a"))),
        ("no metadata", usage(json!({"metric": "apiCalls", "amount": 3, "idempotencyKey": "a", "timestamp": "2026-01-10T10:00:00Z"}))),
        ("a batch", keyed("a", batch(json!([event("b")])))),
    ] {
        let answer = world.send(sent);
        assert_eq!((answer.status, answer.code()), (422, "idempotency_mismatch"), "{what}");
    }
    assert_eq!(world.current("apiCalls"), 3);
}

#[test]
fn the_key_counts_and_not_where_it_is_written() {
    let mut world = World::new();
    let bare = json!({"metric": "apiCalls"});
    world.send(usage(json!({"metric": "apiCalls", "idempotencyKey": "k"})));
    for sent in [
        keyed("k", usage(bare.clone())),
        keyed("\"k\"", usage(bare.clone())),
        keyed("k", usage(json!({"idempotencyKey": "k", "amount": "1.0", "metric": "apiCalls"}))),
    ] {
        assert_eq!(world.send(sent).body["replayed"], true);
    }
    assert_eq!(world.current("apiCalls"), 1);
}

#[test]
fn duplicates_in_one_group_count_once() {
    let mut world = World::new();
    let answers = world.group(&[
        usage(event("a")),
        usage(event("a")),
        usage(json!({"metric": "apiCalls", "idempotencyKey": "a"})),
        batch(json!([event("a"), event("b"), event("b")])),
        usage(event("b")),
    ]);
    assert_eq!(answers[0].body["replayed"], false);
    assert_eq!(answers[1].body["replayed"], true);
    assert_eq!(answers[2].status, 422);
    assert_eq!(json!([answers[3].body["accepted"], answers[3].body["replayed"]]), json!([1, 2]));
    assert_eq!(answers[4].body["replayed"], true);
    assert_eq!(world.current("apiCalls"), 6);
}

#[test]
fn an_event_alone_and_in_a_batch_is_one_event() {
    let mut world = World::new();
    world.send(usage(event("alone first")));
    world.send(batch(json!([event("batch first")])));
    let answer = world.send(batch(json!([event("alone first"), event("new")])));
    assert_eq!(json!([answer.body["accepted"], answer.body["replayed"]]), json!([1, 1]));
    let receipt = world.send(usage(event("batch first")));
    assert_eq!((receipt.short().as_str(), &receipt.body["replayed"], &receipt.body["sequence"]), ("200 6", &json!(true), &json!(2)));
}

#[test]
fn a_batch_has_a_key_of_its_own() {
    let mut world = World::new();
    let sent =
        keyed("whole", batch(json!([{"metric": "apiCalls"}, {"metric": "nonsense"}, {"metric": "apiCalls", "idempotencyKey": "whole"}])));
    let first = world.send(sent.clone());
    assert_eq!(first.body["accepted"], 1);
    assert_eq!(first.body["rejected"][1]["code"], "idempotency_mismatch");
    world.restart();
    let again = world.send(sent);
    assert_eq!((&again.text, again.header("Idempotent-Replayed")), (&first.text, Some("true")));
    assert_eq!(world.send(keyed("whole", batch(json!([{"metric": "apiCalls"}])))).status, 422);
    assert_eq!(world.current("apiCalls"), 1);
}

#[test]
fn keys_are_any_printable_characters() {
    let mut world = World::new();
    for key in ["\"quoted\"", "back\\slash", "a b", "\\u0041", "'; DROP TABLE claims", "$.a[0]", "{}", &"k".repeat(255)] {
        let sent = usage(json!({"metric": "tokens", "idempotencyKey": key}));
        assert_eq!(world.send(sent.clone()).body["replayed"], false, "{key}");
        assert_eq!(world.send(sent).body["replayed"], true, "{key}");
    }
}

#[test]
fn a_key_is_known_for_35_days_and_then_forgotten() {
    let mut world = World::new();
    let sent = usage(json!({"metric": "apiCalls", "idempotencyKey": "k"}));
    let begun = world.wall;
    world.send(sent.clone());
    assert_eq!(world.alarm_at().unwrap(), begun.plus(std::time::Duration::from_millis(200)), "the first fact is delivered soon");
    world.call(Call::AcknowledgeFacts { through: 1 });
    assert_eq!(world.alarm_at(), Some(begun.plus(std::time::Duration::from_secs(60))), "then events are rolled up");
    world.roll_up();
    assert_eq!(world.alarm_at(), Some(begun.plus(hours(24))), "then old keys are looked for once a day");

    world.wall = begun.plus(days(35)).minus(std::time::Duration::from_millis(1));
    assert_eq!(world.send(sent.clone()).body["replayed"], true);
    world.call(Call::Prune);
    assert_eq!(world.send(sent.clone()).body["replayed"], true, "pruning takes what is old and nothing else");

    world.wall = begun.plus(days(35));
    assert_eq!(world.send(sent.clone()).body["replayed"], false, "old keys are free before they are pruned");
    world.roll_up();
    world.wall = begun.plus(days(71));
    world.call(Call::Prune);
    assert!(!world.sql.dump().iter().any(|line| line.starts_with("claims")));
    assert_eq!(world.sql.dump().iter().filter(|line| line.starts_with("commits")).count(), 1, "the newest commit stays");
    assert_eq!(world.alarm_at(), None, "with no key left there is nothing to wake up for");
}

#[test]
fn pruning_walks_in_slices() {
    let mut world = World::new();
    for group in 0..5 {
        let events: Vec<Value> = (0..900).map(|index| json!({"metric": "tokens", "idempotencyKey": format!("{group}-{index}")})).collect();
        world.send(batch(json!(events)));
    }
    world.call(Call::AcknowledgeFacts { through: 1 });
    world.wall = world.wall.plus(days(40));
    world.roll_up();
    let mut left = Vec::new();
    while let Some(due_at) = world.alarm_at() {
        world.wall = world.wall.max(due_at);
        world.restart();
        world.call(Call::Prune);
        left.push(world.sql.dump().iter().filter(|line| line.starts_with("claims")).count());
    }
    assert_eq!(left, [2500, 500, 0]);
}

#[test]
fn the_window_goes_by_the_test_clock() {
    let mut entitlements = entitlements();
    entitlements.clock = Some(entitlements.boundaries[1]);
    let mut world = World::with(entitlements);
    let sent = usage(json!({"metric": "apiCalls", "idempotencyKey": "k"}));
    world.send(sent.clone());
    world.wall = world.wall.plus(days(400));
    assert_eq!(world.send(sent.clone()).body["replayed"], true);
    world.call(Call::SetClock { now: crate::meter::world::at("2026-02-05T00:00:00Z") });
    assert_eq!(world.send(sent).body["replayed"], false);
}

#[test]
fn another_amount_under_the_key_of_a_unique_event_is_a_mistake() {
    let mut entitlements = entitlements();
    let people = MetricRule {
        aggregation: Aggregation::Unique,
        unique_property: Some("user".to_owned()),
        ..crate::meter::world::rule(MetricKind::Consumable, None)
    };
    entitlements.metrics.insert("people".to_owned(), people);
    let mut world = World::with(entitlements);
    let sent = |amount| usage(json!({"metric": "people", "amount": amount, "idempotencyKey": "k", "metadata": {"user": "ada"}}));
    assert_eq!(world.send(sent(1)).short(), "200 1");
    assert_eq!(world.send(sent(2)).short(), "422 idempotency_mismatch");
    assert_eq!(world.send(sent(1)).body["replayed"], true);
}

/// A batch that is not looked into: its key was used, or it is answered as it was before.
#[test]
fn the_keys_of_a_batch_that_was_not_counted_stay_free() {
    let mut world = World::new();
    world.send(keyed("used", usage(json!({"metric": "tokens"}))));
    let early = json!({"metric": "apiCalls", "amount": 3, "idempotencyKey": "early", "timestamp": "2026-01-10T12:10:00Z"});
    let whole = keyed("whole", batch(json!([early.clone()])));
    assert_eq!(world.send(whole.clone()).body["rejected"][0]["code"], "timestamp_in_future");
    // Each shares its commit with something that counts.
    let other = || usage(json!({"metric": "tokens"}));
    assert_eq!(world.group(&[keyed("used", batch(json!([event("mine")]))), other()])[0].status, 422);
    assert_eq!(world.group(&[whole, other()])[0].header("Idempotent-Replayed"), Some("true"));
    world.wall = world.wall.plus(hours(1));
    for (sent, count) in [(usage(event("mine")), 3), (usage(early), 6)] {
        assert_eq!(world.send(sent.clone()).short(), format!("200 {count}"));
        let again = world.send(sent);
        assert_eq!((again.short(), &again.body["replayed"]), (format!("200 {count}"), &json!(true)));
        assert_eq!(world.current("apiCalls"), count);
    }
}
