//! Levels: carried over, may sink, and are billed by their peak.

use serde_json::json;
use tenantry::meter::contract::{Call, Closing};

use crate::meter::world::{World, at, consumption, get, usage};

fn change(world: &mut World, amount: i32) -> String {
    world.send(usage(json!({"metric": "users", "amount": amount}))).short()
}

fn close(world: &mut World, month: &str, end: &str) -> Closing {
    let call = Call::ClosePeriod { starts_at: at(&format!("{month}T00:00:00Z")), ends_at: at(&format!("{end}T00:00:00Z")) };
    serde_json::from_value(world.call(call)).unwrap()
}

#[test]
fn a_level_is_carried_into_the_next_period() {
    let mut world = World::new();
    assert_eq!(change(&mut world, 5), "200 5");
    world.wall = at("2026-03-10T00:00:00Z");
    assert_eq!(world.send(get("/v1/quotas/users")).body["current"], 5);
    assert_eq!(change(&mut world, -2), "200 3");
    assert_eq!(change(&mut world, -4), "400 level_below_zero");
    assert_eq!(change(&mut world, -3), "200 0");
}

#[test]
fn a_period_is_billed_by_its_peak_which_starts_at_what_was_carried_in() {
    let mut world = World::new();
    for amount in [5, 3, -6] {
        change(&mut world, amount);
    }
    world.wall = at("2026-02-10T00:00:00Z");
    change(&mut world, -1);
    world.wall = at("2026-04-01T00:00:00Z");
    assert_eq!(close(&mut world, "2026-01-01", "2026-02-01").used["users"], 8.into());
    assert_eq!(close(&mut world, "2026-02-01", "2026-03-01").used["users"], 2.into());
    let march = close(&mut world, "2026-03-01", "2026-04-01");
    assert_eq!((march.used["users"], march.late.len()), (1.into(), 0), "nothing happened, and the level was there");
}

#[test]
fn a_late_change_moves_its_period_and_what_came_after_it() {
    let mut world = World::new();
    change(&mut world, 4);
    let late = world.send(usage(json!({"metric": "users", "amount": 2, "timestamp": "2025-12-31T00:00:00Z"})));
    assert_eq!((late.short().as_str(), late.body["period"]["start"].as_str()), ("200 2", Some("2025-12-01T00:00:00Z")));
    assert_eq!(world.current("users"), 6);
    let mut refused =
        |amount| world.send(consumption(json!({"metric": "users", "amount": amount, "timestamp": "2025-12-31T00:00:00Z"}))).short();
    assert_eq!(refused(5), "403 quota_exceeded", "what counts is the fullest it would ever be");
    assert_eq!(refused(-3), "400 level_below_zero");
    assert_eq!(refused(4), "200 6");
    assert_eq!(world.current("users"), 10);
}

#[test]
fn lowering_is_admitted_even_when_the_level_is_over_its_limit() {
    let mut world = World::new();
    assert_eq!(change(&mut world, 12), "200 12");
    assert_eq!(world.send(consumption(json!({"metric": "users", "amount": -1}))).short(), "200 11");
    assert_eq!(world.send(consumption(json!({"metric": "users"}))).short(), "403 quota_exceeded");
}
