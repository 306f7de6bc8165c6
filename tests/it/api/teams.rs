//! Teams: their tree, their settings, and what becomes of what is in them.

use serde_json::{Value, json};

use crate::api::cast::{Cast, text};
use crate::api::check::{Ask, accept, ask, check, refusal, state_of};

impl Cast {
    fn teams(&self, method: &str, path: &str) -> Ask {
        ask(&self.acme().vendor(), method, &self.fill(&format!("/v1/teams{path}")))
    }

    pub fn make_team(&self, body: Value) -> String {
        text(&accept(&self.world, &self.teams("POST", "").json(body.to_string()), 201).body["$id"])
    }

    fn names(&self, query: &str) -> Vec<String> {
        let page = accept(&self.world, &self.teams("GET", query), 200).body;
        let mut names: Vec<String> = page["data"].as_array().unwrap().iter().map(|team| text(&team["name"])).collect();
        names.sort();
        names
    }
}

const NO_TEAM: &str = "team_00000000000000000000000001";

#[test]
fn a_team_is_made_changed_and_deleted() {
    let cast = Cast::new();
    let engineering = cast.make_team(json!({"name": "Engineering"}));
    let body = json!({"name": " Backend ", "description": "Behind.", "parentTeam": engineering,
        "settings": {"allowedRoles": ["admin", "developer"], "defaultRole": "developer"}});
    let backend = accept(&cast.world, &cast.teams("POST", "").json(body.to_string()), 201).body;
    let id = text(&backend["$id"]);
    let wanted = json!({"$type": "PerformingGroup", "$id": id, "name": "Backend", "description": "Behind.", "parentOrganization": cast.acme,
        "parentTeam": engineering, "path": [engineering, id], "depth": 2, "settings": {"allowedRoles": ["admin", "developer"], "defaultRole": "developer"},
        "createdAt": "2026-02-20T00:00:00Z"});
    assert_eq!(backend, wanted);
    assert_eq!(accept(&cast.world, &cast.teams("GET", &format!("/{id}")), 200).body, wanted);
    let change = |body: Value| accept(&cast.world, &cast.teams("PATCH", &format!("/{id}")).json(body.to_string()), 200).body;
    let changed = change(json!({"name": "Core", "description": null, "settings": {"defaultRole": "admin"}}));
    assert_eq!([&changed["name"], &changed["description"]], [&json!("Core"), &Value::Null]);
    assert_eq!(changed["settings"], json!({"allowedRoles": ["admin", "developer"], "defaultRole": "admin"}));
    assert_eq!(
        change(json!({"settings": {"allowedRoles": null, "defaultRole": null}}))["settings"],
        json!({"allowedRoles": null, "defaultRole": null})
    );
    let moved = change(json!({"parentTeam": null}));
    assert_eq!([&moved["parentTeam"], &moved["path"], &moved["depth"]], [&Value::Null, &json!([id]), &json!(1)]);
    let before = state_of(&cast.world, &cast.acme);
    change(json!({"name": "Core", "parentTeam": null}));
    assert_eq!(state_of(&cast.world, &cast.acme), before, "nothing changes when it is so already");
    accept(&cast.world, &cast.teams("DELETE", &format!("/{id}")), 204);
    check(&cast.world, &cast.teams("GET", &format!("/{id}")), refusal(404, "not_found", ""));
    let log: Vec<String> = state_of(&cast.world, &cast.acme).into_iter().filter(|line| line.starts_with("audit_log")).collect();
    let entries = |action: &str| log.iter().filter(|line| line.contains(&format!("\"{action}\""))).count();
    assert_eq!(["team.created", "team.updated", "team.deleted"].map(entries), [2, 3, 1], "{log:#?}");
}

#[test]
fn what_is_no_team_is_refused() {
    let cast = Cast::new();
    let rows = [
        (json!({}), "invalid_value", ""),
        (json!({"name": ""}), "invalid_value", "/name"),
        (json!({"name": "  "}), "invalid_value", "/name"),
        (json!({"name": "x".repeat(201)}), "invalid_value", "/name"),
        (json!({"name": null}), "invalid_value", "/name"),
        (json!({"name": "A", "description": "x".repeat(2001)}), "invalid_value", "/description"),
        (json!({"name": "A", "parentTeam": "sales"}), "invalid_value", "/parentTeam"),
        (json!({"name": "A", "parentTeam": NO_TEAM}), "unknown_team", "/parentTeam"),
        (json!({"name": "A", "settings": {"allowedRoles": []}}), "invalid_value", "/settings/allowedRoles"),
        (json!({"name": "A", "settings": {"allowedRoles": ["viewer", "wizard"]}}), "unknown_role", "/settings/allowedRoles/1"),
        (json!({"name": "A", "settings": {"defaultRole": "wizard"}}), "unknown_role", "/settings/defaultRole"),
        (
            json!({"name": "A", "settings": {"allowedRoles": ["viewer"], "defaultRole": "admin"}}),
            "role_not_allowed",
            "/settings/defaultRole",
        ),
        (json!({"name": "A", "settings": {"color": "red"}}), "invalid_value", "/settings/color"),
        (json!({"name": "A", "path": []}), "invalid_value", "/path"),
    ];
    for (body, code, pointer) in &rows {
        check(&cast.world, &cast.teams("POST", "").json(body.to_string()), refusal(400, code, pointer));
    }
    let id = cast.team();
    // A change may be empty; otherwise it is refused for the same.
    for (body, code, pointer) in &rows[1..] {
        check(&cast.world, &cast.teams("PATCH", &format!("/{id}")).json(body.to_string()), refusal(400, code, pointer));
    }
    for id in ["sales", "team_1", NO_TEAM] {
        for method in ["GET", "DELETE"] {
            check(&cast.world, &cast.teams(method, &format!("/{id}")), refusal(404, "not_found", ""));
        }
    }
}

