//! Thresholds are raised once per metric and period, in order, in any interleaving.

use serde_json::{Value, json};
use tenantry::kernel::time::days;
use tenantry::meter::contract::Call;

use crate::meter::world::{World, at, batch, consumption, entitlements, usage};

const ALL: [&str; 4] = ["Usage.started apiCalls", "Usage.approaching apiCalls", "Usage.warning apiCalls", "Usage.exceeded apiCalls"];

/// The facts raised by amounts that are used one after the other.
fn check(amounts: &[u32], expected: &[&str]) {
    let mut world = World::new();
    for amount in amounts {
        world.send(usage(json!({"metric": "apiCalls", "amount": amount})));
    }
    assert_eq!(world.fact_names(), expected, "{amounts:?}");
}

#[test]
fn each_threshold_is_raised_when_it_is_reached() {
    check(&[799], &ALL[..1]);
    check(&[800], &ALL[..2]);
    check(&[899], &ALL[..2]);
    check(&[900], &ALL[..3]);
    check(&[999], &ALL[..3]);
    check(&[1000], &ALL);
    check(&[5000], &ALL);
    check(&[799, 1, 1, 1], &ALL[..2]);
    check(&[800, 100, 100, 100, 1], &ALL);
    check(&[1, 950, 60], &ALL);
}

#[test]
fn in_any_interleaving_each_threshold_is_raised_once() {
    let mut world = World::new();
    for group in 0..30 {
        let sent: Vec<_> = (0..20)
            .map(|index| match index % 3 {
                0 => usage(json!({"metric": "apiCalls", "amount": 2, "idempotencyKey": format!("{group}-{}", index / 2)})),
                1 => consumption(json!({"metric": "apiCalls", "amount": 3})),
                _ => batch(json!([{"metric": "apiCalls"}, {"metric": "apiCalls"}])),
            })
            .collect();
        world.group(&sent);
        if group % 4 == 0 {
            world.restart();
        }
    }
    assert_eq!(world.fact_names(), ALL);
}

#[test]
fn a_fact_has_the_count_that_reached_its_threshold() {
    let mut world = World::new();
    world.send(usage(json!({"metric": "apiCalls", "amount": "900.5"})));
    let facts = world.facts();
    assert_eq!(facts.iter().map(|fact| fact.sequence).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(facts[2].data, json!({"metric": "apiCalls", "current": "900.5", "limit": 1000, "periodStartsAt": "2026-01-01T00:00:00Z"}));
    assert_eq!((facts[2].version, facts[2].occurred_at), (1, world.wall));
}

#[test]
fn a_new_period_raises_its_thresholds_again_but_a_metric_starts_once() {
    let mut world = World::new();
    world.send(usage(json!({"metric": "apiCalls", "amount": 850})));
    world.wall = at("2026-02-01T00:00:00Z");
    world.send(usage(json!({"metric": "apiCalls", "amount": 850})));
    assert_eq!(world.fact_names(), ["Usage.started apiCalls", "Usage.approaching apiCalls", "Usage.approaching apiCalls"]);
}

#[test]
fn late_usage_of_a_past_period_raises_no_threshold() {
    let mut world = World::new();
    world.send(usage(json!({"metric": "apiCalls", "amount": 5000, "timestamp": "2025-12-31T00:00:00Z"})));
    assert_eq!(world.fact_names(), ALL[..1]);
}

#[test]
fn without_a_limit_and_at_refusals_nothing_is_raised() {
    let mut world = World::new();
    world.send(usage(json!({"metric": "tokens", "amount": 1_000_000})));
    world.send(consumption(json!({"metric": "apiCalls", "amount": 1_001})));
    assert_eq!(world.fact_names(), ["Usage.started tokens"]);
}

#[test]
fn a_level_that_sinks_raises_nothing_and_rising_again_raises_nothing_twice() {
    let mut world = World::new();
    for amount in [9, -3, 3, -1, 2] {
        world.send(usage(json!({"metric": "users", "amount": amount})));
    }
    assert_eq!(world.fact_names(), ["Usage.started users", "Usage.approaching users", "Usage.warning users", "Usage.exceeded users"]);
}

#[test]
fn facts_wait_until_they_are_acknowledged_and_their_numbers_are_never_used_again() {
    let mut world = World::new();
    world.send(usage(json!({"metric": "apiCalls", "amount": 900})));
    let soon = world.wall.plus(std::time::Duration::from_millis(200));
    assert_eq!(world.alarm_at(), Some(soon));
    world.call(Call::AcknowledgeFacts { through: 2 });
    assert_eq!(world.fact_names(), ["Usage.warning apiCalls"]);
    assert!(world.alarm_at().is_some());
    world.restart();
    assert_eq!(world.fact_names(), ["Usage.warning apiCalls"]);
    assert_eq!(world.alarm_at(), Some(world.wall), "after a restart what waits is due at once");
    world.call(Call::AcknowledgeFacts { through: 99 });
    world.roll_up();
    world.sql.forget("DELETE FROM settings WHERE name = 'pruning'");
    world.restart();
    assert_eq!((world.fact_names().len(), world.alarm_at()), (0, None));
    world.call(Call::AcknowledgeFacts { through: 1 });
    world.restart();
    world.send(usage(json!({"metric": "apiCalls", "amount": 100})));
    assert_eq!(world.facts()[0].sequence, 4);
}

#[test]
fn facts_are_handed_out_a_hundred_at_a_time() {
    let mut entitlements = entitlements();
    let rule = entitlements.metrics["tokens"].clone();
    entitlements.metrics.extend((0..130).map(|number| (format!("metric{number:03}"), rule.clone())));
    let mut world = World::with(entitlements);
    let events: Vec<Value> = (0..130).map(|number| json!({"metric": format!("metric{number:03}")})).collect();
    world.send(batch(json!(events)));
    assert_eq!(world.facts().len(), 100);
    world.call(Call::AcknowledgeFacts { through: 100 });
    assert_eq!(world.facts().iter().map(|fact| fact.sequence).collect::<Vec<_>>(), (101..=130).collect::<Vec<_>>());
}

#[test]
fn facts_happen_in_the_organizations_time() {
    let mut entitlements = entitlements();
    let clock = at("2026-06-15T00:00:00Z");
    entitlements.clock = Some(clock);
    let mut world = World::with(entitlements);
    world.wall = world.wall.plus(days(1));
    world.send(usage(json!({"metric": "apiCalls", "amount": 1})));
    assert_eq!(world.facts()[0].occurred_at, clock);
    assert_eq!(world.alarm_at(), Some(world.wall.plus(std::time::Duration::from_millis(200))), "alarms go by the wall");
}
