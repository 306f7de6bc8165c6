//! Publishing: the first version and the next ones, for good.

use futures::executor::block_on;
use serde_json::{Value, json};
use tenantry::catalog::plans::store;
use tenantry::kernel::error::Error;

use crate::api::cast::Cast;
use crate::api::check::{accept, ask, check, difference, refusal, state};
use crate::catalogue::{growth, least, publish, publish_next, second_professional};
use crate::support::rows;
use crate::support::world::{World, vendor};

#[test]
fn a_plan_is_read_as_it_was_published() {
    let world = World::new();
    let body = growth();
    let made = accept(&world, &publish(&body), 201).body;
    for field in ["key", "name", "description", "baseTiming", "trial", "rateLimits", "prorationPolicy"] {
        assert_eq!(made[field], body[field], "{field}");
    }
    assert_eq!(
        made["prices"],
        json!([
            {"currency": "USD", "interval": "month", "price": {"model": "flat", "amount": "99"}},
            {"currency": "USD", "interval": "year", "price": {"model": "flat", "amount": "990"}},
            {"currency": "EUR", "interval": "month", "price": {"model": "per_unit", "unitAmount": "89.5"}}
        ])
    );
    let clients = [&made["price"], &made["priceCurrency"], &made["billingPeriod"], &made["version"]];
    assert_eq!(clients, [&json!("99.00"), &json!("USD"), &json!("month"), &json!(1)]);
    assert_eq!(made["limits"], json!({"apiCalls": -1, "users": 10, "storage": "12.5", "projects": -1}));
    assert_eq!(made["overagePrices"], json!({"apiCalls": {"model": "per_unit", "unitAmount": "0.002"}}));
    assert_eq!(made["features"], json!(["Single sign-on", "Beta", "Support", "Calls", "People"]));
    let calls = json!({"metric": "apiCalls", "kind": "consumable", "unit": "calls", "limit": -1, "included": 50_000, "enforcement": "soft",
        "prices": {"EUR": {"model": "package", "packageSize": "1000", "amount": "2"}, "USD": {"model": "per_unit", "unitAmount": "0.002"}}});
    assert_eq!(made["metrics"][0], calls);
    let users =
        json!({"metric": "users", "kind": "level", "unit": "users", "limit": 10, "included": 10, "enforcement": "hard", "prices": {}});
    assert_eq!((&made["metrics"][1], &made["metrics"][3]["included"]), (&users, &json!(0)));
    assert_eq!(made["entitlements"][1], json!({"key": "beta", "name": "Beta", "type": "boolean", "value": false, "metric": null}));
    assert_eq!(made["entitlements"][3], json!({"key": "calls", "name": "Calls", "type": "metered", "value": null, "metric": "apiCalls"}));
    assert_eq!(made["addOns"][0]["limits"], json!({"users": 5}));
    assert_eq!(made["addOns"][0]["features"][0]["value"], "phone");
    let money = |price: &str, currency: &str, minor: u32| json!({"$type": "PriceSpecification", "price": price, "priceCurrency": currency, "amountMinor": minor});
    assert_eq!(made["minimumCommitment"], json!({"EUR": money("90.00", "EUR", 9_000), "USD": money("100.00", "USD", 10_000)}));
    assert_eq!(made["progressiveBilling"], json!({"USD": money("500.00", "USD", 50_000)}));
    assert_eq!((&made["organization"], &made["publishedAt"]), (&Value::Null, &json!("2026-01-01T00:00:00Z")));
    assert_eq!(accept(&world, &ask(&vendor(), "GET", "/v1/plans/growth"), 200).body, made);
}

#[test]
fn the_least_is_enough_and_the_rest_is_sensible() {
    let world = World::new();
    let made = accept(&world, &publish(&least("least")), 201).body;
    assert_eq!(
        made["rateLimits"],
        json!({"organization": {"perSecond": 1_000, "burst": 10_000}, "key": {"perSecond": 500, "burst": 5_000}})
    );
    assert_eq!(
        (&made["trial"]["days"], &made["baseTiming"], &made["prorationPolicy"]),
        (&json!(0), &json!("in_advance"), &json!("second"))
    );
    for empty in ["metrics", "addOns", "entitlements", "features"] {
        assert_eq!(made[empty], json!([]), "{empty}");
    }
}

#[test]
fn versions_count_up_and_the_newest_is_what_is_shown() {
    let world = World::new();
    accept(&world, &publish(&growth()), 201);
    let second = accept(&world, &publish_next("growth", &least("growth")), 201).body;
    assert_eq!(second["version"], 2);
    let built_in = accept(&world, &publish_next("professional", &second_professional()), 201).body;
    assert_eq!((&built_in["version"], &built_in["key"], &built_in["price"]), (&json!(2), &json!("professional"), &json!("249.00")));
    assert_eq!(accept(&world, &ask(&vendor(), "GET", "/v1/plans/professional"), 200).body, built_in);
    let first = accept(&world, &ask(&vendor(), "GET", "/v1/plans/professional?version=1"), 200).body;
    assert_eq!((&first["price"], &first["publishedAt"]), (&json!("199.00"), &Value::Null));
    check(&world, &publish_next("nothing", &least("nothing")), refusal(404, "not_found", ""));
    check(&world, &publish(&growth()), refusal(409, "plan_exists", ""));
    check(&world, &publish(&least("starter")), refusal(409, "plan_exists", ""));
}

