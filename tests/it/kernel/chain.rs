//! The audit log's chain under commits at the same time: no two entries after one, none lost, and no guard forgotten.

use futures::executor::block_on;
use futures::future::join_all;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tenantry::kernel::audit::{Audit, OnBehalfOf};
use tenantry::kernel::decision::Decision;
use tenantry::kernel::error::Error;
use tenantry::kernel::ids::EventId;
use tenantry::kernel::sql::{Sql, Statement};
use tenantry::kernel::tenant::{Actor, Tenant};
use tenantry::{stale_if, tenant_sql};

use crate::support::sqlite::Sqlite;
use crate::support::world::World;

struct Row {
    sequence: i64,
    entry: String,
    hash: String,
}

/// The entries of a log, oldest first.
fn log(sql: &Sqlite, log: &str) -> Vec<Row> {
    let text = "SELECT sequence, entry, hash FROM audit_log WHERE organization_id = ?1 ORDER BY sequence";
    let outcomes = block_on(sql.batch(vec![Statement { text, params: vec![log.into()] }])).unwrap();
    let text = |row: &Value, name: &str| row[name].as_str().unwrap().to_owned();
    let rows = outcomes.into_iter().flat_map(|outcome| outcome.rows).map(Value::Object);
    rows.map(|row| Row { sequence: row["sequence"].as_i64().unwrap(), entry: text(&row, "entry"), hash: text(&row, "hash") }).collect()
}

fn sha256(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Every entry follows from the one before it, from 1 on.
#[track_caller]
fn assert_chained(log: &str, rows: &[Row]) {
    let mut before = sha256(&format!("tenantry-audit-chain-v1\n{log}"));
    for (row, expected) in rows.iter().zip(1..) {
        assert_eq!(row.sequence, expected);
        assert_eq!(serde_json::from_str::<Value>(&row.entry).unwrap()["sequence"], expected);
        assert_eq!(row.hash, sha256(&format!("{before}\n{}", row.entry)), "{}", row.entry);
        before.clone_from(&row.hash);
    }
}

struct Acme {
    world: World,
    tenant: Tenant,
    shard: usize,
}

impl Acme {
    fn new() -> Self {
        let world = World::new();
        let id = world.sign_up("Acme").id;
        let placement = block_on(world.platform().placement(id.parse().unwrap())).unwrap().unwrap();
        let tenant = block_on(world.platform().tenant(placement.organization, Actor::System("test"), None)).unwrap().unwrap();
        Self { world, tenant, shard: placement.shard }
    }

    fn sql(&self) -> &Sqlite {
        &self.world.shards[self.shard]
    }

    fn log(&self) -> Vec<Row> {
        log(self.sql(), &self.tenant.organization().to_string())
    }
}

fn noted(target: usize) -> Decision {
    Decision::new().audit("test.noted", target.to_string(), None, Some(json!({"number": target})))
}

#[test]
fn commits_at_the_same_time_are_one_chain() {
    let acme = Acme::new();
    let before = acme.log().len();
    acme.sql().interleave();
    // Each second one has two entries, which stay together.
    let decisions = (0..16).map(|number| if number % 2 == 0 { noted(number) } else { noted(number).and(noted(number + 100)) });
    let outcomes = block_on(join_all(decisions.map(|decision| acme.tenant.commit(decision, None))));
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    let rows = acme.log();
    assert_chained(&acme.tenant.organization().to_string(), &rows);
    let targets: Vec<usize> = rows
        .iter()
        .skip(before)
        .map(|row| serde_json::from_str::<Value>(&row.entry).unwrap()["after"]["number"].as_u64().unwrap() as usize)
        .collect();
    assert_eq!(targets.len(), 24);
    for number in 0..16 {
        let place = targets.iter().position(|target| *target == number).unwrap();
        assert!(number % 2 == 0 || targets[place + 1] == number + 100, "{targets:?}");
    }
}

#[test]
fn the_vendors_own_log_is_a_chain_too() {
    let world = World::new();
    world.directory.interleave();
    let entry = |number: usize| Audit { action: "test.noted", target: number.to_string(), before: None, after: None };
    let platform = world.platform();
    let outcomes = block_on(join_all((0..12).map(|number| platform.commit(Vec::new(), vec![entry(number)]))));
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    let rows = log(&world.directory, "platform");
    assert_eq!(rows.len(), 12);
    assert_chained("platform", &rows);
}

/// The organization moves on from version `version`, or the decision is stale.
fn renamed(version: u32) -> Decision {
    Decision::new()
        .guard(stale_if!("NOT EXISTS (SELECT 1 FROM organizations WHERE organization_id = ?1 AND version = ?2)", version))
        .write(tenant_sql!("UPDATE organizations SET version = version + 1 WHERE organization_id = ?1"))
        .audit("test.renamed", "x", None, None)
}

#[test]
fn what_is_stale_stays_stale_and_leaves_no_entry() {
    let acme = Acme::new();
    let before = acme.log().len();
    acme.sql().interleave();
    let outcomes = block_on(join_all((0..8).map(|_| acme.tenant.commit(renamed(1), None))));
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{outcomes:?}");
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Err(Error::Stale)).count(), 7, "{outcomes:?}");
    let rows = acme.log();
    assert_eq!(rows.len(), before + 1);
    assert_chained(&acme.tenant.organization().to_string(), &rows);
}

#[test]
fn nobody_rewrites_the_log() {
    let acme = Acme::new();
    let organization = acme.tenant.organization();
    for text in [
        format!("UPDATE audit_log SET target = 'x' WHERE organization_id = '{organization}'"),
        format!("DELETE FROM audit_log WHERE organization_id = '{organization}' AND sequence = 1"),
        "DELETE FROM audit_log".to_owned(),
    ] {
        assert!(acme.sql().meddle(&text).is_err(), "{text}");
    }
    assert!(!acme.log().is_empty());
    assert_chained(&organization.to_string(), &acme.log());
}

#[test]
fn a_step_acts_for_the_fact_that_it_follows_from() {
    let acme = Acme::new();
    let event: EventId = "evt_00000000000000000000000001".parse().unwrap();
    block_on(acme.tenant.on_behalf_of(OnBehalfOf::Event(event)).commit(noted(1), None)).unwrap();
    let entries: Vec<Value> = acme.log().iter().map(|row| serde_json::from_str(&row.entry).unwrap()).collect();
    let last = entries.last().unwrap();
    assert_eq!(last["actor"], json!({"kind": "system", "id": "test"}));
    assert_eq!(last["onBehalfOf"], json!({"kind": "event", "id": event}));
    assert_eq!((&last["requestId"], &last["address"]), (&Value::Null, &Value::Null));
    // The trial was started by a step, because the organization was created.
    let created = entries.iter().find(|entry| entry["action"] == "organization.created").unwrap();
    let trial = entries.iter().find(|entry| entry["action"] == "subscription.created").unwrap();
    assert_eq!(created["actor"], json!({"kind": "platform", "id": null}));
    assert_eq!(created["onBehalfOf"], json!({"kind": "organization", "id": acme.tenant.organization()}));
    assert!(created["requestId"].as_str().unwrap().starts_with("req_"));
    assert_eq!(trial["actor"]["kind"], "system");
    assert_eq!(trial["onBehalfOf"], json!({"kind": "event", "id": created["events"][0]}));
}
