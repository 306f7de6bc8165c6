//! Secrets at rest: each opens where it was sealed and nowhere else, and the master key can be replaced.

use futures::executor::block_on;
use proptest::prelude::*;
use serde_json::json;
use tenantry::kernel::ids::OrganizationId;
use tenantry::kernel::ports::{App, Lock, Sealing};
use tenantry::kernel::sql::Statement;
use tenantry::sealing::{Scope, conformance};

use crate::support::twins::SealingTwin;
use crate::support::world::{World, vendor};

fn organization(number: u8) -> Scope {
    Scope::Organization(OrganizationId::from_bytes([number; 16]))
}

fn seal(app: &App, scope: Scope, name: &str, secret: &[u8]) -> String {
    block_on(app.seal(scope, name, secret)).unwrap()
}

fn open(app: &App, scope: Scope, name: &str, sealed: &str) -> Option<Vec<u8>> {
    block_on(app.open_sealed(scope, name, sealed)).ok()
}

#[test]
fn the_twin_does_what_the_runtime_does() {
    for (sentence, outcome) in block_on(conformance::check(&SealingTwin)) {
        assert_eq!(outcome, Ok(()), "{sentence}");
    }
}

#[test]
fn a_secret_opens_where_it_was_sealed_and_nowhere_else() {
    let world = World::new();
    let (acme, globex) = (organization(1), organization(2));
    let sealed = seal(&world.app, acme, "totp_seeds.seed/user_1", b"seed");
    // Globex has a key of its own, too.
    seal(&world.app, globex, "totp_seeds.seed/user_1", b"other");
    assert_eq!(open(&world.app, acme, "totp_seeds.seed/user_1", &sealed).as_deref(), Some(&b"seed"[..]));
    for (scope, name) in [
        (globex, "totp_seeds.seed/user_1"),
        (Scope::Platform, "totp_seeds.seed/user_1"),
        (acme, "totp_seeds.seed/user_2"),
        (acme, "webhooks.secret/user_1"),
        (acme, ""),
    ] {
        assert_eq!(open(&world.app, scope, name, &sealed), None, "{scope:?} {name}");
    }
}

#[test]
fn the_same_secret_never_looks_the_same() {
    let world = World::new();
    let sealed: Vec<String> = (0..3).map(|_| seal(&world.app, organization(1), "n", b"secret")).collect();
    assert!(sealed[0] != sealed[1] && sealed[1] != sealed[2] && sealed[0] != sealed[2]);
    assert!(sealed.iter().all(|text| text.starts_with("v1.sealingkey_")));
}

#[test]
fn two_first_secrets_at_once_have_one_key() {
    let world = World::new();
    let (first, second) =
        block_on(futures::future::join(world.app.seal(organization(1), "a", b"first"), world.app.seal(organization(1), "b", b"second")));
    assert_eq!(open(&world.app, organization(1), "a", &first.unwrap()).as_deref(), Some(&b"first"[..]));
    assert_eq!(open(&world.app, organization(1), "b", &second.unwrap()).as_deref(), Some(&b"second"[..]));
}

#[test]
fn the_directory_alone_opens_nothing() {
    let world = World::new();
    let sealed = seal(&world.app, organization(1), "n", b"secret");
    let stranger = world.with_master_secrets(&[b"another master secret"]);
    assert_eq!(open(&stranger, organization(1), "n", &sealed), None);
}

#[test]
fn the_master_key_is_replaced_and_every_secret_stays_readable() {
    let world = World::new();
    let sealed: Vec<(Scope, String)> =
        (0..250_u8).map(organization).chain([Scope::Platform]).map(|scope| (scope, seal(&world.app, scope, "n", b"secret"))).collect();
    let all_open = |app: &App| sealed.iter().filter(|(scope, text)| open(app, *scope, "n", text).is_some()).count();
    let both = world.with_master_secrets(&[b"the new master secret", crate::support::world::SECRET]);
    assert_eq!(all_open(&both), sealed.len(), "before the rotation, with both secrets");
    let step = || world.send_to(&both, &vendor(), "POST", "/v1/sealing-keys/rotations", &[], "").expect(200);
    assert_eq!(step(), json!({"$type": "SealingKeyRotation", "rewrapped": 100, "hasMore": true}));
    assert_eq!(all_open(&both), sealed.len(), "in the middle of it");
    assert_eq!(step()["hasMore"], true);
    assert_eq!(step(), json!({"$type": "SealingKeyRotation", "rewrapped": 51, "hasMore": false}));
    assert_eq!(step()["rewrapped"], 0, "there is nothing more to do");
    let new = world.with_master_secrets(&[b"the new master secret"]);
    assert_eq!(all_open(&new), sealed.len(), "without the old secret");
    assert_eq!(all_open(&world.app), 0, "the old secret opens nothing any more");
}

#[test]
fn a_master_secret_that_was_removed_too_early_is_named() {
    let world = World::new();
    seal(&world.app, organization(1), "n", b"secret");
    let new = world.with_master_secrets(&[b"the new master secret"]);
    let refused = world.send_to(&new, &vendor(), "POST", "/v1/sealing-keys/rotations", &[], "").expect(409);
    assert_eq!(refused["code"], "master_key_missing");
    assert!(refused["detail"].as_str().unwrap().contains("master_"));
}

#[test]
fn what_is_stored_holds_no_secret() {
    let world = World::new();
    seal(&world.app, organization(1), "n", b"secret");
    let read = Statement { text: "SELECT wrapped FROM sealing_keys", params: Vec::new() };
    let rows = block_on(tenantry::kernel::sql::Sql::batch(world.directory.as_ref(), vec![read])).unwrap();
    let wrapped = rows[0].rows[0]["wrapped"].as_str().unwrap().to_owned();
    assert!(wrapped.starts_with("v1.master_"), "{wrapped}");
}

#[test]
fn every_secret_reads_back_and_no_changed_text_opens() {
    let world = World::new();
    proptest!(|(secret in proptest::collection::vec(any::<u8>(), 0..200), at: prop::sample::Index, bit in 0..8_u8)| {
        let sealed = seal(&world.app, organization(1), "n", &secret);
        prop_assert_eq!(open(&world.app, organization(1), "n", &sealed), Some(secret));
        let mut changed = sealed.clone().into_bytes();
        changed[at.index(sealed.len())] ^= 1 << bit;
        if let Ok(changed) = String::from_utf8(changed) {
            prop_assert_eq!(open(&world.app, organization(1), "n", &changed), None, "{}", changed);
        }
    });
}

#[test]
fn what_one_lock_closed_another_does_not_open() {
    proptest!(|(first: [u8; 32], second: [u8; 32], nonce: [u8; 12])| {
        prop_assume!(first != second);
        let sealed = block_on(SealingTwin.encrypt(Lock { key: &first, nonce: &nonce, context: b"" }, b"secret")).unwrap();
        prop_assert_eq!(block_on(SealingTwin.decrypt(Lock { key: &second, nonce: &nonce, context: b"" }, &sealed)).unwrap(), None);
    });
}