#[test]
fn a_version_never_changes() {
    let world = World::new();
    accept(&world, &publish(&growth()), 201);
    let refused = world.directory.meddle("UPDATE plan_versions SET document = '{}'").unwrap_err();
    assert!(format!("{refused:?}").contains("a published plan version never changes"), "{refused:?}");
    for method in ["PUT", "DELETE", "POST"] {
        check(&world, &ask(&vendor(), method, "/v1/plans/growth").json("{}"), refusal(405, "method_not_allowed", ""));
    }
    for method in ["PATCH", "PUT", "DELETE"] {
        check(&world, &ask(&vendor(), method, "/v1/plans/growth/versions").json("{}"), refusal(405, "method_not_allowed", ""));
    }
    // What is changed beside the versions is how the plan is offered.
    for (body, pointer) in [(r#"{"name":"Other"}"#, "/name"), (r#"{"prices":[]}"#, "/prices")] {
        check(&world, &ask(&vendor(), "PATCH", "/v1/plans/growth").json(body), refusal(400, "invalid_value", pointer));
    }
}

#[test]
fn of_two_publications_at_once_the_second_is_decided_anew() {
    let world = World::new();
    accept(&world, &publish(&growth()), 201);
    let next = |version: u32| {
        let first = block_on(store::newest(&world.app, "growth")).unwrap().unwrap();
        tenantry::catalog::plans::plan::Plan { version, ..first }
    };
    let platform = world.platform();
    // Both have read that version 1 is the newest.
    let (one, other) = (next(2), next(2));
    block_on(store::publish(&platform, &one, 1, None)).unwrap();
    let before = state(&world);
    assert_eq!(block_on(store::publish(&platform, &other, 1, None)), Err(Error::Stale));
    assert_eq!(difference(&before, &state(&world)), [""; 0]);
    assert_eq!(accept(&world, &publish_next("growth", &least("growth")), 201).body["version"], 3, "what is read anew gets the next number");
}

#[test]
fn a_repeated_publication_gets_the_first_answer() {
    let world = World::new();
    for (path, first, other, version) in
        [("/v1/plans", growth(), least("growth"), 1), ("/v1/plans/growth/versions", growth(), least("growth"), 2)]
    {
        let send = |body: &Value| ask(&vendor(), "POST", path).json(body.to_string()).header("idempotency-key", &format!("once {path}"));
        let made = accept(&world, &send(&first), 201);
        assert_eq!(made.body["version"], version);
        let before = state(&world);
        let again = accept(&world, &send(&first), 201);
        assert_eq!((again.header("idempotent-replayed"), &again.text), ("true", &made.text));
        assert_eq!(difference(&before, &state(&world)), [""; 0]);
        check(&world, &send(&other), refusal(422, "idempotency_mismatch", ""));
    }
}

#[test]
fn a_publication_is_in_the_vendors_log() {
    let world = World::new();
    accept(&world, &publish(&growth()), 201);
    let entries = rows::read(
        world.directory.as_ref(),
        "SELECT entry FROM audit_log WHERE organization_id = 'platform' ORDER BY sequence DESC LIMIT 1",
    );
    let entry: Value = serde_json::from_str(entries[0]["entry"].as_str().unwrap()).unwrap();
    assert_eq!((&entry["action"], &entry["target"]["id"]), (&json!("plan.published"), &json!("growth")));
}

#[test]
fn a_company_can_try_what_was_published() {
    let world = World::new();
    accept(&world, &publish(&growth()), 201);
    let company = world.sign_up_with(json!({"name": "Initech", "email": "admin@initech.example", "plan": "growth"}));
    let subscription = company.get("/v1/subscription");
    assert_eq!((&subscription["plan"]["key"], &subscription["trialEndDate"]), (&json!("growth"), &json!("2026-01-31T00:00:00Z")));
    let quota = company.get("/v1/quotas/users");
    assert_eq!(quota["limit"], 10);
    accept(&world, &publish_next("growth", &least("growth")), 201);
    assert_eq!(company.get("/v1/subscription")["plan"]["version"], 1, "a subscription pins its version");
}

#[test]
fn a_trial_of_no_days_is_no_trial() {
    let world = World::new();
    let shown = |key: &str, trial: Value| {
        let mut body = least(key);
        body["trial"] = trial;
        accept(&world, &publish(&body), 201).body["trial"].clone()
    };
    let absent = shown("absent", Value::Null);
    assert_eq!(shown("none", json!({"days": 0})), absent);
    assert_eq!(shown("no-end", json!({"days": 0, "ending": "expire_without_payment_method"})), absent);
    let company = world.sign_up_with(json!({"name": "Initech", "email": "admin@initech.example", "plan": "none"}));
    let subscription = company.get("/v1/subscription");
    assert_eq!((&subscription["isTrial"], &subscription["trialEndDate"]), (&json!(false), &Value::Null));
}

#[test]
fn a_metric_of_the_vendors_own_is_counted_as_it_was_defined() {
    let cast = Cast::new();
    let metric = json!({"key": "tokens", "aggregation": "max", "kind": "level", "unit": "tokens"});
    accept(&cast.world, &ask(&vendor(), "POST", "/v1/metrics").json(metric.to_string()), 201);
    let mut body = least("tokens");
    body["metrics"] = json!([{"metric": "tokens", "limit": 7}]);
    let made = accept(&cast.world, &publish(&body), 201).body;
    assert_eq!((&made["metrics"][0]["kind"], &made["metrics"][0]["unit"]), (&json!("level"), &json!("tokens")));
    let plan = block_on(store::newest(&cast.world.app, "tokens")).unwrap().unwrap();
    assert_eq!(plan.metrics[0].aggregation, tenantry::meter::vocabulary::Aggregation::Max);
}
