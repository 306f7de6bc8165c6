//! Who may call: no credential, a bad one, one that reaches too short, the vendor's without a company.

use serde_json::json;

use crate::api::cast::{Cast, bearer};
use crate::api::check::{accept, ask, check, refusal};
use crate::support::world::{Credential, PLATFORM_KEY, vendor};

#[test]
fn a_bad_credential_opens_nothing() {
    let cast = Cast::new();
    for (name, credential) in cast.bad_credentials() {
        for (method, path) in [("GET", "/v1/organization"), ("GET", "/v1/plans"), ("POST", "/v1/usage"), ("POST", "/v1/api-keys")] {
            let answer = check(&cast.world, &ask(&credential, method, path).json("{}"), refusal(401, "unauthenticated", ""));
            assert!(answer.header("www-authenticate").starts_with("Bearer realm="), "{name}");
        }
    }
    accept(&cast.world, &ask(&cast.admin(), "GET", "/v1/organization"), 200);
}

#[test]
fn the_header_has_one_form() {
    let cast = Cast::new();
    let Credential::Bearer(key) = cast.admin() else { panic!("a key is a bearer") };
    let send = |value: &str| ask(&Credential::Nobody, "GET", "/v1/organization").header("authorization", value);
    for value in [
        "",
        "Bearer",
        "Bearer ",
        &key,
        &format!("Basic {key}"),
        &format!("Bearer{key}"),
        &format!("Bearer {key} x"),
        &format!("Bearer {}", key.to_uppercase()),
    ] {
        check(&cast.world, &send(value), refusal(401, "unauthenticated", ""));
    }
    for value in [format!("Bearer {key}"), format!("bearer {key}"), format!("BEARER   {key}")] {
        accept(&cast.world, &send(&value), 200);
    }
}

#[test]
fn a_revoked_key_stops_at_once_and_the_others_go_on() {
    let cast = Cast::new();
    let acme = cast.acme();
    let made = accept(&cast.world, &ask(&acme.vendor(), "POST", "/v1/api-keys").json(r#"{"name":"k","scopes":["*"]}"#), 201).body;
    let (key, other) = (bearer(made["secret"].as_str().unwrap()), acme.key(&["usage.read"]));
    let path = format!("/v1/api-keys/{}", made["$id"].as_str().unwrap());
    accept(&cast.world, &ask(&key, "GET", "/v1/usage"), 200);
    accept(&cast.world, &ask(&key, "DELETE", &path), 204);
    check(&cast.world, &ask(&key, "GET", "/v1/usage"), refusal(401, "unauthenticated", ""));
    check(&cast.world, &ask(&key, "DELETE", &path), refusal(401, "unauthenticated", ""));
    accept(&cast.world, &ask(&acme.vendor(), "DELETE", &path), 204);
    accept(&cast.world, &ask(&other, "GET", "/v1/usage"), 200);
}

/// What the vendor says instead of an organization, and what comes of it.
const BAD_ORGANIZATIONS: &[(&str, u16, &str, &str)] = &[
    ("", 400, "organization_required", "Tenantry-Organization"),
    ("org_00000000000000000000000001", 404, "not_found", ""),
    ("acme", 404, "not_found", ""),
    ("{clock}", 404, "not_found", ""),
    ("{acme},{globex}", 404, "not_found", ""),
];

#[test]
fn the_vendor_names_the_company_it_acts_for() {
    let cast = Cast::new();
    for (method, path, body) in
        [("GET", "/v1/organization", ""), ("POST", "/v1/usage", r#"{"metric":"apiCalls"}"#), ("GET", "/v1/invoices", "")]
    {
        check(&cast.world, &ask(&vendor(), method, path).json(body), refusal(400, "organization_required", "Tenantry-Organization"));
        for (named, status, code, pointer) in BAD_ORGANIZATIONS {
            let asked = ask(&vendor(), method, path).json(body).header("tenantry-organization", &cast.fill(named));
            check(&cast.world, &asked, refusal(*status, code, pointer));
        }
        accept(&cast.world, &ask(&cast.acme().vendor(), method, path).json(body), 200);
    }
}

#[test]
fn a_companys_key_acts_for_its_company_whatever_the_header_says() {
    let cast = Cast::new();
    let asked = ask(&cast.admin(), "GET", "/v1/organization").header("tenantry-organization", &cast.globex);
    assert_eq!(accept(&cast.world, &asked, 200).body["$id"], cast.acme);
}

/// The scopes a key holds, those it asks for a new key, and the one it lacks.
const GRANTS: &[(&[&str], &[&str], &str)] = &[
    (&["apiKeys.write"], &["usage.read"], "usage.read"),
    (&["apiKeys.*", "usage.read"], &["usage.*"], "usage.*"),
    (&["apiKeys.write", "usage.*"], &["usage.read", "invoices.read"], "invoices.read"),
    (&["apiKeys.write", "usage.*"], &["*"], "*"),
];

#[test]
fn nobody_grants_what_they_do_not_hold() {
    let cast = Cast::new();
    let create = |held: &[&str], wanted: &[&str]| {
        ask(&cast.acme().key(held), "POST", "/v1/api-keys").json(json!({"name": "k", "scopes": wanted}).to_string())
    };
    for (held, wanted, lacking) in GRANTS {
        let answer = check(&cast.world, &create(held, wanted), refusal(403, "forbidden", ""));
        assert_eq!(answer.body["missingPermission"], *lacking);
        assert!(answer.body["detail"].as_str().unwrap().contains(lacking));
    }
    accept(&cast.world, &create(&["apiKeys.write", "usage.*"], &["usage.read", "usage.*", "apiKeys.write"]), 201);
    accept(&cast.world, &create(&["*"], &["*"]), 201);
}

#[test]
fn a_platform_key_is_shown_nowhere() {
    let cast = Cast::new();
    for path in ["/v1/organization", "/v1/api-keys", "/healthz", "/openapi.json"] {
        let answer = ask(&cast.acme().vendor(), "GET", path).send(&cast.world);
        assert!(answer.status == 200 && !answer.text.contains(PLATFORM_KEY), "{path}");
    }
}
