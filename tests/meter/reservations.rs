//! Reservations: what is held counts against the limit until it is settled, released or expired.

use serde_json::{Value, json};
use tenantry::kernel::time::{days, seconds};
use tenantry::usage::meter::{Aggregation, Call, MetricKind, MetricRule};

use crate::world::{Answer, HotRequest, World, at, batch, consumption, entitlements, get, keyed, request, rule, usage};

fn reserve(body: Value) -> HotRequest {
    request("POST", "/v1/reservations", &body.to_string())
}

fn settle(id: &str, body: Value) -> HotRequest {
    request("POST", &format!("/v1/reservations/{id}/settlement"), &body.to_string())
}

fn release(id: &str) -> HotRequest {
    request("DELETE", &format!("/v1/reservations/{id}"), "")
}

fn look(id: &str) -> HotRequest {
    get(&format!("/v1/reservations/{id}"))
}

fn id(answer: &Answer) -> String {
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.body["$id"].as_str().unwrap().to_owned()
}

fn hold(world: &mut World, metric: &str, amount: u32) -> String {
    id(&world.send(reserve(json!({"metric": metric, "amount": amount}))))
}

/// Acme, which counts `requests` as well.
fn with_requests() -> World {
    let mut entitlements = entitlements();
    let requests = MetricRule { aggregation: Aggregation::Count, ..rule(MetricKind::Consumable, Some(20)) };
    entitlements.metrics.insert("requests".to_owned(), requests);
    World::with(entitlements)
}

#[test]
fn what_is_reserved_of_a_count_is_settled_by_any_amount() {
    let mut world = with_requests();
    let held = hold(&mut world, "requests", 5);
    let settled = world.send(settle(&held, json!({"amount": 3})));
    assert_eq!((settled.short().as_str(), &settled.body["remaining"]), ("200 3", &json!(17)));
}

#[test]
fn a_settlement_with_nothing_leaves_what_others_hold() {
    let mut world = World::new();
    let (one, _other) = (hold(&mut world, "users", 4), hold(&mut world, "users", 3));
    let settled = world.send(settle(&one, json!({"amount": 0})));
    assert_eq!((settled.short().as_str(), &settled.body["remaining"]), ("200 0", &json!(7)));
}

/// Requests of which no two share a commit.
fn large(number: u32) -> HotRequest {
    let pad = "x".repeat(900_000);
    batch(json!([{"metric": "tokens", "metadata": {"pad": pad, "number": number}}]))
}

#[test]
fn a_group_of_several_commits_knows_what_became_of_its_reservations() {
    let mut world = World::new();
    let held = hold(&mut world, "users", 4);
    let answers = world.group(&[
        settle(&held, json!({"amount": 4})),
        reserve(json!({"metric": "users", "amount": 2})),
        large(1),
        large(2),
        look(&held),
        settle(&held, json!({"amount": 4})),
    ]);
    assert_eq!((answers[4].status, &answers[4].body["status"]), (200, &json!("settled")));
    assert_eq!((answers[5].status, &answers[5].body["replayed"]), (200, &json!(true)));
}

#[test]
fn a_late_change_of_a_level_leaves_room_for_what_is_held() {
    let mut world = World::new();
    world.send(usage(json!({"metric": "users", "amount": 3})));
    hold(&mut world, "users", 5);
    let late = |amount| consumption(json!({"metric": "users", "amount": amount, "timestamp": "2025-12-31T00:00:00Z"}));
    assert_eq!(world.send(late(3)).short(), "403 quota_exceeded", "it stays, and with what is held there would be 11");
    assert_eq!(world.send(late(2)).short(), "200 2");
}

#[test]
fn the_live_feed_tells_no_reservation_that_has_expired() {
    let mut world = World::new();
    world.send(reserve(json!({"metric": "users", "amount": 5, "ttlSeconds": 10})));
    world.wall = world.wall.plus(seconds(10));
    assert_eq!(world.call(Call::Changes { since: 0 })["metrics"]["users"]["reserved"], 0);
}
