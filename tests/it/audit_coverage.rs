//! Nothing is changed in silence: every operation of `openapi.json` that writes leaves an entry in an audit log when it is called rightly.

use futures::executor::block_on;
use serde_json::Value;
use tenantry::kernel::sql::{Sql, Statement};

use crate::api::cast::Cast;
use crate::api::document::{self, Operation};
use crate::api::rows::each;
use crate::support::world::{Credential, World, vendor};

/// Operations that write and leave no entry, each with the reason. An operation that leaves one does not belong here.
const SILENT: &[(&str, &str)] = &[
    ("recordUsage", USAGE),
    ("consumeUsage", USAGE),
    ("recordUsageBatch", USAGE),
    ("recordEvents", USAGE),
    ("createReservation", "holds usage for seconds and counts none; what becomes of it is in the Meter's chain"),
    ("settleReservation", USAGE),
    (
        "createAccessToken",
        "gives a machine ten minutes of what its client may do; the client's own entries say who made it and which scopes it has",
    ),
    ("createLogin", "asks for a code by mail, the same for an unknown address; the session that the code opens has an entry"),
    ("refreshSession", "goes on with a session that has an entry; the reuse of an old token ends it, and that has one"),
    ("simulate", "changes nothing: it asks what something would cost"),
    ("previewMigration", "says what would change and changes nothing"),
    ("estimatePrice", "computes what a usage would cost and keeps nothing"),
    ("previewSubscriptionChange", "shows what a change would bill, and changes nothing"),
    ("releaseReservation", "counts none; reservations are the Meter's"),
];
const USAGE: &str = "usage is in a chain of its own, the Meter's, which docs/PROOF.md tells how to verify";

/// The entries of all audit logs, as text.
fn entries(world: &World) -> Vec<String> {
    let of = |sql: &dyn Sql| {
        let text = "SELECT entry FROM audit_log ORDER BY organization_id, sequence";
        let outcomes = block_on(sql.batch(vec![Statement { text, params: Vec::new() }])).unwrap();
        outcomes.into_iter().flat_map(|outcome| outcome.rows).map(|row| row["entry"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let shards = world.shards.iter().flat_map(|shard| of(shard.as_ref()));
    of(world.directory.as_ref()).into_iter().chain(shards).collect()
}

fn caller(cast: &Cast, operation: &Operation) -> Credential {
    if operation.is_public() {
        return Credential::Nobody;
    }
    if operation.is_a_persons() {
        return cast.ada();
    }
    if operation.is_vendors_for_an_organization() {
        return cast.acme().vendor();
    }
    operation.scopes().map_or_else(vendor, |scopes| if scopes.is_empty() { cast.acme().vendor() } else { cast.acme().key(&scopes) })
}

#[test]
fn every_write_leaves_an_entry() {
    let mut silent = Vec::new();
    for (row, operation) in each().filter(|(_, operation)| operation.method != "GET") {
        let cast = Cast::new();
        let who = caller(&cast, &operation);
        let asked = row.ask(&cast, &operation, &who);
        let asked = asked.header("cf-connecting-ip", "203.0.113.7").header("user-agent", "tests/1");
        let before = entries(&cast.world);
        let answer = asked.send(&cast.world);
        assert_eq!(answer.status, operation.status(), "{}: {}", row.operation, answer.text);
        let new: Vec<Value> =
            entries(&cast.world).iter().filter(|entry| !before.contains(entry)).map(|entry| serde_json::from_str(entry).unwrap()).collect();
        // What follows from it is written by steps; this is the one that was asked for.
        let own = new.iter().find(|entry| entry["requestId"] == answer.header("request-id"));
        let Some(own) = own else {
            silent.push(row.operation);
            continue;
        };
        assert!(own["action"].as_str().unwrap().contains('.') && !own["target"]["id"].as_str().unwrap().is_empty(), "{own}");
        assert_eq!((&own["address"], &own["userAgent"]), (&"203.0.113.7".into(), &"tests/1".into()), "{}: {own}", row.operation);
        let kind = own["actor"]["kind"].as_str().unwrap();
        // Who comes with a token of a mail has no credential yet: it is done for them.
        let is_for_person = operation.is_public() && own["onBehalfOf"]["kind"] == "person";
        assert!(["platform", "apiKey", "person", "client"].contains(&kind) || is_for_person, "{}: {own}", row.operation);
    }
    silent.sort_unstable();
    let mut expected: Vec<&str> = SILENT.iter().map(|(operation, _)| *operation).collect();
    expected.sort_unstable();
    assert_eq!(
        silent, expected,
        "left: operations that left no entry; right: SILENT. Give the decision an `.audit(...)`, or say in SILENT why there is nothing to tell"
    );
}

#[test]
fn silence_has_a_reason() {
    let is_operation = |id: &str| document::operations().iter().any(|operation| operation.id == id && operation.method != "GET");
    for (operation, reason) in SILENT {
        assert!(is_operation(operation), "{operation} is no operation that writes: remove it from SILENT");
        assert!(reason.len() > 20, "{operation}: say why");
    }
}
