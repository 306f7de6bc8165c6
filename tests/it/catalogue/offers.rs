//! The offer of a plan: archived plans take no new subscribers, hidden plans are sold by the vendor only; subscribers keep what they have.

use serde_json::{Value, json};

use crate::support::world::{Answer, Company, Credential, World, vendor};

fn offer(world: &World, plan: &str, change: Value) -> Value {
    world.write(&vendor(), "PATCH", &format!("/v1/plans/{plan}"), &change).expect(200)
}

fn keys(world: &World, who: &Credential, query: &str) -> Vec<String> {
    let page = world.get(who, &format!("/v1/plans{query}")).expect(200);
    page["data"].as_array().unwrap().iter().map(|plan| plan["key"].as_str().unwrap().to_owned()).collect()
}

fn change(company: &Company<'_>, who: &Credential, path: &str, body: Value) -> Answer {
    company.world.post(who, &format!("/v1/subscription/{path}"), &body)
}

fn refused(answer: &Answer) -> (u16, String) {
    (answer.status, answer.body["code"].as_str().unwrap_or_default().to_owned())
}

fn conflict(code: &str) -> (u16, String) {
    (409, code.to_owned())
}

#[test]
fn nobody_changes_to_an_archived_plan_or_begins_on_it() {
    let world = World::new();
    let acme = world.sign_up_at("Acme", "2026-01-01T00:00:00Z");
    let archived = offer(&world, "enterprise", json!({"status": "archived"}));
    assert_eq!((&archived["$type"], &archived["status"], &archived["visibility"]), (&json!("Plan"), &json!("archived"), &json!("public")));
    for who in [acme.vendor(), acme.key(&["*"])] {
        for path in ["changes", "change-previews"] {
            assert_eq!(refused(&change(&acme, &who, path, json!({"plan": "enterprise", "effective": "now"}))), conflict("plan_archived"));
        }
    }
    change(&acme, &acme.vendor(), "cancellation", json!({"effective": "now"})).expect(201);
    let begin = || world.post(&acme.vendor(), "/v1/subscription", &json!({"plan": "enterprise"}));
    assert_eq!(refused(&begin()), conflict("plan_archived"));
    let sign_up = |body: Value| world.post(&vendor(), "/v1/organizations", &body);
    assert_eq!(refused(&sign_up(json!({"name": "A", "email": "a@a.example", "plan": "enterprise"}))), conflict("plan_archived"));
    offer(&world, "enterprise", json!({"status": "active"}));
    begin().expect(201);
}

#[test]
fn subscribers_of_an_archived_plan_go_on() {
    let world = World::new();
    let acme = world.sign_up_at("Acme", "2026-01-01T00:00:00Z");
    acme.advance("2026-01-20T00:00:00Z");
    offer(&world, "professional", json!({"status": "archived"}));
    acme.advance("2026-03-20T00:00:00Z");
    let invoices = acme.invoices();
    assert!(invoices.len() >= 2, "the trial became paid, and the plan is billed each month: {invoices:?}");
    let subscription = acme.get("/v1/subscription");
    assert_eq!(subscription["plan"]["key"], "professional");
    change(&acme, &acme.vendor(), "change-previews", json!({"quantity": 2, "effective": "now"})).expect(200);
    change(&acme, &acme.vendor(), "changes", json!({"quantity": 2, "effective": "now"})).expect(201);
    change(&acme, &acme.vendor(), "changes", json!({"plan": "enterprise", "effective": "now"})).expect(201);
    let back = change(&acme, &acme.vendor(), "changes", json!({"plan": "professional", "effective": "now"}));
    assert_eq!(refused(&back), conflict("plan_archived"), "who left it does not come back");
}

#[test]
fn a_change_that_was_scheduled_before_is_made() {
    let world = World::new();
    let acme = world.sign_up_at("Acme", "2026-01-01T00:00:00Z");
    acme.advance("2026-01-20T00:00:00Z");
    change(&acme, &acme.vendor(), "changes", json!({"plan": "starter", "effective": "period_end"})).expect(201);
    offer(&world, "starter", json!({"status": "archived"}));
    acme.advance("2026-02-20T00:00:00Z");
    assert_eq!(acme.get("/v1/subscription")["plan"]["key"], "starter", "what was agreed holds");
}

