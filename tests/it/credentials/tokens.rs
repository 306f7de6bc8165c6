//! Access tokens: only what we signed opens something, only for its ten minutes, and only while whom it names is still there.

use std::time::Duration;

use base64ct::{Base64UrlUnpadded, Encoding};
use ed25519_compact::{KeyPair, Seed};
use futures::executor::block_on;
use proptest::prelude::*;
use serde_json::{Value, json};
use tenantry::identity::access_tokens;
use tenantry::identity::sessions;
use tenantry::kernel::ids::SessionId;
use tenantry::kernel::time::{minutes, seconds};
use tenantry::tenant_sql;

use crate::credentials::cast::{claims, member, run, token, with_token};
use crate::support::world::{Credential, World};

fn bearer(text: &str) -> Credential {
    Credential::Bearer(text.to_owned())
}

/// Header and claims of a token, changed and signed anew by `sign`.
fn forged(token: &str, change: impl FnOnce(&mut Value, &mut Value), sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
    let parts: Vec<&str> = token.split('.').collect();
    let decode = |text: &str| serde_json::from_slice::<Value>(&Base64UrlUnpadded::decode_vec(text).unwrap()).unwrap();
    let (mut header, mut content) = (decode(parts[0]), decode(parts[1]));
    change(&mut header, &mut content);
    let encode = |value: &Value| Base64UrlUnpadded::encode_string(value.to_string().as_bytes());
    let signed = format!("{}.{}", encode(&header), encode(&content));
    let signature = sign(signed.as_bytes());
    format!("{signed}.{}", Base64UrlUnpadded::encode_string(&signature))
}

/// By a key that is not ours.
fn stranger(message: &[u8]) -> Vec<u8> {
    KeyPair::from_seed(Seed::new([9; 32])).sk.sign(message, None).to_vec()
}

#[test]
fn a_member_calls_with_a_token_and_may_what_their_role_says() {
    let world = World::new();
    let acme = world.sign_up("Acme");
    let check = |role: Option<&str>, method: &str, path: &str, body: &Value, status: u16| {
        let who = with_token(&world, member(&acme, role));
        let answer = world.write(&who, method, path, body);
        assert_eq!(answer.status, status, "{role:?} {method} {path}: {}", answer.text);
    };
    check(Some("owner"), "PATCH", "/v1/organization", &json!({"name": "Acme Ltd"}), 200);
    check(Some("viewer"), "GET", "/v1/organization", &Value::Null, 200);
    check(Some("viewer"), "PATCH", "/v1/organization", &json!({"name": "Mine"}), 403);
    check(Some("billing"), "GET", "/v1/api-keys", &Value::Null, 403);
    check(Some("no such role"), "GET", "/v1/organization", &Value::Null, 403);
    check(None, "GET", "/v1/organization", &Value::Null, 403);
    check(None, "GET", "/v1/permissions", &Value::Null, 200);
}

#[test]
fn the_hot_endpoints_take_a_token_and_hold_it_to_its_role() {
    let world = World::new();
    let acme = world.sign_up("Acme");
    let (developer, viewer) = (with_token(&world, member(&acme, Some("developer"))), with_token(&world, member(&acme, Some("viewer"))));
    let event = json!({"metric": "apiCalls", "amount": 3});
    world.post(&developer, "/v1/usage", &event).expect(200);
    assert_eq!(world.post(&viewer, "/v1/usage", &event).expect(403)["missingPermission"], "usage.write");
    assert_eq!(world.get(&viewer, "/v1/usage").expect(200)["metrics"]["apiCalls"]["current"], 3);
    assert_eq!(world.post(&developer, "/v1/usage/consumption", &event).expect(200)["allowed"], true);
}

#[test]
fn a_live_feed_lasts_no_longer_than_a_token() {
    let world = World::new();
    let acme = world.sign_up("Acme");
    let viewer = with_token(&world, member(&acme, Some("viewer")));
    let feed = world.send(&viewer, "GET", "/v1/usage/live", &[("accept", "text/event-stream")], "");
    assert_eq!(feed.header("tenantry-feed"), format!("{} - 1767226200000", acme.id));
}

