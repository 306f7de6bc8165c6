//! Who sees which plans.

use serde_json::{Value, json};

use crate::api::cast::{Cast, text};
use crate::api::check::{accept, anonymous, ask, check, refusal};
use crate::catalogue::{growth, least, publish, publish_next};
use crate::support::world::{Credential, World, vendor};

fn keys(world: &World, who: &Credential, query: &str) -> Vec<String> {
    let page = accept(world, &ask(who, "GET", &format!("/v1/plans{query}")), 200).body;
    page["data"].as_array().unwrap().iter().map(|plan| text(&plan["key"])).collect()
}

/// A plan of Acme's alone.
fn contract(cast: &Cast) -> Value {
    let mut body = least("acme-contract");
    body["organization"] = json!(cast.acme);
    body
}

#[test]
fn a_contract_is_its_organizations_alone() {
    let cast = Cast::new();
    let made = accept(&cast.world, &publish(&contract(&cast)), 201).body;
    assert_eq!(made["organization"], cast.acme);
    accept(&cast.world, &publish_next("acme-contract", &least("acme-contract")), 201);
    let (acme, globex) = (cast.acme().key(&["usage.read"]), cast.globex().key(&["*"]));
    for who in [&acme, &vendor()] {
        assert_eq!(keys(&cast.world, who, "").last().unwrap(), "acme-contract");
        let newest = accept(&cast.world, &ask(who, "GET", "/v1/plans/acme-contract"), 200).body;
        assert_eq!((&newest["version"], &newest["organization"]), (&json!(2), &json!(cast.acme)), "the next version stays Acme's");
        accept(&cast.world, &ask(who, "GET", "/v1/plans/acme-contract?version=1"), 200);
        accept(&cast.world, &ask(who, "GET", "/v1/plans/acme-contract/versions"), 200);
    }
    assert_eq!(keys(&cast.world, &globex, ""), ["starter", "professional", "enterprise"]);
    for suffix in ["", "?version=1", "?version=2", "?version=3", "/versions"] {
        let refused =
            |key: &str| check(&cast.world, &ask(&globex, "GET", &format!("/v1/plans/{key}{suffix}")), refusal(404, "not_found", ""));
        assert_eq!(anonymous(&refused("acme-contract")), anonymous(&refused("nothing")), "as if it had never existed: {suffix}");
    }
    check(&cast.world, &ask(&globex, "GET", "/v1/plans?cursor=acme-contract"), refusal(400, "invalid_cursor", "cursor"));
}

#[test]
fn nobody_else_can_try_a_contract() {
    let cast = Cast::new();
    accept(&cast.world, &publish(&contract(&cast)), 201);
    let body = json!({"name": "Initech", "email": "a@initech.example", "plan": "acme-contract"});
    check(&cast.world, &ask(&vendor(), "POST", "/v1/organizations").json(body.to_string()), refusal(400, "invalid_value", "/plan"));
}

#[test]
fn whose_a_plan_is_stays() {
    let cast = Cast::new();
    accept(&cast.world, &publish(&contract(&cast)), 201);
    accept(&cast.world, &publish(&least("open")), 201);
    for (key, organization) in [("acme-contract", &cast.globex), ("open", &cast.acme), ("starter", &cast.acme)] {
        let mut body = least(key);
        body["organization"] = json!(organization);
        check(&cast.world, &publish_next(key, &body), refusal(400, "contract_is_fixed", "/organization"));
    }
    let mut same = contract(&cast);
    same["name"] = json!("Again");
    accept(&cast.world, &publish_next("acme-contract", &same), 201);
    let mut nobodys = least("nobodys");
    nobodys["organization"] = json!("org_00000000000000000000000001");
    check(&cast.world, &publish(&nobodys), refusal(400, "unknown_organization", "/organization"));
}

#[test]
fn all_plans_are_shown_once_in_pages() {
    let world = World::new();
    for number in 0..9 {
        accept(&world, &publish(&least(&format!("plan-{number}"))), 201);
    }
    accept(&world, &publish_next("professional", &growth_without_key()), 201);
    accept(&world, &publish_next("plan-3", &least("plan-3")), 201);
    let all = keys(&world, &vendor(), "?limit=100");
    let mut expected = vec!["starter".to_owned(), "professional".into(), "enterprise".into()];
    expected.extend((0..9).map(|number| format!("plan-{number}")));
    assert_eq!(all, expected);
    for limit in [1, 2, 3, 4, 5, 11, 12, 13] {
        let (mut walked, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = accept(&world, &ask(&vendor(), "GET", &format!("/v1/plans?limit={limit}{cursor}")), 200).body;
            let shown = page["data"].as_array().unwrap();
            assert!(shown.len() <= limit && !shown.is_empty(), "in pages of {limit}");
            walked.extend(shown.iter().map(|plan| text(&plan["key"])));
            assert_eq!(page["hasMore"], page["nextCursor"].is_string());
            match page["nextCursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(walked, all, "in pages of {limit}");
    }
    for cursor in ["", "nothing", "~"] {
        check(&world, &ask(&vendor(), "GET", &format!("/v1/plans?cursor={cursor}")), refusal(400, "invalid_cursor", "cursor"));
    }
}

fn growth_without_key() -> Value {
    let mut body = growth();
    body.as_object_mut().unwrap().remove("key");
    body
}

#[test]
fn versions_are_listed_newest_first() {
    let world = World::new();
    for _ in 0..4 {
        accept(&world, &publish_next("starter", &least("starter")), 201);
    }
    let list = |query: &str| accept(&world, &ask(&vendor(), "GET", &format!("/v1/plans/starter/versions{query}")), 200).body;
    let numbers = |page: &Value| page["data"].as_array().unwrap().iter().map(|plan| plan["version"].as_u64().unwrap()).collect::<Vec<_>>();
    assert_eq!(numbers(&list("")), [5, 4, 3, 2, 1]);
    let first = list("?limit=4");
    assert_eq!((numbers(&first), &first["nextCursor"]), (vec![5, 4, 3, 2], &json!("2")));
    let last = list("?limit=4&cursor=2");
    assert_eq!((numbers(&last), &last["hasMore"]), (vec![1], &json!(false)));
    for cursor in ["0", "6", "x", "-1"] {
        check(
            &world,
            &ask(&vendor(), "GET", &format!("/v1/plans/starter/versions?cursor={cursor}")),
            refusal(400, "invalid_cursor", "cursor"),
        );
    }
    check(&world, &ask(&vendor(), "GET", "/v1/plans/starter?version=9"), refusal(404, "not_found", ""));
    check(&world, &ask(&vendor(), "GET", "/v1/plans/starter?version=x"), refusal(400, "invalid_query", "version"));
}
