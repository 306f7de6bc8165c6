//! Closing a period: its usage is billed once, and late usage is billed once too.

use serde_json::{Value, json};
use tenantry::meter::contract::{Call, Closing};

use crate::meter::world::{World, at, usage};

fn call(start: &str, end: &str) -> Call {
    Call::ClosePeriod { starts_at: at(&format!("{start}T00:00:00Z")), ends_at: at(&format!("{end}T00:00:00Z")) }
}

const DECEMBER: (&str, &str) = ("2025-12-01", "2026-01-01");
const JANUARY: (&str, &str) = ("2026-01-01", "2026-02-01");
const FEBRUARY: (&str, &str) = ("2026-02-01", "2026-03-01");

fn close(world: &mut World, (start, end): (&str, &str)) -> Value {
    world.call(call(start, end))
}

fn use_at(world: &mut World, amount: u32, timestamp: &str) {
    let answer = world.send(usage(json!({"metric": "apiCalls", "amount": amount, "timestamp": timestamp})));
    assert_eq!(answer.status, 200, "{answer:?}");
}

#[test]
fn a_closing_has_the_usage_of_its_period() {
    let mut world = World::new();
    use_at(&mut world, 7, "2025-12-25T00:00:00Z");
    use_at(&mut world, 5, "2026-01-05T00:00:00Z");
    assert_eq!(close(&mut world, DECEMBER), json!({"used": {"apiCalls": 7, "tokens": 0, "users": 0}, "late": []}));
}

#[test]
fn asked_again_it_is_the_same_to_the_byte() {
    let mut world = World::new();
    use_at(&mut world, 7, "2025-12-25T00:00:00Z");
    let first = close(&mut world, DECEMBER).to_string();
    use_at(&mut world, 1, "2025-12-25T00:00:00Z");
    world.restart();
    assert_eq!(close(&mut world, DECEMBER).to_string(), first);
    close(&mut world, JANUARY);
    assert_eq!(close(&mut world, DECEMBER).to_string(), first);
}

#[test]
fn late_usage_is_on_the_next_closing_and_only_there() {
    let mut world = World::new();
    use_at(&mut world, 7, "2025-12-25T00:00:00Z");
    close(&mut world, DECEMBER);
    use_at(&mut world, 3, "2025-12-26T00:00:00Z");
    world.wall = at("2026-01-20T00:00:00Z");
    use_at(&mut world, 2, "2025-12-27T00:00:00Z");
    let january: Closing = serde_json::from_value(close(&mut world, JANUARY)).unwrap();
    assert_eq!(
        serde_json::to_value(&january.late).unwrap(),
        json!([{"metric": "apiCalls", "periodStartsAt": "2025-12-01T00:00:00Z", "periodEndsAt": "2026-01-01T00:00:00Z", "before": 7, "after": 12}])
    );
    world.restart();
    use_at(&mut world, 1, "2026-01-19T00:00:00Z");
    let february: Closing = serde_json::from_value(close(&mut world, FEBRUARY)).unwrap();
    assert_eq!(
        february.late.iter().map(|late| (late.period_starts_at, late.before, late.after)).collect::<Vec<_>>(),
        [(at("2026-01-01T00:00:00Z"), 0.into(), 1.into())]
    );
}

#[test]
fn a_period_closed_before_it_ended_bills_the_rest_late() {
    let mut world = World::new();
    use_at(&mut world, 10, "2026-01-10T00:00:00Z");
    close(&mut world, JANUARY);
    let answer = world.send(usage(json!({"metric": "apiCalls"})));
    assert_eq!(answer.short(), "200 11", "the count goes on");
    world.wall = at("2026-02-20T00:00:00Z");
    let february: Closing = serde_json::from_value(close(&mut world, FEBRUARY)).unwrap();
    assert_eq!((february.late[0].before, february.late[0].after), (10.into(), 11.into()));
}

#[test]
fn a_period_is_not_closed_after_a_later_one() {
    let mut world = World::new();
    close(&mut world, JANUARY);
    let before = world.sql.dump();
    assert_eq!(close(&mut world, DECEMBER)["refused"], "later_period_closed");
    assert_eq!(world.sql.dump(), before);
}

#[test]
fn a_metric_that_the_plan_lost_is_billed_for_what_was_used() {
    let mut world = World::new();
    use_at(&mut world, 5, "2026-01-05T00:00:00Z");
    let mut without = crate::meter::world::entitlements();
    without.version = 2;
    without.metrics.remove("apiCalls");
    world.call(Call::Configure { entitlements: without });
    assert_eq!(close(&mut world, JANUARY)["used"]["apiCalls"], 5);
}

#[test]
fn late_usage_of_a_metric_that_its_closing_did_not_know_is_billed_by_the_next() {
    let mut world = World::new();
    world.wall = at("2026-02-05T00:00:00Z");
    close(&mut world, JANUARY);
    let mut with = crate::meter::world::entitlements();
    with.version = 2;
    with.metrics.insert("seats".to_owned(), with.metrics["tokens"].clone());
    world.call(Call::Configure { entitlements: with });
    world.send(usage(json!({"metric": "seats", "amount": 7, "timestamp": "2026-01-20T00:00:00Z"})));
    let february: Closing = serde_json::from_value(close(&mut world, FEBRUARY)).unwrap();
    let late: Vec<_> = february.late.iter().map(|late| (late.metric.as_str(), late.period_starts_at, late.before, late.after)).collect();
    assert_eq!(late, [("seats", at("2026-01-01T00:00:00Z"), 0.into(), 7.into())]);
    assert_eq!(february.used["seats"], 0.into());
}