#[test]
fn a_sign_up_needs_a_plan_that_is_offered() {
    let world = World::new();
    offer(&world, "professional", json!({"status": "archived"}));
    let sign_up = |path: &str, who: &Credential, plan: Option<&str>| {
        let mut body = json!({"name": "Globex", "email": "ada@globex.example"});
        plan.into_iter().for_each(|plan| body["plan"] = plan.into());
        world.post(who, path, &body)
    };
    for (path, who) in [("/v1/organizations", vendor()), ("/v1/signup", Credential::Nobody)] {
        let answer = sign_up(path, &who, None);
        assert_eq!(refused(&answer), conflict("plan_archived"), "the default plan is archived");
        assert!(answer.body["detail"].as_str().unwrap().contains("professional"), "{}", answer.text);
        sign_up(path, &who, Some("starter")).expect(201);
    }
    offer(&world, "starter", json!({"visibility": "hidden"}));
    assert_eq!(refused(&sign_up("/v1/signup", &Credential::Nobody, Some("starter"))), conflict("plan_hidden"));
    sign_up("/v1/organizations", &vendor(), Some("starter")).expect(201);
}

#[test]
fn a_hidden_plan_is_listed_for_the_vendor_and_sold_by_the_vendor() {
    let world = World::new();
    let acme = world.sign_up("Acme");
    let admin = acme.key(&["*"]);
    assert_eq!(keys(&world, &admin, ""), ["starter", "professional", "enterprise"]);
    let own = json!({"key": "growth", "name": "Growth",
        "prices": [{"currency": "USD", "interval": "month", "price": {"model": "flat", "amount": "99"}}]});
    world.post(&vendor(), "/v1/plans", &own).expect(201);
    offer(&world, "enterprise", json!({"visibility": "hidden"}));
    offer(&world, "starter", json!({"status": "archived"}));
    assert_eq!(keys(&world, &admin, ""), ["professional", "growth"]);
    assert_eq!(keys(&world, &vendor(), ""), ["professional", "enterprise", "growth"]);
    assert_eq!(keys(&world, &admin, "?status=archived"), ["starter"]);
    offer(&world, "growth", json!({"status": "archived", "visibility": "hidden"}));
    assert_eq!(keys(&world, &admin, "?status=archived"), ["starter"]);
    assert_eq!(keys(&world, &vendor(), "?status=archived"), ["starter", "growth"]);
    assert_eq!(keys(&world, &vendor(), "?limit=1"), ["professional"]);
    let next = world.get(&vendor(), "/v1/plans?limit=1").expect(200)["nextCursor"].as_str().unwrap().to_owned();
    assert_eq!(keys(&world, &vendor(), &format!("?limit=5&cursor={next}")), ["enterprise"]);
    for path in ["change-previews", "changes"] {
        let wanted = json!({"plan": "enterprise", "effective": "now"});
        assert_eq!(refused(&change(&acme, &admin, path, wanted.clone())), conflict("plan_hidden"));
        let sold = change(&acme, &acme.vendor(), path, wanted);
        assert!(sold.status < 300, "{}", sold.text);
    }
    change(&acme, &admin, "change-previews", json!({"quantity": 3, "effective": "now"})).expect(200);
}

#[test]
fn an_offer_is_changed_by_the_vendor_and_noted_once() {
    let world = World::new();
    let acme = world.sign_up("Acme");
    let body = json!({"status": "archived"});
    assert_eq!(world.write(&acme.key(&["*"]), "PATCH", "/v1/plans/starter", &body).status, 403);
    assert_eq!(world.write(&vendor(), "PATCH", "/v1/plans/nothing", &body).status, 404);
    for bad in [json!({"status": "gone"}), json!({"status": null}), json!({"visibility": "secret"}), json!({"name": "X"})] {
        assert_eq!(world.write(&vendor(), "PATCH", "/v1/plans/starter", &bad).status, 400, "{bad}");
    }
    offer(&world, "starter", body.clone());
    offer(&world, "starter", body);
    let log = world.get(&vendor(), "/v1/platform-audit-log?action=plan.updated").expect(200);
    let [entry] = &log["data"].as_array().unwrap()[..] else { panic!("{log}") };
    assert_eq!(entry["before"], json!({"status": "active", "visibility": "public"}));
    assert_eq!(entry["after"], json!({"status": "archived", "visibility": "public"}));
    let version =
        json!({"name": "Starter", "prices": [{"currency": "USD", "interval": "month", "price": {"model": "flat", "amount": "59"}}]});
    let next = world.post(&vendor(), "/v1/plans/starter/versions", &version).expect(201);
    assert_eq!((&next["version"], &next["status"]), (&json!(2), &json!("archived")), "a version does not bring the plan back");
    assert_eq!(world.get(&vendor(), "/v1/plans/starter?version=1").expect(200)["status"], "archived");
}
