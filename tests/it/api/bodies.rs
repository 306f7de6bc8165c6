//! What is wrong with a body whatever the endpoint: its type, its size, its syntax, its members.

use std::sync::LazyLock;

use crate::api::cast::Cast;
use crate::api::check::{Ask, accept, ask, check, refusal};
use crate::api::document;
use crate::support::world::{Credential, vendor};

/// An endpoint that takes a body, a body that is good, and the size it may have.
struct Endpoint {
    method: &'static str,
    path: &'static str,
    good: &'static str,
    status: u16,
    bytes_max: usize,
}

const ORDINARY: usize = 64 * 1024;
const BATCH: usize = 1024 * 1024;

const fn takes(method: &'static str, path: &'static str, good: &'static str, status: u16, bytes_max: usize) -> Endpoint {
    Endpoint { method, path, good, status, bytes_max }
}

const PLAN: &str =
    r#"{"key":"growth{fresh}","name":"Growth","prices":[{"currency":"USD","interval":"month","price":{"model":"flat","amount":"99"}}]}"#;
const PLAN_VERSION: &str =
    r#"{"name":"Professional","prices":[{"currency":"USD","interval":"month","price":{"model":"flat","amount":"249"}}]}"#;

const ENDPOINTS: &[Endpoint] = &[
    takes("POST", "/v1/organizations", r#"{"name":"Initech","email":"admin@initech.example"}"#, 201, ORDINARY),
    takes("PATCH", "/v1/organizations/{acme}", r#"{"name":"Acme Ltd"}"#, 200, ORDINARY),
    takes("POST", "/v1/metrics", r#"{"key":"tokens{fresh}","aggregation":"sum","kind":"consumable"}"#, 201, ORDINARY),
    takes("POST", "/v1/plans", PLAN, 201, ORDINARY),
    takes("PATCH", "/v1/plans/professional", r#"{"visibility":"hidden"}"#, 200, ORDINARY),
    takes("POST", "/v1/plans/professional/versions", PLAN_VERSION, 201, ORDINARY),
    takes("POST", "/v1/plans/professional/migration-previews", r#"{"from":1,"to":2}"#, 200, ORDINARY),
    takes("POST", "/v1/plans/professional/migrations", r#"{"from":1,"to":2,"effective":"period_end"}"#, 200, ORDINARY),
    takes("PUT", "/v1/seller", r#"{"name":"Northwind"}"#, 200, ORDINARY),
    takes("PUT", "/v1/allowed-origins", r#"{"origins":["https://app.example.com"]}"#, 200, ORDINARY),
    takes("POST", "/v1/simulations", r#"{"plan":"starter","to":"2026-12-01T00:00:00Z"}"#, 200, ORDINARY),
    takes("POST", "/v1/price-estimates", r#"{"price":{"model":"flat","amount":"1"},"quantity":1,"currency":"USD"}"#, 200, ORDINARY),
    takes("PUT", "/v1/organizations/{acme}/entitlements/sso", r#"{"value":false}"#, 200, ORDINARY),
    takes("PUT", "/v1/organizations/{acme}/limits/apiCalls", r#"{"limit":7}"#, 200, ORDINARY),
    takes("POST", "/v1/organizations/{acme}/grants", r#"{"metric":"apiCalls","amount":7}"#, 201, ORDINARY),
    takes("POST", "/v1/test-clocks", r#"{"now":"2026-01-31T00:00:00Z"}"#, 201, ORDINARY),
    takes("PUT", "/v1/test-clocks/{clock}", r#"{"now":"2026-02-21T00:00:00Z"}"#, 200, ORDINARY),
    takes("POST", "/v1/organizations/{acme}/discounts", r#"{"name":"Launch","percentage":"10","duration":"once"}"#, 201, ORDINARY),
    takes("PUT", "/v1/organizations/{acme}/taxes", r#"{"rates":[]}"#, 200, ORDINARY),
    takes("POST", "/v1/organizations/{acme}/credits", r#"{"amount":"7.00","currency":"EUR","source":"promotional"}"#, 201, ORDINARY),
    takes("POST", "/v1/invoices/{openInvoice}/payment", r#"{"method":"bank_transfer"}"#, 201, ORDINARY),
    takes("POST", "/v1/invoices/{openInvoice}/void", r#"{"reason":"by mistake"}"#, 200, ORDINARY),
    takes("POST", "/v1/refunds/{refund}/payment", r#"{"method":"bank_transfer"}"#, 200, ORDINARY),
    takes("POST", "/v1/credit-notes", r#"{"invoice":"{openInvoice}","reason":"outage","amount":"0.01"}"#, 201, ORDINARY),
    takes("POST", "/v1/usage", r#"{"metric":"apiCalls"}"#, 200, ORDINARY),
    takes("POST", "/v1/usage/consumption", r#"{"metric":"apiCalls"}"#, 200, ORDINARY),
    takes("POST", "/v1/usage/batch", r#"{"events":[{"metric":"apiCalls"}]}"#, 200, BATCH),
    takes("POST", "/v1/reservations", r#"{"metric":"apiCalls"}"#, 201, ORDINARY),
    takes("POST", "/v1/reservations/{reservation}/settlement", r#"{"amount":1}"#, 200, ORDINARY),
    takes("PATCH", "/v1/organization", r#"{"name":"Acme Inc"}"#, 200, ORDINARY),
    takes("PUT", "/v1/onboarding/items/verifyEmail", r#"{"status":"completed"}"#, 200, ORDINARY),
    takes("PATCH", "/v1/members/{member}", r#"{"jobTitle":"Engineer"}"#, 200, ORDINARY),
    takes("POST", "/v1/invitations", r#"{"email":"body{fresh}@acme.example","role":null}"#, 201, ORDINARY),
    takes("POST", "/v1/invitation-acceptances", r#"{"token":"{token}"}"#, 201, ORDINARY),
    takes("POST", "/v1/signup", r#"{"name":"Initech","email":"admin{fresh}@initech.example"}"#, 201, ORDINARY),
    takes("POST", "/v1/login", r#"{"email":"ada@acme.example"}"#, 202, ORDINARY),
    takes("POST", "/v1/sessions", r#"{"email":"ada@acme.example","code":"{code}"}"#, 201, ORDINARY),
    takes("POST", "/v1/session-refreshments", r#"{"refreshToken":"{refreshToken}"}"#, 201, ORDINARY),
    takes("POST", "/v1/second-factor", "{}", 201, ORDINARY),
    takes("POST", "/v1/second-factor/confirmation", r#"{"code":"{secondFactorCode}"}"#, 201, ORDINARY),
    takes("POST", "/v1/api-keys", r#"{"name":"backend","scopes":["usage.read"]}"#, 201, ORDINARY),
    takes("POST", "/v1/roles", r#"{"key":"role{fresh}","name":"Role","permissions":["usage.read"]}"#, 201, ORDINARY),
    takes("PATCH", "/v1/roles/{role}", r#"{"name":"Keeper"}"#, 200, ORDINARY),
    takes("POST", "/v1/teams", r#"{"name":"Sales"}"#, 201, ORDINARY),
    takes("PATCH", "/v1/teams/{team}", r#"{"name":"Research"}"#, 200, ORDINARY),
    takes("PUT", "/v1/teams/{team}/members/{member}", r#"{"role":"viewer"}"#, 200, ORDINARY),
    takes("POST", "/v1/api-keys/{spareKey}/rotations", r#"{"overlapSeconds":60}"#, 201, ORDINARY),
    takes("POST", "/v1/oauth-clients", r#"{"name":"reports","scopes":["usage.read"]}"#, 201, ORDINARY),
    takes("POST", "/v1/oauth-clients/{client}/rotations", r#"{"overlapSeconds":60}"#, 201, ORDINARY),
    takes("POST", "/v1/platform-keys", r#"{"name":"deployment"}"#, 201, ORDINARY),
    takes("POST", "/v1/platform-keys/{platformKey}/rotations", r#"{"overlapSeconds":60}"#, 201, ORDINARY),
    takes("POST", "/v1/dead-letters/replays", r#"{"id":"{deadLetter}"}"#, 204, ORDINARY),
    takes("POST", "/v1/organizations/{acme}/moves", r#"{"shard":{elsewhere}}"#, 202, ORDINARY),
    takes("PATCH", "/v1/subscription", r#"{"paymentMethod":"card"}"#, 200, ORDINARY),
    takes("POST", "/v1/subscription/changes", r#"{"plan":"enterprise"}"#, 201, ORDINARY),
    takes("POST", "/v1/subscription/change-previews", r#"{"plan":"enterprise"}"#, 200, ORDINARY),
    takes("POST", "/v1/subscription/cancellation", r#"{"effective":"period_end"}"#, 201, ORDINARY),
    takes("POST", "/v1/subscription/pause", r#"{}"#, 201, ORDINARY),
    takes("POST", "/v1/subscription", r#"{"plan":"starter"}"#, 201, ORDINARY),
    // From here on Acme is suspended, and at last cancelled: what is above would be refused.
    takes("PUT", "/v1/organizations/{acme}/suspension", r#"{"reason":"fraud"}"#, 200, ORDINARY),
    takes("POST", "/v1/exports", r#"{"format":"ndjson"}"#, 202, ORDINARY),
    takes("POST", "/v1/organization/ownership-transfers", r#"{"to":"user_00000000000000000000000002"}"#, 201, ORDINARY),
    takes("POST", "/v1/organization/cancellation", r#"{"reason":"we stop"}"#, 201, ORDINARY),
];

impl Endpoint {
    fn ask(&self, cast: &Cast, admin: &Credential) -> Ask {
        let operation = document::operations()
            .into_iter()
            .find(|operation| operation.path == document_path(self.path) && operation.method == self.method)
            .unwrap();
        cast.prepare(operation.id, &cast.acme);
        let who = match operation.scopes() {
            None if operation.is_a_persons() => &cast.ada(),
            None if operation.is_vendors_for_an_organization() => &cast.acme().vendor(),
            None => &VENDOR,
            Some(_) => admin,
        };
        ask(who, self.method, &cast.fill(self.path))
    }

    /// A body that is good, and was not sent before.
    fn good(&self, cast: &Cast) -> String {
        cast.fill(self.good)
    }
}

static VENDOR: LazyLock<Credential> = LazyLock::new(vendor);

fn document_path(path: &str) -> String {
    let path = path.replace("limits/apiCalls", "limits/{metric}").replace("verifyEmail", "{key}");
    let path = path.replace("plans/professional", "plans/{key}").replace("entitlements/sso", "entitlements/{key}");
    let member = if path.contains("{team}") { "members/{member}" } else { "members/{id}" };
    let path = path.replace("members/{member}", member);
    let path = path.replace("{openInvoice}", "{id}").replace("{refund}", "{id}");
    let path = path.replace("{role}", "{id}").replace("{team}", "{id}");
    let path = path.replace("{spareKey}", "{id}").replace("{client}", "{id}").replace("{platformKey}", "{id}");
    path.replace("{acme}", "{id}").replace("{clock}", "{id}").replace("{reservation}", "{id}")
}

/// Bodies that no endpoint takes.
const BAD_BODIES: &[(&[u8], u16, &str)] = &[
    (b"", 400, "malformed_json"),
    (b"{", 400, "malformed_json"),
    (b"{]", 400, "malformed_json"),
    (b"not json", 400, "malformed_json"),
    (b"{'name':1}", 400, "malformed_json"),
    (b"\"text\"", 400, "invalid_value"),
    (b"7", 400, "invalid_value"),
    (b"true", 400, "invalid_value"),
    (b"null", 400, "invalid_value"),
    (b"[]", 400, "invalid_value"),
];

#[test]
fn every_endpoint_with_a_body_is_in_the_table() {
    // CloudEvents come in three forms, each with a type of its own.
    let documented = document::operations().into_iter().filter(|operation| operation.reads() == "application/json");
    let documented = documented.filter(|operation| !operation.about["requestBody"].is_null());
    let mut documented: Vec<(String, String)> = documented.map(|operation| (operation.method, operation.path.to_owned())).collect();
    let mut tabled: Vec<(String, String)> =
        ENDPOINTS.iter().map(|endpoint| (endpoint.method.to_owned(), document_path(endpoint.path))).collect();
    documented.sort();
    tabled.sort();
    assert_eq!(documented, tabled);
}

#[test]
fn a_body_that_is_not_what_it_should_be_is_refused() {
    let cast = Cast::new();
    let admin = cast.admin();
    for endpoint in ENDPOINTS {
        for (body, status, code) in BAD_BODIES {
            check(&cast.world, &endpoint.ask(&cast, &admin).json(*body), refusal(*status, code, ""));
        }
        let twice = endpoint.good(&cast) + "{}";
        check(&cast.world, &endpoint.ask(&cast, &admin).json(twice), refusal(400, "malformed_json", ""));
        let unknown = endpoint.good(&cast).replacen('{', r#"{"typo":1,"#, 1);
        let answer = check(&cast.world, &endpoint.ask(&cast, &admin).json(unknown), refusal(400, "invalid_value", "/typo"));
        assert!(answer.body["detail"].as_str().unwrap().contains("`typo`"), "{}", answer.text);
    }
}

#[test]
fn a_body_that_is_too_large_or_no_json_is_refused_and_the_largest_is_read() {
    let cast = Cast::new();
    let admin = cast.admin();
    for endpoint in ENDPOINTS {
        let good = endpoint.good(&cast);
        let padded = |bytes: usize| good.clone() + &" ".repeat(bytes - good.len());
        for bytes in [endpoint.bytes_max + 1, 3 * 1024 * 1024] {
            check(&cast.world, &endpoint.ask(&cast, &admin).json(padded(bytes)), refusal(413, "body_too_large", ""));
        }
        for media_type in ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", ""] {
            let asked = endpoint.ask(&cast, &admin).header("content-type", media_type).body(good.clone());
            check(&cast.world, &asked, refusal(415, "unsupported_media_type", ""));
        }
        check(&cast.world, &endpoint.ask(&cast, &admin).body(good.clone()), refusal(415, "unsupported_media_type", ""));
        let largest = endpoint.ask(&cast, &admin).json(padded(endpoint.bytes_max)).send(&cast.world);
        assert_eq!(largest.status, endpoint.status, "{} {}", endpoint.path, largest.text);
    }
}

#[test]
fn json_by_any_of_its_names_is_read() {
    let cast = Cast::new();
    let admin = cast.admin();
    for endpoint in ENDPOINTS.iter().filter(|endpoint| !endpoint.good.contains("{deadLetter}")) {
        for media_type in ["application/json; charset=utf-8", "Application/JSON", "application/problem+json"] {
            let asked = endpoint.ask(&cast, &admin).header("content-type", media_type).body(endpoint.good(&cast));
            accept(&cast.world, &asked, endpoint.status);
        }
    }
}
