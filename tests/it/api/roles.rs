//! Roles of an organization's own, and who may do what, and why.

use serde_json::{Value, json};

use crate::api::cast::{Cast, text};
use crate::api::check::{Ask, accept, ask, check, refusal, state_of};
use crate::support::people::join;

impl Cast {
    fn define(&self, body: Value) -> Ask {
        ask(&self.acme().vendor(), "POST", "/v1/roles").json(body.to_string())
    }

    fn roles(&self, method: &str, path: &str) -> Ask {
        ask(&self.acme().vendor(), method, &self.fill(&format!("/v1/roles{path}")))
    }

    fn role_id(&self, key: &str) -> String {
        let roles = accept(&self.world, &self.roles("GET", "?limit=100"), 200).body;
        text(&roles["data"].as_array().unwrap().iter().find(|role| role["key"] == key).unwrap()["$id"])
    }
}

#[test]
fn every_organization_has_the_built_in_roles_and_its_own_before_them() {
    let cast = Cast::new();
    cast.fill("{role}");
    let listed = accept(&cast.world, &cast.roles("GET", ""), 200).body;
    let keys: Vec<&Value> = listed["data"].as_array().unwrap().iter().map(|role| &role["key"]).collect();
    assert_eq!(keys, ["keeper", "owner", "admin", "developer", "viewer", "billing", "support"]);
    let of_globex = accept(&cast.world, &ask(&cast.globex().vendor(), "GET", "/v1/roles"), 200).body;
    assert_eq!(
        &of_globex["data"].as_array().unwrap()[..],
        &listed["data"].as_array().unwrap()[1..],
        "built-in ones are the same everywhere"
    );
    let owner = accept(&cast.world, &cast.roles("GET", &format!("/{}", cast.role_id("owner"))), 200).body;
    assert_eq!(
        [&owner["$type"], &owner["builtIn"], &owner["permissions"], &owner["createdAt"]],
        [&json!("Role"), &json!(true), &json!(["*"]), &Value::Null]
    );
    let first = accept(&cast.world, &cast.roles("GET", "?limit=4"), 200).body;
    let rest = accept(&cast.world, &cast.roles("GET", &format!("?limit=4&cursor={}", text(&first["nextCursor"]))), 200).body;
    let walked: Vec<&Value> =
        first["data"].as_array().unwrap().iter().chain(rest["data"].as_array().unwrap()).map(|role| &role["key"]).collect();
    assert_eq!((walked, &rest["hasMore"]), (keys, &json!(false)));
}

#[test]
fn a_role_is_defined_changed_and_deleted() {
    let cast = Cast::new();
    let body =
        json!({"key": "release-manager", "name": " Release manager ", "description": "Ships.", "permissions": ["usage.*", "teams.read"]});
    let mut made = accept(&cast.world, &cast.define(body), 201).body;
    let path = format!("/{}", text(&made["$id"]));
    assert!(path.starts_with("/role_"));
    assert_eq!(accept(&cast.world, &cast.roles("GET", &path), 200).body, made);
    made["$id"] = Value::Null;
    let wanted = json!({"$type": "Role", "$id": null, "key": "release-manager", "name": "Release manager", "description": "Ships.",
        "permissions": ["usage.*", "teams.read"], "builtIn": false, "createdAt": "2026-02-20T00:00:00Z"});
    assert_eq!(made, wanted);
    let change = |body: Value| accept(&cast.world, &cast.roles("PATCH", &path).json(body.to_string()), 200).body;
    let changed = change(json!({"name": "Shipper", "description": null}));
    assert_eq!(
        [&changed["name"], &changed["description"], &changed["permissions"]],
        [&json!("Shipper"), &Value::Null, &wanted["permissions"]]
    );
    assert_eq!(change(json!({"permissions": ["*"]}))["permissions"], json!(["*"]));
    let before = state_of(&cast.world, &cast.acme);
    change(json!({"name": "Shipper"}));
    assert_eq!(state_of(&cast.world, &cast.acme), before, "nothing changes when it is so already");
    accept(&cast.world, &cast.roles("DELETE", &path), 204);
    check(&cast.world, &cast.roles("GET", &path), refusal(404, "not_found", ""));
    let log: Vec<String> = before.into_iter().filter(|line| line.starts_with("audit_log")).collect();
    assert_eq!(["role.created", "role.updated"].map(|action| log.iter().filter(|line| line.contains(action)).count()), [1, 2]);
}

