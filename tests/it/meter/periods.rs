//! Which period an event belongs to, and whose time it goes by.

use serde_json::json;
use tenantry::meter::contract::{Call, Done};
use tenantry::meter::vocabulary::Entitlements;

use crate::meter::world::{World, at, consumption, entitlements, get, rule, usage};

fn period_of(world: &mut World, timestamp: Option<&str>) -> String {
    let body = timestamp.map_or(json!({"metric": "tokens"}), |timestamp| json!({"metric": "tokens", "timestamp": timestamp}));
    let answer = world.send(usage(body));
    assert_eq!(answer.status, 200, "{answer:?}");
    format!("{} {}", answer.body["period"]["start"].as_str().unwrap(), answer.body["current"])
}

#[test]
fn an_event_counts_in_the_period_of_its_timestamp() {
    let mut world = World::new();
    assert_eq!(period_of(&mut world, None), "2026-01-01T00:00:00Z 1");
    assert_eq!(period_of(&mut world, Some("2026-01-01T00:00:00Z")), "2026-01-01T00:00:00Z 2");
    assert_eq!(period_of(&mut world, Some("2025-12-31T23:59:59.999Z")), "2025-12-01T00:00:00Z 1");
    assert_eq!(period_of(&mut world, Some("2026-01-01T00:30:00+01:00")), "2025-12-01T00:00:00Z 2");
    world.wall = at("2026-01-31T23:58:00Z");
    assert_eq!(period_of(&mut world, Some("2026-02-01T00:03:00Z")), "2026-02-01T00:00:00Z 1");
    assert_eq!(world.current("tokens"), 2);
}

#[test]
fn the_bounds_of_acceptable_timestamps_are_accepted() {
    for timestamp in ["2026-01-10T12:05:00Z", "2025-12-20T00:00:00Z"] {
        period_of(&mut World::new(), Some(timestamp));
    }
    let mut world = World::new();
    world.wall = at("2026-02-10T12:00:00Z");
    period_of(&mut world, Some("2026-01-06T12:00:00Z"));
}

#[test]
fn the_last_period_stays_open_and_the_first_one_reaches_back() {
    let mut world = World::new();
    world.wall = at("2027-05-05T00:00:00Z");
    assert_eq!(period_of(&mut world, None), "2026-11-01T00:00:00Z 1");
    let mut young = entitlements();
    young.subscription_started_at = at("2026-01-10T12:00:01Z");
    young.boundaries = vec![at("2026-01-10T12:00:01Z"), at("2026-02-10T12:00:01Z")];
    // The object's clock is a second behind the Worker's.
    assert_eq!(period_of(&mut World::with(young), None), "2026-01-10T12:00:01Z 1");
}

#[test]
fn retry_after_leads_to_the_end_of_the_events_period() {
    let mut world = World::new();
    world.wall = at("2026-01-31T23:59:59.001Z");
    let refused = world.send(consumption(json!({"metric": "apiCalls", "amount": 1001})));
    assert_eq!(refused.header("Retry-After"), Some("1"));
}

#[test]
fn on_a_test_clock_its_time_is_the_only_one() {
    let mut entitlements = entitlements();
    entitlements.clock = Some(at("2026-01-31T00:00:00Z"));
    let mut world = World::with(entitlements);
    world.wall = at("2030-01-01T00:00:00Z");
    assert_eq!(period_of(&mut world, None), "2026-01-01T00:00:00Z 1");
    let refused = world.send(consumption(json!({"metric": "apiCalls", "amount": 1001})));
    assert_eq!(refused.header("Retry-After"), Some("86400"));
    let ahead = json!({"metric": "tokens", "timestamp": "2026-01-31T00:06:00Z"});
    assert_eq!(world.send(usage(ahead)).code(), "timestamp_in_future");
    world.call(Call::SetClock { now: at("2026-03-01T00:00:00Z") });
    assert_eq!(period_of(&mut world, None), "2026-03-01T00:00:00Z 1");
    world.call(Call::SetClock { now: at("2026-02-01T00:00:00Z") });
    world.restart();
    assert_eq!(period_of(&mut world, None), "2026-03-01T00:00:00Z 2", "a clock never goes back");
}

#[test]
fn older_entitlements_never_replace_newer_ones() {
    let mut world = World::new();
    let configure = |world: &mut World, version: i64, limit: u32, clock: Option<&str>| {
        let mut changed = Entitlements { version, clock: clock.map(at), ..entitlements() };
        changed.metrics.insert("apiCalls".to_owned(), rule(tenantry::meter::vocabulary::MetricKind::Consumable, Some(limit)));
        assert_eq!(world.call(Call::Configure { entitlements: changed }), json!({}));
        world.restart();
        world.send(get("/v1/quotas/apiCalls")).body["limit"].as_u64().unwrap()
    };
    assert_eq!(configure(&mut world, 5, 50, None), 50);
    assert_eq!(configure(&mut world, 4, 40, None), 50);
    assert_eq!(configure(&mut world, 5, 51, None), 51);
    assert_eq!(configure(&mut world, 6, 60, Some("2026-05-01T00:00:00Z")), 60);
    assert_eq!(configure(&mut world, 7, 70, None), 70);
    assert_eq!(world.send(get("/v1/usage")).body["period"]["start"], "2026-05-01T00:00:00Z", "the test clock stays");
}

#[test]
fn a_new_limit_counts_from_the_next_request() {
    let mut world = World::new();
    world.send(usage(json!({"metric": "apiCalls", "amount": 900})));
    let mut lower = entitlements();
    lower.version = 2;
    lower.metrics.get_mut("apiCalls").unwrap().limit = Some(500.into());
    world.call(Call::Configure { entitlements: lower });
    assert_eq!(world.send(consumption(json!({"metric": "apiCalls"}))).code(), "quota_exceeded");
    assert_eq!(world.send(usage(json!({"metric": "apiCalls"}))).body["percentage"], "180.2");
}

#[test]
fn calls_that_make_no_sense_are_refused_and_change_nothing() {
    let mut world = World::untouched();
    assert_eq!(world.call(Call::SetClock { now: world.wall }), json!({}), "entitlements bring their clock along");
    let close = Call::ClosePeriod { starts_at: world.wall, ends_at: world.wall };
    assert_eq!(world.call(close)["refused"], "not_configured");
    for boundaries in [vec![], vec![at("2026-01-01T00:00:00Z")], vec![at("2026-01-01T00:00:00Z"); 2]] {
        let entitlements = Entitlements { boundaries, ..entitlements() };
        assert_eq!(world.call(Call::Configure { entitlements })["refused"], "invalid_entitlements");
    }
    assert!(serde_json::from_value::<Done>(json!({"refused": "x", "detail": "y"})).is_err(), "a refusal is never taken for success");
    assert_eq!(world.call(Call::CurrentUsage), json!({"metrics": {}}));
    assert!(world.sql.dump().is_empty());
}
