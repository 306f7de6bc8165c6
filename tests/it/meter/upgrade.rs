//! Storage from before there was a log: the counts are kept, and the log begins after them.

use serde_json::json;
use tenantry::meter::contract::Call;

use crate::meter::world::{World, entitlements, usage};

/// The tables of version 1, with the rows of an organization.
fn version_1() -> World {
    let world = World::untouched();
    let plan = serde_json::to_string(&entitlements()).unwrap();
    for text in [
        "CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID".to_owned(),
        "CREATE TABLE keys (key TEXT PRIMARY KEY, scopes TEXT NOT NULL, expires_at INTEGER, revoked INTEGER NOT NULL) WITHOUT ROWID"
            .to_owned(),
        "CREATE TABLE counters (metric TEXT NOT NULL, period_starts_at INTEGER NOT NULL, used TEXT NOT NULL, level TEXT NOT NULL, \
         invoiced TEXT, raised INTEGER NOT NULL, sequence INTEGER NOT NULL, PRIMARY KEY (metric, period_starts_at)) WITHOUT ROWID"
            .to_owned(),
        "CREATE TABLE replays (key TEXT PRIMARY KEY, record TEXT NOT NULL, created_at INTEGER NOT NULL) WITHOUT ROWID".to_owned(),
        "CREATE TABLE facts (sequence INTEGER PRIMARY KEY, name TEXT NOT NULL, version INTEGER NOT NULL, data TEXT NOT NULL, \
         occurred_at INTEGER NOT NULL)"
            .to_owned(),
        "CREATE TABLE closings (period_starts_at INTEGER PRIMARY KEY, period_ends_at INTEGER NOT NULL, reply TEXT NOT NULL)".to_owned(),
        format!("INSERT INTO settings (name, value) VALUES ('entitlements', '{plan}')"),
        "INSERT INTO counters VALUES ('apiCalls', 1767225600000, '850', '0', NULL, 1, 41), ('users', 1764547200000, '7', '5', '7', 0, 40)"
            .to_owned(),
        "INSERT INTO replays VALUES ('k', 'whatever it was', 1767225600000)".to_owned(),
        r#"INSERT INTO facts VALUES (1, 'Usage.started', 1, '{"metric":"apiCalls"}', 1767225600000)"#.to_owned(),
        r#"INSERT INTO closings VALUES (1764547200000, 1767225600000, '{"used":{"users":7},"late":[]}')"#.to_owned(),
    ] {
        world.sql.forget(&text);
    }
    world
}

#[test]
fn counters_survive_and_the_log_goes_on_from_their_events() {
    let mut world = version_1();
    assert_eq!((world.current("apiCalls"), world.current("users")), (json!(850), json!(5)));
    assert_eq!(world.fact_names(), ["Usage.started apiCalls"]);
    let counted = world.send(usage(json!({"metric": "apiCalls", "amount": 50, "idempotencyKey": "k"})));
    assert_eq!((counted.short().as_str(), &counted.body["sequence"]), ("200 900", &json!(42)));
    assert_eq!(world.fact_names(), ["Usage.started apiCalls", "Usage.warning apiCalls"], "raised facts are not raised again");
    let bounds = entitlements().boundaries;
    let closing = world.call(Call::ClosePeriod { starts_at: bounds[0], ends_at: bounds[1] });
    assert_eq!(closing, json!({"used": {"users": 7}, "late": []}), "what was billed stays as it was");
    world.restart();
    assert_eq!(world.send(usage(json!({"metric": "users", "amount": 2}))).short(), "200 7");
    assert_eq!(world.roll_up().len(), 2);
    let call = Call::ExportProof { from: bounds[0], to: bounds[12], after: 0 };
    let proof = world.call(call)["lines"].as_str().unwrap().to_owned();
    let verification = verify::verify(proof.as_bytes()).unwrap();
    assert_eq!((verification.verdict, verification.is_complete), (Ok(()), false), "{proof}");
}

#[test]
fn an_upgrade_that_fails_is_taken_back_and_done_again() {
    for statements in 0.. {
        let mut world = version_1();
        let before = world.sql.dump();
        world.sql.fail_after(statements);
        let result = world.try_call(Call::CurrentUsage);
        world.sql.recover();
        if result.is_ok() {
            assert!(statements > 10, "each statement may fail");
            break;
        }
        assert_eq!(world.sql.dump(), before);
        assert_eq!(world.current("apiCalls"), 850);
    }
}
