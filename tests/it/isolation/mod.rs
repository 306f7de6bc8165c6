//! Tenant isolation, generated from `openapi.json`: every operation, asked by everyone it must not answer, and at last by the right one.
//!
//! An operation without a row in `api/rows.rs` fails, and so does a row without an operation.

mod people;

use serde_json::Value;

use crate::api::cast::Cast;
use crate::api::check::{anonymous, check, difference, refusal, refused, state, state_of, unchanged};
use crate::api::document::{self, Operation};
use crate::api::rows::{ROWS, Row, each};
use crate::support::world::{Credential, vendor};

#[test]
fn every_operation_has_a_row_and_every_row_an_operation() {
    let mut operations: Vec<&str> = document::operations().iter().map(|operation| operation.id).collect();
    let mut rows: Vec<&str> = ROWS.iter().map(|row| row.operation).collect();
    operations.sort_unstable();
    rows.sort_unstable();
    assert_eq!(
        operations, rows,
        "left: openapi.json; right: ROWS. Say in tests/it/api/rows.rs how the operation is called rightly, and on whose object"
    );
}

#[test]
fn nobody_without_a_good_credential_gets_an_answer() {
    // What is refused changes nothing: one cast is enough for all rows, here and wherever everything is refused.
    let cast = Cast::new();
    let (keys, former) = (cast.bad_credentials(), people::Former::new(&cast));
    for (row, operation) in each().filter(|(_, operation)| !operation.is_public()) {
        let asked = row.ask(&cast, &operation, &Credential::Nobody);
        let tokens = former.tokens();
        unchanged(&cast.world, row.operation, || {
            for (name, credential) in keys.iter().chain(&tokens) {
                let answer = refused(&cast.world, &asked.by(credential), refusal(401, "unauthenticated", ""));
                assert!(!names(&anonymous(&answer), &cast.acme), "{}: {name} tells whose it was: {}", row.operation, answer.text);
            }
        });
        cast.settle(row.operation);
    }
}

#[test]
fn every_permission_but_the_needed_one_is_too_little() {
    let cast = Cast::new();
    for (row, operation) in each() {
        let Some(needed) = needed(&operation) else { continue };
        let known = row.ask(&cast, &operation, &Credential::Nobody);
        let unknown = row.unknown().map(|unknown| row.ask_for(&cast, &operation, &Credential::Nobody, unknown));
        let key = cast.acme().key(&people::others(needed));
        let callers = [key, people::all_but(&cast, needed), people::without_role(&cast)];
        unchanged(&cast.world, row.operation, || {
            for who in &callers {
                let answer = refused(&cast.world, &known.by(who), refusal(403, "forbidden", ""));
                assert_eq!(answer.body["missingPermission"], needed, "{}", row.operation);
                assert!(answer.body["detail"].as_str().unwrap().contains(needed), "{}: {}", row.operation, answer.text);
                if let Some(unknown) = &unknown {
                    let unknown = refused(&cast.world, &unknown.by(who), refusal(403, "forbidden", ""));
                    assert_eq!(anonymous(&answer), anonymous(&unknown), "{}: whether it exists, they don't learn", row.operation);
                }
            }
        });
        cast.settle(row.operation);
    }
}

#[test]
fn the_needed_permission_on_another_team_is_too_little() {
    let cast = Cast::new();
    for (row, operation) in each() {
        let Some(needed) = needed(&operation) else { continue };
        let asked = row.ask(&cast, &operation, &people::only_on_another_team(&cast, needed));
        if row.operation == "listTeams" {
            let answer = asked.send(&cast.world).expect(200);
            assert!(!names(&answer, &cast.team()) && answer["data"].as_array().is_some_and(|teams| teams.len() == 1), "{answer}");
            continue;
        }
        let answer = check(&cast.world, &asked, refusal(403, "forbidden", ""));
        assert_eq!(answer.body["missingPermission"], needed, "{}", row.operation);
        cast.settle(row.operation);
    }
}

/// The one permission that an operation needs.
fn needed(operation: &Operation) -> Option<&'static str> {
    match operation.scopes().unwrap_or_default()[..] {
        [] => None,
        [needed] => Some(needed),
        ref several => panic!("{}: say here what it means to lack one of {several:?}", operation.id),
    }
}

#[test]
fn the_vendors_endpoints_and_peoples_own_are_closed_to_every_company() {
    let cast = Cast::new();
    for (row, operation) in each().filter(|(_, operation)| operation.scopes().is_none() && !operation.is_public()) {
        let known = row.ask(&cast, &operation, &Credential::Nobody);
        let unknown = row.unknown().map(|unknown| row.ask_for(&cast, &operation, &Credential::Nobody, unknown));
        let mut callers = vec![cast.acme().key(&["*"]), cast.globex().key(&["*"])];
        if !operation.is_a_persons() {
            callers.extend([people::owner(&cast, &cast.acme), people::owner(&cast, &cast.globex)]);
        }
        unchanged(&cast.world, row.operation, || {
            for who in &callers {
                let answer = refused(&cast.world, &known.by(who), refusal(403, "forbidden", ""));
                if let Some(unknown) = &unknown {
                    let unknown = refused(&cast.world, &unknown.by(who), refusal(403, "forbidden", ""));
                    assert_eq!(anonymous(&answer), anonymous(&unknown), "{}: whether it exists, a company doesn't learn", row.operation);
                }
            }
        });
        cast.settle(row.operation);
    }
}

