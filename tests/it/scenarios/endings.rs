//! How a company's life with the vendor pauses and ends.

use serde_json::{Value, json};
use tenantry::kernel::time::{minutes, seconds};
use tenantry::meter::contract::Call;

use crate::support::rows::{self, read};
use crate::support::world::{Answer, Company, Credential, World, vendor};

impl Company<'_> {
    fn suspend(&self, reason: &str) -> Answer {
        self.world.write(&vendor(), "PUT", &format!("/v1/organizations/{}/suspension", self.id), &json!({"reason": reason}))
    }

    fn resume(&self) -> Answer {
        self.world.send(&vendor(), "DELETE", &format!("/v1/organizations/{}/suspension", self.id), &[], "")
    }

    fn cancel_by(&self, who: &Credential) -> Answer {
        self.world.post(who, "/v1/organization/cancellation", &json!({"reason": "we stop"}))
    }

    fn withdraw_by(&self, who: &Credential) -> Answer {
        self.world.send(who, "DELETE", "/v1/organization/cancellation", &[], "")
    }

    fn status(&self) -> Value {
        self.get("/v1/organization")["status"].clone()
    }

    /// The statuses that the Meter heard, without repetitions.
    fn told_statuses(&self) -> Vec<String> {
        let heard = self.world.meters.heard.lock().unwrap();
        let mut statuses: Vec<String> = heard
            .iter()
            .filter(|(organization, _)| organization.to_string() == self.id)
            .filter_map(|(_, call)| match call {
                Call::PutStatus { status, .. } => Some(status.wire_name().to_owned()),
                _ => None,
            })
            .collect();
        statuses.dedup();
        statuses
    }
}

fn refusal(answer: &Answer) -> (u16, &str) {
    (answer.status, answer.body["code"].as_str().unwrap_or_default())
}

#[test]
fn a_suspended_company_reads_and_writes_nothing_until_it_is_resumed() {
    let world = World::new();
    let acme = world.sign_up("Acme");
    let backend = acme.key(&["*"]);
    let use_some = || world.post(&backend, "/v1/usage", &json!({"metric": "apiCalls"}));
    use_some().expect(200);
    let suspension = acme.suspend("payment is overdue").expect(200);
    assert_eq!((&suspension["$type"], &suspension["reason"]), (&json!("Suspension"), &json!("payment is overdue")));
    assert_eq!(refusal(&use_some()), (403, "organization_suspended"));
    let rename = world.write(&backend, "PATCH", "/v1/organization", &json!({"name": "Acme Ltd"}));
    assert_eq!(refusal(&rename), (403, "organization_suspended"));
    for path in ["/v1/organization", "/v1/usage", "/v1/subscription", "/v1/api-keys", "/v1/usage/history?metric=apiCalls"] {
        world.get(&backend, path).expect(200);
    }
    world.write(&acme.vendor(), "PATCH", "/v1/organization", &json!({"name": "Acme Ltd"})).expect(200);
    acme.suspend("payment is overdue").expect(200);
    acme.suspend("fraud").expect(200);
    acme.resume().expect(204);
    assert_eq!(refusal(&acme.resume()), (409, "organization_not_suspended"));
    use_some().expect(200);
    assert_eq!(acme.told_statuses(), ["suspended", "active"]);
    world.deliver();
    assert_eq!(acme.mails(), ["organization-welcome", "organization-suspended", "organization-resumed"]);
}

#[test]
fn the_meter_hears_of_a_suspension_although_the_call_that_told_it_was_cut_off() {
    let world = World::new();
    let acme = world.sign_up("Acme");
    world.meters_fail(0, 1);
    assert_eq!(acme.suspend("fraud").status, 503);
    assert_eq!(acme.status(), "suspended", "it is committed");
    assert!(acme.told_statuses().is_empty());
    world.pass(minutes(1));
    world.cron("* * * * *");
    world.deliver();
    assert_eq!(acme.told_statuses(), ["suspended"]);
}

