//! API keys: replaced without a gap, found unused, and ended with the membership of whoever made them.

use futures::executor::block_on;
use serde_json::{Value, json};
use tenantry::business::actions::Action;
use tenantry::business::company::Company as Standing;
use tenantry::business::perform::perform;
use tenantry::identity::api_keys::store;
use tenantry::kernel::time::{days, minutes, seconds};
use tenantry::tenant_sql;

use crate::credentials::cast::{member, run, tenant, with_token};
use crate::support::world::{Company, Credential, World};

fn make(company: &Company<'_>, who: &Credential, body: &Value) -> Value {
    company.world.post(who, "/v1/api-keys", body).expect(201)
}

fn secret(key: &Value) -> Credential {
    Credential::Bearer(key["secret"].as_str().unwrap().to_owned())
}

fn path(key: &Value) -> String {
    format!("/v1/api-keys/{}", key["$id"].as_str().unwrap())
}

/// What the hot path and the router answer to this key.
fn statuses(world: &World, key: &Credential) -> [u16; 2] {
    [world.post(key, "/v1/usage", &json!({"metric": "apiCalls"})).status, world.get(key, "/v1/organization").status]
}

/// Whether the Meter itself takes the key, as on the short way.
fn meter_takes(company: &Company<'_>, key: &Credential) -> bool {
    use tenantry::meter::wire::{HotCaller, HotReply, HotRequest};
    let Credential::Bearer(text) = key else { panic!("a key is a bearer") };
    let request = HotRequest {
        caller: HotCaller::Header(format!("Bearer {text}").into()),
        method: "GET".into(),
        target: "/v1/usage".into(),
        content_type: "".into(),
        idempotency_key: "".into(),
        attributes: "".into(),
        has_all_metrics: false,
        body: "".into(),
    };
    let reply = block_on(company.world.app.meters.serve(company.id.parse().unwrap(), request.to_wire())).unwrap();
    HotReply::from_wire(&reply).unwrap().status == 200
}

#[test]
fn a_rotated_key_has_a_successor_and_ends_after_the_overlap() {
    let world = World::new();
    let acme = world.sign_up("Acme");
    let old = make(&acme, &acme.vendor(), &json!({"name": "backend", "scopes": ["usage.*", "organization.read"]}));
    let new = world.post(&acme.vendor(), &format!("{}/rotations", path(&old)), &json!({"overlapSeconds": 3600})).expect(201);
    assert_eq!((&new["name"], &new["scopes"]), (&old["name"], &old["scopes"]));
    assert_ne!(new["secret"], old["secret"]);
    for _ in 0..2 {
        assert_eq!(statuses(&world, &secret(&old)), [200, 200]);
        assert!(meter_takes(&acme, &secret(&old)));
        world.pass(minutes(30) - seconds(1));
    }
    world.pass(seconds(2));
    assert_eq!(statuses(&world, &secret(&old)), [401, 401]);
    assert!(!meter_takes(&acme, &secret(&old)) && meter_takes(&acme, &secret(&new)));
    assert_eq!(statuses(&world, &secret(&new)), [200, 200]);
    world.post(&acme.vendor(), &format!("{}/rotations", path(&old)), &json!({})).expect(409);
}

#[test]
fn an_overlap_of_nothing_ends_the_old_secret_at_once() {
    let world = World::new();
    let acme = world.sign_up("Acme");
    let old = make(&acme, &acme.vendor(), &json!({"name": "leaked", "scopes": ["*"]}));
    world.post(&acme.vendor(), &format!("{}/rotations", path(&old)), &json!({"overlapSeconds": 0})).expect(201);
    assert_eq!(statuses(&world, &secret(&old)), [401, 401]);
    assert!(!meter_takes(&acme, &secret(&old)));
}

