//! The roll-up: hourly buckets of the log, with alarms lost, late or repeated.

use serde_json::{Value, json};
use tenantry::kernel::time::seconds;
use tenantry::meter::contract::{Bucket, Call, RolledUp};

use crate::meter::world::{World, at, batch, usage};

fn roll(world: &mut World) -> RolledUp {
    serde_json::from_value(world.call(Call::RollUp)).unwrap()
}

fn record(world: &mut World, metric: &str, amount: u32, timestamp: &str) {
    let answer = world.send(usage(json!({"metric": metric, "amount": amount, "timestamp": timestamp})));
    assert_eq!(answer.status, 200, "{answer:?}");
}

fn short(bucket: &Bucket) -> String {
    let Bucket { metric, hour, count, sum, max, last, .. } = bucket;
    format!("{metric} {hour} {count} {sum} {max} {last}")
}

#[test]
fn events_are_counted_into_their_hours() {
    let mut world = World::new();
    record(&mut world, "apiCalls", 5, "2026-01-10T11:59:59.999Z");
    record(&mut world, "apiCalls", 2, "2026-01-10T11:00:00Z");
    record(&mut world, "apiCalls", 4, "2026-01-10T12:00:00Z");
    record(&mut world, "tokens", 7, "2025-12-31T23:30:00Z");
    let rolled: Vec<String> = world.roll_up().iter().map(short).collect();
    assert_eq!(
        rolled,
        ["apiCalls 2026-01-10T11:00:00Z 2 7 5 5", "apiCalls 2026-01-10T12:00:00Z 1 4 4 4", "tokens 2025-12-31T23:00:00Z 1 7 7 7"]
    );
    record(&mut world, "apiCalls", 1, "2026-01-10T11:59:59.999Z");
    assert_eq!(world.roll_up().iter().map(short).collect::<Vec<_>>(), ["apiCalls 2026-01-10T11:00:00Z 3 8 5 1"], "only what changed");
}

#[test]
fn an_alarm_that_is_lost_or_repeated_changes_nothing() {
    let mut world = World::new();
    record(&mut world, "apiCalls", 5, "2026-01-10T11:00:00Z");
    let first = roll(&mut world);
    let before = world.sql.dump();
    assert_eq!(roll(&mut world), first, "not acknowledged, so it is given again");
    world.restart();
    assert_eq!(roll(&mut world), first);
    assert_eq!(world.sql.dump(), before);
    record(&mut world, "apiCalls", 1, "2026-01-10T11:00:00Z");
    let second = roll(&mut world);
    assert_eq!(second.buckets.len(), 1);
    assert!(second.buckets[0].version > first.buckets[0].version && second.buckets[0].count == 2);
    // The first alarm's acknowledgement comes late: the newer bucket still waits.
    world.call(Call::AcknowledgeBuckets { through: first.buckets[0].version });
    assert_eq!(roll(&mut world), second);
    for through in [second.buckets[0].version, first.buckets[0].version, 0] {
        world.call(Call::AcknowledgeBuckets { through });
        assert_eq!(roll(&mut world).buckets, []);
    }
    world.call(Call::AcknowledgeBuckets { through: 1_000_000 });
    record(&mut world, "apiCalls", 1, "2026-01-10T11:00:00Z");
    assert_eq!(roll(&mut world).buckets.len(), 1, "an acknowledgement past the last version is ignored");
}

#[test]
fn it_is_due_a_minute_after_something_was_recorded_until_all_is_stored() {
    let mut world = World::new();
    world.send(usage(json!({"metric": "tokens"})));
    world.call(Call::AcknowledgeFacts { through: 1 });
    assert_eq!(world.alarm_at(), Some(world.wall.plus(seconds(60))));
    world.restart();
    world.call(Call::PendingFacts);
    assert_eq!(world.alarm_at(), Some(world.wall.plus(seconds(60))));
    let rolled = roll(&mut world);
    assert_eq!(world.alarm_at(), Some(world.wall.plus(seconds(60))), "the buckets are not acknowledged");
    world.call(Call::AcknowledgeBuckets { through: rolled.buckets[0].version });
    assert!(world.alarm_at().is_some_and(|at| at > world.wall.plus(seconds(3_600))), "only forgetting is left to do");
}

#[test]
fn a_long_log_is_rolled_up_slice_by_slice() {
    let mut world = World::new();
    let hours: Vec<Value> =
        (0..500).map(|hour| json!({"metric": "tokens", "timestamp": at("2025-12-20T12:00:00Z").plus(seconds(3_600 * hour))})).collect();
    for _ in 0..13 {
        world.send(batch(json!(hours)));
        world.send(usage(json!({"metric": "apiCalls"})));
    }
    let first = roll(&mut world);
    assert!(first.has_more && first.buckets.len() == 500);
    let buckets = world.roll_up();
    let counted: u64 = buckets.iter().filter(|bucket| bucket.metric == "tokens").map(|bucket| bucket.count).max().unwrap();
    assert_eq!(counted, 13);
    let rest = roll(&mut world);
    assert!(!rest.has_more && rest.buckets.is_empty());
}