#[test]
fn who_is_suspended_may_still_leave_and_who_left_may_come_back_suspended() {
    let world = World::new();
    let acme = world.sign_up("Acme");
    let owner = acme.key(&["organization.own", "usage.write"]);
    acme.suspend("fraud").expect(200);
    let cancellation = acme.cancel_by(&owner).expect(201);
    assert_eq!(cancellation["erasesAt"], "2026-01-31T00:00:00Z", "30 days after {}", cancellation["cancelledAt"]);
    assert_eq!(refusal(&acme.cancel_by(&owner)), (409, "already_cancelled"));
    assert_eq!(refusal(&acme.resume()), (409, "organization_cancelled"));
    assert_eq!(refusal(&acme.suspend("more")), (409, "organization_cancelled"));
    assert_eq!(refusal(&world.post(&owner, "/v1/usage", &json!({"metric": "apiCalls"}))), (403, "organization_cancelled"));
    acme.withdraw_by(&owner).expect(204);
    assert_eq!(acme.status(), "suspended");
    acme.resume().expect(204);
    assert_eq!(refusal(&acme.withdraw_by(&owner)), (409, "organization_not_cancelled"));
    world.deliver();
    let mails = acme.mails();
    assert_eq!(
        mails[1..],
        ["organization-suspended", "organization-cancelled", "organization-cancellation-withdrawn", "organization-resumed"]
    );
}

#[test]
fn only_the_owners_permission_cancels() {
    let world = World::new();
    let acme = world.sign_up("Acme");
    let answer = acme.cancel_by(&acme.key(&["organization.write"]));
    assert_eq!((answer.status, &answer.body["missingPermission"]), (403, &json!("organization.own")));
}

/// A company with two months of history, and people: one of its own and one of Globex's, too.
fn grown_up(world: &World) -> Company<'_> {
    let acme = world.sign_up_at("Acme", "2026-01-01T00:00:00Z");
    acme.advance("2026-03-20T00:00:00Z");
    let backend = acme.key(&["*"]);
    world.post(&backend, "/v1/usage", &json!({"metric": "apiCalls", "amount": 7})).expect(200);
    let globex = world.sign_up("Globex");
    let shard = world.shards[rows::home(world, &acme.id)].clone();
    let execute = |sql: &dyn tenantry::kernel::sql::Sql, text: String| {
        read(sql, &text);
    };
    for (person, email) in [(OWN, "ann@acme.example"), (SHARED, "bob@globex.example")] {
        execute(world.directory.as_ref(), format!("INSERT INTO people (id, email, created_at) VALUES ('{person}', '{email}', 1)"));
        execute(
            world.directory.as_ref(),
            format!("INSERT INTO memberships (person_id, organization_id) VALUES ('{person}', '{}')", acme.id),
        );
        execute(
            shard.as_ref(),
            format!(
                "INSERT INTO members (organization_id, id, email, role, joined_at) VALUES ('{}', '{person}', '{email}', 'admin', 1)",
                acme.id
            ),
        );
    }
    execute(world.directory.as_ref(), format!("INSERT INTO memberships (person_id, organization_id) VALUES ('{SHARED}', '{}')", globex.id));
    acme
}

const OWN: &str = "user_00000000000000000000000001";
const SHARED: &str = "user_00000000000000000000000002";

/// Where something of an organization is still found, line by line. Its id alone stays in the record and in the fence.
fn traces(world: &World, organization: &str) -> Vec<String> {
    let mut found = Vec::new();
    let databases = [("directory", &world.directory), ("shard 0", &world.shards[0]), ("shard 1", &world.shards[1])];
    for (name, database) in databases {
        for table in rows::tables(database.as_ref()).into_iter().filter(|table| !["erasures", "fences"].contains(&table.as_str())) {
            let lines = read(database.as_ref(), &format!("SELECT * FROM {table}"));
            let lines = lines.iter().map(Value::to_string).filter(|line| line.contains(organization) || line.contains("acme.example"));
            found.extend(lines.map(|line| format!("{name} {table} {line}")));
        }
    }
    let meters = world.meters.meters.lock().unwrap();
    let (sql, _) = &meters[&organization.parse().unwrap()];
    found.extend(sql.dump().into_iter().filter(|line| !line.starts_with("erased ")).map(|line| format!("meter {line}")));
    found
}