#[test]
fn the_vendor_acts_for_nobody_without_saying_for_whom() {
    let cast = Cast::new();
    let names_one =
        |operation: &Operation| operation.scopes().is_some_and(|scopes| !scopes.is_empty()) || operation.is_vendors_for_an_organization();
    for (row, operation) in each().filter(|(_, operation)| names_one(operation)) {
        let expected = refusal(400, "organization_required", "Tenantry-Organization");
        check(&cast.world, &row.ask(&cast, &operation, &vendor()), expected);
        cast.settle(row.operation);
    }
}

#[test]
fn a_stranger_finds_nothing_of_acmes() {
    for (row, operation) in each().filter(|(_, operation)| operation.scopes().is_some() || operation.is_vendors_for_an_organization()) {
        let cast = Cast::new();
        // One after the other: where Globex has an owner, only they hand it over without saying who does.
        let strangers: [&dyn Fn() -> Credential; 3] =
            [&|| cast.globex().key(&["*"]), &|| cast.globex().vendor(), &|| people::owner(&cast, &cast.globex)];
        let strangers = if operation.is_vendors_for_an_organization() { &strangers[1..2] } else { &strangers[..] };
        for stranger in strangers {
            let stranger = stranger();
            // What it needs of Acme's is there before.
            row.ask(&cast, &operation, &stranger);
            cast.prepare(row.operation, &cast.globex);
            let before = state_of(&cast.world, &cast.acme);
            if let Some(unknown) = row.unknown() {
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
fn a_strangers_own_is_nothing_of_acmes() {
    let cast = Cast::new();
    cast.ada();
    let stranger = people::owner(&cast, &cast.globex);
    for (row, operation) in each().filter(|(_, operation)| operation.is_a_persons()) {
        // What it needs of Acme's is there before.
        let asked = row.ask(&cast, &operation, &stranger);
        let before = state_of(&cast.world, &cast.acme);
        let answer = asked.send(&cast.world);
        assert!(answer.status < 500 && !names(&answer.body, &cast.acme), "{}: {}", row.operation, answer.text);
        let changes = difference(&before, &state_of(&cast.world, &cast.acme));
        assert!(changes.is_empty(), "{}: a stranger changed {changes:#?}", row.operation);
    }
}

#[test]
fn the_right_credential_is_answered() {
    for (row, operation) in each() {
        let cast = Cast::new();
        let credentials = match operation.scopes() {
            // There, `Authorization` is how a client proves itself (RFC 6749, 2.3): nobody else's may stand in it.
            None if row.operation == THE_CLIENTS_OWN => vec![Credential::Nobody],
            // Whoever has the token or the code; who else they are doesn't matter.
            None if operation.is_public() => vec![Credential::Nobody, cast.globex().vendor()],
            None if operation.is_a_persons() => vec![cast.ada()],
            None if operation.is_vendors_for_an_organization() => vec![cast.acme().vendor()],
            None => vec![vendor()],
            Some(scopes) if scopes.is_empty() => vec![vendor(), cast.acme().key(&["members.read"])],
            Some(scopes) => vec![cast.acme().key(&scopes), cast.acme().key(&["*"]), cast.acme().vendor()],
        };
        for (index, credential) in credentials.iter().enumerate() {
            assert_answered(&cast, row, &operation, credential, index == 0);
        }
    }
}

/// The token endpoint.
const THE_CLIENTS_OWN: &str = "createAccessToken";

#[test]
fn the_token_endpoint_takes_nobodys_authorization_but_the_clients() {
    let cast = Cast::new();
    let (row, operation) = each().find(|(row, _)| row.operation == THE_CLIENTS_OWN).unwrap();
    for who in [cast.acme().key(&["*"]), cast.acme().vendor(), people::owner(&cast, &cast.acme)] {
        let answer = row.ask(&cast, &operation, &who).send(&cast.world);
        assert_eq!(answer.expect(401)["error"], "invalid_client");
    }
}

#[test]
fn the_right_member_is_answered() {
    // Reads change nothing.
    let readers = Cast::new();
    for (row, operation) in each() {
        let Some(scopes) = operation.scopes() else { continue };
        let own = (operation.method != "GET").then(Cast::new);
        let cast = own.as_ref().unwrap_or(&readers);
        let least = scopes.first().map_or_else(|| people::without_role(cast), |needed| people::only(cast, needed));
        assert_answered(cast, row, &operation, &least, true);
        assert_answered(cast, row, &operation, &people::owner(cast, &cast.acme), false);
    }
}

/// Operations that are a `POST` because of what they read, and change nothing.
const WITHOUT_EFFECT: &[&str] = &["simulate", "previewSubscriptionChange", "previewMigration", "estimatePrice"];

/// The operation does what it is for; a write, when it is the `first`, is seen in the stores.
fn assert_answered(cast: &Cast, row: &Row, operation: &Operation, who: &Credential, first: bool) {
    let asked = row.ask(cast, operation, who);
    let before = state(&cast.world);
    let answer = asked.send(&cast.world);
    assert_eq!(answer.status, operation.status(), "{}: {}", row.operation, answer.text);
    let is_first_write = operation.method != "GET" && first && !WITHOUT_EFFECT.contains(&row.operation);
    assert!(!is_first_write || before != state(&cast.world), "{}: what it does is seen in the stores", row.operation);
    assert!(!names(&answer.body, &cast.globex) || operation.scopes().is_none(), "{}: {}", row.operation, answer.text);
}

fn names(body: &Value, id: &str) -> bool {
    body.to_string().contains(id)
}
