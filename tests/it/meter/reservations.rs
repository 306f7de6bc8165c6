//! Reservations: a held amount counts against the limit until it is settled, released or expired.

use serde_json::{Value, json};
use tenantry::kernel::time::{days, seconds};
use tenantry::meter::contract::Call;
use tenantry::meter::vocabulary::{Aggregation, MetricKind, MetricRule};

use crate::meter::world::{Answer, HotRequest, World, batch, consumption, entitlements, get, keyed, request, rule, usage};

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
fn the_live_feed_has_no_reservation_that_has_expired() {
    let mut world = World::new();
    world.send(reserve(json!({"metric": "users", "amount": 5, "ttlSeconds": 10})));
    world.wall = world.wall.plus(seconds(10));
    assert_eq!(world.call(Call::Changes { since: 0 })["metrics"]["users"]["reserved"], 0);
}

#[test]
fn a_reservation_holds_until_it_is_settled() {
    let mut world = World::new();
    world.send(usage(json!({"metric": "users", "amount": 2})));
    let held = world.send(reserve(json!({"metric": "users", "amount": 5, "ttlSeconds": 60})));
    let expected = json!({
        "$type": "Reservation", "$id": id(&held), "metric": "users", "amount": 5, "status": "active", "createdAt": "2026-01-10T12:00:00Z",
        "expiresAt": "2026-01-10T12:01:00Z", "settledAmount": null, "reserved": 5, "current": 2, "limit": 10, "remaining": 3,
    });
    assert_eq!(held.body, expected);
    let quota = world.send(get("/v1/quotas/users?amount=4")).body;
    assert_eq!(json!([quota["current"], quota["reserved"], quota["remaining"], quota["allowed"]]), json!([2, 5, 3, false]));
    let full = world.send(consumption(json!({"metric": "users", "amount": 4})));
    assert_eq!((full.short().as_str(), &full.body["reserved"]), ("403 quota_exceeded", &json!(5)));
    assert_eq!(world.send(reserve(json!({"metric": "users", "amount": 4}))).short(), "403 quota_exceeded");
    assert_eq!(world.send(consumption(json!({"metric": "users", "amount": 3}))).short(), "200 5");
    world.restart();
    let settled = world.send(settle(&id(&held), json!({"amount": 4})));
    assert_eq!(json!([settled.body["current"], settled.body["remaining"], settled.body["reservation"]]), json!([9, 1, id(&held)]));
    let found = world.send(look(&id(&held))).body;
    assert_eq!(json!([found["status"], found["settledAmount"], found["amount"]]), json!(["settled", 4, 5]));
    assert_eq!(world.send(consumption(json!({"metric": "users"}))).short(), "200 10");
}

#[test]
fn a_settlement_may_exceed_the_reserved_amount_only_with_allow_overage() {
    let mut world = World::new();
    let held = hold(&mut world, "users", 5);
    assert_eq!(world.send(settle(&held, json!({"amount": 6}))).short(), "400 settlement_exceeds_reservation");
    assert_eq!(world.send(settle(&held, json!({"amount": 60, "allowOverage": true}))).short(), "200 60", "past the limit, too");
    assert_eq!(world.fact_names().len(), 4, "the thresholds are raised");
}