#[test]
fn what_is_no_role_is_refused() {
    let cast = Cast::new();
    cast.fill("{role}");
    let long = "x".repeat(201);
    let rows = [
        (json!({}), "invalid_value", ""),
        (json!({"key": "k", "name": "K"}), "invalid_value", ""),
        (json!({"key": "", "name": "K", "permissions": ["usage.read"]}), "invalid_value", "/key"),
        (json!({"key": "1k", "name": "K", "permissions": ["usage.read"]}), "invalid_value", "/key"),
        (json!({"key": "a b", "name": "K", "permissions": ["usage.read"]}), "invalid_value", "/key"),
        (json!({"key": "k".repeat(65), "name": "K", "permissions": ["usage.read"]}), "invalid_value", "/key"),
        (json!({"key": "k", "name": " ", "permissions": ["usage.read"]}), "invalid_value", "/name"),
        (json!({"key": "k", "name": long, "permissions": ["usage.read"]}), "invalid_value", "/name"),
        (json!({"key": "k", "name": "K", "description": "x".repeat(2001), "permissions": ["usage.read"]}), "invalid_value", "/description"),
        (json!({"key": "k", "name": "K", "permissions": []}), "invalid_value", "/permissions"),
        (json!({"key": "k", "name": "K", "permissions": vec!["usage.read"; 51]}), "invalid_value", "/permissions"),
        (json!({"key": "k", "name": "K", "permissions": ["usage.read", "usage.fly"]}), "unknown_permission", "/permissions/1"),
        (json!({"key": "k", "name": "K", "permissions": ["fly.*"]}), "unknown_permission", "/permissions/0"),
        (json!({"key": "k", "name": "K", "permissions": "*"}), "invalid_value", "/permissions"),
    ];
    for (body, code, pointer) in rows {
        check(&cast.world, &cast.define(body), refusal(400, code, pointer));
    }
    for key in ["owner", "keeper"] {
        check(&cast.world, &cast.define(json!({"key": key, "name": "K", "permissions": ["usage.read"]})), refusal(409, "role_exists", ""));
    }
    for (body, pointer) in
        [(json!({"key": "other"}), "/key"), (json!({"name": null}), "/name"), (json!({"permissions": null}), "/permissions")]
    {
        check(&cast.world, &cast.roles("PATCH", "/{role}").json(body.to_string()), refusal(400, "invalid_value", pointer));
    }
    for id in ["owner", "role_1", "role_00000000000000000000000001", &cast.team()] {
        check(&cast.world, &cast.roles("GET", &format!("/{id}")), refusal(404, "not_found", ""));
    }
}

