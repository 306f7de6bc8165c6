//! A company moves to another database while it is in use: nothing is lost, nothing is in two places, and reading never stops.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use futures::executor::block_on;
use serde_json::{Value, json};
use tenantry::kernel::decision::Decision;
use tenantry::kernel::tenant::Actor;
use tenantry::kernel::time::{minutes, seconds};
use tenantry::tenancy::data_movement::move_store::Step;
use tenantry::tenancy::data_movement::relocation;

use crate::support::rows::{self, read};
use crate::support::world::{Credential, World, vendor};

/// Work for one company, over and over: what was acknowledged must be there at the end.
struct Traffic {
    world: Arc<World>,
    backend: Credential,
    made: AtomicU32,
    acknowledged: Mutex<BTreeSet<String>>,
    refused: AtomicU32,
}

impl Traffic {
    fn new(world: &Arc<World>, backend: Credential) -> Arc<Self> {
        let (made, refused) = (AtomicU32::new(0), AtomicU32::new(0));
        Arc::new(Self { world: world.clone(), backend, made, acknowledged: Mutex::default(), refused })
    }

    /// One write and some reads.
    fn flow(&self) {
        let name = format!("key {}", self.made.fetch_add(1, Ordering::Relaxed));
        let answer = self.world.post(&self.backend, "/v1/api-keys", &json!({"name": name, "scopes": ["usage.read"]}));
        match answer.status {
            201 => {
                self.acknowledged.lock().unwrap().insert(name);
            }
            503 => {
                assert_eq!(answer.body["code"], "organization_moving", "{}", answer.text);
                assert_eq!(answer.header("retry-after"), "1");
                self.refused.fetch_add(1, Ordering::Relaxed);
            }
            _ => panic!("{}", answer.text),
        }
        for path in ["/v1/organization", "/v1/api-keys", "/v1/usage/history?metric=apiCalls", "/v1/subscription"] {
            self.world.get(&self.backend, path).expect(200);
        }
        self.world.post(&self.backend, "/v1/usage", &json!({"metric": "apiCalls"})).expect(200);
    }

    /// The same from another thread, for when this one is within a batch.
    fn flow_meanwhile(self: &Arc<Self>) {
        let traffic = self.clone();
        std::thread::spawn(move || traffic.flow()).join().unwrap();
    }
}

/// All names of keys that the API lists.
fn names(world: &World, id: &str) -> BTreeSet<String> {
    let (mut names, mut cursor) = (BTreeSet::new(), String::new());
    loop {
        let page = world.get(&Credential::VendorFor(id.to_owned()), &format!("/v1/api-keys?limit=100{cursor}")).expect(200);
        names.extend(page["data"].as_array().unwrap().iter().map(|key| key["name"].as_str().unwrap().to_owned()));
        match page["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return names,
        }
    }
}

fn ask(world: &World, id: &str, shard: usize) -> Value {
    world.post(&vendor(), &format!("/v1/organizations/{id}/moves"), &json!({"shard": shard})).expect(202)
}

fn step(world: &World, id: &str) -> Option<Step> {
    block_on(relocation::run_step(&world.platform(), id.parse().unwrap())).unwrap()
}

/// Nothing of the company is where it does not live, but for the fence.
fn assert_only_at(world: &World, id: &str, shard: usize) {
    assert_eq!(rows::home(world, id), shard);
    let mut elsewhere = rows::of(world.shards[1 - shard].as_ref(), id);
    elsewhere.remove("fences");
    assert!(elsewhere.is_empty(), "left behind: {elsewhere:#?}");
    let waiting = rows::of(world.shards[shard].as_ref(), id).remove("arriving_rows");
    assert!(waiting.is_none(), "{waiting:?}");
}