#[test]
fn a_rotation_is_refused_where_it_would_be_a_gift() {
    let world = World::new();
    let acme = world.sign_up("Acme");
    let strong = make(&acme, &acme.vendor(), &json!({"name": "strong", "scopes": ["*"]}));
    let rotations = format!("{}/rotations", path(&strong));
    let weak = acme.key(&["apiKeys.write"]);
    assert_eq!(world.post(&weak, &rotations, &json!({})).expect(403)["missingPermission"], "*");
    let globex = world.sign_up("Globex");
    world.post(&globex.vendor(), &rotations, &json!({})).expect(404);
    for body in [json!({"overlapSeconds": 2_592_001}), json!({"overlapSeconds": -1}), json!({"overlap": 1}), json!({"overlapSeconds": "1"})]
    {
        world.post(&acme.vendor(), &rotations, &body).expect(400);
    }
}

#[test]
fn a_retried_rotation_makes_one_key_and_shows_its_secret_again() {
    let world = World::new();
    let acme = world.sign_up("Acme");
    let old = make(&acme, &acme.vendor(), &json!({"name": "k", "scopes": ["*"]}));
    let rotate = || world.post_once(&acme.vendor(), &format!("{}/rotations", path(&old)), "r-1", &json!({})).expect(201);
    assert_eq!(rotate(), rotate());
    assert_eq!(acme.get("/v1/api-keys")["data"].as_array().unwrap().len(), 2);
}

#[test]
fn a_rotation_whose_call_to_the_meter_was_lost_is_made_known_later() {
    let world = World::new();
    let acme = world.sign_up("Acme");
    world.deliver();
    let old = make(&acme, &acme.vendor(), &json!({"name": "k", "scopes": ["usage.*"]}));
    world.meters_fail(0, 3);
    let new = world.post_once(&acme.vendor(), &format!("{}/rotations", path(&old)), "r-1", &json!({"overlapSeconds": 0}));
    assert_eq!(new.status, 503, "{}", new.text);
    world.meters_fail(0, 0);
    let new = world.post_once(&acme.vendor(), &format!("{}/rotations", path(&old)), "r-1", &json!({"overlapSeconds": 0})).expect(201);
    world.pass(minutes(5));
    world.cron("* * * * *");
    world.deliver();
    assert!(meter_takes(&acme, &secret(&new)) && !meter_takes(&acme, &secret(&old)));
}

#[test]
fn a_key_says_when_it_was_used_last() {
    let world = World::new();
    let acme = world.sign_up("Acme");
    let key = make(&acme, &acme.vendor(), &json!({"name": "k", "scopes": ["usage.*", "organization.read"]}));
    let used = || acme.get(&path(&key))["lastUsedAt"].clone();
    assert_eq!((used(), &key["lastUsedAt"]), (Value::Null, &Value::Null));
    world.get(&secret(&key), "/v1/organization").expect(200);
    assert_eq!(used(), "2026-01-01T00:00:00Z");
    world.pass(days(1));
    assert!(meter_takes(&acme, &secret(&key)));
    assert_eq!(used(), "2026-01-02T00:00:00Z", "on the hot path, too");
    world.pass(minutes(1));
    assert!(meter_takes(&acme, &secret(&key)));
    assert_eq!(used(), "2026-01-02T00:01:00Z");
    let listed = acme.get("/v1/api-keys")["data"][0].clone();
    assert_eq!((&listed["lastUsedAt"], &listed["secret"]), (&used(), &Value::Null));
    // What a Meter that starts anew knows is a few minutes old at most.
    world.meters.meters.lock().unwrap().values_mut().for_each(|(sql, meter)| {
        *meter = tenantry::durable_objects::meter::Meter::new(sql.clone(), world.meters.settings(), acme.id.parse().unwrap());
    });
    assert_eq!(used(), "2026-01-02T00:00:00Z");
}

