//! Platform keys beside the root key: made, used, replaced, revoked.

use serde_json::{Value, json};
use tenantry::kernel::time::{hours, seconds};

use crate::support::world::{Credential, World, vendor};

fn make(world: &World) -> Value {
    world.post(&vendor(), "/v1/platform-keys", &json!({"name": "deployment"})).expect(201)
}

fn secret(key: &Value) -> Credential {
    Credential::Bearer(key["secret"].as_str().unwrap().to_owned())
}

fn path(key: &Value) -> String {
    format!("/v1/platform-keys/{}", key["$id"].as_str().unwrap())
}

#[test]
fn a_platform_key_does_what_the_root_key_does() {
    let world = World::new();
    let key = make(&world);
    assert!(key["secret"].as_str().unwrap().starts_with(key["prefix"].as_str().unwrap()));
    let acme = world.post(&secret(&key), "/v1/organizations", &json!({"name": "Acme", "email": "a@acme.example"})).expect(201);
    let acme = acme["$id"].as_str().unwrap();
    let Credential::Bearer(text) = secret(&key) else { panic!() };
    let for_acme = [("authorization", format!("Bearer {text}")), ("tenantry-organization", acme.to_owned())];
    let headers: Vec<(&str, &str)> = for_acme.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let organization = world.send(&Credential::Nobody, "GET", "/v1/organization", &headers, "").expect(200);
    assert_eq!(organization["$id"], acme);
    let listed = world.get(&secret(&key), "/v1/platform-keys").expect(200);
    assert_eq!(listed["data"][0]["lastUsedAt"], "2026-01-01T00:00:00Z");
    assert_eq!((&listed["data"][0]["secret"], &listed["data"][0]["createdBy"]), (&Value::Null, &json!("platform")));
    let second = world.post(&secret(&key), "/v1/platform-keys", &json!({"name": "second"})).expect(201);
    assert_eq!(second["createdBy"], key["$id"]);
}

#[test]
fn a_retry_makes_one_key_and_shows_its_secret_again() {
    let world = World::new();
    let send = |name: &str| world.post_once(&vendor(), "/v1/platform-keys", "k-1", &json!({"name": name}));
    assert_eq!(send("one").expect(201), send("one").expect(201));
    assert_eq!(send("other").expect(422)["code"], "idempotency_mismatch");
    assert_eq!(world.get(&vendor(), "/v1/platform-keys").expect(200)["data"].as_array().unwrap().len(), 1);
}

#[test]
fn a_revoked_key_stops_at_once_here_and_within_a_minute_elsewhere() {
    let world = World::new();
    let key = make(&world);
    let elsewhere = world.with_settings(|_| ());
    let ask = |app| world.send_to(app, &secret(&key), "GET", "/v1/organizations", &[], "").status;
    assert_eq!([ask(&world.app), ask(&elsewhere)], [200, 200]);
    world.send(&vendor(), "DELETE", &path(&key), &[], "").expect(204);
    assert_eq!([ask(&world.app), ask(&elsewhere)], [401, 200]);
    world.pass(seconds(60));
    assert_eq!([ask(&world.app), ask(&elsewhere)], [401, 401]);
    world.send(&vendor(), "DELETE", &path(&key), &[], "").expect(204);
    assert_eq!(world.get(&vendor(), &path(&key)).expect(200)["revokedAt"], "2026-01-01T00:00:00Z");
}

#[test]
fn a_rotated_key_ends_after_the_overlap() {
    let world = World::new();
    let old = make(&world);
    world.get(&secret(&old), "/v1/organizations").expect(200);
    let rotate = || world.post_once(&vendor(), &format!("{}/rotations", path(&old)), "r-1", &json!({"overlapSeconds": 3600})).expect(201);
    let new = rotate();
    assert_eq!(new, rotate());
    world.pass(hours(1) - seconds(1));
    world.get(&secret(&old), "/v1/organizations").expect(200);
    world.pass(seconds(1));
    world.get(&secret(&old), "/v1/organizations").expect(401);
    world.get(&secret(&new), "/v1/organizations").expect(200);
    world.post(&vendor(), &format!("{}/rotations", path(&old)), &json!({})).expect(409);
}

#[test]
fn an_expired_key_and_a_forged_one_open_nothing() {
    let world = World::new();
    let key = world.post(&vendor(), "/v1/platform-keys", &json!({"name": "k", "expiresAt": "2026-01-01T01:00:00Z"})).expect(201);
    world.get(&secret(&key), "/v1/organizations").expect(200);
    world.pass(hours(1));
    world.get(&secret(&key), "/v1/organizations").expect(401);
    let text = key["secret"].as_str().unwrap();
    world.directory.fail(1);
    for forged in [&text[..text.len() - 1], "tk_platform_", "tk_platform_00000000000000000000000000", &text.to_uppercase()] {
        world.get(&Credential::Bearer(forged.to_owned()), "/v1/organizations").expect(401);
    }
}

#[test]
fn the_root_key_can_be_turned_off() {
    let world = World::new();
    let key = make(&world);
    let closed = world.with_settings(|settings| settings.root_platform_key_hash = "refused".into());
    let ask = |who: &Credential| world.send_to(&closed, who, "GET", "/v1/organizations", &[], "").status;
    assert_eq!([ask(&vendor()), ask(&secret(&key)), ask(&Credential::Bearer("refused".into()))], [401, 200, 401]);
}

#[test]
fn what_is_asked_wrongly_makes_no_key() {
    let world = World::new();
    for body in
        [json!({}), json!({"name": ""}), json!({"name": "k", "expiresAt": "2020-01-01T00:00:00Z"}), json!({"name": "k", "scopes": ["*"]})]
    {
        world.post(&vendor(), "/v1/platform-keys", &body).expect(400);
    }
    let key = world.sign_up("Acme").key(&["*"]);
    world.post(&key, "/v1/platform-keys", &json!({"name": "k"})).expect(403);
    assert_eq!(world.get(&vendor(), "/v1/platform-keys").expect(200)["data"], json!([]));
}
