//! Requests of pages of other origins: an allowed one reads the answers to access tokens, nobody those to keys.

use serde_json::json;
use tenantry::kernel::time::seconds;

use crate::credentials::cast::{member, token};
use crate::support::world::{Answer, Credential, PLATFORM_KEY, World, vendor};

const PAGE: &str = "https://app.example.com";
const STRANGER: &str = "https://evil.example";

fn world() -> World {
    let world = World::new();
    world.write(&vendor(), "PUT", "/v1/allowed-origins", &json!({"origins": [PAGE, "http://localhost:5173"]})).expect(200);
    world
}

fn from(world: &World, origin: &str, who: &Credential, method: &str, path: &str) -> Answer {
    world.send(who, method, path, &[("origin", origin), ("content-type", "application/json")], "{}")
}

fn preflight(world: &World, origin: &str, method: &str, path: &str) -> Answer {
    let headers = [("origin", origin), ("access-control-request-method", method), ("access-control-request-headers", "authorization")];
    world.send(&Credential::Nobody, "OPTIONS", path, &headers, "")
}

/// The origin that may read the answer; empty for none.
fn reader(answer: &Answer) -> &str {
    assert!(answer.header("access-control-allow-credentials").is_empty(), "no cookies are used");
    answer.header("access-control-allow-origin")
}

fn varies(answer: &Answer) -> bool {
    answer.headers.get_all("vary").iter().any(|value| value == "Origin")
}

#[test]
fn a_preflight_is_answered_by_the_origin_alone() {
    let world = world();
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
        for path in ["/v1/organization", "/v1/usage/consumption", "/v1/sessions", "/v1/nothing"] {
            for origin in [PAGE, "http://localhost:5173"] {
                let answer = preflight(&world, origin, method, path);
                assert_eq!((answer.status, answer.text.as_str(), reader(&answer)), (204, "", origin), "{method} {path}");
                assert!(answer.header("access-control-allow-methods").split(", ").any(|allowed| allowed == method), "{method}");
                let headers: Vec<&str> = answer.header("access-control-allow-headers").split(", ").collect();
                for name in ["Authorization", "Content-Type", "Idempotency-Key"] {
                    assert!(headers.contains(&name), "{name}");
                }
                assert!(!headers.contains(&"Tenantry-Organization"), "only platform keys need this");
                assert_eq!(answer.header("access-control-max-age"), "600");
                assert!(varies(&answer) && answer.header("request-id").starts_with("req_"));
            }
            for origin in [STRANGER, "null", "https://app.example.com:8443", "http://app.example.com", "https://APP.example.com"] {
                let answer = preflight(&world, origin, method, path);
                assert_eq!((answer.status, reader(&answer)), (403, ""), "{origin}");
                assert_eq!((&answer.body["code"], varies(&answer)), (&json!("origin_not_allowed"), true));
            }
        }
    }
}

#[test]
fn options_that_is_no_preflight_is_a_method_like_any_other() {
    let world = world();
    world.send(&Credential::Nobody, "OPTIONS", "/v1/usage", &[], "").expect(405);
    let answer = world.send(&Credential::Nobody, "OPTIONS", "/v1/usage", &[("origin", PAGE)], "");
    assert_eq!((answer.status, reader(&answer)), (405, PAGE));
    let answer = world.send(&Credential::Nobody, "OPTIONS", "/v1/usage", &[("access-control-request-method", "GET")], "");
    assert_eq!((answer.status, reader(&answer)), (405, ""));
}

#[test]
fn an_allowed_page_reads_answers_and_problems_of_an_access_token() {
    let world = world();
    let acme = world.sign_up("Acme");
    let owner = Credential::Bearer(token(&world, member(&acme, Some("owner"))));
    for (method, path, status) in [
        ("GET", "/v1/organization", 200),
        ("GET", "/v1/usage", 200),
        ("POST", "/v1/usage/consumption", 400),
        ("GET", "/v1/organizations", 403),
        ("GET", "/v1/invoices/inv_00000000000000000000000001", 404),
        ("PUT", "/v1/organization", 405),
        ("GET", "/v1/nothing", 404),
    ] {
        let answer = from(&world, PAGE, &owner, method, path);
        assert_eq!((answer.status, reader(&answer)), (status, PAGE), "{method} {path}: {}", answer.text);
        let exposed: Vec<&str> = answer.header("access-control-expose-headers").split(", ").collect();
        for name in ["Request-Id", "Retry-After", "RateLimit", "RateLimit-Policy", "Idempotent-Replayed"] {
            assert!(exposed.contains(&name), "{name} of {path}");
        }
        assert!(varies(&answer));
        assert_eq!(reader(&from(&world, STRANGER, &owner, method, path)), "", "{method} {path}");
    }
    let expired = from(&world, PAGE, &Credential::Bearer("a.b.c".into()), "GET", "/v1/organization");
    assert_eq!((expired.status, reader(&expired)), (401, PAGE), "a page has to read that its token is no longer valid");
}

