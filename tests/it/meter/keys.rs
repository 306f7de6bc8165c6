//! Who may ask: keys that are known, genuine, alive and permitted.

use serde_json::json;
use tenantry::kernel::ids::OrganizationId;
use tenantry::meter::contract::Call;

use crate::meter::world::{HotRequest, SECRET, World, acme, at, batch, from, get, header, key, usage};

fn ask() -> HotRequest {
    usage(json!({"metric": "apiCalls"}))
}

#[test]
fn a_good_key_is_served_again_and_again() {
    let mut world = World::new();
    let good = world.key(1, &["usage.write"], Some(at("2026-01-10T12:00:00.001Z")));
    assert_eq!(world.send(from(&good, ask())).short(), "200 1");
    assert_eq!(world.send(from(&good.replace("Bearer", "bearer"), ask())).short(), "200 2");
    world.restart();
    assert_eq!(world.send(from(&good, ask())).short(), "200 3");
}

#[test]
fn all_bad_keys_read_alike() {
    let mut world = World::new();
    let good = world.key(1, &["*"], None);
    assert_eq!(world.send(from(&good, ask())).status, 200, "a verified key is remembered");
    let expired = world.key(2, &["*"], Some(at("2026-01-10T12:00:00Z")));
    let revoked = world.key(3, &["*"], None);
    world.call(Call::RemoveKey { key: key(3) });
    let letter = if good.ends_with('0') { "1" } else { "0" };
    let forged = format!("{}{letter}", &good[..good.len() - 1]);
    let foreign = header(1, OrganizationId::from_bytes([8; 16]), SECRET);
    let unknown = header(4, acme(), SECRET);
    let other_secret = header(1, acme(), b"another secret");
    for (what, credential) in [
        ("expired", expired),
        ("revoked", revoked),
        ("forged", forged),
        ("foreign", foreign),
        ("unknown", unknown),
        ("of another secret", other_secret),
        ("longer", format!("{good}0")),
        ("shorter", good[..good.len() - 1].to_owned()),
    ] {
        let answer = world.send(from(&credential, ask()));
        assert_eq!((answer.status, answer.code()), (401, "unauthenticated"), "{what}");
        assert_eq!(
            answer.body["detail"], "This credential is unknown, expired or revoked. Create a new key with POST /v1/api-keys.",
            "{what}"
        );
        assert!(answer.header("WWW-Authenticate").is_some());
    }
    for credential in ["", "Bearer", "Basic abc"] {
        assert_eq!(world.send(from(credential, ask())).code(), "unauthenticated");
    }
    assert_eq!(world.current("apiCalls"), 1);
}

#[test]
fn a_scope_opens_what_it_names() {
    let mut world = World::new();
    let writer = world.key(1, &["members.read", "usage.write"], None);
    let reader = world.key(2, &["usage.read"], None);
    let both = world.key(3, &["usage.*"], None);
    let neither = world.key(4, &[], None);
    let check = |world: &mut World, header: &str, may_write: bool, may_read: bool| {
        for (sent, may, missing) in [
            (ask(), may_write, "usage.write"),
            (batch(json!([{"metric": "apiCalls"}])), may_write, "usage.write"),
            (get("/v1/usage"), may_read, "usage.read"),
            (get("/v1/quotas/apiCalls"), may_read, "usage.read"),
        ] {
            let answer = world.send(from(header, sent));
            if may {
                assert_eq!(answer.status, 200);
            } else {
                assert_eq!((answer.status, answer.code(), &answer.body["missingPermission"]), (403, "forbidden", &json!(missing)));
            }
        }
    };
    check(&mut world, &writer, true, false);
    check(&mut world, &reader, false, true);
    check(&mut world, &both, true, true);
    check(&mut world, &neither, false, false);
}

#[test]
fn a_revoked_key_stays_revoked_even_when_its_creation_arrives_late() {
    let mut world = World::new();
    world.call(Call::RemoveKey { key: key(1) });
    let late = world.key(1, &["*"], None);
    assert_eq!(world.send(from(&late, ask())).status, 401);
    world.restart();
    assert_eq!(world.send(from(&late, ask())).status, 401);
}

#[test]
fn a_key_can_be_put_again_with_other_scopes() {
    let mut world = World::new();
    world.key(1, &["usage.read"], None);
    let widened = world.key(1, &["usage.write"], None);
    assert_eq!(world.send(from(&widened, ask())).status, 200);
}

#[test]
fn a_forged_key_creates_no_storage() {
    let mut world = World::untouched();
    assert_eq!(world.send(from(&header(1, acme(), b"guessed"), ask())).status, 401);
    assert_eq!(world.call(Call::PendingFacts), json!({"facts": []}));
    assert_eq!(world.call(Call::AcknowledgeFacts { through: 9 }), json!({}));
    assert_eq!(world.call(Call::Prune), json!({}));
    assert!(world.sql.dump().is_empty());
    assert_eq!(world.alarm_at(), None);
}

#[test]
fn a_known_key_of_an_organization_without_a_subscription_is_refused() {
    let mut world = World::untouched();
    let good = world.key(1, &["usage.write"], None);
    assert_eq!(world.send(from(&good, ask())).code(), "no_subscription");
    assert_eq!(world.send(from(&good, get("/v1/usage"))).code(), "forbidden", "its own fault comes first");
}