#[test]
fn a_key_says_who_made_it() {
    let world = World::new();
    let acme = world.sign_up("Acme");
    let owner = member(&acme, Some("owner"));
    let by_vendor = make(&acme, &acme.vendor(), &json!({"name": "k", "scopes": ["*"]}));
    let by_owner = make(&acme, &with_token(&world, owner), &json!({"name": "k", "scopes": ["*"]}));
    let by_key = make(&acme, &secret(&by_owner), &json!({"name": "k", "scopes": ["usage.read"]}));
    assert_eq!(by_vendor["createdBy"], "platform");
    assert_eq!(by_owner["createdBy"], owner.person.to_string());
    assert_eq!(by_key["createdBy"], by_owner["$id"]);
}

#[test]
fn every_key_in_the_hands_of_a_person_ends_with_their_membership() {
    let world = World::new();
    let acme = world.sign_up("Acme");
    let (leaver, stayer) = (member(&acme, Some("owner")), member(&acme, Some("owner")));
    let all = json!({"name": "k", "scopes": ["*"]});
    let own = make(&acme, &with_token(&world, leaver), &all);
    let by_own = make(&acme, &secret(&own), &all);
    let rotated = world.post(&with_token(&world, stayer), &format!("{}/rotations", path(&by_own)), &json!({})).expect(201);
    let client = world.post(&secret(&by_own), "/v1/oauth-clients", &all).expect(201);
    let others = make(&acme, &with_token(&world, stayer), &all);
    assert!([&own, &by_own, &rotated, &others].into_iter().all(|key| meter_takes(&acme, &secret(key))));
    run(&acme, tenant_sql!("DELETE FROM members WHERE organization_id = ?1 AND id = ?2", leaver.person));
    run(&acme, store::revoke_all_of(leaver.person, world.app.moment().now));
    for key in [&own, &by_own, &rotated] {
        world.get(&secret(key), "/v1/organization").expect(401);
    }
    let tenant = tenant(&acme);
    let step = async {
        let company = Standing::load(&tenant).await.unwrap();
        let decision = perform(Action::RevokeCredentials(leaver.person), &company, &tenant).await.unwrap();
        tenant.commit(decision, None).await.unwrap();
    };
    block_on(step);
    assert!([&own, &by_own, &rotated].into_iter().all(|key| !meter_takes(&acme, &secret(key))));
    assert_eq!(statuses(&world, &secret(&others)), [200, 200]);
    world.get(&acme.vendor(), &format!("/v1/oauth-clients/{}", client["$id"].as_str().unwrap())).expect(404);
}

#[test]
fn nobody_who_left_a_moment_ago_makes_a_key() {
    let world = World::new();
    let acme = world.sign_up("Acme");
    let gone = member(&acme, Some("owner"));
    run(&acme, tenant_sql!("DELETE FROM members WHERE organization_id = ?1 AND id = ?2", gone.person));
    // As if the removal had come between the check of the token and the commit.
    let maker = tenantry::identity::key_lifecycle::maker::Maker { name: gone.person.to_string(), person: Some(gone.person) };
    let (_, decision) =
        tenantry::identity::api_keys::rules::create("k", vec!["*".into()], None, maker.clone(), world.app.moment()).unwrap();
    assert_eq!(block_on(tenant(&acme).commit(decision, None)), Err(tenantry::kernel::error::Error::Stale));
    let (_, decision) = tenantry::identity::oauth::rules::create("k", vec!["*".into()], maker, world.app.moment()).unwrap();
    assert_eq!(block_on(tenant(&acme).commit(decision, None)), Err(tenantry::kernel::error::Error::Stale));
}

#[test]
fn a_forged_key_costs_no_database_anything() {
    let world = World::new();
    let acme = world.sign_up("Acme");
    let key = make(&acme, &acme.vendor(), &json!({"name": "k", "scopes": ["*"]}));
    let text = key["secret"].as_str().unwrap();
    let forged = format!("{}{}", &text[..text.len() - 1], if text.ends_with('0') { "1" } else { "0" });
    world.directory.fail(1);
    world.shards.iter().for_each(|shard| shard.fail(1));
    world.get(&Credential::Bearer(forged), "/v1/organization").expect(401);
    world.get(&secret(&key), "/v1/organization").expect(503);
}
