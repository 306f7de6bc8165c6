//! Forgetting: what is older than idempotency keys are remembered goes, and nothing that is still needed.

use serde_json::json;
use tenantry::kernel::time::{days, hours};
use tenantry::usage::meter::{Call, RolledUp};

use crate::world::{World, at, usage};

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
