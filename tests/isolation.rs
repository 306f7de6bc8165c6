//! Tenant isolation, generated from `openapi.json`: every operation, asked by everyone it must not answer, and at last by the right one.
//!
//! An operation without a row here fails, and so does a row without an operation.

mod support;

#[path = "api/cast.rs"]
mod cast;
#[path = "api/check.rs"]
mod check;
#[path = "api/document.rs"]
mod document;

use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::Value;

use cast::Cast;
use check::{Ask, anonymous, ask, check, difference, refusal, state, state_of};
use document::Operation;
use support::world::{Credential, vendor};

/// How to call one operation rightly: what stands for the parameter in its path, and the body.
struct Row {
    operation: &'static str,
    parameter: Parameter,
    body: &'static str,
}

enum Parameter {
    None,
    /// A name that means the same to everybody.
    Name(&'static str),
    /// What has to stand behind the path.
    Query(&'static str),
    /// An object of Acme, and an id of the same kind that nobody has; an object within another one is `outer/inner`.
    Object(&'static str, &'static str),
}

use Parameter::{Name, Object};

const fn row(operation: &'static str, parameter: Parameter, body: &'static str) -> Row {
    Row { operation, parameter, body }
}

const NO_ORGANIZATION: &str = "org_00000000000000000000000001";
const NO_CLOCK: &str = "clock_00000000000000000000000001";
const NO_INVOICE: &str = "inv_00000000000000000000000001";
const NO_INVITATION: &str = "invitation_00000000000000000000000001";
const NO_PERSON: &str = "user_00000000000000000000000001";
const NO_KEY: &str = "key_00000000000000000000000001";
const NO_SESSION: &str = "sess_00000000000000000000000001";
const NO_RESERVATION: &str = "res_00000000000000000000000001";

const ROWS: &[Row] = &[
    row("createOrganization", Parameter::None, r#"{"name":"Initech","email":"admin@initech.example"}"#),
    row("listOrganizations", Parameter::None, ""),
    row("getOrganization", Object("{acme}", NO_ORGANIZATION), ""),
    row("updateOrganization", Object("{acme}", NO_ORGANIZATION), r#"{"name":"Mine"}"#),
    row("createMetric", Parameter::None, r#"{"key":"tokens","aggregation":"sum","kind":"consumable"}"#),
    row("listMetrics", Parameter::None, ""),
    row("getMetric", Name("apiCalls"), ""),
    row("putLimit", Object("{acme}/apiCalls", "org_00000000000000000000000001/apiCalls"), r#"{"limit":7}"#),
    row("deleteLimit", Object("{acme}/projects", "org_00000000000000000000000001/projects"), ""),
    row("listLimits", Object("{acme}", NO_ORGANIZATION), ""),
    row("createGrant", Object("{acme}", NO_ORGANIZATION), r#"{"metric":"apiCalls","amount":7}"#),
    row("listGrants", Object("{acme}", NO_ORGANIZATION), ""),
    row("deleteGrant", Object("{acme}/{grant}", "{acme}/grant_00000000000000000000000001"), ""),
    row("createTestClock", Parameter::None, r#"{"now":"2026-01-31T00:00:00Z"}"#),
    row("getTestClock", Object("{clock}", NO_CLOCK), ""),
    row("advanceTestClock", Object("{clock}", NO_CLOCK), r#"{"now":"2026-02-21T00:00:00Z"}"#),
    row("listParkedWork", Parameter::None, ""),
    row("replayParkedWork", Parameter::None, r#"{"id":"{parked}"}"#),
    row("recordUsage", Parameter::None, r#"{"metric":"apiCalls"}"#),
    row("consumeUsage", Parameter::None, r#"{"metric":"apiCalls"}"#),
    row("recordUsageBatch", Parameter::None, r#"{"events":[{"metric":"apiCalls"}]}"#),
    row("getUsage", Parameter::None, ""),
    row("getQuota", Name("apiCalls"), ""),
    row("recordEvents", Parameter::None, r#"{"specversion":"1.0","id":"e1","source":"/tests","type":"apiCalls"}"#),
    row("createReservation", Parameter::None, r#"{"metric":"apiCalls"}"#),
    row("getReservation", Object("{reservation}", NO_RESERVATION), ""),
    row("settleReservation", Object("{reservation}", NO_RESERVATION), r#"{"amount":1}"#),
    row("releaseReservation", Object("{reservation}", NO_RESERVATION), ""),
    row("getUsageHistory", Parameter::Query("metric=apiCalls"), ""),
    row("exportUsageEvents", Parameter::None, ""),
    row("exportUsageProof", Parameter::None, ""),
    row("followUsage", Parameter::None, ""),
    row("getOwnOrganization", Parameter::None, ""),
    row("updateOwnOrganization", Parameter::None, r#"{"name":"Mine"}"#),
    row("getOnboarding", Parameter::None, ""),
    row("completeOnboardingItem", Name("setUpBilling"), r#"{"status":"completed"}"#),
    row("getSubscription", Parameter::None, ""),
    row("listInvoices", Parameter::None, ""),
    row("getInvoice", Object("{invoice}", NO_INVOICE), ""),
    row("listMembers", Parameter::None, ""),
    row("getMember", Object("{member}", NO_PERSON), ""),
    row("updateMember", Object("{member}", NO_PERSON), r#"{"jobTitle":"{fresh}"}"#),
    row("removeMember", Object("{member}", NO_PERSON), ""),
    row("getSeats", Parameter::None, ""),
    row("createInvitation", Parameter::None, r#"{"email":"{fresh}@acme.example","role":null}"#),
    row("listInvitations", Parameter::None, ""),
    row("getInvitation", Object("{invitation}", NO_INVITATION), ""),
    row("mailInvitation", Object("{invitation}", NO_INVITATION), ""),
    row("revokeInvitation", Object("{invitation}", NO_INVITATION), ""),
    row("acceptInvitation", Parameter::None, r#"{"token":"{token}"}"#),
    row("signUp", Parameter::None, r#"{"name":"Initech","email":"admin{fresh}@initech.example"}"#),
    row("createLogin", Parameter::None, r#"{"email":"ada@acme.example"}"#),
    row("createSession", Parameter::None, r#"{"email":"ada@acme.example","code":"{code}"}"#),
    row("refreshSession", Parameter::None, r#"{"refreshToken":"{refreshToken}"}"#),
    row("listSessions", Parameter::None, ""),
    row("endSession", Object("{session}", NO_SESSION), ""),
    row("endOtherSessions", Parameter::None, ""),
    row("getSecondFactor", Parameter::None, ""),
    row("enrolSecondFactor", Parameter::None, "{}"),
    row("confirmSecondFactor", Parameter::None, r#"{"code":"{secondFactorCode}"}"#),
    row("removeSecondFactor", Parameter::None, ""),
    row("createApiKey", Parameter::None, r#"{"name":"k","scopes":["apiKeys.write"]}"#),
    row("listApiKeys", Parameter::None, ""),
    row("revokeApiKey", Object("{spareKey}", NO_KEY), ""),
    row("listPermissions", Parameter::None, ""),
    row("listPlans", Parameter::None, ""),
    row("getPlan", Name("professional"), ""),
];

#[test]
fn every_operation_has_a_row_and_every_row_an_operation() {
    let mut operations: Vec<&str> = document::operations().iter().map(|operation| operation.id).collect();
    let mut rows: Vec<&str> = ROWS.iter().map(|row| row.operation).collect();
    operations.sort_unstable();
    rows.sort_unstable();
    assert_eq!(operations, rows, "left: openapi.json; right: ROWS. Say in ROWS how the operation is called rightly, and on whose object");
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
            let before = state_of(&cast.world, &cast.acme);
            if let Object(_, unknown) = row.parameter {
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
            // Whoever has the token; who else they are doesn't matter.
            None if operation.is_public() => vec![Credential::Nobody, cast.globex().vendor()],
            None if operation.is_a_persons() => vec![cast.ada()],
            None => vec![vendor()],
            Some(scopes) if scopes.is_empty() => vec![vendor(), cast.acme().key(&["members.read"])],
            Some(scopes) => vec![cast.acme().key(&scopes), cast.acme().key(&["*"]), cast.acme().vendor()],
        };
        for (index, credential) in credentials.into_iter().enumerate() {
            let before = state(&cast.world);
            let answer = row.ask(&cast, &operation, &credential).send(&cast.world);
            assert_eq!(answer.status, operation.status(), "{}: {}", row.operation, answer.text);
            let is_first_write = operation.method != "GET" && index == 0;
            assert!(!is_first_write || before != state(&cast.world), "{}: what it does is seen in the stores", row.operation);
            assert!(!names(&answer.body, &cast.globex) || operation.scopes().is_none(), "{}: {}", row.operation, answer.text);
        }
    }
}

fn each() -> impl Iterator<Item = (&'static Row, Operation)> {
    let find = |row: &Row| document::operations().into_iter().find(|operation| operation.id == row.operation);
    ROWS.iter().filter_map(move |row| Some((row, find(row)?)))
}

impl Row {
    fn ask(&self, cast: &Cast, operation: &Operation, who: &Credential) -> Ask {
        let parameter = match self.parameter {
            Parameter::None | Parameter::Query(_) => "",
            Name(name) => name,
            Object(of_acme, _) => of_acme,
        };
        self.ask_for(cast, operation, who, parameter)
    }

    /// The same for another object.
    fn ask_for(&self, cast: &Cast, operation: &Operation, who: &Credential, parameter: &str) -> Ask {
        let mut parameters = parameter.split('/');
        let mut fill = |part: &'static str| if part.starts_with('{') { parameters.next().unwrap().to_owned() } else { part.to_owned() };
        let path: Vec<String> = operation.path.split('/').map(&mut fill).collect();
        let query = if let Parameter::Query(query) = self.parameter { format!("?{query}") } else { String::new() };
        let asked = ask(who, &operation.method, &(cast.fill(&path.join("/")) + &query)).header("accept", &operation.answers_with());
        if self.body.is_empty() { asked } else { asked.header("content-type", &operation.reads()).body(self.filled(cast)) }
    }
}

impl Row {
    /// Its body; `{fresh}` is another word each time.
    fn filled(&self, cast: &Cast) -> String {
        static SENT: AtomicU32 = AtomicU32::new(0);
        cast.fill(self.body).replace("{fresh}", &SENT.fetch_add(1, Ordering::Relaxed).to_string())
    }
}

fn names(body: &Value, id: &str) -> bool {
    body.to_string().contains(id)
}