#[test]
fn thirty_days_after_its_cancellation_nothing_of_a_company_is_left_anywhere() {
    let world = World::new();
    let acme = grown_up(&world);
    let key = acme.key(&["*"]);
    let billed_before = acme.invoices().len();
    acme.cancel_by(&key).expect(201);
    acme.advance("2026-04-18T23:59:59Z");
    let billed = world.get(&key, "/v1/invoices").expect(200)["data"].as_array().unwrap().len();
    assert!(billed > billed_before, "a period that ends in the grace time is billed");
    acme.advance("2026-04-19T00:00:00Z");
    world.deliver();

    assert_eq!(traces(&world, &acme.id), Vec::<String>::new());
    let people = read(world.directory.as_ref(), "SELECT id FROM people");
    assert_eq!(people, [json!({"id": SHARED})], "who belongs to another company stays, who belonged to Acme only is gone");
    assert_eq!(world.get(&key, "/v1/invoices").status, 401, "its keys are unknown");
    assert_eq!(world.get(&vendor(), &format!("/v1/organizations/{}", acme.id)).status, 404);
    assert_eq!(world.get(&acme.vendor(), "/v1/organization").status, 404);
    let erasures = world.get(&vendor(), "/v1/erasures").expect(200);
    let record = &erasures["data"][0];
    assert_eq!((&record["organization"], &record["status"]), (&json!(acme.id), &json!("done")));
    assert_eq!((&record["rows"]["tenants"]["members"], &record["rows"]["directory"]["people"]), (&json!(2), &json!(1)));
    assert!(record["rows"]["meter"]["commits"].as_u64().unwrap() > 0, "{record}");
    let kept: Vec<&Value> = record["invoices"].as_array().unwrap().iter().map(|invoice| &invoice["number"]).collect();
    assert_eq!(kept, (1..=billed).map(Value::from).collect::<Vec<_>>().iter().collect::<Vec<_>>(), "the numbers stay");
    assert!(!erasures.to_string().contains("Acme") && !erasures.to_string().contains("acme.example"));
    assert_eq!(record["hash"].as_str().unwrap().len(), 64);
    assert_eq!(world.get(&vendor(), "/v1/organizations").expect(200)["data"].as_array().unwrap().len(), 1, "Globex is there");
}

#[test]
fn a_cancellation_that_is_withdrawn_in_time_erases_nothing() {
    let world = World::new();
    let acme = grown_up(&world);
    acme.cancel_by(&acme.vendor()).expect(201);
    acme.advance("2026-04-18T00:00:00Z");
    acme.withdraw_by(&acme.vendor()).expect(204);
    acme.advance("2026-05-30T00:00:00Z");
    assert_eq!(acme.status(), "active");
    assert_eq!(world.get(&vendor(), "/v1/erasures").expect(200)["data"], json!([]));
    // Cancelled once more, the 30 days begin anew.
    acme.cancel_by(&acme.vendor()).expect(201);
    acme.advance("2026-06-28T23:00:00Z");
    assert_eq!(acme.status(), "cancelled");
    acme.advance("2026-06-29T00:00:00Z");
    assert_eq!(traces(&world, &acme.id), Vec::<String>::new());
}

#[test]
fn in_real_time_the_minutes_sweep_erases() {
    let world = World::new();
    let acme = world.sign_up("Acme");
    acme.cancel_by(&acme.vendor()).expect(201);
    world.deliver();
    for _ in 0..40 {
        world.pass(tenantry::kernel::time::days(1));
        world.cron("* * * * *");
        world.deliver();
    }
    assert_eq!(traces(&world, &acme.id), Vec::<String>::new());
}

