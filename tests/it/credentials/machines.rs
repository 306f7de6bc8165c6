//! Machines: OAuth 2.0 client credentials, from the client to the token to what it may do.

use base64ct::{Base64, Encoding};
use serde_json::{Value, json};
use tenantry::kernel::time::{days, minutes, seconds};

use crate::support::world::{Answer, Company, Credential, World, vendor};

const FORM: &str = "application/x-www-form-urlencoded";

fn make(company: &Company<'_>, scopes: &[&str]) -> Value {
    company.world.post(&company.vendor(), "/v1/oauth-clients", &json!({"name": "reports", "scopes": scopes})).expect(201)
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap()
}

fn ask(world: &World, form: &str) -> Answer {
    world.send(&Credential::Nobody, "POST", "/oauth/token", &[("content-type", FORM)], form)
}

fn form(client: &Value, more: &str) -> String {
    format!("grant_type=client_credentials&client_id={}&client_secret={}{more}", text(client, "$id"), text(client, "secret"))
}

fn token(world: &World, client: &Value, more: &str) -> Credential {
    let answer = ask(world, &form(client, more)).expect(200);
    Credential::Bearer(text(&answer, "access_token").to_owned())
}

#[test]
fn a_machine_trades_its_secret_for_a_token() {
    let world = World::new();
    let acme = world.sign_up("Acme");
    let client = make(&acme, &["usage.*", "organization.read"]);
    let answer = ask(&world, &form(&client, ""));
    assert_eq!((answer.header("cache-control"), answer.header("content-type")), ("no-store", "application/json"));
    let body = answer.expect(200);
    let token = Credential::Bearer(text(&body, "access_token").to_owned());
    assert_eq!(
        body,
        json!({"access_token": body["access_token"], "token_type": "Bearer", "expires_in": 600, "scope": "usage.* organization.read"})
    );
    assert_eq!(world.get(&token, "/v1/organization").expect(200)["$id"], acme.id.as_str());
    world.post(&token, "/v1/usage", &json!({"metric": "apiCalls"})).expect(200);
    world.get(&token, "/v1/invoices").expect(403);
    world.get(&token, "/v1/organizations").expect(403);
    world.pass(minutes(10));
    world.get(&token, "/v1/organization").expect(401);
}

#[test]
fn a_machine_proves_itself_by_basic_authentication_too() {
    let world = World::new();
    let client = make(&world.sign_up("Acme"), &["usage.read"]);
    let basic = |id: &str, secret: &str| format!("Basic {}", Base64::encode_string(format!("{id}:{secret}").as_bytes()));
    let good = basic(text(&client, "$id"), text(&client, "secret"));
    let send = |header: &str, body: &str| {
        world.send(&Credential::Nobody, "POST", "/oauth/token", &[("content-type", FORM), ("authorization", header)], body)
    };
    send(&good, "grant_type=client_credentials").expect(200);
    send(&good, &format!("grant_type=client_credentials&client_id={}", text(&client, "$id"))).expect(200);
    let encoded = |name: &str| text(&client, name).replace('_', "%5F");
    send(&basic(&encoded("$id"), &encoded("secret")), "grant_type=client_credentials").expect(200);
    let twice = send(&good, &form(&client, ""));
    assert_eq!(twice.expect(400)["error"], "invalid_request");
    for bad in [
        basic(text(&client, "$id"), "wrong"),
        basic("someone", text(&client, "secret")),
        "Basic ?".into(),
        "Bearer x".into(),
        "Basic".into(),
    ] {
        let answer = send(&bad, "grant_type=client_credentials");
        assert!(answer.header("www-authenticate").starts_with("Basic"), "{bad}");
        assert_eq!(answer.expect(401)["error"], "invalid_client", "{bad}");
    }
}

#[test]
fn a_token_has_the_scopes_that_were_asked_for() {
    let world = World::new();
    let acme = world.sign_up("Acme");
    let client = make(&acme, &["usage.*"]);
    let narrow = token(&world, &client, "&scope=usage.read");
    world.get(&narrow, "/v1/usage").expect(200);
    assert_eq!(world.post(&narrow, "/v1/usage", &json!({"metric": "apiCalls"})).expect(403)["missingPermission"], "usage.write");
    for scope in ["invoices.read", "usage.read+invoices.read", "*", "no.such"] {
        assert_eq!(ask(&world, &form(&client, &format!("&scope={scope}"))).expect(400)["error"], "invalid_scope", "{scope}");
    }
}