#[test]
fn a_login_in_a_page_needs_no_credential() {
    let world = world();
    for path in ["/v1/signup", "/v1/login", "/v1/sessions", "/v1/session-refreshments", "/v1/invitation-acceptances"] {
        let answer = from(&world, PAGE, &Credential::Nobody, "POST", path);
        assert_eq!((answer.status, reader(&answer)), (400, PAGE), "{path}: {}", answer.text);
        assert_eq!(reader(&from(&world, STRANGER, &Credential::Nobody, "POST", path)), "");
    }
    let missing = from(&world, PAGE, &Credential::Nobody, "GET", "/v1/organization");
    assert_eq!((missing.status, reader(&missing)), (401, PAGE));
}

#[test]
fn no_page_reads_the_answer_to_a_key() {
    let world = world();
    let acme = world.sign_up("Acme");
    let tenant = acme.key(&["*"]);
    for who in [tenant, vendor(), acme.vendor(), Credential::Bearer("tk_org_wrong".into())] {
        for path in ["/v1/usage", "/v1/organization", "/v1/organizations", "/v1/nothing"] {
            let answer = from(&world, PAGE, &who, "GET", path);
            assert_eq!((reader(&answer), answer.header("access-control-expose-headers")), ("", ""), "{who:?} {path}");
        }
    }
    let basic = world.send(&Credential::Nobody, "GET", "/v1/usage", &[("origin", PAGE), ("authorization", PLATFORM_KEY)], "");
    assert_eq!((basic.status, reader(&basic)), (401, ""));
    // The secret of a client is sent in the form, without any header.
    let form = [("origin", PAGE), ("content-type", "application/x-www-form-urlencoded")];
    let grant = world.send(&Credential::Nobody, "POST", "/oauth/token", &form, "grant_type=client_credentials");
    assert_eq!((grant.status, reader(&grant)), (401, ""));
    assert_eq!(preflight(&world, PAGE, "POST", "/oauth/token").status, 403);
}

#[test]
fn a_removed_origin_is_refused_elsewhere_within_a_minute() {
    let world = world();
    let elsewhere = world.with_settings(|_| {});
    let seen = || {
        let answer = world.send_to(&elsewhere, &Credential::Nobody, "GET", "/v1/nothing", &[("origin", PAGE)], "");
        reader(&answer).to_owned()
    };
    assert_eq!(seen(), PAGE);
    world.write(&vendor(), "PUT", "/v1/allowed-origins", &json!({"origins": []})).expect(200);
    assert_eq!(reader(&from(&world, PAGE, &Credential::Nobody, "GET", "/v1/nothing")), "", "here, at once");
    world.pass(seconds(59));
    assert_eq!(seen(), PAGE);
    world.pass(seconds(1));
    assert_eq!(seen(), "");
}

#[test]
fn without_an_origin_nothing_is_read_and_only_what_is_cached_varies() {
    let world = world();
    let elsewhere = world.with_settings(|_| {});
    let send = |path: &str| world.send_to(&elsewhere, &Credential::Nobody, "GET", path, &[], "");
    assert!(varies(&send("/.well-known/oauth-authorization-server")));
    world.directory.fail(1);
    let answer = send("/v1/organization");
    assert_eq!((answer.status, varies(&answer), reader(&answer)), (401, false, ""));
}

#[test]
fn while_the_list_can_not_be_read_no_page_reads_an_answer() {
    let world = world();
    let elsewhere = world.with_settings(|_| {});
    world.directory.fail(1);
    let answer = world.send_to(&elsewhere, &Credential::Nobody, "GET", "/v1/organization", &[("origin", PAGE)], "");
    assert_eq!((answer.status, reader(&answer)), (401, ""));
    world.directory.fail(1);
    let headers = [("origin", PAGE), ("access-control-request-method", "GET")];
    let answer = world.send_to(&elsewhere, &Credential::Nobody, "OPTIONS", "/v1/organization", &headers, "");
    assert!(answer.status >= 500, "{}", answer.text);
}
