//! Tenant isolation, generated from `openapi.json`: every operation, asked by everyone it must not answer, and at last by the right one.
//!
//! An operation without a row in `api/rows.rs` fails, and so does a row without an operation.

mod support;

#[path = "api/cast.rs"]
mod cast;
#[path = "api/check.rs"]
mod check;
#[path = "api/document.rs"]
mod document;
#[path = "api/rows.rs"]
mod rows;

use serde_json::Value;

use cast::Cast;
use check::{anonymous, check, difference, refusal, state, state_of};
use rows::Parameter::{Object, ObjectInQuery};
use rows::{ROWS, each};
use support::world::{Credential, vendor};

#[test]
fn every_operation_has_a_row_and_every_row_an_operation() {
    let mut operations: Vec<&str> = document::operations().iter().map(|operation| operation.id).collect();
    let mut rows: Vec<&str> = ROWS.iter().map(|row| row.operation).collect();
    operations.sort_unstable();
    rows.sort_unstable();
    assert_eq!(
        operations, rows,
        "left: openapi.json; right: ROWS. Say in tests/api/rows.rs how the operation is called rightly, and on whose object"
    );
}

#[test]
fn nobody_without_a_good_credential_gets_an_answer() {
    for (row, operation) in each().filter(|(_, operation)| !operation.is_public()) {
        let cast = Cast::new();
        for (name, credential) in cast.bad_credentials() {
            // The vendor's endpoints tell an organization key by its MAC alone: it can't open them, good or not.
            let is_turned_away_as_a_key = operation.scopes().is_none() && STALE_KEYS.contains(&name);
            if !is_turned_away_as_a_key {
                check(&cast.world, &row.ask(&cast, &operation, &credential), refusal(401, "unauthenticated", ""));
            }
        }
    }
}

const STALE_KEYS: [&str; 3] = ["a key that was minted and never stored", "an expired key", "a revoked key"];

#[test]
fn every_scope_but_the_needed_one_is_too_little() {
    for (row, operation) in each() {
        let scopes = operation.scopes().unwrap_or_default();
        let [needed] = scopes[..] else { continue };
        let cast = Cast::new();
        let all = tenantry::access::permissions::Permission::ALL.iter().map(|permission| permission.wire_name());
        let others: Vec<&str> = all.filter(|permission| *permission != needed).collect();
        let answer = check(&cast.world, &row.ask(&cast, &operation, &cast.acme().key(&others)), refusal(403, "forbidden", ""));
        assert_eq!(answer.body["missingPermission"], needed, "{}", row.operation);
        assert!(answer.body["detail"].as_str().unwrap().contains(needed), "{}: {}", row.operation, answer.text);
    }
}

#[test]
fn the_vendors_endpoints_and_peoples_own_are_closed_to_every_company() {
    for (row, operation) in each().filter(|(_, operation)| operation.scopes().is_none() && !operation.is_public()) {
        let cast = Cast::new();
        for company in [cast.acme(), cast.globex()] {
            let key = company.key(&["*"]);
            let known = check(&cast.world, &row.ask(&cast, &operation, &key), refusal(403, "forbidden", ""));
            if let Object(_, unknown) = row.parameter {
                let unknown = check(&cast.world, &row.ask_for(&cast, &operation, &key, unknown), refusal(403, "forbidden", ""));
                assert_eq!(anonymous(&known), anonymous(&unknown), "{}: whether it exists, a company doesn't learn", row.operation);
            }
        }
    }
}

#[test]
fn the_vendor_acts_for_nobody_without_saying_for_whom() {
    for (row, operation) in each().filter(|(_, operation)| operation.scopes().is_some_and(|scopes| !scopes.is_empty())) {
        let cast = Cast::new();
        let expected = refusal(400, "organization_required", "Tenantry-Organization");
        check(&cast.world, &row.ask(&cast, &operation, &vendor()), expected);
    }
}

#[test]
fn a_strangers_key_finds_nothing_of_acmes() {
    for (row, operation) in each().filter(|(_, operation)| operation.scopes().is_some()) {
        let cast = Cast::new();
        for stranger in [cast.globex().key(&["*"]), cast.globex().vendor()] {
            // What it needs of Acme's is there before.
            row.ask(&cast, &operation, &stranger);
            cast.prepare(row.operation, &cast.globex);
            let before = state_of(&cast.world, &cast.acme);
            if let Object(_, unknown) | ObjectInQuery(_, _, unknown) = row.parameter {
                let found = check(&cast.world, &row.ask(&cast, &operation, &stranger), refusal(404, "not_found", ""));
                let unknown = check(&cast.world, &row.ask_for(&cast, &operation, &stranger, unknown), refusal(404, "not_found", ""));
                assert_eq!(anonymous(&found), anonymous(&unknown), "{}: as if it had never existed", row.operation);
            } else {
                let answer = row.ask(&cast, &operation, &stranger).send(&cast.world);
                assert_eq!(answer.status, operation.status(), "{}: {}", row.operation, answer.text);
                for secret in [&cast.acme, &cast.invoice, &cast.spare_key, &cast.clock] {
                    assert!(!answer.text.contains(secret.as_str()), "{}: {}", row.operation, answer.text);
                }
            }
            let changes = difference(&before, &state_of(&cast.world, &cast.acme));
            assert!(changes.is_empty(), "{}: a stranger changed {changes:#?}", row.operation);
        }
    }
}

#[test]
fn the_right_credential_is_answered() {
    for (row, operation) in each() {
        let cast = Cast::new();
        let credentials = match operation.scopes() {
            // Whoever has the token or the code; who else they are doesn't matter.
            None if operation.is_public() => vec![Credential::Nobody, cast.globex().vendor()],
            None if operation.is_a_persons() => vec![cast.ada()],
            None => vec![vendor()],
            Some(scopes) if scopes.is_empty() => vec![vendor(), cast.acme().key(&["members.read"])],
            Some(scopes) => vec![cast.acme().key(&scopes), cast.acme().key(&["*"]), cast.acme().vendor()],
        };
        for (index, credential) in credentials.into_iter().enumerate() {
            cast.prepare(row.operation, &cast.acme);
            let before = state(&cast.world);
            let answer = row.ask(&cast, &operation, &credential).send(&cast.world);
            assert_eq!(answer.status, operation.status(), "{}: {}", row.operation, answer.text);
            let is_first_write = operation.method != "GET" && index == 0;
            assert!(!is_first_write || before != state(&cast.world), "{}: what it does is seen in the stores", row.operation);
            assert!(!names(&answer.body, &cast.globex) || operation.scopes().is_none(), "{}: {}", row.operation, answer.text);
        }
    }
}

fn names(body: &Value, id: &str) -> bool {
    body.to_string().contains(id)
}
