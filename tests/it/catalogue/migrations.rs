//! Moving subscribers to another version: previewed, scheduled a page at a time, and true at their periods' ends.

use serde_json::{Value, json};

use crate::api::check::{Ask, accept, ask, check, refusal, unchanged};
use crate::catalogue::{publish_next, second_professional};
use crate::support::rows;
use crate::support::world::{Company, World, vendor};

fn preview(body: &Value) -> Ask {
    ask(&vendor(), "POST", "/v1/plans/professional/migration-previews").json(body.to_string())
}

fn migrate(body: &Value) -> Ask {
    ask(&vendor(), "POST", "/v1/plans/professional/migrations").json(body.to_string())
}

/// Some companies on professional v1 and one on starter; version 2 is there.
fn companies(world: &World, count: usize) -> Vec<Company<'_>> {
    let made = (0..count).map(|number| world.sign_up_at(&format!("Company{number}"), "2026-01-01T00:00:00Z")).collect();
    world.sign_up_with(json!({"name": "Other", "email": "a@other.example", "plan": "starter"}));
    accept(world, &publish_next("professional", &second_professional()), 201);
    made
}

fn walk(world: &World, asked: impl Fn(&Value) -> Ask, mut body: Value) -> Vec<Value> {
    let mut all = Vec::new();
    loop {
        let page = accept(world, &asked(&body), 200).body;
        all.extend(page["data"].as_array().unwrap().clone());
        match page["nextCursor"].as_str() {
            Some(next) => body["cursor"] = json!(next),
            None => return all,
        }
    }
}

#[test]
fn a_preview_says_what_would_change_and_changes_nothing() {
    let world = World::new();
    let made = companies(&world, 5);
    made[0].advance("2026-01-20T00:00:00Z");
    let body = json!({"from": 1, "to": 2, "limit": 2});
    let all = unchanged(&world, "a preview", || walk(&world, preview, body));
    let mut expected: Vec<&str> = made.iter().map(|company| company.id.as_str()).collect();
    expected.sort_unstable();
    let found: Vec<&str> = all.iter().map(|view| view["organization"].as_str().unwrap()).collect();
    assert_eq!(found, expected, "each once, by organization, of both shards");
    let first = all.iter().find(|view| view["organization"] == made[0].id).unwrap();
    assert_eq!((&first["status"], &first["effectiveAt"]), (&json!("moves"), &json!("2026-02-15T00:00:00Z")));
    assert_eq!((&first["priceBefore"]["price"], &first["priceAfter"]["price"]), (&json!("199.00"), &json!("249.00")));
    assert_eq!(
        first["limits"],
        json!([
            {"metric": "apiCalls", "before": 100_000, "after": 50_000, "isLower": true},
            {"metric": "projects", "before": 50, "after": -1, "isLower": false},
            {"metric": "storage", "before": 100, "after": -1, "isLower": false},
            {"metric": "users", "before": 25, "after": 30, "isLower": false}
        ])
    );
    assert_eq!(first["featuresLost"], json!(["advancedAnalytics", "customIntegrations", "prioritySupport"]));
    assert_eq!(walk(&world, preview, json!({"from": 2, "to": 1})), Vec::<Value>::new());
}

#[test]
fn a_migration_is_true_at_the_periods_end() {
    let world = World::new();
    let made = companies(&world, 3);
    made.iter().for_each(|company| company.advance("2026-01-20T00:00:00Z"));
    let body = json!({"from": 1, "to": 2, "effective": "period_end", "limit": 2});
    let all = walk(&world, migrate, body.clone());
    assert!(all.len() == 3 && all.iter().all(|view| view["status"] == "scheduled"), "{all:?}");
    assert_eq!(made[0].get("/v1/subscription")["plan"]["version"], 1, "not yet");
    unchanged_subscriptions(&world, || walk(&world, migrate, body));
    made[0].advance("2026-02-16T00:00:00Z");
    let subscription = made[0].get("/v1/subscription");
    assert_eq!((&subscription["plan"]["version"], &subscription["price"]), (&json!(2), &json!("249.00")));
    assert_eq!(made[0].get("/v1/quotas/users")["limit"], 30);
    let invoice = made[0].invoices().last().unwrap().clone();
    let base = &invoice["referencesOrder"].as_array().unwrap().iter().find(|line| line["kind"] == "basePrice").unwrap()["amount"];
    assert_eq!(base["price"], "249.00", "{invoice}");
    let log = made[1].get("/v1/audit-log?limit=100");
    assert_eq!(log["data"].as_array().unwrap().iter().filter(|entry| entry["action"] == "subscription.migration_scheduled").count(), 1);
}

