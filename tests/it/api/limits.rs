//! What the vendor agrees with one organization: limits of its own, and grants on top.

use serde_json::{Value, json};

use crate::api::cast::{Cast, text};
use crate::api::check::{Ask, accept, ask, check, refusal, state_of};
use crate::support::world::vendor;

impl Cast {
    fn limits(&self, method: &str, path: &str) -> Ask {
        ask(&vendor(), method, &format!("/v1/organizations/{}/limits{path}", self.acme))
    }

    fn set(&self, metric: &str, body: Value) -> Ask {
        self.limits("PUT", &format!("/{metric}")).json(body.to_string())
    }

    fn grants(&self, method: &str, path: &str) -> Ask {
        ask(&vendor(), method, &format!("/v1/organizations/{}/grants{path}", self.acme))
    }

    fn give(&self, body: Value) -> Ask {
        self.grants("POST", "").json(body.to_string())
    }
}

fn of<'a>(page: &'a Value, member: &str) -> Vec<&'a Value> {
    page["data"].as_array().unwrap().iter().map(|row| &row[member]).collect()
}

#[test]
fn a_limit_is_set_changed_and_given_back_to_the_plan() {
    let cast = Cast::new();
    let set =
        accept(&cast.world, &cast.set("apiCalls", json!({"limit": 250_000, "enforcement": "soft", "reason": "a big launch"})), 200).body;
    let wanted = json!({"$type": "LimitOverride", "metric": "apiCalls", "limit": 250_000, "enforcement": "soft", "reason": "a big launch",
        "updatedAt": "2026-02-20T00:00:00Z"});
    assert_eq!(set, wanted, "Acme lives in February, on a test clock");
    let set = accept(&cast.world, &cast.set("apiCalls", json!({"limit": -1})), 200).body;
    assert_eq!([&set["limit"], &set["enforcement"], &set["reason"]], [&json!(-1), &json!("hard"), &Value::Null], "PUT sets all of it");
    let listed = accept(&cast.world, &cast.limits("GET", ""), 200).body;
    assert_eq!(of(&listed, "metric"), ["apiCalls", "projects"]);
    assert_eq!(of(&listed, "limit"), [&json!(-1), &json!(60)]);
    for _ in 0..2 {
        accept(&cast.world, &cast.limits("DELETE", "/apiCalls"), 204);
    }
    assert_eq!(of(&accept(&cast.world, &cast.limits("GET", ""), 200).body, "metric"), ["projects"]);
    check(&cast.world, &cast.limits("DELETE", "/nothing"), refusal(400, "unknown_metric", "metric"));
}

#[test]
fn a_metric_of_the_vendors_own_may_be_limited() {
    let cast = Cast::new();
    check(&cast.world, &cast.set("tokens", json!({"limit": "0.5"})), refusal(400, "unknown_metric", "metric"));
    check(&cast.world, &cast.give(json!({"metric": "tokens", "amount": 1})), refusal(400, "unknown_metric", "/metric"));
    let metric = json!({"key": "tokens", "aggregation": "sum", "kind": "consumable"}).to_string();
    accept(&cast.world, &ask(&vendor(), "POST", "/v1/metrics").json(metric), 201);
    assert_eq!(accept(&cast.world, &cast.set("tokens", json!({"limit": "0.5"})), 200).body["limit"], "0.5");
    assert_eq!(accept(&cast.world, &cast.give(json!({"metric": "tokens", "amount": "0.25"})), 201).body["amount"], "0.25");
}

#[test]
fn setting_the_same_again_changes_nothing() {
    let cast = Cast::new();
    let set = || cast.set("apiCalls", json!({"limit": 7, "reason": "small"}));
    let first = accept(&cast.world, &set(), 200).body;
    let before = state_of(&cast.world, &cast.acme);
    assert_eq!(accept(&cast.world, &set(), 200).body, first);
    assert_eq!(state_of(&cast.world, &cast.acme), before);
}

#[test]
fn a_grant_is_given_and_taken_back() {
    let cast = Cast::new();
    let body = json!({"metric": "apiCalls", "amount": 500, "startsAt": "2026-03-01T00:00:00Z", "endsAt": "2026-04-01T02:00:00+02:00", "reason": "goodwill"});
    let mut given = accept(&cast.world, &cast.give(body), 201).body;
    let id = text(&given["$id"]);
    assert!(id.starts_with("grant_"));
    assert!(accept(&cast.world, &cast.grants("GET", ""), 200).body["data"].as_array().unwrap().contains(&given));
    given["$id"] = Value::Null;
    let wanted = json!({"$type": "Grant", "$id": null, "metric": "apiCalls", "amount": 500, "startsAt": "2026-03-01T00:00:00Z",
        "endsAt": "2026-04-01T00:00:00Z", "reason": "goodwill", "createdAt": "2026-02-20T00:00:00Z"});
    assert_eq!(given, wanted);
    let plain = accept(&cast.world, &cast.give(json!({"metric": "users", "amount": 1})), 201).body;
    assert_eq!([&plain["startsAt"], &plain["endsAt"], &plain["reason"]], [&json!("2026-02-20T00:00:00Z"), &Value::Null, &Value::Null]);
    for _ in 0..2 {
        accept(&cast.world, &cast.grants("DELETE", &format!("/{id}")), 204);
    }
    let listed = accept(&cast.world, &cast.grants("GET", ""), 200).body;
    // Made at the same time of Acme's clock, they are in no order but that of their ids.
    let mut left = [text(&plain["$id"]), cast.grant.clone()];
    left.sort_by(|one, other| other.cmp(one));
    assert_eq!(of(&listed, "$id"), left.each_ref());
    let next = accept(&cast.world, &cast.grants("GET", &format!("?cursor={id}")), 200).body;
    let later: Vec<&String> = left.iter().filter(|other| **other < id).collect();
    assert_eq!(of(&next, "$id"), later, "a page goes on past a grant that was revoked");
}