#[test]
fn with_traffic_before_each_batch_of_a_move_nothing_is_lost() {
    let world = Arc::new(World::new());
    let acme = world.sign_up("Acme");
    let id = acme.id.clone();
    let traffic = Traffic::new(&world, acme.key(&["*"]));
    let (source, target) = (rows::home(&world, &id), 1 - rows::home(&world, &id));
    for _ in 0..5 {
        traffic.flow();
    }
    world.queues.messages.lock().unwrap().clear();
    ask(&world, &id, target);
    world.queues.messages.lock().unwrap().clear();
    // The move's own batches are counted at the database it writes to; the traffic of both is let through.
    for shard in &world.shards {
        let traffic = traffic.clone();
        let batches = AtomicU32::new(0);
        shard.before_each(move || {
            if batches.fetch_add(1, Ordering::Relaxed).is_multiple_of(7) {
                traffic.flow_meanwhile();
            }
        });
    }
    let mut steps = Vec::new();
    while let Some(next) = step(&world, &id) {
        steps.push(next);
        if next == Step::Flipped {
            break;
        }
    }
    world.shards.iter().for_each(|shard| shard.undisturbed());
    assert_eq!(steps[steps.len() - 3..], [Step::Freezing, Step::Sealed, Step::Flipped], "{steps:?}");
    for _ in 0..3 {
        traffic.flow();
    }
    assert_eq!(step(&world, &id), Some(Step::Flipped), "the old rows stay while somebody may still read them");
    assert!(rows::of(world.shards[source].as_ref(), &id).contains_key("api_keys"));
    world.pass(minutes(2));
    assert_eq!(step(&world, &id), Some(Step::Done));
    assert_only_at(&world, &id, target);
    let acknowledged = traffic.acknowledged.lock().unwrap().clone();
    let found = names(&world, &id);
    assert!(acknowledged.is_subset(&found), "lost: {:?}", acknowledged.difference(&found));
    assert_eq!(found.len(), acknowledged.len() + 1, "and nothing is there that was refused");
    assert!(traffic.refused.load(Ordering::Relaxed) > 0, "some write met the freeze");
    let moved = world.get(&vendor(), &format!("/v1/organizations/{id}/moves")).expect(200)["data"][0].clone();
    assert_eq!((&moved["step"], &moved["from"], &moved["to"]), (&json!("done"), &json!(source), &json!(target)));
    assert!(moved["tables"]["api_keys"]["rows"].as_u64().unwrap() > 5, "{moved}");
    world.deliver();
    assert_only_at(&world, &id, target);
}

#[test]
fn a_move_that_is_cut_off_at_any_batch_is_finished_and_moves_every_row() {
    for store in 0..3 {
        let mut uncut = 0;
        for cut_after in (0..1_000).step_by(5) {
            let world = World::new();
            let acme = world.sign_up("Acme");
            acme.key(&["*"]);
            let (source, target) = (rows::home(&world, &acme.id), 1 - rows::home(&world, &acme.id));
            ask(&world, &acme.id, target);
            let before = rows::of(world.shards[source].as_ref(), &acme.id);
            match store {
                0 => world.directory.fail_after(cut_after, 1),
                _ => world.shards[if store == 1 { source } else { target }].fail_after(cut_after, 1),
            }
            world.try_deliver();
            world.directory.fail(0);
            world.shards.iter().for_each(|shard| shard.fail(0));
            uncut += u32::from(rows::home(&world, &acme.id) == target);
            for _ in 0..6 {
                world.pass(minutes(2));
                world.try_cron("* * * * *");
                world.try_deliver();
            }
            assert_only_at(&world, &acme.id, target);
            let after = rows::of(world.shards[target].as_ref(), &acme.id);
            for (table, rows) in before.iter().filter(|(table, _)| !["events", "reaction_runs", "mails"].contains(&table.as_str())) {
                assert_eq!(after.get(table), Some(rows), "{table}; store {store} was away after {cut_after} batches");
            }
            let name = |rows: &Vec<String>| rows.len();
            assert!(after.get("events").map(name) >= before.get("events").map(name));
            acme.key(&["*"]);
            if uncut > 3 {
                break;
            }
        }
        assert!(uncut > 3, "a move takes more than 1,000 batches");
    }
}