/// A page that is asked for again leaves the subscriptions as they are.
fn unchanged_subscriptions<T>(world: &World, act: impl FnOnce() -> T) -> T {
    let read = || -> Vec<_> {
        world.shards.iter().flat_map(|shard| rows::read(shard.as_ref(), "SELECT * FROM subscriptions ORDER BY id")).collect()
    };
    let before = read();
    let done = act();
    assert_eq!(before, read());
    done
}

#[test]
fn who_has_other_plans_is_left_alone() {
    let world = World::new();
    let made = companies(&world, 4);
    let shard = |company: &Company<'_>| rows::home(&world, &company.id);
    let set = |company: &Company<'_>, what: &str| {
        let text = format!("UPDATE subscriptions SET {what} WHERE organization_id = '{}'", company.id);
        world.shards[shard(company)].meddle(&text).unwrap();
    };
    let change = json!({"to": {"plan": "enterprise", "planVersion": 1, "interval": "month", "quantity": 1, "addOns": {}},
        "effectiveAt": "2026-01-15T00:00:00Z", "requestedAt": "2026-01-02T00:00:00Z"});
    set(&made[0], &format!("scheduled = '{change}'"));
    set(&made[1], "auto_renew = 0");
    let body = json!({"from": 1, "to": 2, "effective": "period_end"});
    let all = walk(&world, migrate, body);
    let of = |company: &Company<'_>| {
        let view = all.iter().find(|view| view["organization"] == company.id).unwrap();
        (view["status"].as_str().unwrap(), view["reason"].as_str())
    };
    assert_eq!(of(&made[0]), ("skipped", Some("change_scheduled")));
    assert_eq!(of(&made[1]), ("skipped", Some("ends")));
    assert_eq!(of(&made[2]), ("scheduled", None));
}

#[test]
fn who_can_not_pay_for_it_stays() {
    let world = World::new();
    let made = companies(&world, 1);
    let mut yearly = second_professional();
    yearly["prices"] = json!([{"currency": "USD", "interval": "year", "price": {"model": "flat", "amount": "2000"}}]);
    accept(&world, &publish_next("professional", &yearly), 201);
    let all = walk(&world, migrate, json!({"from": 1, "to": 3, "effective": "period_end"}));
    assert_eq!((&all[0]["status"], &all[0]["reason"], &all[0]["priceAfter"]), (&json!("refused"), &json!("not_sold"), &Value::Null));
    made[0].advance("2026-02-16T00:00:00Z");
    assert_eq!(made[0].get("/v1/subscription")["plan"]["version"], 1);
}

#[test]
fn what_is_no_migration_is_refused() {
    let world = World::new();
    companies(&world, 1);
    for (body, code, pointer) in [
        (json!({"from": 1}), "invalid_value", ""),
        (json!({"from": 1, "to": 1}), "same_version", "/to"),
        (json!({"from": 7, "to": 1}), "unknown_version", "/from"),
        (json!({"from": 1, "to": 7}), "unknown_version", "/to"),
        (json!({"from": 1, "to": 2, "limit": 0}), "invalid_limit", "/limit"),
        (json!({"from": 1, "to": 2, "limit": 101}), "invalid_limit", "/limit"),
        (json!({"from": 1, "to": 2, "cursor": "x"}), "invalid_cursor", "/cursor"),
        (json!({"from": 1, "to": 2, "typo": 1}), "invalid_value", "/typo"),
    ] {
        check(&world, &preview(&body), refusal(400, code, pointer));
        let mut body = body;
        body["effective"] = json!("period_end");
        check(&world, &migrate(&body), refusal(400, code, pointer));
    }
    check(&world, &migrate(&json!({"from": 1, "to": 2, "effective": "now"})), refusal(400, "invalid_value", "/effective"));
    let unknown = ask(&vendor(), "POST", "/v1/plans/nothing/migration-previews").json(r#"{"from":1,"to":2}"#);
    check(&world, &unknown, refusal(404, "not_found", ""));
}

#[test]
fn a_repeated_page_gets_the_first_answer() {
    let world = World::new();
    companies(&world, 2);
    let asked = migrate(&json!({"from": 1, "to": 2, "effective": "period_end"})).header("idempotency-key", "page-1");
    let first = accept(&world, &asked, 200);
    let again = unchanged(&world, "a repetition", || accept(&world, &asked, 200));
    assert_eq!((again.header("idempotent-replayed"), &again.text), ("true", &first.text));
}