#[test]
fn a_built_in_role_stays_as_it_is() {
    let cast = Cast::new();
    let path = format!("/{}", cast.role_id("viewer"));
    check(&cast.world, &cast.roles("PATCH", &path).json(r#"{"permissions":["*"]}"#), refusal(409, "built_in_role", ""));
    check(&cast.world, &cast.roles("DELETE", &path), refusal(409, "built_in_role", ""));
}

#[test]
fn nobody_defines_or_widens_a_role_beyond_what_they_hold() {
    let cast = Cast::new();
    let who = cast.acme().key(&["roles.*", "usage.read"]);
    let define =
        |permissions: Value| ask(&who, "POST", "/v1/roles").json(json!({"key": "k", "name": "K", "permissions": permissions}).to_string());
    for permissions in [json!(["usage.*"]), json!(["usage.write"]), json!(["roles.read", "*"])] {
        check(&cast.world, &define(permissions), refusal(403, "forbidden", ""));
    }
    let path = format!("/v1/roles/{}", text(&accept(&cast.world, &define(json!(["usage.read"])), 201).body["$id"]));
    let redefine = |permissions: Value| ask(&who, "PATCH", &path).json(json!({"permissions": permissions}).to_string());
    let refused = check(&cast.world, &redefine(json!(["usage.read", "invoices.read"])), refusal(403, "forbidden", ""));
    assert_eq!(refused.body["missingPermission"], "invoices.read");
    accept(&cast.world, &redefine(json!(["usage.read", "roles.read"])), 200);
    // What it has beyond the caller stays or goes; only what is added is given.
    accept(&cast.world, &ask(&cast.acme().vendor(), "PATCH", &path).json(r#"{"permissions":["invoices.read","usage.read"]}"#), 200);
    accept(&cast.world, &redefine(json!(["invoices.read", "roles.write"])), 200);
}

#[test]
fn a_role_in_use_is_not_deleted() {
    let cast = Cast::new();
    let delete = || cast.roles("DELETE", "/{role}");
    let team = format!("/v1/teams/{}", cast.team());
    let vendor = cast.acme().vendor();
    cast.fill("{role}");
    let refused = || {
        let answer = check(&cast.world, &delete(), refusal(409, "role_in_use", ""));
        text(&answer.body["detail"])
    };
    for settings in [json!({"defaultRole": "keeper"}), json!({"defaultRole": null, "allowedRoles": ["viewer", "keeper"]})] {
        accept(&cast.world, &ask(&vendor, "PATCH", &team).json(json!({"settings": settings}).to_string()), 200);
        assert!(refused().contains("team settings name it"));
    }
    accept(&cast.world, &ask(&vendor, "PATCH", &team).json(r#"{"settings":{"allowedRoles":null}}"#), 200);
    let member = cast.member();
    accept(&cast.world, &ask(&vendor, "PUT", &format!("{team}/members/{member}")).json(r#"{"role":"keeper"}"#), 200);
    assert!(refused().contains("members hold it on teams"));
    accept(&cast.world, &ask(&vendor, "DELETE", &format!("{team}/members/{member}")), 204);
    join(&cast.world, &cast.acme, "clara", Some("keeper"));
    assert!(refused().contains("members hold it"));
}

#[test]
fn a_pending_invitation_keeps_its_roles_and_teams() {
    let cast = Cast::new();
    let team = cast.fill("{spareTeam}");
    cast.fill("{role}");
    let other = cast.team();
    let body = json!({"email": "guest@acme.example", "teams": [{"team": team, "role": "keeper"}]});
    cast.world.post(&cast.acme().vendor(), "/v1/invitations", &body).expect(201);
    assert!(check(&cast.world, &cast.roles("DELETE", "/{role}"), refusal(409, "role_in_use", "")).text.contains("invitations"));
    let vendor = cast.acme().vendor();
    let path = format!("/v1/teams/{team}");
    assert!(check(&cast.world, &ask(&vendor, "DELETE", &path), refusal(409, "team_not_empty", "")).text.contains("invitations"));
    accept(&cast.world, &ask(&vendor, "DELETE", &format!("{path}?reassignTo={other}")), 204);
    let invitation = state_of(&cast.world, &cast.acme).into_iter().find(|line| line.starts_with("invitations")).unwrap();
    assert!(invitation.contains(&other) && !invitation.contains(&team), "{invitation}");
}

#[test]
fn a_check_says_which_assignment_decides() {
    let cast = Cast::new();
    let admin = join(&cast.world, &cast.acme, "admin", Some("admin"));
    let team = cast.team();
    let who = cast.acme().key(&["members.read"]);
    let answer = |query: &str| accept(&cast.world, &ask(&who, "GET", &format!("/v1/permissions/check?{query}")), 200).body;
    let everywhere = answer(&format!("permission=usage.write&person={admin}"));
    let reason = json!({"role": "admin", "scope": "usage.*", "assignedOn": "organization", "inheritedFrom": null});
    assert_eq!(
        everywhere,
        json!({"allowed": true, "permission": "usage.write", "person": admin, "team": null, "reason": reason, "missing": null})
    );
    let there = answer(&format!("permission=usage.write&person={admin}&team={team}"));
    assert_eq!([&there["reason"]["assignedOn"], &there["reason"]["inheritedFrom"]], ["organization", "organization"]);
    let lacking = answer(&format!("permission=organization.own&person={admin}"));
    assert_eq!(
        [&lacking["allowed"], &lacking["reason"], &lacking["missing"]["permission"]],
        [&json!(false), &Value::Null, &json!("organization.own")]
    );
    assert_eq!(answer(&format!("permission=usage.read&person={}", cast.member()))["allowed"], false);
}

#[test]
fn a_check_of_what_is_not_there_is_refused() {
    let cast = Cast::new();
    let who = cast.acme().key(&["members.read"]);
    let rows = [
        ("permission=usage.fly&person={member}", 400, "unknown_permission", "permission"),
        ("permission=usage.*&person={member}", 400, "unknown_permission", "permission"),
        ("permission=usage.read", 400, "person_required", "person"),
        ("person={member}", 400, "invalid_query", "permission"),
        ("permission=usage.read&person={member}&role=owner", 400, "invalid_query", "role"),
        ("permission=usage.read&person=user_00000000000000000000000001", 404, "not_found", ""),
        ("permission=usage.read&person=anna", 404, "not_found", ""),
        ("permission=usage.read&person={member}&team=team_00000000000000000000000001", 404, "not_found", ""),
        ("permission=usage.read&person={member}&team=sales", 404, "not_found", ""),
    ];
    for (query, status, code, pointer) in rows {
        check(&cast.world, &ask(&who, "GET", &cast.fill(&format!("/v1/permissions/check?{query}"))), refusal(status, code, pointer));
    }
}