#[test]
fn a_parent_of_somebody_else_is_unknown() {
    let cast = Cast::new();
    let foreign = text(&accept(&cast.world, &ask(&cast.globex().vendor(), "POST", "/v1/teams").json(r#"{"name":"A"}"#), 201).body["$id"]);
    let body = json!({"name": "A", "parentTeam": foreign}).to_string();
    check(&cast.world, &cast.teams("POST", "").json(body.clone()), refusal(400, "unknown_team", "/parentTeam"));
    check(&cast.world, &cast.teams("PATCH", "/{team}").json(body), refusal(400, "unknown_team", "/parentTeam"));
    check(&cast.world, &cast.teams("DELETE", &format!("/{{team}}?reassignTo={foreign}")), refusal(400, "unknown_team", "reassignTo"));
    check(&cast.world, &cast.teams("GET", &format!("?cursor={foreign}")), refusal(400, "invalid_cursor", "cursor"));
    assert_eq!(cast.names(&format!("?parentTeam={foreign}")), [""; 0]);
}

#[test]
fn a_team_is_neither_below_itself_nor_too_deep() {
    let cast = Cast::new();
    let mut chain = vec![cast.make_team(json!({"name": "1"}))];
    for depth in 2..=8 {
        chain.push(cast.make_team(json!({"name": depth.to_string(), "parentTeam": chain.last()})));
    }
    let deepest = json!({"name": "9", "parentTeam": chain.last()}).to_string();
    check(&cast.world, &cast.teams("POST", "").json(deepest), refusal(409, "team_too_deep", ""));
    for below in [&chain[0], &chain[1], &chain[7]] {
        let body = json!({"parentTeam": below}).to_string();
        check(&cast.world, &cast.teams("PATCH", &format!("/{}", chain[0])).json(body), refusal(409, "team_cycle", ""));
    }
    let other = cast.make_team(json!({"name": "other"}));
    let body = json!({"parentTeam": other}).to_string();
    check(&cast.world, &cast.teams("PATCH", &format!("/{}", chain[0])).json(body.clone()), refusal(409, "team_too_deep", ""));
    let moved = accept(&cast.world, &cast.teams("PATCH", &format!("/{}", chain[1])).json(body), 200).body;
    assert_eq!(moved["path"], json!([other, chain[1]]));
    let last = accept(&cast.world, &cast.teams("GET", &format!("/{}", chain[7])), 200).body;
    assert_eq!(
        (&last["depth"], &last["path"][0], &last["parentTeam"]),
        (&json!(8), &json!(other), &json!(chain[6])),
        "what is below goes with it"
    );
}

#[test]
fn teams_are_filtered_by_parent_and_by_how_their_name_begins() {
    let cast = Cast::new();
    let engineering = cast.make_team(json!({"name": "Engineering"}));
    cast.make_team(json!({"name": "Backend", "parentTeam": engineering}));
    cast.make_team(json!({"name": "Build", "parentTeam": engineering}));
    cast.make_team(json!({"name": "Büro"}));
    let check_names = |query: &str, names: &[&str]| assert_eq!(cast.names(query), names, "{query}");
    check_names("", &["Backend", "Build", "Büro", "Engineering"]);
    check_names("?q=b", &["Backend", "Build", "Büro"]);
    check_names("?q=BU", &["Build"]);
    check_names("?q=b%C3%9C", &["Büro"]);
    check_names("?q=%25", &[]);
    check_names("?q=uild", &[]);
    check_names("?parentTeam=none", &["Büro", "Engineering"]);
    check_names(&format!("?parentTeam={engineering}"), &["Backend", "Build"]);
    check_names(&format!("?parentTeam={engineering}&q=bac"), &["Backend"]);
    check_names(&format!("?parentTeam={NO_TEAM}"), &[]);
    check(&cast.world, &cast.teams("GET", "?parentTeam=sales"), refusal(400, "invalid_value", "parentTeam"));
    check(&cast.world, &cast.teams("GET", &format!("?q={}", "x".repeat(201))), refusal(400, "invalid_value", "q"));
    let first = accept(&cast.world, &cast.teams("GET", "?limit=3"), 200).body;
    let rest = accept(&cast.world, &cast.teams("GET", &format!("?limit=3&cursor={}", text(&first["nextCursor"]))), 200).body;
    assert_eq!((first["data"].as_array().unwrap().len(), rest["data"].as_array().unwrap().len(), &rest["hasMore"]), (3, 1, &json!(false)));
}

#[test]
fn a_team_that_has_something_is_deleted_only_when_another_takes_it_over() {
    let cast = Cast::new();
    let (old, heir) = (cast.make_team(json!({"name": "Old"})), cast.make_team(json!({"name": "Heir"})));
    let child = cast.make_team(json!({"name": "Child", "parentTeam": old}));
    let grandchild = cast.make_team(json!({"name": "Grandchild", "parentTeam": child}));
    let put = |team: &str, member: &str, role: &str| {
        accept(&cast.world, &cast.teams("PUT", &format!("/{team}/members/{member}")).json(json!({"role": role}).to_string()), 200);
    };
    let both = cast.member();
    let only_old = crate::support::people::join(&cast.world, &cast.acme, "clara", None);
    put(&old, &both, "developer");
    put(&heir, &both, "viewer");
    put(&old, &only_old, "support");
    let delete = |query: &str| cast.teams("DELETE", &format!("/{old}{query}"));
    let refused = check(&cast.world, &delete(""), refusal(409, "team_not_empty", ""));
    assert!(refused.text.contains("teams below it, members") && refused.text.contains("reassignTo"), "{}", refused.text);
    check(&cast.world, &delete(&format!("?reassignTo={NO_TEAM}")), refusal(400, "unknown_team", "reassignTo"));
    check(&cast.world, &delete("?reassignTo=heir"), refusal(400, "unknown_team", "reassignTo"));
    check(&cast.world, &delete("?to=heir"), refusal(400, "invalid_query", "to"));
    for below in [&old, &child, &grandchild] {
        check(&cast.world, &delete(&format!("?reassignTo={below}")), refusal(400, "team_cycle", "reassignTo"));
    }
    let settings = |roles: Value| cast.teams("PATCH", &format!("/{heir}")).json(json!({"settings": {"allowedRoles": roles}}).to_string());
    accept(&cast.world, &settings(json!(["viewer", "developer"])), 200);
    check(&cast.world, &delete(&format!("?reassignTo={heir}")), refusal(409, "role_not_allowed", ""));
    accept(&cast.world, &settings(Value::Null), 200);

    accept(&cast.world, &delete(&format!("?reassignTo={heir}")), 204);
    check(&cast.world, &cast.teams("GET", &format!("/{old}")), refusal(404, "not_found", ""));
    let child = accept(&cast.world, &cast.teams("GET", &format!("/{child}")), 200).body;
    assert_eq!((&child["parentTeam"], &child["path"][0]), (&json!(heir), &json!(heir)));
    assert_eq!(
        accept(&cast.world, &cast.teams("GET", &format!("/{grandchild}")), 200).body["path"],
        json!([heir, child["$id"], grandchild])
    );
    let members = accept(&cast.world, &cast.teams("GET", &format!("/{heir}/members")), 200).body;
    let role =
        |person: &str| members["data"].as_array().unwrap().iter().find(|member| member["member"] == person).unwrap()["roleName"].clone();
    assert_eq!((role(&both), role(&only_old)), (json!("viewer"), json!("support")), "who is on both keeps the role they have there");
}

#[test]
fn an_organization_has_so_many_teams_and_no_more() {
    let cast = Cast::new();
    let text = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 999) INSERT INTO teams (organization_id, id, name, path, depth, settings, created_at) \
        SELECT ?1, printf('team_%026d', i), 'Team', printf('team_%026d/', i), 1, '{\"allowedRoles\":null,\"defaultRole\":null}', 0 FROM n";
    crate::support::people::run(&cast.world, &cast.acme, text, vec![cast.acme.as_str().into()]);
    cast.make_team(json!({"name": "The thousandth"}));
    check(&cast.world, &cast.teams("POST", "").json(r#"{"name":"One more"}"#), refusal(409, "too_many_teams", ""));
}

#[test]
fn a_repeated_creation_makes_one_team() {
    let cast = Cast::new();
    let create = || cast.teams("POST", "").json(r#"{"name":"Once"}"#).header("idempotency-key", "once");
    let (first, again) = (accept(&cast.world, &create(), 201), accept(&cast.world, &create(), 201));
    assert_eq!((first.text, again.header("idempotent-replayed")), (again.text.clone(), "true"));
    assert_eq!(cast.names("?q=once"), ["Once"]);
}
