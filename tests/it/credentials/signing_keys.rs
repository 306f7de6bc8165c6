//! The keys that sign tokens: made on first need, published, replaced, and forgotten when nothing needs them.

use futures::executor::block_on;
use serde_json::{Value, json};
use tenantry::identity::access_tokens;
use tenantry::identity::access_tokens::keys;
use tenantry::kernel::time::{days, minutes, seconds};

use crate::credentials::cast::{member, token, with_token};
use crate::support::world::{Credential, World, vendor};

const DAILY: &str = "0 5 * * *";

fn published(world: &World) -> Vec<String> {
    let set = world.get(&Credential::Nobody, "/.well-known/jwks.json").expect(200);
    set["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

fn statuses(world: &World) -> Vec<Value> {
    let list = world.get(&vendor(), "/v1/signing-keys").expect(200);
    list["data"].as_array().unwrap().iter().map(|key| key["status"].clone()).collect()
}

#[test]
fn the_public_keys_are_everybodys() {
    let world = World::new();
    let answer = world.get(&Credential::Nobody, "/.well-known/jwks.json");
    assert_eq!(answer.header("cache-control"), "public, max-age=600");
    let set = answer.expect(200);
    let key = &set["keys"][0];
    let (kid, x) = (key["kid"].as_str().unwrap(), key["x"].as_str().unwrap());
    assert_eq!(set, json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "x": x, "kid": kid, "alg": "EdDSA", "use": "sig"}]}));
    assert_eq!(x.len(), 43);
}

#[test]
fn isolates_that_start_at_once_have_one_first_key() {
    let world = World::new();
    let isolates = [world.with_settings(|_| ()), world.with_settings(|_| ())];
    let rings = isolates.each_ref().map(|app| block_on(keys::ring(app)).unwrap());
    assert_eq!(rings[0], rings[1]);
}

#[test]
fn a_new_key_is_published_an_hour_before_it_signs_and_no_token_breaks() {
    let world = World::new();
    let acme = world.sign_up("Acme");
    let owner = member(&acme, Some("owner"));
    let first = published(&world);
    let made = world.post(&vendor(), "/v1/signing-keys", &Value::Null).expect(201);
    assert_eq!(made["status"], "waiting");
    let second = made["$id"].as_str().unwrap().to_owned();
    assert_eq!(published(&world), [first[0].clone(), second.clone()]);
    assert_eq!(statuses(&world), ["waiting", "signing"]);
    world.pass(minutes(60) - seconds(1));
    let old = with_token(&world, owner);
    assert!(token(&world, owner).starts_with(&header(&first[0])));
    world.pass(seconds(1));
    assert!(token(&world, owner).starts_with(&header(&second)));
    assert_eq!(statuses(&world), ["signing", "verifying"]);
    world.get(&old, "/v1/organization").expect(200);
    world.pass(minutes(9));
    world.get(&old, "/v1/organization").expect(200);
    world.pass(minutes(6));
    assert_eq!(published(&world), [second]);
    assert_eq!(statuses(&world), ["signing"]);
}

fn header(kid: &str) -> String {
    use base64ct::{Base64UrlUnpadded, Encoding};
    Base64UrlUnpadded::encode_string(format!(r#"{{"alg":"EdDSA","kid":"{kid}","typ":"at+jwt"}}"#).as_bytes())
}

#[test]
fn while_one_waits_no_other_is_made() {
    let world = World::new();
    let first = world.post(&vendor(), "/v1/signing-keys", &Value::Null).expect(201);
    let again = world.post(&vendor(), "/v1/signing-keys", &Value::Null).expect(201);
    assert_eq!(first, again);
    assert_eq!(published(&world).len(), 2);
}

#[test]
fn housekeeping_replaces_a_key_after_ninety_days_and_forgets_the_old_one() {
    let world = World::new();
    let first = published(&world);
    world.pass(days(89));
    world.cron(DAILY);
    assert_eq!(published(&world), first);
    world.pass(days(1));
    world.cron(DAILY);
    world.cron(DAILY);
    world.pass(seconds(60));
    assert_eq!(published(&world).len(), 2);
    world.pass(days(1));
    world.cron(DAILY);
    assert_eq!(block_on(access_tokens::store::ring(&world.app)).unwrap().ended(world.app.moment().now).count(), 0);
    let left = published(&world);
    assert!(left.len() == 1 && left != first);
}

#[test]
fn a_key_that_is_taken_away_stops_within_a_minute() {
    let world = World::new();
    let acme = world.sign_up("Acme");
    let who = with_token(&world, member(&acme, Some("owner")));
    let id = published(&world)[0].parse().unwrap();
    block_on(world.platform().directory(vec![access_tokens::store::delete(id)])).unwrap();
    world.get(&who, "/v1/organization").expect(200);
    world.pass(seconds(60));
    world.get(&who, "/v1/organization").expect(401);
}

#[test]
fn the_private_half_is_stored_sealed() {
    let world = World::new();
    published(&world);
    let ring = block_on(access_tokens::store::ring(&world.app)).unwrap();
    assert!(ring.published(world.app.moment().now).all(|key| key.sealed.starts_with("v1.sealingkey_")));
    // Without the master secret nobody signs; who only verifies is not stopped.
    let stranger = world.with_master_secrets(&[b"another master secret"]);
    assert!(block_on(keys::ring(&stranger)).is_ok());
    assert!(block_on(keys::signer(&stranger)).is_err());
}