#[test]
fn a_member_grants_a_key_no_more_than_they_hold() {
    let world = World::new();
    let acme = world.sign_up("Acme");
    let developer = with_token(&world, member(&acme, Some("developer")));
    world.post(&developer, "/v1/api-keys", &json!({"name": "k", "scopes": ["usage.*"]})).expect(201);
    for scopes in [json!(["members.write"]), json!(["usage.read", "invoices.read"]), json!(["*"])] {
        world.post(&developer, "/v1/api-keys", &json!({"name": "k", "scopes": scopes})).expect(403);
    }
    let owner = with_token(&world, member(&acme, Some("owner")));
    world.post(&owner, "/v1/api-keys", &json!({"name": "k", "scopes": ["*"]})).expect(201);
}

#[test]
fn the_vendors_endpoints_are_closed_to_people() {
    let world = World::new();
    let acme = world.sign_up("Acme");
    let owner = with_token(&world, member(&acme, Some("owner")));
    world.get(&owner, "/v1/organizations").expect(403);
    world.get(&bearer("a.b.c"), "/v1/organizations").expect(401);
}

#[test]
fn a_removed_member_is_refused_at_once() {
    let world = World::new();
    let acme = world.sign_up("Acme");
    let gone = member(&acme, Some("owner"));
    let who = with_token(&world, gone);
    world.get(&who, "/v1/organization").expect(200);
    run(&acme, tenant_sql!("DELETE FROM members WHERE organization_id = ?1 AND id = ?2", gone.person));
    world.get(&who, "/v1/organization").expect(401);
}

#[test]
fn a_session_that_ended_is_refused_at_once_and_the_others_go_on() {
    let world = World::new();
    let acme = world.sign_up("Acme");
    let (first, second) = (member(&acme, Some("owner")), member(&acme, Some("owner")));
    let (ended, other) = (with_token(&world, first), with_token(&world, second));
    run(&acme, sessions::store::end(first.session, tenantry::events::SessionEndReason::Revoked, world.app.moment().now));
    world.get(&ended, "/v1/organization").expect(401);
    world.get(&other, "/v1/organization").expect(200);
    // Somebody else's session does not carry one's own membership.
    let borrowed = crate::credentials::cast::Member { session: second.session, ..first };
    world.get(&with_token(&world, borrowed), "/v1/organization").expect(401);
}

#[test]
fn a_session_that_expired_is_refused() {
    let world = World::new();
    let acme = world.sign_up("Acme");
    let idle = member(&acme, Some("owner"));
    world.pass(sessions::session::IDLE_MAX);
    world.get(&with_token(&world, idle), "/v1/organization").expect(401);
}

#[test]
fn a_token_opens_its_own_organization_only() {
    let world = World::new();
    let (acme, globex) = (world.sign_up("Acme"), world.sign_up("Globex"));
    let owner = member(&acme, Some("owner"));
    let organization = world.get(&with_token(&world, owner), "/v1/organization").expect(200);
    assert_eq!(organization["$id"], acme.id.as_str());
    // Signed by us, but never issued: Acme's member is none of Globex.
    let elsewhere = crate::credentials::cast::Member { organization: globex.id.parse().unwrap(), ..owner };
    world.get(&with_token(&world, elsewhere), "/v1/organization").expect(401);
    let nowhere = crate::credentials::cast::Member { organization: "org_00000000000000000000000001".parse().unwrap(), ..owner };
    world.get(&with_token(&world, nowhere), "/v1/organization").expect(401);
}

