//! Paths and methods: what is not there, and ids that lead nowhere.

use crate::api::cast::Cast;
use crate::api::check::{anonymous, ask, check, refusal};
use crate::api::document;
use crate::support::world::{Credential, PLATFORM_KEY, World, vendor};
use axum::body::Body;
use futures::executor::block_on;
use http::Request;

const NO_ROUTES: [&str; 13] = [
    "/v1",
    "/v1/",
    "/v2/usage",
    "/v1/usage/",
    "/v1//usage",
    "/v1/Usage",
    "/v1/organizations/{acme}/invoices",
    "/v1/quotas",
    "/v1/quotas/",
    "/openapi.yaml",
    "/v1/usage/consumption/1",
    "/v1/organizations/{acme}/limits/",
    "/v1/organizations/{acme}/limits/apiCalls/1",
];

#[test]
fn there_is_no_such_endpoint() {
    let cast = Cast::new();
    for path in NO_ROUTES {
        for who in [Credential::Nobody, cast.admin(), vendor()] {
            for method in ["GET", "POST"] {
                check(&cast.world, &ask(&who, method, &cast.fill(path)).json("{}"), refusal(404, "route_not_found", ""));
            }
        }
    }
}

#[test]
fn a_wrong_method_hears_the_right_ones() {
    let cast = Cast::new();
    let admin = cast.admin();
    let mut paths: Vec<&str> = document::operations().iter().map(|operation| operation.path).collect();
    paths.dedup();
    for template in paths {
        let path = template
            .replace("{id}", &cast.spare_key)
            .replace("{key}", "starter")
            .replace("{metric}", "apiCalls")
            .replace("{grant}", &cast.grant)
            .replace("{discount}", "disc_00000000000000000000000001")
            .replace("{credit}", "credit_00000000000000000000000001");
        let right: Vec<String> =
            document::operations().into_iter().filter(|operation| operation.path == template).map(|operation| operation.method).collect();
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE"].into_iter().filter(|method| !right.iter().any(|right| right == method)) {
            let answer = check(&cast.world, &ask(&admin, method, &path).json("{}"), refusal(405, "method_not_allowed", ""));
            let mut allowed: Vec<&str> = answer.header("allow").split(',').map(str::trim).filter(|method| *method != "HEAD").collect();
            allowed.sort_unstable();
            let mut right: Vec<&str> = right.iter().map(String::as_str).collect();
            right.sort_unstable();
            assert_eq!(allowed, right, "{method} {path}");
        }
    }
}

