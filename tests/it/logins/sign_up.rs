//! A company that comes by itself.

use serde_json::json;

use crate::api::check::{accept, check, refusal};
use crate::api::document;
use crate::logins::people::{ADA, acme, log_in, mails, post, token};
use crate::support::world::World;
use tenantry::kernel::time::minutes;

#[test]
fn whoever_signs_up_owns_the_company_once_the_email_is_proven() {
    let world = World::new();
    let acme = acme(&world);
    assert_eq!(mails(&world, ADA).len(), 1, "the code comes with the sign-up");
    let members = acme.get("/v1/members");
    let owner = &members["data"][0];
    assert_eq!((&owner["email"], &owner["role"], &owner["givenName"]), (&json!(ADA), &json!("owner"), &json!("Ada")));
    let session = log_in(&world, ADA);
    assert_eq!((&session["organization"], &session["person"]), (&json!(acme.id), &owner["$id"]));
    let own = world.get(&token(&session), "/v1/organization").expect(200);
    assert_eq!((&own["$id"], &own["status"]), (&json!(acme.id), &json!("active")));
    assert_eq!(acme.get("/v1/quotas/users")["current"], 1, "the owner takes a seat");
}

#[test]
fn the_answer_opens_nothing_and_does_not_tell_whether_the_email_is_known() {
    let world = World::new();
    let sign_up = |name: &str| accept(&world, &post("/v1/signup", &json!({"name": name, "email": ADA})), 201).body;
    let (first, second) = (sign_up("Acme"), sign_up("Acme"));
    assert_ne!(first["$id"], second["$id"]);
    let names = |view: &serde_json::Value| view.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&first), names(&second));
    assert!(!first.to_string().contains("tk_"), "{first}");
}

#[test]
fn a_sign_up_is_refused_like_the_vendors() {
    let world = World::new();
    check(&world, &post("/v1/signup", &json!({"name": "", "email": ADA})), refusal(400, "invalid_value", "/name"));
    check(&world, &post("/v1/signup", &json!({"name": "Acme", "email": "ada"})), refusal(400, "invalid_value", "/email"));
    check(&world, &post("/v1/signup", &json!({"name": "Acme", "email": ADA, "plan": "gold"})), refusal(400, "invalid_value", "/plan"));
    check(
        &world,
        &post("/v1/signup", &json!({"name": "Acme", "email": ADA, "givenName": "x".repeat(201)})),
        refusal(400, "invalid_value", "/givenName"),
    );
    check(&world, &post("/v1/signup", &json!({"name": "Acme", "email": ADA, "role": "owner"})), refusal(400, "invalid_value", "/role"));
}

#[test]
fn a_sign_up_takes_what_the_vendor_may_send() {
    let members = |schema: &str| {
        let properties = document::DOCUMENT["components"]["schemas"][schema]["properties"].as_object().unwrap();
        properties.keys().cloned().collect::<std::collections::BTreeSet<_>>()
    };
    let more: Vec<String> = members("NewSignup").difference(&members("NewOrganization")).cloned().collect();
    assert_eq!(more, ["familyName", "givenName"]);
    assert!(members("NewSignup").is_superset(&members("NewOrganization")));
}

#[test]
fn a_repeated_sign_up_is_one() {
    let world = World::new();
    let asked = post("/v1/signup", &json!({"name": "Acme", "email": ADA})).header("idempotency-key", "1");
    let first = accept(&world, &asked, 201).body;
    assert_eq!(accept(&world, &asked, 201).body["$id"], first["$id"]);
    assert_eq!(mails(&world, ADA).len(), 1);
    let other = post("/v1/signup", &json!({"name": "Acme Ltd", "email": ADA})).header("idempotency-key", "1");
    check(&world, &other, refusal(422, "idempotency_mismatch", ""));
    let stranger = post("/v1/signup", &json!({"name": "Globex", "email": "bob@globex.example"})).header("idempotency-key", "1");
    assert_ne!(accept(&world, &stranger, 201).body["$id"], first["$id"], "two strangers may use the same key");
}

#[test]
fn a_sign_up_that_was_cut_off_keeps_its_owner() {
    let world = World::new();
    world.shards.iter().for_each(|shard| shard.fail(1));
    assert_eq!(post("/v1/signup", &json!({"name": "Acme", "email": ADA})).send(&world).status, 503);
    world.shards.iter().for_each(|shard| shard.fail(0));
    world.pass(minutes(2));
    world.cron("* * * * *");
    world.deliver();
    let session = log_in(&world, ADA);
    assert_eq!(world.get(&token(&session), "/v1/organization").expect(200)["name"], "Acme");
}
