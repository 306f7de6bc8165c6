//! A subscription that can't be billed becomes a dead letter with its reason; the others are billed.

use serde_json::json;
use tenantry::kernel::time::{hours, minutes};

use crate::billing_run::{HOUR, MINUTE, assert_billed_once, dead_letters, due_companies, due_messages, findings, handle_all};
use crate::support::world::{Company, World, vendor};

/// Pins a plan that there is not, as if somebody had damaged the row.
fn damage(world: &World, company: &Company<'_>) {
    set_plan(world, company, "gone");
}

fn set_plan(world: &World, company: &Company<'_>, plan: &str) {
    for shard in &world.shards {
        shard.meddle(&format!("UPDATE subscriptions SET plan = '{plan}' WHERE organization_id = '{}'", company.id)).unwrap();
    }
}

#[test]
fn it_is_a_dead_letter_after_its_last_attempt_and_the_others_are_billed() {
    let world = World::new();
    let mut companies = due_companies(&world, 5);
    damage(&world, &companies[2]);
    let due = due_messages(&world);
    assert!(handle_all(&world, due).iter().all(Result::is_ok), "what failed is recorded, so its message is done");
    world.deliver();
    let bad = companies.remove(2);
    assert_billed_once(&companies, 1, "beside one that can't be billed");
    assert!(due_messages(&world).is_empty(), "while it pauses, no page names it");
    assert_eq!(dead_letters(&world), [] as [serde_json::Value; 0], "it is tried again first");
    for _ in 0..30 {
        world.pass(minutes(30));
        world.cron(MINUTE);
        world.deliver();
    }
    let rows = dead_letters(&world);
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert_eq!((&rows[0]["kind"], &rows[0]["organization"], &rows[0]["attempts"]), (&json!("billing"), &json!(bad.id), &json!(8)));
    assert!(rows[0]["lastError"].as_str().unwrap().contains("gone"), "{rows:?}");
    assert!(due_messages(&world).is_empty(), "a dead letter is not retried");
    assert_eq!(findings(&world, 0), [] as [serde_json::Value; 0], "a dead letter is no finding");

    // A replay that fails counts its attempts from one; one that succeeds removes the dead letter.
    let replay = || world.post(&vendor(), "/v1/dead-letters/replays", &json!({"id": rows[0]["$id"]}));
    replay().expect(204);
    assert_eq!(dead_letters(&world), [] as [serde_json::Value; 0]);
    world.post(&vendor(), "/v1/dead-letters/replays", &json!({"id": rows[0]["$id"]})).expect(404);
    for _ in 0..30 {
        world.pass(minutes(30));
        world.cron(MINUTE);
        world.deliver();
    }
    assert_eq!(dead_letters(&world).len(), 1);
    set_plan(&world, &bad, "professional");
    replay().expect(204);
    world.deliver();
    assert_eq!(bad.invoices().len(), 1);
    assert_eq!(dead_letters(&world), [] as [serde_json::Value; 0]);
    companies.push(bad);
    assert_billed_once(&companies, 1, "after the replay");
}

#[test]
fn what_heals_by_itself_is_billed_by_a_later_try_and_forgotten() {
    let world = World::new();
    let companies = due_companies(&world, 2);
    let due = due_messages(&world);
    world.meters_fail(0, u32::MAX);
    assert!(handle_all(&world, due).iter().all(Result::is_ok));
    world.meters_fail(0, 0);
    world.pass(minutes(1));
    world.cron(MINUTE);
    world.deliver();
    assert_billed_once(&companies, 1, "a Meter was away");
    // The next failure counts from one again.
    world.pass(tenantry::kernel::time::days(31));
    world.meters_fail(0, u32::MAX);
    world.cron(HOUR);
    world.deliver();
    world.meters_fail(0, 0);
    assert!(dead_letters(&world).is_empty());
    world.pass(hours(1));
    world.cron(HOUR);
    world.deliver();
    assert_billed_once(&companies, 2, "a month later");
}

#[test]
fn on_a_test_clock_the_way_stops_there_and_says_where() {
    let world = World::new();
    let acme = world.sign_up_at("Acme", "2026-01-01T00:00:00Z");
    damage(&world, &acme);
    let clock = acme.clock.clone().unwrap();
    let advance = || world.write(&vendor(), "PUT", &format!("/v1/test-clocks/{clock}"), &json!({"now": "2026-02-01T00:00:00Z"}));
    assert_eq!(advance().status, 500);
    assert_eq!(world.get(&vendor(), &format!("/v1/test-clocks/{clock}")).expect(200)["now"], "2026-01-15T00:00:00Z");
    set_plan(&world, &acme, "professional");
    advance().expect(200);
    assert_billed_once(&[acme], 1, "after the advance was repeated");
}
