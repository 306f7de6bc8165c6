//! A metric of the vendor's own counts from the moment it is defined, in every Meter.

use serde_json::{Value, json};
use tenantry::meter::contract::Call;

use crate::support::world::{Company, World, vendor};

fn define(world: &World, key: &str, more: Value) {
    let mut body = json!({"key": key, "aggregation": "sum", "kind": "consumable"});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    world.post(&vendor(), "/v1/metrics", &body).expect(201);
}

/// Versions of the metrics that the company's Meter heard.
fn sent_metrics(company: &Company<'_>) -> Vec<i64> {
    let heard = company.world.meters.heard.lock().unwrap();
    let of_company = heard.iter().filter(|(organization, _)| organization.to_string() == company.id);
    of_company.filter_map(|(_, call)| if let Call::PutMetrics { version, .. } = call { Some(*version) } else { None }).collect()
}

#[test]
fn a_metric_counts_in_the_request_after_its_definition() {
    let world = World::new();
    let (acme, bolt) = (world.sign_up("Acme"), world.sign_up("Bolt"));
    let post = |company: &Company<'_>, metric: &str| world.post(&company.vendor(), "/v1/usage", &json!({"metric": metric, "amount": 3}));
    assert_eq!(post(&acme, "tokens").body["errors"][0]["code"], "unknown_metric");
    define(&world, "tokens", json!({}));
    let receipt = post(&acme, "tokens").expect(200);
    assert_eq!((&receipt["current"], &receipt["limit"]), (&json!(3), &json!(-1)), "unlimited: no plan speaks of it");
    define(&world, "emails", json!({}));
    assert_eq!(post(&acme, "emails").expect(200)["current"], 3, "this Meter knew the first only");
    assert_eq!(post(&bolt, "tokens").expect(200)["current"], 3);
    assert_eq!(post(&bolt, "emails").expect(200)["current"], 3);
    assert_eq!(sent_metrics(&acme).last(), Some(&2));
    assert_eq!(sent_metrics(&bolt), [2], "sent once, all of them");
    let metrics = acme.get("/v1/usage")["metrics"].clone();
    assert_eq!((&metrics["tokens"]["current"], &metrics["apiCalls"]["current"]), (&json!(3), &json!(0)));
}

#[test]
fn no_metrics_are_sent_where_only_built_in_ones_are_used() {
    let world = World::new();
    define(&world, "tokens", json!({}));
    let acme = world.sign_up("Acme");
    world.post(&acme.vendor(), "/v1/usage", &json!({"metric": "apiCalls"})).expect(200);
    acme.get("/v1/quotas/users");
    assert!(sent_metrics(&acme).is_empty());
}

#[test]
fn the_meter_gets_the_definition_of_each_metric() {
    let world = World::new();
    define(&world, "logins", json!({"aggregation": "unique", "uniqueProperty": "userId", "eventType": "com.example.login"}));
    define(&world, "seats", json!({"aggregation": "weighted_sum", "kind": "level"}));
    let acme = world.sign_up("Acme");
    let login =
        |user: &str| world.post(&acme.vendor(), "/v1/usage", &json!({"metric": "logins", "metadata": {"userId": user}})).expect(200);
    let counts: Vec<Value> = ["ann", "bob", "ann"].map(login).into_iter().map(|receipt| receipt["current"].clone()).collect();
    assert_eq!(counts, [1, 2, 2]);
    let heard = world.meters.heard.lock().unwrap();
    let put = heard.iter().find_map(|(_, call)| match call {
        Call::PutMetrics { version, metrics, event_types } => Some(json!([version, metrics, event_types])),
        _ => None,
    });
    let rule = |aggregation: &str, kind: &str| json!({"aggregation": aggregation, "kind": kind, "limit": null, "enforcement": "hard"});
    let mut logins = rule("unique", "consumable");
    logins["uniqueProperty"] = json!("userId");
    let metrics = json!({"logins": logins, "seats": rule("weighted_sum", "level")});
    assert_eq!(put, Some(json!([2, metrics, {"com.example.login": "logins"}])));
}

#[test]
fn a_limit_of_a_metric_applies_whichever_call_arrives_first() {
    let world = World::new();
    define(&world, "tokens", json!({}));
    let acme = world.sign_up("Acme");
    world.write(&vendor(), "PUT", &format!("/v1/organizations/{}/limits/tokens", acme.id), &json!({"limit": 2})).expect(200);
    assert_eq!(acme.get("/v1/quotas/tokens")["limit"], 2, "limited before it was known");
    let consume = |amount: u32| world.post(&acme.vendor(), "/v1/usage/consumption", &json!({"metric": "tokens", "amount": amount})).status;
    assert_eq!((consume(3), consume(2), consume(1)), (429, 200, 429));
}
