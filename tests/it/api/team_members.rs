//! Who is on a team, and with which role.

use serde_json::{Value, json};
use tenantry::kernel::time::seconds;

use crate::api::cast::Cast;
use crate::api::check::{Ask, accept, ask, check, refusal, state_of};
use crate::support::people::join;

impl Cast {
    fn on_team(&self, method: &str, path: &str) -> Ask {
        ask(&self.acme().vendor(), method, &self.fill(&format!("/v1/teams/{{team}}/members{path}")))
    }

    fn set_team(&self, settings: Value) {
        let path = self.fill("/v1/teams/{team}");
        accept(&self.world, &ask(&self.acme().vendor(), "PATCH", &path).json(json!({"settings": settings}).to_string()), 200);
    }
}

#[test]
fn a_member_gets_a_role_another_one_and_none() {
    let cast = Cast::new();
    let (team, member) = (cast.team(), cast.member());
    let put = |role: &str| accept(&cast.world, &cast.on_team("PUT", "/{member}").json(json!({"role": role}).to_string()), 200).body;
    let wanted = |role: &str| {
        json!({"$type": "OrganizationRole", "member": member, "memberOf": team, "roleName": role, "assignedBy": "platform",
        "startDate": "2026-02-20T00:00:00Z"})
    };
    assert_eq!(put("viewer"), wanted("viewer"));
    let before = state_of(&cast.world, &cast.acme);
    assert_eq!(put("viewer"), wanted("viewer"));
    assert_eq!(state_of(&cast.world, &cast.acme), before, "nothing changes when it is so already");
    assert_eq!(put("developer"), wanted("developer"));
    assert_eq!(accept(&cast.world, &cast.on_team("GET", ""), 200).body["data"], json!([wanted("developer")]));
    accept(&cast.world, &cast.on_team("DELETE", "/{member}"), 204);
    check(&cast.world, &cast.on_team("DELETE", "/{member}"), refusal(404, "not_found", ""));
    assert_eq!(accept(&cast.world, &cast.on_team("GET", ""), 200).body["data"], json!([]));
    let log: Vec<String> = state_of(&cast.world, &cast.acme).into_iter().filter(|line| line.starts_with("audit_log")).collect();
    let entries = |action: &str| log.iter().filter(|line| line.contains(&format!("\"{action}\"")) && line.contains(&member)).count();
    assert_eq!(["teamMember.added", "teamMember.updated", "teamMember.removed"].map(entries), [1, 1, 1], "{log:#?}");
}

#[test]
fn a_role_is_the_teams_default_and_one_that_it_allows() {
    let cast = Cast::new();
    let put = |body: &str| cast.on_team("PUT", "/{member}").json(body);
    check(&cast.world, &put("{}"), refusal(400, "role_required", "/role"));
    check(&cast.world, &put(r#"{"role":"wizard"}"#), refusal(400, "unknown_role", "/role"));
    check(&cast.world, &put(r#"{"role":""}"#), refusal(400, "unknown_role", "/role"));
    check(&cast.world, &put(r#"{"role":7}"#), refusal(400, "invalid_value", "/role"));
    cast.set_team(json!({"allowedRoles": ["developer", "viewer"], "defaultRole": "viewer"}));
    assert_eq!(accept(&cast.world, &put("{}"), 200).body["roleName"], "viewer");
    assert_eq!(accept(&cast.world, &put(r#"{"role":"developer"}"#), 200).body["roleName"], "developer");
    assert!(check(&cast.world, &put(r#"{"role":"admin"}"#), refusal(409, "role_not_allowed", "")).text.contains("developer, viewer"));
    // Who has a role keeps it when it is not allowed any more.
    cast.set_team(json!({"allowedRoles": ["viewer"]}));
    assert_eq!(accept(&cast.world, &cast.on_team("GET", ""), 200).body["data"][0]["roleName"], "developer");
}

#[test]
fn only_members_of_the_organization_are_on_its_teams() {
    let cast = Cast::new();
    let stranger = join(&cast.world, &cast.globex, "stranger", Some("owner"));
    for person in [stranger.as_str(), "user_00000000000000000000000001", "anna", &cast.team()] {
        check(&cast.world, &cast.on_team("PUT", &format!("/{person}")).json(r#"{"role":"viewer"}"#), refusal(404, "not_found", ""));
        check(&cast.world, &cast.on_team("DELETE", &format!("/{person}")), refusal(404, "not_found", ""));
    }
}

#[test]
fn a_key_gives_no_more_than_it_holds() {
    let cast = Cast::new();
    let path = cast.fill("/v1/teams/{team}/members/{member}");
    let put = |scopes: &[&str], role: &str| ask(&cast.acme().key(scopes), "PUT", &path).json(json!({"role": role}).to_string());
    let refused = check(&cast.world, &put(&["teams.write"], "viewer"), refusal(403, "forbidden", ""));
    assert_eq!(refused.body["missingPermission"], "organization.read");
    check(&cast.world, &put(&["teams.*", "members.*", "usage.*"], "owner"), refusal(403, "forbidden", ""));
    accept(&cast.world, &put(&["*"], "owner"), 200);
}

#[test]
fn who_came_last_is_listed_first_page_by_page() {
    let cast = Cast::new();
    let people: Vec<String> = (0..5).map(|number| join(&cast.world, &cast.acme, &format!("person{number}"), None)).collect();
    for (number, person) in people.iter().enumerate() {
        accept(&cast.world, &cast.on_team("PUT", &format!("/{person}")).json(r#"{"role":"viewer"}"#), 200);
        cast.acme_clock(&format!("2026-02-2{}T00:00:00Z", number + 1));
        cast.world.pass(seconds(1));
    }
    let page = |query: &str| accept(&cast.world, &cast.on_team("GET", query), 200).body;
    let shown = |page: &Value| {
        page["data"].as_array().unwrap().iter().map(|member| member["member"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let newest_first: Vec<String> = people.into_iter().rev().collect();
    let first = page("?limit=2");
    let second = page(&format!("?limit=2&cursor={}", first["nextCursor"].as_str().unwrap()));
    let third = page(&format!("?limit=2&cursor={}", second["nextCursor"].as_str().unwrap()));
    assert_eq!([shown(&first), shown(&second), shown(&third)].concat(), newest_first);
    let stranger = cast.member();
    check(&cast.world, &cast.on_team("GET", &format!("?cursor={stranger}")), refusal(400, "invalid_cursor", "cursor"));
}

impl Cast {
    fn acme_clock(&self, now: &str) {
        let vendor = crate::support::world::vendor();
        self.world.write(&vendor, "PUT", &format!("/v1/test-clocks/{}", self.clock), &json!({"now": now})).expect(200);
    }
}