/// Paths to an object, with a place for the id; who may ask; the body.
const OBJECTS: &[(&str, &str, bool, &str, &str)] = &[
    ("GET", "/v1/organizations/", true, "org_", ""),
    ("PATCH", "/v1/organizations/", true, "org_", r#"{"name":"Mine"}"#),
    ("GET", "/v1/metrics/", false, "", ""),
    ("DELETE", "/v1/organizations/{acme}/grants/", true, "grant_", ""),
    ("GET", "/v1/test-clocks/", true, "clock_", ""),
    ("PUT", "/v1/test-clocks/", true, "clock_", r#"{"now":"2030-01-01T00:00:00Z"}"#),
    ("GET", "/v1/invoices/", false, "inv_", ""),
    ("GET", "/v1/credit-notes/", false, "cn_", ""),
    ("DELETE", "/v1/organizations/{acme}/discounts/", true, "disc_", ""),
    ("DELETE", "/v1/organizations/{acme}/credits/", true, "credit_", ""),
    ("GET", "/v1/api-keys/", false, "key_", ""),
    ("DELETE", "/v1/api-keys/", false, "key_", ""),
    ("GET", "/v1/members/", false, "user_", ""),
    ("PATCH", "/v1/members/", false, "user_", r#"{"jobTitle":"Engineer"}"#),
    ("DELETE", "/v1/members/", false, "user_", ""),
    ("GET", "/v1/invitations/", false, "invitation_", ""),
    ("DELETE", "/v1/invitations/", false, "invitation_", ""),
    ("GET", "/v1/oauth-clients/", false, "client_", ""),
    ("DELETE", "/v1/oauth-clients/", false, "client_", ""),
    ("GET", "/v1/platform-keys/", true, "platformkey_", ""),
    ("DELETE", "/v1/platform-keys/", true, "platformkey_", ""),
    ("GET", "/v1/plans/", false, "", ""),
    ("PUT", "/v1/onboarding/items/", false, "", r#"{"status":"completed"}"#),
];

#[test]
fn an_id_that_leads_nowhere_is_not_found() {
    let cast = Cast::new();
    let admin = cast.admin();
    for (method, path, is_vendors, prefix, body) in OBJECTS {
        let who = if *is_vendors { vendor() } else { admin.clone() };
        let (one, other) = (format!("{prefix}00000000000000000000000001"), format!("{prefix}7zzzzzzzzzzzzzzzzzzzzzzzzz"));
        let path = cast.fill(path);
        let found = |id: &str| check(&cast.world, &ask(&who, method, &format!("{path}{id}")).json(*body), refusal(404, "not_found", ""));
        assert_eq!(anonymous(&found(&one)), anonymous(&found(&other)), "{path}");
        for id in ["x", "inv_", "..", "%00", "%F0%9F%A6%80", "sub_00000000000000000000000001", &"9".repeat(5_000)] {
            found(id);
        }
    }
}

#[test]
fn an_unknown_dead_letter_is_not_replayed() {
    let cast = Cast::new();
    let unknown = "00000000000000000000000001";
    let mut ids: Vec<String> = ["", "x", "message:", "step:::", "mail::", "message:x"].map(str::to_owned).to_vec();
    ids.extend([
        format!("message:letter_{unknown}"),
        format!("mail:{}:mail_{unknown}", cast.acme),
        format!("mail:org_{unknown}:mail_{unknown}"),
    ]);
    ids.extend([format!("step:{}:evt_{unknown}:trials.start_trial", cast.acme), format!("{}:x", cast.dead_letter)]);
    for id in ids {
        let body = serde_json::json!({"id": id}).to_string();
        check(&cast.world, &ask(&vendor(), "POST", "/v1/dead-letters/replays").json(body), refusal(404, "not_found", ""));
    }
    let body = serde_json::json!({"id": cast.dead_letter}).to_string();
    assert_eq!(ask(&vendor(), "POST", "/v1/dead-letters/replays").json(body.clone()).send(&cast.world).status, 204);
    check(&cast.world, &ask(&vendor(), "POST", "/v1/dead-letters/replays").json(body), refusal(404, "not_found", ""));
}

#[test]
fn what_is_outside_the_contract_answers() {
    let cast = Cast::new();
    for path in ["/healthz", "/openapi.json"] {
        let answer = ask(&Credential::Nobody, "GET", path).send(&cast.world);
        assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"), "{path}");
        assert!(answer.header("request-id").starts_with("req_"), "{path}");
    }
    check(&cast.world, &ask(&Credential::Nobody, "POST", "/healthz"), refusal(405, "method_not_allowed", ""));
}

#[test]
fn what_went_wrong_inside_is_known_to_the_log_and_to_nobody_else() {
    let world = World::new();
    world.directory.meddle("DROP TABLE dead_letters").unwrap();
    let request = Request::builder().uri("/v1/dead-letters").header("authorization", format!("Bearer {PLATFORM_KEY}"));
    let answer = block_on(tenantry::api::handle(world.app.clone(), request.body(Body::empty()).unwrap()));
    assert_eq!(answer.status(), 500);
    let cause = answer.extensions().get::<tenantry::http::refusal::Cause>().expect("the log gets the cause");
    assert!(format!("{cause:?}").contains("dead_letters"), "{cause:?}");
    let body = block_on(http_body_util::BodyExt::collect(answer.into_body())).unwrap().to_bytes();
    assert!(!String::from_utf8_lossy(&body).contains("dead_letters"), "{body:?}");
}
