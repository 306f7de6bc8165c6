//! When storage fails, nothing is half done: a group takes effect as a whole or not at all.

use serde_json::json;
use tenantry::meter::contract::Call;

use crate::meter::world::{HotRequest, World, at, batch, consumption, get, usage};

fn group() -> Vec<HotRequest> {
    vec![
        usage(json!({"metric": "apiCalls", "amount": 850, "idempotencyKey": "a"})),
        consumption(json!({"metric": "users", "amount": 9, "idempotencyKey": "b"})),
        batch(json!([{"metric": "apiCalls", "idempotencyKey": "c"}, {"metric": "tokens"}])),
        usage(json!({"metric": "apiCalls", "timestamp": "2025-12-30T00:00:00Z"})),
    ]
}

#[test]
fn wherever_a_group_fails_a_retry_finds_the_state_before_it() {
    let clean: Vec<String> = World::new().group(&group()).into_iter().map(|answer| answer.text).collect();
    let mut failures = 0;
    for statements in 0.. {
        let mut world = World::new();
        let before = world.sql.dump();
        world.sql.fail_after(statements);
        let result = world.try_serve(&group());
        world.sql.recover();
        if result.is_ok() {
            break;
        }
        failures += 1;
        assert_eq!(world.sql.dump(), before, "failed after {statements} statements");
        let retried: Vec<String> = world.group(&group()).into_iter().map(|answer| answer.text).collect();
        assert_eq!(retried, clean, "failed after {statements} statements");
    }
    assert!(failures >= 4, "look-up, keys, counters and facts can each fail: {failures}");
}

#[test]
fn wherever_a_call_fails_a_retry_finds_the_state_before_it() {
    let close = || Call::ClosePeriod { starts_at: at("2026-01-01T00:00:00Z"), ends_at: at("2026-02-01T00:00:00Z") };
    let mut clean = World::new();
    clean.group(&group());
    let expected = clean.call(close());
    let mut failures = 0;
    for statements in 0.. {
        let mut world = World::new();
        world.group(&group());
        world.sql.fail_after(statements);
        let result = world.try_call(close());
        world.sql.recover();
        assert_eq!(world.call(close()), expected);
        if result.is_ok() {
            break;
        }
        failures += 1;
    }
    assert!(failures >= 3, "{failures}");
}

#[test]
fn a_new_meter_over_the_same_storage_agrees_with_the_one_before() {
    let mut world = World::new();
    world.group(&group());
    let questions = [get("/v1/usage"), get("/v1/quotas/users"), group().remove(0)];
    let before: Vec<String> = world.group(&questions).into_iter().map(|answer| answer.text).collect();
    world.restart();
    let after: Vec<String> = world.group(&questions).into_iter().map(|answer| answer.text).collect();
    assert_eq!(after, before);
}

#[test]
fn a_hot_request_costs_no_sql_of_its_own() {
    let mut world = World::new();
    world.group(&group());
    let mut cost = |requests: Vec<HotRequest>| {
        let before = world.sql.statements();
        world.group(&requests);
        world.sql.statements() - before
    };
    let keyed = |from: u32, to: u32| {
        (from..to).map(|key| usage(json!({"metric": "tokens", "idempotencyKey": key.to_string()}))).collect::<Vec<_>>()
    };
    assert_eq!(cost(keyed(0, 1)), 4, "keys, how many were new, commit, counters");
    assert_eq!(cost(keyed(1, 200)), 4);
    assert_eq!(cost(keyed(1, 200)), 4, "replays look up their keys and their commit, and write nothing");
    assert_eq!(cost(vec![usage(json!({"metric": "tokens"})); 200]), 2, "commit, counters");
    assert_eq!(cost(vec![get("/v1/usage"), get("/v1/quotas/apiCalls"), usage(json!({"metric": "nonsense"}))]), 0);
}
