//! Pruning: rows older than the lifetime of idempotency keys are deleted, and nothing that is still needed.

use serde_json::json;
use tenantry::kernel::time::{days, seconds};
use tenantry::meter::contract::Call;
use tenantry::meter::vocabulary::{Aggregation, MetricKind, MetricRule};

use crate::meter::world::{World, at, entitlements, request, rule, usage};

fn rows(world: &World, table: &str) -> usize {
    world.sql.dump().iter().filter(|line| line.starts_with(&format!("{table} "))).count()
}

fn with_people() -> World {
    let mut entitlements = entitlements();
    let people =
        MetricRule { aggregation: Aggregation::Unique, unique_property: Some("user".to_owned()), ..rule(MetricKind::Consumable, None) };
    entitlements.metrics.insert("people".to_owned(), people);
    World::with(entitlements)
}

#[test]
fn a_bucket_stays_until_all_of_the_log_is_rolled_up() {
    let mut world = World::new();
    let late = |timestamp: &str| usage(json!({"metric": "tokens", "timestamp": timestamp}));
    world.send(late("2026-01-10T10:00:00Z"));
    world.roll_up();
    // In the last hour in which it can be, another event for that hour; then no alarm gets through for two days.
    world.wall = at("2026-02-14T09:30:00Z");
    assert_eq!(world.send(late("2026-01-10T10:00:00Z")).status, 200);
    world.wall = world.wall.plus(days(2));
    world.call(Call::Prune);
    let buckets = world.roll_up();
    assert_eq!(buckets.iter().map(|bucket| bucket.count).collect::<Vec<_>>(), [2], "what replaces the bucket holds all of it");
}

#[test]
fn what_is_old_is_forgotten_and_what_counts_stays() {
    let mut world = with_people();
    let event = |key: &str| json!({"metric": "people", "idempotencyKey": key, "metadata": {"user": key}});
    world.group(&[usage(event("old")), request("POST", "/v1/reservations", r#"{"metric":"users"}"#)]);
    world.wall = at("2026-01-25T00:00:00Z");
    world.send(usage(event("newer")));
    world.wall = at("2026-02-20T00:00:00Z");
    world.call(Call::Prune);
    assert_eq!((rows(&world, "commits"), rows(&world, "claims")), (2, 1), "no commit goes that was not rolled up; its key has lapsed");
    world.roll_up();
    world.wall = world.wall.plus(days(1));
    world.call(Call::Prune);
    assert_eq!((rows(&world, "commits"), rows(&world, "claims")), (1, 1), "the old ones are gone");
    assert_eq!((rows(&world, "buckets"), rows(&world, "reservations")), (1, 0));
    assert_eq!(rows(&world, "uniques"), 2, "something for January can still come");
    world.wall = at("2026-04-20T00:00:00Z");
    world.call(Call::Prune);
    assert_eq!((rows(&world, "commits"), rows(&world, "claims"), rows(&world, "uniques"), rows(&world, "buckets")), (1, 0, 0, 0));
    let hash = world.sql.dump().into_iter().find(|line| line.starts_with("commits ")).unwrap();
    world.restart();
    assert_eq!(world.send(usage(event("old"))).short(), "200 1", "counted anew");
    assert!(world.sql.dump().contains(&hash), "the newest commit stayed, and the chain goes on from it");
    assert_eq!(rows(&world, "commits"), 2);
}

#[test]
fn keys_are_walked_over_in_slices() {
    let mut world = World::new();
    for group in 0..5 {
        let sent: Vec<_> =
            (0..1_000).map(|number| usage(json!({"metric": "tokens", "idempotencyKey": format!("{group} {number}")}))).collect();
        world.group(&sent);
    }
    world.roll_up();
    world.wall = world.wall.plus(days(40));
    let mut left = Vec::new();
    for _ in 0..4 {
        world.call(Call::Prune);
        left.push(rows(&world, "claims"));
        world.wall = world.wall.plus(seconds(1));
        world.restart();
    }
    assert_eq!(left, [3_000, 1_000, 0, 0]);
}

#[test]
fn it_runs_once_a_day_and_not_when_nothing_is_old() {
    let mut world = World::new();
    world.call(Call::Prune);
    let before = world.sql.dump();
    world.send(usage(json!({"metric": "tokens", "idempotencyKey": "k"})));
    world.wall = world.wall.plus(seconds(86_399));
    let recorded = world.sql.dump();
    world.call(Call::Prune);
    assert_eq!(world.sql.dump(), recorded, "too early");
    assert_ne!(before, recorded);
}
