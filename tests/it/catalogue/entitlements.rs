//! Entitlements: what the plan, its add-ons and an agreement say, and which of them holds.

use serde_json::{Value, json};

use crate::api::cast::Cast;
use crate::api::check::{accept, ask, check, refusal, unchanged};
use crate::catalogue::{growth, publish};
use crate::support::world::{Company, World, vendor};

fn put(organization: &str, key: &str, body: &Value) -> crate::api::check::Ask {
    ask(&vendor(), "PUT", &format!("/v1/organizations/{organization}/entitlements/{key}")).json(body.to_string())
}

fn of(world: &World) -> Company<'_> {
    accept(world, &publish(&growth()), 201);
    world.sign_up_with(json!({"name": "Initech", "email": "admin@initech.example", "plan": "growth"}))
}

fn read(company: &Company<'_>, key: &str) -> Value {
    accept(company.world, &ask(&company.key(&["subscription.read"]), "GET", &format!("/v1/entitlements/{key}")), 200).body
}

#[test]
fn what_the_plan_says_holds() {
    let world = World::new();
    let company = of(&world);
    let list = accept(&world, &ask(&company.key(&["subscription.read"]), "GET", "/v1/entitlements"), 200).body;
    let shown: Vec<(String, bool)> = list["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|held| (held["key"].as_str().unwrap().to_owned(), held["hasAccess"].as_bool().unwrap()))
        .collect();
    let expected = [("beta", false), ("calls", true), ("people", true), ("sso", true), ("support", true)];
    assert_eq!(shown, expected.map(|(key, access)| (key.to_owned(), access)));
    assert_eq!(
        read(&company, "sso"),
        json!({"$type": "Entitlement", "key": "sso", "name": "Single sign-on", "hasAccess": true, "featureType": "boolean",
        "value": true, "metric": null, "limit": null, "source": "plan", "addOn": null})
    );
    assert_eq!((&read(&company, "support")["value"], &read(&company, "calls")["limit"]), (&json!("mail"), &json!(-1)));
    let unknown = read(&company, "teleport");
    assert_eq!((&unknown["hasAccess"], &unknown["featureType"], &unknown["source"]), (&json!(false), &Value::Null, &Value::Null));
    check(&world, &ask(&company.vendor(), "GET", "/v1/entitlements/9%20lives"), refusal(404, "not_found", ""));
    check(&world, &ask(&company.vendor(), "GET", "/v1/entitlements?limit=5"), refusal(400, "invalid_query", "limit"));
}

#[test]
fn a_metered_one_goes_by_the_limit_that_the_meter_has() {
    let world = World::new();
    let company = of(&world);
    let of_company = |path: &str| format!("/v1/organizations/{}/{path}", company.id);
    let same = |limit: i32| {
        let held = read(&company, "people");
        assert_eq!((&held["limit"], &held["metric"], &held["hasAccess"]), (&json!(limit), &json!("users"), &json!(limit > 0)));
        assert_eq!(company.get("/v1/quotas/users")["limit"], limit, "the Meter says the same");
    };
    same(10);
    world.post(&vendor(), &of_company("grants"), &json!({"metric": "users", "amount": 3})).expect(201);
    world.post(&vendor(), &of_company("grants"), &json!({"metric": "users", "amount": 50, "startsAt": "2030-01-01T00:00:00Z"})).expect(201);
    same(13);
    world.write(&vendor(), "PUT", &of_company("limits/users"), &json!({"limit": 4})).expect(200);
    same(7);
}

#[test]
fn add_ons_bring_their_features_and_limits() {
    let world = World::new();
    let company = of(&world);
    let shard = &world.shards[crate::support::rows::home(&world, &company.id)];
    let bought = format!("UPDATE subscriptions SET add_ons = '{{\"extra-users\":2}}' WHERE organization_id = '{}'", company.id);
    shard.meddle(&bought).unwrap();
    let support = read(&company, "support");
    assert_eq!((&support["value"], &support["source"], &support["addOn"]), (&json!("phone"), &json!("addOn"), &json!("extra-users")));
    assert_eq!(read(&company, "people")["limit"], 20);
}

#[test]
fn an_agreement_wins_and_can_be_taken_back() {
    let world = World::new();
    let company = of(&world);
    let made = accept(&world, &put(&company.id, "beta", &json!({"value": true, "reason": "pilot"})), 200).body;
    assert_eq!((&made["key"], &made["value"], &made["reason"]), (&json!("beta"), &json!(true), &json!("pilot")));
    let beta = read(&company, "beta");
    assert_eq!((&beta["hasAccess"], &beta["source"], &beta["name"]), (&json!(true), &json!("override"), &json!("Beta")));
    accept(&world, &put(&company.id, "sso", &json!({"value": false})), 200);
    assert_eq!(read(&company, "sso")["hasAccess"], false);
    accept(&world, &put(&company.id, "support", &json!({"value": "a person"})), 200);
    assert_eq!(read(&company, "support")["value"], "a person");
    accept(&world, &put(&company.id, "new", &json!({"value": true})), 200);
    assert_eq!((&read(&company, "new")["name"], &read(&company, "new")["hasAccess"]), (&Value::Null, &json!(true)));
    unchanged(&world, "the same again", || accept(&world, &put(&company.id, "new", &json!({"value": true})), 200));
    for _ in 0..2 {
        let delete = ask(&vendor(), "DELETE", &format!("/v1/organizations/{}/entitlements/beta", company.id));
        assert_eq!(delete.send(&world).status, 204);
        assert_eq!((&read(&company, "beta")["hasAccess"], &read(&company, "beta")["source"]), (&json!(false), &json!("plan")));
    }
    let log = company.get("/v1/audit-log?limit=100");
    let actions: Vec<&str> = log["data"].as_array().unwrap().iter().filter_map(|entry| entry["action"].as_str()).collect();
    assert_eq!(actions.iter().filter(|action| action.starts_with("entitlement.")).count(), 5, "{actions:?}");
}

#[test]
fn an_agreement_that_makes_no_sense_is_refused() {
    let world = World::new();
    let company = of(&world);
    for (key, body, status, code, pointer) in [
        ("sso", json!({}), 400, "invalid_value", ""),
        ("sso", json!({"value": null}), 400, "invalid_value", "/value"),
        ("sso", json!({"value": 7}), 400, "invalid_value", "/value"),
        ("sso", json!({"value": true, "typo": 1}), 400, "invalid_value", "/typo"),
        ("sso", json!({"value": "yes"}), 400, "feature_type_mismatch", "/value"),
        ("support", json!({"value": true}), 400, "feature_type_mismatch", "/value"),
        ("support", json!({"value": ""}), 400, "invalid_value", "/value"),
        ("new", json!({"value": true, "reason": " "}), 400, "invalid_value", "/reason"),
        ("people", json!({"value": true}), 409, "entitlement_is_metered", ""),
        ("9%20lives", json!({"value": true}), 404, "not_found", ""),
    ] {
        check(&world, &put(&company.id, key, &body), refusal(status, code, pointer));
    }
}

#[test]
fn nobody_elses_agreement_counts() {
    let cast = Cast::new();
    accept(&cast.world, &put(&cast.acme, "beta", &json!({"value": true})), 200);
    assert_eq!(read(&cast.acme(), "beta")["hasAccess"], true);
    assert_eq!(read(&cast.globex(), "beta")["hasAccess"], false);
}