#[test]
fn what_we_did_not_sign_opens_nothing() {
    let world = World::new();
    let acme = world.sign_up("Acme");
    let good = token(&world, member(&acme, Some("owner")));
    let own = |_: &mut Value, _: &mut Value| {};
    let public = Base64UrlUnpadded::decode_vec(
        world.get(&Credential::Nobody, "/.well-known/jwks.json").expect(200)["keys"][0]["x"].as_str().unwrap(),
    )
    .unwrap();
    let hmac = |message: &[u8]| {
        use hmac::{Hmac, KeyInit, Mac};
        let mut mac = Hmac::<sha2::Sha256>::new_from_slice(&public).unwrap();
        mac.update(message);
        mac.finalize().into_bytes().to_vec()
    };
    let parts: Vec<&str> = good.split('.').collect();
    let cases = [
        ("signed by a stranger", forged(&good, own, stranger)),
        ("no signature, algorithm none", forged(&good, |header, _| header["alg"] = json!("none"), |_| Vec::new())),
        ("algorithm none, a signature", forged(&good, |header, _| header["alg"] = json!("none"), stranger)),
        ("the public key as an HMAC secret", forged(&good, |header, _| header["alg"] = json!("HS256"), hmac)),
        ("another algorithm's name", forged(&good, |header, _| header["alg"] = json!("ES256"), stranger)),
        ("a key that nobody knows", forged(&good, |header, _| header["kid"] = json!("signingkey_00000000000000000000000001"), stranger)),
        ("a path for a key", forged(&good, |header, _| header["kid"] = json!("../../dev/null"), stranger)),
        ("no key", forged(&good, |header, _| drop(header.as_object_mut().unwrap().remove("kid")), stranger)),
        ("a key that it brings along", forged(&good, |header, _| header["jku"] = json!("https://evil.example/jwks.json"), stranger)),
        ("another organization's claims", forged(&good, |_, content| content["org"] = json!("org_00000000000000000000000001"), stranger)),
        ("no signature", format!("{}.{}.", parts[0], parts[1])),
        ("half a signature", format!("{}.{}.{}", parts[0], parts[1], &parts[2][..40])),
        ("a part too many", format!("{good}.x")),
        ("a part too few", format!("{}.{}", parts[0], parts[1])),
        ("padding", format!("{good}==")),
        ("nothing between dots", "..".to_owned()),
        ("very long", format!("{}.{}.{}", parts[0], "A".repeat(100_000), parts[2])),
    ];
    world.get(&bearer(&good), "/v1/organization").expect(200);
    for (name, text) in cases {
        let answer = world.get(&bearer(&text), "/v1/organization");
        assert_eq!(answer.status, 401, "{name}: {}", answer.text);
    }
}

#[test]
fn a_token_is_good_for_ten_minutes() {
    let world = World::new();
    let acme = world.sign_up("Acme");
    let who = with_token(&world, member(&acme, Some("owner")));
    world.pass(minutes(10) - seconds(1));
    world.get(&who, "/v1/organization").expect(200);
    world.pass(seconds(1));
    world.get(&who, "/v1/organization").expect(401);
}

#[test]
fn a_token_of_tomorrow_and_one_of_another_issuer_are_refused() {
    let world = World::new();
    let acme = world.sign_up("Acme");
    let owner = member(&acme, Some("owner"));
    let mut early = claims(&world.app, owner);
    let later = |span: Duration| early.issued_at.plus(span);
    let (within, beyond) = (later(seconds(4)), later(seconds(60)));
    for (issued_at, status) in [(within, 200), (beyond, 401)] {
        (early.issued_at, early.expires_at) = (issued_at, issued_at.plus(access_tokens::LIFETIME));
        let text = block_on(access_tokens::mint(&world.app, &early)).unwrap();
        world.get(&bearer(&text), "/v1/organization").expect(status);
    }
    let mut long = claims(&world.app, owner);
    long.expires_at = long.expires_at.plus(seconds(1));
    let text = block_on(access_tokens::mint(&world.app, &long)).unwrap();
    world.get(&bearer(&text), "/v1/organization").expect(401);
    let other = world.with_settings(|settings| settings.api_url = "https://elsewhere.example".into());
    let text = block_on(access_tokens::mint(&other, &claims(&world.app, owner))).unwrap();
    world.get(&bearer(&text), "/v1/organization").expect(401);
}