#[test]
fn what_is_asked_wrongly_is_refused_as_oauth_says() {
    let world = World::new();
    let client = make(&world.sign_up("Acme"), &["usage.read"]);
    let good = form(&client, "");
    let check = |body: &str, status: u16, error: &str| {
        let answer = ask(&world, body);
        assert_eq!((answer.status, &answer.body["error"]), (status, &json!(error)), "{body}: {}", answer.text);
        assert!(answer.body["error_description"].as_str().unwrap().ends_with('.'), "{body}");
        assert!(answer.header("request-id").starts_with("req_"), "{body}");
    };
    check("", 400, "invalid_request");
    check("grant_type=", 400, "invalid_request");
    check("grant_type=password", 400, "unsupported_grant_type");
    check("grant_type=client_credentials", 401, "invalid_client");
    check(&format!("{good}&grant_type=client_credentials"), 400, "invalid_request");
    check(&good.replace("tk_client_", "tk_org_"), 401, "invalid_client");
    check(&good.replace("client_id=client_0", "client_id=client_1"), 401, "invalid_client");
    check(&format!("{good}0"), 401, "invalid_client");
    let json = world.post(&Credential::Nobody, "/oauth/token", &json!({"grant_type": "client_credentials"}));
    assert_eq!(json.expect(400)["error"], "invalid_request");
    ask(&world, &format!("{good}&audience=https%3A%2F%2Fignored.example&scope=")).expect(200);
}

#[test]
fn a_forged_secret_costs_no_database_anything() {
    let world = World::new();
    let client = make(&world.sign_up("Acme"), &["usage.read"]);
    world.directory.fail(1);
    world.shards.iter().for_each(|shard| shard.fail(1));
    ask(&world, &format!("{}0", form(&client, ""))).expect(401);
    let down = ask(&world, &form(&client, ""));
    assert_eq!((down.header("retry-after"), down.body["error"].as_str()), ("1", Some("temporarily_unavailable")));
}

#[test]
fn a_machine_that_asks_all_the_time_is_told_to_wait() {
    let world = World::new();
    let client = make(&world.sign_up("Acme"), &["usage.read"]);
    let from = |address: &str| {
        let headers = [("content-type", FORM), ("cf-connecting-ip", address)];
        world.send(&Credential::Nobody, "POST", "/oauth/token", &headers, form(&client, ""))
    };
    let refused = (0..200).map(|_| from("203.0.113.7")).find(|answer| answer.status != 200).expect("there is a limit");
    assert_eq!((refused.status, refused.body["error"].as_str()), (429, Some("temporarily_unavailable")));
    assert!(!refused.header("retry-after").is_empty());
    world.pass(minutes(10));
    assert!(from("203.0.113.7").header("ratelimit-policy").contains("address"));
}

#[test]
fn a_retry_makes_one_client_and_shows_its_secret_again() {
    let world = World::new();
    let acme = world.sign_up("Acme");
    let send = || world.post_once(&acme.vendor(), "/v1/oauth-clients", "c-1", &json!({"name": "c", "scopes": ["*"]})).expect(201);
    assert_eq!(send(), send());
    assert_eq!(acme.get("/v1/oauth-clients")["data"].as_array().unwrap().len(), 1);
}

#[test]
fn a_deleted_client_is_refused_at_once() {
    let world = World::new();
    let acme = world.sign_up("Acme");
    let (client, other) = (make(&acme, &["organization.read"]), make(&acme, &["organization.read"]));
    let (gone, stays) = (token(&world, &client, ""), token(&world, &other, ""));
    world.get(&gone, "/v1/organization").expect(200);
    let path = format!("/v1/oauth-clients/{}", text(&client, "$id"));
    world.send(&acme.vendor(), "DELETE", &path, &[], "").expect(204);
    world.get(&gone, "/v1/organization").expect(401);
    world.get(&stays, "/v1/organization").expect(200);
    ask(&world, &form(&client, "")).expect(401);
    world.get(&acme.vendor(), &path).expect(404);
    world.send(&acme.vendor(), "DELETE", &path, &[], "").expect(204);
    assert_eq!(acme.get("/v1/oauth-clients")["data"].as_array().unwrap().len(), 1);
}