#[test]
fn a_reservation_is_settled_once() {
    let mut world = World::new();
    let held = hold(&mut world, "users", 5);
    let first = world.send(settle(&held, json!({"amount": 3})));
    world.send(usage(json!({"metric": "users"})));
    world.restart();
    let again = world.send(settle(&held, json!({"amount": "3.0"})));
    assert_eq!(again.text, first.text.replace(r#""replayed":false"#, r#""replayed":true"#));
    assert_eq!(again.header("Idempotent-Replayed"), Some("true"));
    assert_eq!(world.send(settle(&held, json!({"amount": 2}))).short(), "409 reservation_settled");
    assert_eq!(world.send(release(&held)).short(), "409 reservation_settled");
    assert_eq!(world.current("users"), 4);
    let keyed_settlement = || keyed("s", settle(&held, json!({"amount": 3})));
    let (one, other) = (world.send(keyed_settlement()), world.send(keyed_settlement()));
    assert_eq!(one.text, other.text);
}

#[test]
fn one_that_was_released_or_has_expired_holds_nothing() {
    let mut world = World::new();
    let (released, expired) = (hold(&mut world, "users", 5), hold(&mut world, "users", 5));
    assert_eq!((world.send(release(&released)).status, world.send(release(&released)).status), (204, 204));
    assert_eq!(world.send(settle(&released, json!({"amount": 1}))).short(), "409 reservation_released");
    world.wall = world.wall.plus(seconds(300));
    assert_eq!(world.send(get("/v1/quotas/users")).body["reserved"], 0);
    assert_eq!(world.send(look(&expired)).body["status"], "expired");
    assert_eq!(world.send(settle(&expired, json!({"amount": 1}))).short(), "409 reservation_expired");
    assert_eq!(world.send(release(&expired)).status, 204);
    assert_eq!(world.send(look(&expired)).body["status"], "expired", "it had ended before");
    world.restart();
    assert_eq!(world.send(look(&released)).body["status"], "released");
    world.wall = world.wall.plus(days(35));
    for sent in [look(&released), release(&expired), settle(&released, json!({"amount": 1}))] {
        assert_eq!(world.send(sent).status, 404);
    }
}

#[test]
fn what_cannot_be_reserved_is_refused() {
    let mut entitlements = entitlements();
    entitlements.metrics.insert("highest".to_owned(), MetricRule { aggregation: Aggregation::Max, ..rule(MetricKind::Consumable, None) });
    let mut world = World::with(entitlements);
    for (sent, short) in [
        (json!({"metric": "highest"}), "400 reservation_unsupported"),
        (json!({"metric": "nonsense"}), "400 unknown_metric"),
        (json!({"metric": "users", "amount": 0}), "400 amount_zero"),
        (json!({"metric": "users", "amount": -1}), "400 amount_negative"),
        (json!({"metric": "users", "ttlSeconds": 0}), "400 ttl_out_of_range"),
        (json!({"metric": "users", "ttlSeconds": 86_401}), "400 ttl_out_of_range"),
        (json!({"metric": "tokens", "amount": 9_000_000_000_000_000_i64}), "201 "),
        (json!({"metric": "tokens"}), "400 amount_too_large"),
        (json!({"metric": "apiCalls", "amount": 1_001}), "429 quota_exceeded"),
    ] {
        let answer = world.send(reserve(sent.clone()));
        let code = answer.body["errors"][0]["code"].as_str().unwrap_or(answer.code());
        assert_eq!(format!("{} {code}", answer.status), short, "{sent}");
    }
    for unknown in ["res_nonsense", "res_01khtwawg0e01r000000000000"] {
        for sent in [look(unknown), release(unknown), settle(unknown, json!({"amount": 1}))] {
            assert_eq!(world.send(sent).status, 404, "{unknown}");
        }
    }
}

#[test]
fn a_thousand_are_active_at_most() {
    let mut world = World::new();
    let group: Vec<HotRequest> = (0..1_001).map(|_| reserve(json!({"metric": "tokens"}))).collect();
    let answers = world.group(&group);
    assert!(answers[..1_000].iter().all(|answer| answer.status == 201));
    assert_eq!(answers[1_000].short(), "409 too_many_reservations");
    world.send(release(&id(&answers[5])));
    assert_eq!(world.send(reserve(json!({"metric": "tokens"}))).status, 201);
}

#[test]
fn a_reservation_under_a_key_is_made_once() {
    let mut world = World::new();
    let sent = || keyed("r", reserve(json!({"metric": "users", "amount": 4})));
    let answers = world.group(&[sent(), sent()]);
    assert_eq!(answers[0].text, answers[1].text);
    world.send(release(&id(&answers[0])));
    world.restart();
    let again = world.send(sent());
    assert_eq!((again.text.as_str(), again.header("Idempotent-Replayed")), (answers[0].text.as_str(), Some("true")));
    assert_eq!(world.send(keyed("r", reserve(json!({"metric": "users", "amount": 5})))).short(), "422 idempotency_mismatch");
    assert_eq!(world.send(get("/v1/quotas/users")).body["reserved"], 0);
}