#[test]
fn an_erasure_that_is_cut_off_anywhere_is_finished_by_the_sweep() {
    let mut done_at_once = 0;
    for cut_after in (0..400).step_by(3) {
        for store in 0..3 {
            let world = World::new();
            let acme = world.sign_up("Acme");
            let key = acme.key(&["*"]);
            acme.cancel_by(&key).expect(201);
            world.deliver();
            world.pass(tenantry::kernel::time::days(31));
            match store {
                0 => world.directory.fail_after(cut_after, 1),
                1 => world.shards.iter().for_each(|shard| shard.fail_after(cut_after, 1)),
                _ => world.meters_fail(cut_after, 1),
            }
            world.try_cron("* * * * *");
            world.try_deliver();
            world.directory.fail(0);
            world.shards.iter().for_each(|shard| shard.fail(0));
            world.meters_fail(0, 0);
            let is_cut_off = !traces(&world, &acme.id).is_empty();
            for _ in 0..3 {
                world.pass(minutes(2));
                world.cron("* * * * *");
                world.deliver();
            }
            assert_eq!(traces(&world, &acme.id), Vec::<String>::new(), "store {store} was away after {cut_after} batches");
            assert_eq!(world.get(&key, "/v1/organization").status, 401);
            let record = world.get(&vendor(), "/v1/erasures").expect(200)["data"][0].clone();
            assert_eq!((&record["status"], &record["rows"]["tenants"]["organizations"]), (&json!("done"), &json!(1)), "{record}");
            done_at_once += u32::from(!is_cut_off);
        }
        if done_at_once > 9 {
            return;
        }
    }
    panic!("an erasure takes more than 400 batches");
}

#[test]
fn a_handle_from_before_writes_nothing_into_an_erased_company() {
    let world = World::new();
    let acme = world.sign_up("Acme");
    let platform = world.platform();
    let actor = tenantry::kernel::tenant::Actor::System("straggler");
    let straggler = futures::executor::block_on(platform.tenant(acme.id.parse().unwrap(), actor, None)).unwrap().unwrap();
    acme.cancel_by(&acme.vendor()).expect(201);
    world.deliver();
    world.pass(tenantry::kernel::time::days(31));
    world.cron("* * * * *");
    world.deliver();
    world.pass(seconds(1));
    let decision = tenantry::kernel::decision::Decision::new().audit("late.write", "x", None, None);
    let late = futures::executor::block_on(straggler.commit(decision, None)).unwrap_err().into_problem();
    assert_eq!((late.status, late.code), (503, "organization_moving"));
    assert_eq!(traces(&world, &acme.id), Vec::<String>::new());
}

#[test]
fn the_ownership_goes_to_another_member_in_one_commit() {
    let world = World::new();
    let acme = grown_up(&world);
    let shard = world.shards[rows::home(&world, &acme.id)].clone();
    read(shard.as_ref(), &format!("UPDATE members SET role = 'owner' WHERE id = '{OWN}'"));
    let answer = world.post(&acme.key(&["organization.own"]), "/v1/organization/ownership-transfers", &json!({"to": SHARED})).expect(201);
    assert_eq!(answer, json!({"$type": "OwnershipTransfer", "from": OWN, "to": SHARED}));
    let roles = read(shard.as_ref(), "SELECT id, role FROM members ORDER BY id");
    assert_eq!(roles, [json!({"id": OWN, "role": "admin"}), json!({"id": SHARED, "role": "owner"})]);
    world.deliver();
    let told =
        read(world.directory.as_ref(), "SELECT recipient FROM local_mails WHERE template = 'ownership-transferred' ORDER BY recipient");
    assert_eq!(told, [json!({"recipient": "ann@acme.example"}), json!({"recipient": "bob@globex.example"})]);
    let again = world.post(&acme.vendor(), "/v1/organization/ownership-transfers", &json!({"to": SHARED}));
    assert_eq!(refusal(&again), (409, "already_owner"));
}
