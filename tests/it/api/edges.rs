//! What is nearly right: refused all the same, and told so at the right place.

use serde_json::json;

use crate::api::cast::Cast;
use crate::api::check::{accept, ask, check, refusal};
use crate::support::world::{Credential, vendor};

#[test]
fn a_list_of_values_is_no_object() {
    let cast = Cast::new();
    let admin = cast.admin();
    for (who, method, path, body) in [
        (&admin, "PUT", "/v1/onboarding/items/verifyEmail", r#"["completed"]"#),
        (&vendor(), "POST", "/v1/test-clocks", r#"["2026-01-31T00:00:00Z"]"#),
        (&admin, "POST", "/v1/usage", r#"["apiCalls",1,null,null,null]"#),
        (&admin, "POST", "/v1/usage/batch", r#"[[{"metric":"apiCalls"}]]"#),
        (&admin, "POST", "/v1/api-keys", r#"["k",["usage.read"],null]"#),
    ] {
        check(&cast.world, &ask(who, method, path).json(body), refusal(400, "invalid_value", ""));
    }
}

#[test]
fn a_value_where_a_name_should_be_is_told_at_its_place() {
    let cast = Cast::new();
    for body in [r#"{"status":true}"#, r#"{"status":null}"#, r#"{"status":1}"#] {
        let asked = ask(&cast.admin(), "PUT", "/v1/onboarding/items/verifyEmail").json(body);
        check(&cast.world, &asked, refusal(400, "invalid_value", "/status"));
    }
}

#[test]
fn a_key_that_can_be_none_is_not_ignored() {
    let cast = Cast::new();
    for path in ["/v1/usage", "/v1/usage/consumption", "/v1/usage/batch"] {
        let asked = ask(&cast.admin(), "POST", path).json(r#"{"metric":"apiCalls"}"#).header("idempotency-key", "");
        check(&cast.world, &asked, refusal(400, "invalid_idempotency_key", "Idempotency-Key"));
    }
}

#[test]
fn a_revoked_key_is_unknown_to_the_vendors_endpoints_too() {
    let cast = Cast::new();
    let acme = cast.acme();
    let key = cast.world.post(&acme.vendor(), "/v1/api-keys", &json!({"name": "k", "scopes": ["*"]})).expect(201);
    let bearer = Credential::Bearer(key["secret"].as_str().unwrap().to_owned());
    check(&cast.world, &ask(&bearer, "GET", "/v1/organizations"), refusal(403, "forbidden", ""));
    cast.world.write(&acme.vendor(), "DELETE", &format!("/v1/api-keys/{}", key["$id"].as_str().unwrap()), &json!({})).expect(204);
    check(&cast.world, &ask(&bearer, "GET", "/v1/organizations"), refusal(401, "unauthenticated", ""));
}

#[test]
fn a_cursor_that_was_never_given_is_refused() {
    let cast = Cast::new();
    for path in ["/v1/api-keys?cursor=key_00000000000000000000000000", "/v1/invoices?cursor=inv_00000000000000000000000000"] {
        check(&cast.world, &ask(&cast.admin(), "GET", path), refusal(400, "invalid_cursor", "cursor"));
    }
    let path = "/v1/organizations?cursor=org_00000000000000000000000000";
    check(&cast.world, &ask(&vendor(), "GET", path), refusal(400, "invalid_cursor", "cursor"));
    for (path, name) in [("/v1/dead-letters?limit=5", "limit"), ("/v1/plans?page=2", "page")] {
        check(&cast.world, &ask(&vendor(), "GET", path), refusal(400, "invalid_query", name));
    }
}

#[test]
fn an_address_is_an_address_and_null_clears_what_may_be_absent() {
    let cast = Cast::new();
    let admin = cast.admin();
    let patch = |body: &str| ask(&admin, "PATCH", "/v1/organization").json(body.to_owned());
    check(&cast.world, &patch(r#"{"address":{"$type":"Person"}}"#), refusal(400, "invalid_value", "/address/$type"));
    let long = format!(r#"{{"address":{{"streetAddress":"{}"}}}}"#, "x".repeat(201));
    check(&cast.world, &patch(&long), refusal(400, "invalid_value", "/address/streetAddress"));
    check(&cast.world, &patch(r#"{"name":null}"#), refusal(400, "invalid_value", "/name"));
    let set = accept(
        &cast.world,
        &patch(r#"{"name":"  Acme  ","industry":"Software","address":{"$type":"PostalAddress","addressCountry":"AT"}}"#),
        200,
    );
    assert_eq!((&set.body["name"], &set.body["industry"]), (&json!("Acme"), &json!("Software")));
    let cleared = accept(&cast.world, &patch(r#"{"industry":null,"address":null}"#), 200);
    assert_eq!((&cleared.body["industry"], &cleared.body["address"]), (&json!(null), &json!(null)));
}
