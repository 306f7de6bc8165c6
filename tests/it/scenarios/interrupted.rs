//! Work that is cut off anywhere is finished later, and nothing takes effect twice.

use serde_json::json;

use crate::support::faults::Place;
use crate::support::world::{Company, Credential, World, vendor};

#[test]
fn a_sign_up_that_was_cut_off_is_finished_by_the_sweep() {
    let world = World::new();
    let body = json!({"name": "Acme", "email": "admin@acme.example"});
    for shard in &world.shards {
        shard.fail(1);
    }
    let answer = world.post_once(&vendor(), "/v1/organizations", "sign-up-1", &body);
    assert_eq!(answer.status, 503, "{}", answer.text);
    for shard in &world.shards {
        shard.fail(0);
    }
    world.pass(tenantry::kernel::time::minutes(2));
    world.cron("* * * * *");
    world.deliver();
    let replayed = world.post_once(&vendor(), "/v1/organizations", "sign-up-1", &body);
    assert_eq!((replayed.status, replayed.header("idempotent-replayed")), (201, "true"));
    let id = replayed.body["$id"].as_str().unwrap().to_owned();
    let subscription = world.get(&Credential::VendorFor(id), "/v1/subscription").expect(200);
    assert_eq!(subscription["isTrial"], true);
}

#[test]
fn a_retried_sign_up_answers_only_when_the_company_is_there() {
    let world = World::new();
    let body = json!({"name": "Acme", "email": "admin@acme.example"});
    for shard in &world.shards {
        shard.fail(1);
    }
    assert_eq!(world.post_once(&vendor(), "/v1/organizations", "sign-up-1", &body).status, 503);
    for shard in &world.shards {
        shard.fail(0);
    }
    let replayed = world.post_once(&vendor(), "/v1/organizations", "sign-up-1", &body);
    assert_eq!((replayed.status, replayed.header("idempotent-replayed")), (201, "true"));
    let id = replayed.body["$id"].as_str().unwrap().to_owned();
    assert_eq!(world.get(&Credential::VendorFor(id), "/v1/subscription").expect(200)["isTrial"], true);
}

#[test]
fn a_billing_run_cut_off_at_any_batch_ends_in_one_invoice() {
    let first = World::new();
    let acme = first.sign_up_at("Acme", "2026-01-01T00:00:00Z");
    let world = first.copy();
    acme.within(&world).advance("2026-03-01T00:00:00Z");
    let calls: Vec<(Place, u32)> = world.places().into_iter().map(|place| (place, world.take_calls(place))).collect();
    let often = calls.iter().filter(|(_, calls)| *calls > 5).count();
    assert!(often >= 2, "a shard and the Meters are called for each invoice: {calls:?}");
    for (place, calls) in calls {
        for nth in 0..calls {
            cut_off_at(&acme, place, nth);
        }
    }
}

fn cut_off_at(acme: &Company<'_>, place: Place, nth: u32) {
    let world = acme.world.copy();
    let acme = acme.within(&world);
    let clock = acme.clock.clone().unwrap();
    let advance = || world.write(&vendor(), "PUT", &format!("/v1/test-clocks/{clock}"), &json!({"now": "2026-03-01T00:00:00Z"}));
    world.fail_at(place, nth, 1);
    let is_done = (0..20).any(|_| advance().status == 200);
    assert!(is_done && world.take_faults(place) == 1, "call {nth} of {place:?} did not fail, or the run never ended");
    world.pass(tenantry::kernel::time::hours(3));
    world.cron("* * * * *");
    world.deliver();
    let numbers: Vec<_> = acme.invoices().iter().map(|invoice| invoice["identifier"].clone()).collect();
    assert_eq!(numbers, ["INV-000001", "INV-000002"], "cut off at call {nth} of {place:?}");
    let asked = acme.mails().iter().filter(|template| *template == "invoice-payment-required").count();
    assert_eq!(asked, 2, "one mail an invoice, cut off at call {nth} of {place:?}");
}

#[test]
fn lost_nudges_lose_nothing() {
    let world = World::new();
    *world.queues.lossy.lock().unwrap() = true;
    let acme = world.sign_up("Acme");
    *world.queues.lossy.lock().unwrap() = false;
    world.pass(tenantry::kernel::time::minutes(1));
    world.cron("* * * * *");
    world.deliver();
    assert_eq!(acme.mails(), ["organization-welcome"]);
}

#[test]
fn a_step_that_keeps_failing_becomes_a_dead_letter_and_can_be_replayed() {
    let world = World::new();
    world.meters_fail(0, u32::MAX);
    let acme = world.sign_up("Acme");
    for _ in 0..20 {
        world.pass(tenantry::kernel::time::hours(1));
        world.cron("* * * * *");
        world.deliver();
    }
    let letters = world.get(&vendor(), "/v1/dead-letters").expect(200);
    assert_eq!(letters["data"].as_array().unwrap().len(), 1, "{letters}");
    assert_eq!(letters["data"][0]["name"], "trials.admit_usage");
    assert_eq!(letters["data"][0]["attempts"], 8);
    world.meters_fail(0, 0);
    let id = letters["data"][0]["$id"].clone();
    world.post(&vendor(), "/v1/dead-letters/replays", &json!({"id": id})).expect(204);
    assert_eq!(world.get(&vendor(), "/v1/dead-letters").expect(200)["data"], json!([]));
    assert_eq!(acme.mails(), ["organization-welcome"], "the other steps ran alone");
    world.get(&acme.key(&["usage.read"]), "/v1/quotas/apiCalls").expect(200);
}

#[test]
fn a_mail_that_could_not_be_sent_becomes_a_dead_letter() {
    let world = World::without_mail_provider();
    let acme = world.sign_up("Acme");
    for _ in 0..12 {
        world.deliver();
        world.pass(tenantry::kernel::time::hours(3));
        world.cron("* * * * *");
    }
    let letters = world.get(&vendor(), "/v1/dead-letters").expect(200);
    assert_eq!((&letters["data"][0]["kind"], &letters["data"][0]["name"]), (&json!("mail"), &json!("organization-welcome")));
    assert_eq!(letters["data"][0]["attempts"], 8);
    assert!(acme.mails().is_empty());
}