#[test]
fn whoever_still_holds_the_old_place_writes_nothing_there() {
    let world = World::new();
    let acme = world.sign_up("Acme");
    let (source, target) = (rows::home(&world, &acme.id), 1 - rows::home(&world, &acme.id));
    let platform = world.platform();
    let straggler = block_on(platform.tenant(acme.id.parse().unwrap(), Actor::System("straggler"), None)).unwrap().unwrap();
    ask(&world, &acme.id, target);
    world.deliver();
    assert_eq!(rows::home(&world, &acme.id), target);
    for pause in [0, 120] {
        world.pass(seconds(pause));
        world.cron("* * * * *");
        world.deliver();
        let decision = Decision::new().audit("late.write", "x", None, None);
        let late = block_on(straggler.commit(decision, None)).unwrap_err().into_problem();
        assert_eq!((late.status, late.code), (503, "organization_moving"));
    }
    assert_only_at(&world, &acme.id, target);
    // Back again: the old fence is lifted.
    ask(&world, &acme.id, source);
    world.deliver();
    acme.key(&["*"]);
    world.pass(minutes(2));
    world.cron("* * * * *");
    world.deliver();
    assert_only_at(&world, &acme.id, source);
    acme.key(&["*"]);
}

#[test]
fn a_freeze_whose_mover_was_killed_lapses() {
    let world = World::new();
    let acme = world.sign_up("Acme");
    let now = world.app.moment().now.as_millis();
    let shard = &world.shards[rows::home(&world, &acme.id)];
    read(shard.as_ref(), &format!("INSERT INTO fences (organization_id, state, since) VALUES ('{}', 'frozen', {now})", acme.id));
    let rename = || world.write(&acme.vendor(), "PATCH", "/v1/organization", &json!({"name": "Acme Ltd"}));
    assert_eq!(rename().body["code"], "organization_moving");
    world.get(&acme.vendor(), "/v1/organization").expect(200);
    world.pass(seconds(7));
    rename().expect(200);
}

#[test]
fn a_freeze_that_took_too_long_is_not_sealed() {
    let world = Arc::new(World::new());
    let acme = world.sign_up("Acme");
    let target = 1 - rows::home(&world, &acme.id);
    ask(&world, &acme.id, target);
    world.queues.messages.lock().unwrap().clear();
    while step(&world, &acme.id) != Some(Step::Freezing) {}
    let slow = world.clone();
    world.shards[target].before_each(move || slow.pass(seconds(2)));
    let failed = block_on(relocation::run_step(&world.platform(), acme.id.parse().unwrap()));
    assert!(failed.is_err(), "{failed:?}");
    world.shards[target].undisturbed();
    acme.key(&["*"]);
    assert_eq!(rows::home(&world, &acme.id), 1 - target, "it is where it was, and can be written");
    assert_eq!(
        [step(&world, &acme.id), step(&world, &acme.id)],
        [Some(Step::Sealed), Some(Step::Flipped)],
        "the next freeze is fast enough"
    );
}

#[test]
fn what_falls_due_while_a_company_is_in_two_places_happens_once() {
    let world = World::new();
    let acme = world.sign_up_at("Acme", "2026-01-01T00:00:00Z");
    let target = 1 - rows::home(&world, &acme.id);
    ask(&world, &acme.id, target);
    world.deliver();
    assert_eq!(rows::home(&world, &acme.id), target);
    acme.advance("2026-03-01T00:00:00Z");
    let numbers: Vec<Value> = acme.invoices().iter().map(|invoice| invoice["identifier"].clone()).collect();
    assert_eq!(numbers, ["INV-000001", "INV-000002"]);
    assert_eq!(acme.mails().iter().filter(|mail| *mail == "onboarding-checkin-day3").count(), 1);
}

#[test]
fn a_move_goes_somewhere_else_and_one_at_a_time() {
    let world = World::new();
    let acme = world.sign_up("Acme");
    let path = format!("/v1/organizations/{}/moves", acme.id);
    let home = rows::home(&world, &acme.id);
    let refused = |shard: usize| {
        let answer = world.post(&vendor(), &path, &json!({"shard": shard}));
        (answer.status, answer.body["errors"][0]["code"].as_str().or(answer.body["code"].as_str()).unwrap_or_default().to_owned())
    };
    assert_eq!(refused(2), (400, "unknown_shard".to_owned()));
    assert_eq!(refused(home), (409, "already_there".to_owned()));
    ask(&world, &acme.id, 1 - home);
    assert_eq!(refused(1 - home), (409, "move_in_progress".to_owned()));
}