/// By the key that signs now: a token of ours with one member changed.
#[test]
fn a_token_for_another_api_or_of_another_kind_is_refused() {
    let world = World::new();
    let acme = world.sign_up("Acme");
    let good = token(&world, member(&acme, Some("owner")));
    let (_, secret) = block_on(access_tokens::keys::signer(&world.app)).unwrap();
    let ours = |message: &[u8]| secret.sign(message, None).to_vec();
    let remove = |value: &mut Value, name: &str| drop(value.as_object_mut().unwrap().remove(name));
    world.get(&bearer(&forged(&good, |_, _| {}, ours)), "/v1/organization").expect(200);
    let cases = [
        ("no audience", forged(&good, |_, content| remove(content, "aud"), ours)),
        ("another audience", forged(&good, |_, content| content["aud"] = json!("https://elsewhere.example"), ours)),
        ("no issuer", forged(&good, |_, content| remove(content, "iss"), ours)),
        ("no client", forged(&good, |_, content| remove(content, "client_id"), ours)),
        ("another client", forged(&good, |_, content| content["client_id"] = json!("client_00000000000000000000000001"), ours)),
        ("no end", forged(&good, |_, content| remove(content, "exp"), ours)),
        ("no id", forged(&good, |_, content| remove(content, "jti"), ours)),
        ("no type", forged(&good, |header, _| remove(header, "typ"), ours)),
        ("another type", forged(&good, |header, _| header["typ"] = json!("JWT"), ours)),
    ];
    for (name, text) in cases {
        let answer = world.get(&bearer(&text), "/v1/organization");
        assert_eq!(answer.status, 401, "{name}: {}", answer.text);
    }
}

#[test]
fn a_forged_token_costs_no_tenants_database_anything() {
    let world = World::new();
    let acme = world.sign_up("Acme");
    let good = token(&world, member(&acme, Some("owner")));
    world.get(&bearer(&good), "/v1/organization").expect(200);
    let text = forged(&good, |_, _| {}, stranger);
    world.directory.fail(1);
    world.shards.iter().for_each(|shard| shard.fail(1));
    world.get(&bearer(&text), "/v1/organization").expect(401);
}

#[test]
fn the_claims_say_who_calls() {
    let world = World::new();
    let acme = world.sign_up("Acme");
    let owner = member(&acme, Some("owner"));
    let text = token(&world, owner);
    let content: Value = serde_json::from_slice(&Base64UrlUnpadded::decode_vec(text.split('.').nth(1).unwrap()).unwrap()).unwrap();
    let id = content["jti"].as_str().unwrap().to_owned();
    assert!(id.starts_with("token_"));
    assert_eq!(
        content,
        json!({"iss": "https://api.example", "aud": "https://api.example", "client_id": "sessions", "sub": owner.person.to_string(), "org": acme.id, "sid": owner.session.to_string(),
            "iat": 1_767_225_600, "exp": 1_767_226_200, "jti": id})
    );
    let read = block_on(access_tokens::verify(&world.app, &text)).unwrap().unwrap();
    assert_eq!(read.subject, access_tokens::Subject::Person { person: owner.person, session: owner.session });
}

#[test]
fn no_changed_bit_verifies() {
    let world = World::new();
    let nobody = crate::credentials::cast::Member {
        organization: "org_00000000000000000000000001".parse().unwrap(),
        person: "user_00000000000000000000000001".parse().unwrap(),
        session: SessionId::from_bytes([1; 16]),
    };
    let claims = claims(&world.app, nobody);
    let text = block_on(access_tokens::mint(&world.app, &claims)).unwrap();
    assert_eq!(block_on(access_tokens::verify(&world.app, &text)).unwrap(), Some(claims));
    for at in 0..text.len() {
        for bit in 0..7 {
            let mut changed = text.clone().into_bytes();
            changed[at] ^= 1 << bit;
            let changed = String::from_utf8(changed).unwrap();
            assert_eq!(block_on(access_tokens::verify(&world.app, &changed)).unwrap(), None, "{changed}");
        }
    }
}

#[test]
fn no_text_makes_the_reader_panic() {
    let world = World::new();
    proptest!(|(text in "[A-Za-z0-9_.-]{0,80}")| {
        prop_assert_eq!(block_on(access_tokens::verify(&world.app, &text)).unwrap(), None);
    });
}