#[test]
fn a_grant_belongs_to_its_organization() {
    let cast = Cast::new();
    let path = format!("/v1/organizations/{}/grants/{}", cast.globex, cast.grant);
    check(&cast.world, &ask(&vendor(), "DELETE", &path), refusal(404, "not_found", ""));
    for list in ["limits", "grants"] {
        let page = accept(&cast.world, &ask(&vendor(), "GET", &format!("/v1/organizations/{}/{list}", cast.globex)), 200).body;
        assert_eq!(page["data"], json!([]), "{list}");
    }
    let path = format!("/v1/organizations/{}/grants?cursor={}", cast.globex, cast.grant);
    check(&cast.world, &ask(&vendor(), "GET", &path), refusal(400, "invalid_cursor", "cursor"));
}

#[test]
fn limits_and_grants_are_shown_in_pages() {
    let cast = Cast::new();
    for metric in ["users", "storage", "apiCalls"] {
        accept(&cast.world, &cast.set(metric, json!({"limit": 1})), 200);
        accept(&cast.world, &cast.give(json!({"metric": metric, "amount": 1})), 201);
    }
    for (list, name) in [("limits", "metric"), ("grants", "$id")] {
        let get =
            |query: &str| accept(&cast.world, &ask(&vendor(), "GET", &format!("/v1/organizations/{}/{list}{query}", cast.acme)), 200).body;
        let all = get("");
        assert_eq!((all["hasMore"].clone(), of(&all, name).len()), (json!(false), 4));
        let first = get("?limit=3");
        let second = get(&format!("?limit=3&cursor={}", text(&first["nextCursor"])));
        let walked: Vec<&Value> = of(&first, name).into_iter().chain(of(&second, name)).collect();
        assert_eq!((walked, &second["nextCursor"]), (of(&all, name), &Value::Null), "{list}");
    }
    assert_eq!(of(&accept(&cast.world, &cast.limits("GET", ""), 200).body, "metric"), ["apiCalls", "projects", "storage", "users"]);
}

#[test]
fn who_changed_what_is_in_the_audit_log() {
    let cast = Cast::new();
    accept(&cast.world, &cast.set("apiCalls", json!({"limit": 7, "reason": "small"})), 200);
    accept(&cast.world, &cast.set("apiCalls", json!({"limit": -1})), 200);
    accept(&cast.world, &cast.limits("DELETE", "/apiCalls"), 204);
    accept(&cast.world, &cast.grants("DELETE", &format!("/{}", cast.grant)), 204);
    let log: Vec<String> = state_of(&cast.world, &cast.acme).into_iter().filter(|line| line.starts_with("audit_log")).collect();
    let entries = |action: &str| log.iter().filter(|line| line.contains(&format!("\"{action}\"")) && line.contains("\"platform\"")).count();
    assert_eq!(["limit.set", "limit.removed", "grant.created", "grant.revoked"].map(entries), [3, 1, 1, 1], "{log:#?}");
    assert!(log.iter().any(|line| line.contains("small") && line.contains("limit.set")));
}

#[test]
fn a_change_reaches_the_meter_before_its_answer() {
    let cast = Cast::new();
    let backend = cast.acme().key(&["usage.read", "usage.write"]);
    let quota = |metric: &str| accept(&cast.world, &ask(&backend, "GET", &format!("/v1/quotas/{metric}?explain=true")), 200).body;
    let explained = |metric: &str| {
        let quota = quota(metric);
        let why = &quota["explanation"];
        [&quota["limit"], &why["limit"], &why["source"], &why["enforcement"]].map(Clone::clone)
    };
    assert_eq!(explained("users"), [json!(25), json!(25), json!("plan"), json!("hard")]);
    accept(&cast.world, &cast.set("users", json!({"limit": 3, "enforcement": "soft"})), 200);
    assert_eq!(explained("users"), [json!(3), json!(3), json!("override"), json!("soft")]);
    let grant = accept(&cast.world, &cast.give(json!({"metric": "users", "amount": 2})), 201).body;
    assert_eq!(explained("users"), [json!(5), json!(3), json!("override"), json!("soft")]);
    let shown = json!([{"$id": grant["$id"], "amount": 2, "startsAt": "2026-02-20T00:00:00Z", "endsAt": null}]);
    assert_eq!(quota("users")["explanation"]["grants"], shown);
    accept(&cast.world, &cast.grants("DELETE", &format!("/{}", text(&grant["$id"]))), 204);
    assert_eq!(quota("users")["limit"], 3);
    accept(&cast.world, &cast.limits("DELETE", "/users"), 204);
    assert_eq!(explained("users"), [json!(25), json!(25), json!("plan"), json!("hard")]);
    accept(&cast.world, &cast.set("users", json!({"limit": -1})), 200);
    assert_eq!(quota("users")["limit"], -1);
}