#[test]
fn a_secret_is_rotated_with_overlap() {
    let world = World::new();
    let acme = world.sign_up("Acme");
    let first = make(&acme, &["usage.read"]);
    let rotations = format!("/v1/oauth-clients/{}/rotations", text(&first, "$id"));
    let rotate =
        |key: &str, overlap: u64| world.post_once(&acme.vendor(), &rotations, key, &json!({"overlapSeconds": overlap})).expect(201);
    let second = rotate("r-1", 3_600);
    assert_eq!((&second["$id"], &second["secretVersion"]), (&first["$id"], &json!(2)));
    ask(&world, &form(&first, "")).expect(200);
    ask(&world, &form(&second, "")).expect(200);
    world.pass(seconds(3_600));
    ask(&world, &form(&first, "")).expect(401);
    let third = rotate("r-2", 0);
    ask(&world, &form(&second, "")).expect(401);
    ask(&world, &form(&third, "")).expect(200);
    assert_eq!(rotate("r-1", 3_600), second, "a retry shows the secret that it made, not the newest");
    world.pass(days(1));
    assert_eq!(acme.get("/v1/oauth-clients")["data"][0]["lastUsedAt"], "2026-01-01T01:00:00Z");
}

#[test]
fn a_client_gets_no_more_than_its_maker_holds_and_makes_none_stronger() {
    let world = World::new();
    let acme = world.sign_up("Acme");
    let weak = acme.key(&["oauthClients.write", "usage.read"]);
    world.post(&weak, "/v1/oauth-clients", &json!({"name": "c", "scopes": ["usage.read"]})).expect(201);
    world.post(&weak, "/v1/oauth-clients", &json!({"name": "c", "scopes": ["usage.*"]})).expect(403);
    let strong = make(&acme, &["*"]);
    world.post(&weak, &format!("/v1/oauth-clients/{}/rotations", text(&strong, "$id")), &json!({})).expect(403);
    let machine = token(&world, &make(&acme, &["apiKeys.write", "usage.read"]), "&scope=apiKeys.write");
    world.post(&machine, "/v1/api-keys", &json!({"name": "k", "scopes": ["usage.read"]})).expect(403);
}

#[test]
fn a_machine_of_one_company_is_nobody_in_another() {
    let world = World::new();
    let (acme, globex) = (world.sign_up("Acme"), world.sign_up("Globex"));
    let client = make(&acme, &["*"]);
    let path = format!("/v1/oauth-clients/{}", text(&client, "$id"));
    let stranger = globex.key(&["*"]);
    world.get(&stranger, &path).expect(404);
    world.send(&stranger, "DELETE", &path, &[], "").expect(404);
    world.post(&stranger, &format!("{path}/rotations"), &json!({})).expect(404);
    world.get(&stranger, &format!("/v1/oauth-clients?cursor={}", text(&client, "$id"))).expect(400);
    world.get(&vendor(), &path).expect(400);
}

#[test]
fn a_library_finds_everything() {
    let world = World::new();
    let metadata = world.get(&Credential::Nobody, "/.well-known/oauth-authorization-server").expect(200);
    assert_eq!(metadata["issuer"], "https://api.example");
    assert_eq!(metadata["token_endpoint"], "https://api.example/oauth/token");
    assert_eq!(metadata["jwks_uri"], "https://api.example/.well-known/jwks.json");
    assert_eq!(metadata["grant_types_supported"], json!(["client_credentials"]));
    assert!(metadata["scopes_supported"].as_array().unwrap().contains(&json!("usage.read")));
    assert_eq!((&metadata["response_types_supported"], &metadata["response_modes_supported"]), (&json!([]), &json!([])));
    assert_eq!(metadata["token_endpoint_auth_methods_supported"], json!(["client_secret_basic", "client_secret_post"]));
    assert_eq!(metadata["protected_resources"], json!(["https://api.example"]));
    for absent in ["authorization_endpoint", "introspection_endpoint", "revocation_endpoint", "registration_endpoint"] {
        assert!(metadata.get(absent).is_none(), "{absent} does not exist");
    }
}

#[test]
fn a_token_is_for_this_api_only() {
    let world = World::new();
    let client = make(&world.sign_up("Acme"), &["usage.read"]);
    for resource in ["https://api.example", "https://api.example/"] {
        token(&world, &client, &format!("&resource={resource}"));
    }
    let elsewhere = ask(&world, &form(&client, "&resource=https://elsewhere.example"));
    assert_eq!(elsewhere.expect(400)["error"], "invalid_target");
}
