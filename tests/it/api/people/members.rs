//! What people are and how they go: changes, owners, lists, sessions, and the seats they take.

use futures::executor::block_on;
use serde_json::{Value, json};
use tenantry::kernel::ids::SessionId;
use tenantry::kernel::platform::Platform;
use tenantry::kernel::tenant::Actor;
use tenantry::kernel::time::{days, hours};

use crate::api::cast::{Cast, text};
use crate::api::check::{accept, ask, check, refusal, state};
use crate::support::world::Credential;

#[test]
fn a_member_is_changed_field_by_field() {
    let cast = Cast::new();
    let ada = cast.join("ada", Some("admin"));
    let body = json!({"givenName": "Ada", "familyName": "Lovelace", "jobTitle": "Engineer", "telephone": "+44 1"});
    let member = accept(&cast.world, &cast.changed(&ada, &body), 200).body;
    assert_eq!((&member["jobTitle"], &member["role"]), (&json!("Engineer"), &json!("admin")));
    let member = accept(&cast.world, &cast.changed(&ada, &json!({"jobTitle": null, "role": "viewer"})), 200).body;
    assert_eq!((&member["jobTitle"], &member["role"], &member["givenName"]), (&Value::Null, &json!("viewer"), &json!("Ada")));
    let member = accept(&cast.world, &cast.changed(&ada, &json!({"role": null})), 200).body;
    assert_eq!(member["role"], Value::Null);
    let before = state(&cast.world);
    accept(&cast.world, &cast.changed(&ada, &json!({"givenName": "Ada"})), 200);
    assert_eq!(state(&cast.world), before, "no change is none");
    let rows: &[(Value, u16, &str, &str)] = &[
        (json!({"role": "king"}), 400, "unknown_role", "/role"),
        (json!({"role": 7}), 400, "invalid_value", "/role"),
        (json!({"givenName": ""}), 400, "invalid_value", "/givenName"),
        (json!({"familyName": "x".repeat(201)}), 400, "invalid_value", "/familyName"),
        (json!({"jobTitle": "a\nb"}), 400, "invalid_value", "/jobTitle"),
        (json!({"telephone": "1".repeat(51)}), 400, "invalid_value", "/telephone"),
        (json!({"email": "eve@acme.example"}), 400, "invalid_value", "/email"),
    ];
    for (body, status, code, pointer) in rows {
        check(&cast.world, &cast.changed(&ada, body), refusal(*status, code, pointer));
    }
}

#[test]
fn nobody_gives_what_they_lack_and_nobody_touches_who_holds_more() {
    let cast = Cast::new();
    cast.bare_role("keeper", &json!(["members.*"]));
    let (owner, keeper) = (cast.join("owner", Some("owner")), cast.join("keeper", Some("keeper")));
    let of_key = cast.acme().key(&["members.read", "members.write"]);
    let ask_by_key = |method: &str, path: &str, body: Value| ask(&of_key, method, path).json(body.to_string());
    let member = |id: &str| format!("/v1/members/{id}");
    for (ask, missing) in [
        (ask_by_key("POST", "/v1/invitations", json!({"email": "a@acme.example", "role": "viewer"})), "organization.read"),
        (ask_by_key("POST", "/v1/invitations", json!({"email": "a@acme.example", "role": "owner"})), "*"),
        (ask_by_key("PATCH", &member(&keeper), json!({"role": "owner"})), "*"),
        (ask_by_key("PATCH", &member(&owner), json!({"role": null})), "*"),
        (ask_by_key("PATCH", &member(&owner), json!({"jobTitle": "Clown"})), "*"),
        (ask_by_key("DELETE", &member(&owner), json!({})), "*"),
    ] {
        let answer = check(&cast.world, &ask, refusal(403, "forbidden", ""));
        assert_eq!(answer.body["missingPermission"], missing, "{ask:?}");
    }
    accept(&cast.world, &ask_by_key("POST", "/v1/invitations", json!({"email": "a@acme.example", "role": "keeper"})), 201);
    accept(&cast.world, &ask_by_key("PATCH", &member(&keeper), json!({"jobTitle": "Keeper"})), 200);
    accept(&cast.world, &ask_by_key("DELETE", &member(&keeper), json!({})), 204);
}

#[test]
fn who_holds_more_on_a_team_is_out_of_reach_too() {
    let cast = Cast::new();
    let team = cast.bare_team(1, &json!({"allowedRoles": null, "defaultRole": null}));
    let body = json!({"email": "ada@acme.example", "teams": [{"team": team, "role": "admin"}]});
    let id = text(&accept(&cast.world, &cast.invited(&body), 201).body["$id"]);
    let ada = text(&accept(&cast.world, &cast.accepted(&json!({"token": cast.token_of(&id)})), 201).body["$id"]);
    let key = cast.acme().key(&["members.*"]);
    check(&cast.world, &ask(&key, "DELETE", &format!("/v1/members/{ada}")), refusal(403, "forbidden", ""));
}

#[test]
fn the_last_owner_stays() {
    let cast = Cast::new();
    let ada = cast.join("ada", Some("owner"));
    check(&cast.world, &cast.removed(&ada), refusal(409, "last_owner", ""));
    check(&cast.world, &cast.changed(&ada, &json!({"role": "admin"})), refusal(409, "last_owner", ""));
    check(&cast.world, &cast.changed(&ada, &json!({"role": null})), refusal(409, "last_owner", ""));
    let bob = cast.join("bob", Some("owner"));
    accept(&cast.world, &cast.changed(&ada, &json!({"role": "admin"})), 200);
    check(&cast.world, &cast.removed(&bob), refusal(409, "last_owner", ""));
}

#[test]
fn of_two_owners_who_demote_each_other_at_once_one_stays() {
    use tenantry::identity::members::rules;
    use tenantry::identity::members::rules::Changes;
    use tenantry::identity::members::store;
    let cast = Cast::new();
    let people = [cast.join("ada", Some("owner")), cast.join("bob", Some("owner"))];
    let tenant =
        block_on(Platform::open(cast.world.app.clone()).tenant(cast.acme.parse().unwrap(), Actor::Platform, None)).unwrap().unwrap();
    // Both have read before either commits.
    let decisions: Vec<_> = people
        .iter()
        .map(|id| {
            let member = block_on(store::member(&tenant, id.parse().unwrap())).unwrap().unwrap();
            let is_last = block_on(store::is_last_owner(&tenant, member.id)).unwrap();
            rules::update(&member, Changes { role: Some(Some("admin".into())), ..Changes::default() }, is_last).unwrap().1
        })
        .collect();
    let outcomes: Vec<_> = decisions.into_iter().map(|decision| block_on(tenant.commit(decision, None))).collect();
    assert_eq!(outcomes, [Ok(()), Err(tenantry::kernel::error::Error::Stale)]);
    check(&cast.world, &cast.changed(&people[1], &json!({"role": "admin"})), refusal(409, "last_owner", ""));
    assert_eq!(cast.emails("?role=owner"), ["bob@acme.example"]);
}

#[test]
fn who_is_removed_takes_nothing_along() {
    let cast = Cast::new();
    let team = cast.bare_team(1, &json!({"allowedRoles": null, "defaultRole": "viewer"}));
    let body = json!({"email": "ada@acme.example", "role": "admin", "teams": [{"team": team}]});
    let id = text(&accept(&cast.world, &cast.invited(&body), 201).body["$id"]);
    let ada = text(&accept(&cast.world, &cast.accepted(&json!({"token": cast.token_of(&id)})), 201).body["$id"]);
    assert!(state(&cast.world).iter().any(|line| line.starts_with("directory memberships") && line.contains(&ada)));
    accept(&cast.world, &cast.removed(&ada), 204);
    check(&cast.world, &cast.removed(&ada), refusal(404, "not_found", ""));
    let left: Vec<String> = state(&cast.world).into_iter().filter(|line| line.contains(&ada)).collect();
    let of_the_past = ["audit_log", "events", "idempotency_keys", "directory people", "reaction_runs", "audit_heads"];
    assert!(left.iter().all(|line| of_the_past.iter().any(|table| line.starts_with(table))), "{left:#?}");
    assert_eq!(cast.counted(), (0, 0, true));
    let again = cast.invited(&json!({"email": "ada@acme.example", "role": "viewer"}));
    let id = text(&accept(&cast.world, &again, 201).body["$id"]);
    let back = accept(&cast.world, &cast.accepted(&json!({"token": cast.token_of(&id)})), 201).body;
    assert_eq!(
        (text(&back["$id"]), &back["role"], &back["teams"]),
        (ada, &json!("viewer"), &json!([])),
        "the same person, and a new member"
    );
}

#[test]
fn a_person_is_one_in_every_organization_and_a_member_of_each_alone() {
    let cast = Cast::new();
    let ada = cast.join("ada", Some("owner"));
    let globex = cast.globex();
    let invitation =
        cast.world.post(&globex.vendor(), "/v1/invitations", &json!({"email": "ada@acme.example", "role": "viewer"})).expect(201);
    let (organization, invitation) = (cast.globex.parse().unwrap(), text(&invitation["$id"]).parse().unwrap());
    let token = tenantry::identity::invitations::token::InvitationToken { organization, invitation, generation: 1 }
        .mint(crate::support::world::SECRET);
    let there = cast.world.post(&Credential::Nobody, "/v1/invitation-acceptances", &json!({"token": token, "givenName": "A."})).expect(201);
    assert_eq!((text(&there["$id"]), &there["role"], &there["givenName"]), (ada.clone(), &json!("viewer"), &json!("A.")));
    let here = accept(&cast.world, &cast.asked("GET", &format!("/v1/members/{ada}")), 200).body;
    assert_eq!((&here["role"], &here["givenName"]), (&json!("owner"), &Value::Null));
    cast.world.send(&globex.vendor(), "DELETE", &format!("/v1/members/{ada}"), &[], "").expect(204);
    accept(&cast.world, &cast.asked("GET", &format!("/v1/members/{ada}")), 200);
}

#[test]
fn members_are_listed_by_what_they_are() {
    let cast = Cast::new();
    let team = cast.bare_team(1, &json!({"allowedRoles": null, "defaultRole": "viewer"}));
    for (name, role) in [("anna", Some("admin")), ("anton", Some("viewer")), ("berta", Some("viewer")), ("cesar", None)] {
        cast.world.pass(hours(1));
        cast.join(name, role);
    }
    let id = text(
        &accept(&cast.world, &cast.invited(&json!({"email": "dora@acme.example", "role": "viewer", "teams": [{"team": team}]})), 201).body
            ["$id"],
    );
    accept(&cast.world, &cast.accepted(&json!({"token": cast.token_of(&id)})), 201);
    let mut all = cast.emails("");
    all.sort();
    let named = |names: &[&str]| names.iter().map(|name| format!("{name}@acme.example")).collect::<Vec<_>>();
    assert_eq!(all, named(&["anna", "anton", "berta", "cesar", "dora"]));
    for (query, names) in [
        ("?role=viewer", &["anton", "berta", "dora"][..]),
        ("?role=king", &[]),
        (&format!("?team={team}"), &["dora"]),
        (&format!("?team={team}&role=admin"), &[]),
        ("?email=ANNA@acme.example", &["anna"]),
        ("?email=anna", &[]),
        ("?q=An", &["anna", "anton"]),
        ("?q=an&role=viewer", &["anton"]),
        (&format!("?q=d&team={team}"), &["dora"]),
        ("?team=team_00000000000000000000000009", &[]),
    ] {
        let mut found = cast.emails(query);
        found.sort();
        assert_eq!(found, named(names), "{query}");
    }
    for (query, pointer) in [("team=x", "team"), ("q=a&email=b", "q")] {
        check(&cast.world, &cast.asked("GET", &format!("/v1/members?{query}")), refusal(400, "invalid_value", pointer));
    }
}

#[test]
fn a_page_of_members_goes_on_where_it_ended_also_when_they_are_removed() {
    let cast = Cast::new();
    for (number, day) in (0..7).zip(["21", "21", "22", "23", "24", "24", "25"]) {
        cast.advance(&format!("2026-02-{day}T00:00:00Z"));
        cast.join(&format!("m{number}"), None);
    }
    let all = cast.emails("?limit=100");
    assert_eq!((all.len(), all[0].as_str(), all[2].starts_with("m4") || all[2].starts_with("m5")), (7, "m6@acme.example", true));
    let mut walked = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = accept(&cast.world, &cast.asked("GET", &format!("/v1/members?limit=2{cursor}")), 200).body;
        for member in page["data"].as_array().unwrap() {
            walked.push(text(&member["email"]));
            accept(&cast.world, &cast.removed(&text(&member["$id"])), 204);
        }
        let Some(next) = page["nextCursor"].as_str() else { break };
        check(
            &cast.world,
            &ask(&cast.globex().vendor(), "GET", &format!("/v1/members?cursor={next}")),
            refusal(400, "invalid_cursor", "cursor"),
        );
        cursor = format!("&cursor={next}");
    }
    assert_eq!(walked, all);
}

#[test]
fn the_checklist_s_team_is_there_with_the_second_member() {
    let cast = Cast::new();
    let status = || cast.acme().get("/v1/onboarding")["itemListElement"][1]["status"].clone();
    cast.join("ada", Some("owner"));
    cast.world.deliver();
    block_on(tenantry::metering::usage::facts::collect(&tenant(&cast, Actor::Platform))).unwrap();
    cast.world.deliver();
    assert_eq!(status(), "pending", "one is no team");
    cast.join("bob", None);
    assert_eq!(status(), "completed");
}

fn tenant(cast: &Cast, actor: Actor) -> tenantry::kernel::tenant::Tenant {
    block_on(Platform::open(cast.world.app.clone()).tenant(cast.acme.parse().unwrap(), actor, None)).unwrap().unwrap()
}

/// A session of a member, as its own slice begins one, and an access token of it.
fn session_of(cast: &Cast, person: &str) -> Credential {
    let id: SessionId = SessionId::new(cast.world.app.moment());
    let until = cast.world.app.moment().now.plus(days(1)).as_millis();
    cast.sql(&format!(
        "INSERT INTO sessions (organization_id, id, person_id, generation, created_at, last_used_at, expires_at) VALUES ('{}', '{id}', '{person}', 1, 0, {}, {until})",
        cast.acme,
        cast.world.app.moment().now.as_millis()
    ));
    let subject = tenantry::identity::access_tokens::Subject::Person { person: person.parse().unwrap(), session: id };
    let claims = tenantry::identity::access_tokens::Claims::new(cast.acme.parse().unwrap(), subject, cast.world.app.moment());
    Credential::Bearer(block_on(tenantry::identity::access_tokens::mint(&cast.world.app, &claims)).unwrap())
}

#[test]
fn a_person_changes_and_leaves_by_themselves_and_nobody_else() {
    let cast = Cast::new();
    let (ada, bob) = (cast.join("ada", None), cast.join("bob", None));
    let by_ada = session_of(&cast, &ada);
    let member = |method: &str, id: &str, body: Value| ask(&by_ada, method, &format!("/v1/members/{id}")).json(body.to_string());
    accept(&cast.world, &member("GET", &ada, json!({})), 200);
    check(&cast.world, &member("GET", &bob, json!({})), refusal(403, "forbidden", ""));
    assert_eq!(accept(&cast.world, &member("PATCH", &ada, json!({"givenName": "Ada"})), 200).body["givenName"], "Ada");
    check(&cast.world, &member("PATCH", &ada, json!({"role": null})), refusal(403, "forbidden", ""));
    check(&cast.world, &member("PATCH", &bob, json!({"givenName": "Eve"})), refusal(403, "forbidden", ""));
    check(&cast.world, &member("DELETE", &bob, json!({})), refusal(403, "forbidden", ""));
    accept(&cast.world, &member("DELETE", &ada, json!({})), 204);
    check(&cast.world, &member("GET", &ada, json!({})), refusal(401, "unauthenticated", ""));
}

#[test]
fn sessions_and_keys_stop_with_the_membership() {
    let cast = Cast::new();
    let ada = cast.join("ada", Some("admin"));
    let session = session_of(&cast, &ada);
    let made =
        accept(&cast.world, &ask(&session, "POST", "/v1/api-keys").json(r#"{"name":"mine","scopes":["usage.read","usage.write"]}"#), 201)
            .body;
    let key = Credential::Bearer(text(&made["secret"]));
    let usage = || ask(&key, "POST", "/v1/usage").json(r#"{"metric":"apiCalls"}"#);
    accept(&cast.world, &usage(), 200);
    accept(&cast.world, &ask(&session, "GET", "/v1/seats"), 200);
    cast.world.meters_fail(0, 1_000);
    accept(&cast.world, &cast.removed(&ada), 204);
    check(&cast.world, &ask(&session, "GET", "/v1/seats"), refusal(401, "unauthenticated", ""));
    check(&cast.world, &usage(), refusal(401, "unauthenticated", ""));
    cast.world.meters_fail(0, 0);
    cast.world.pass(hours(1));
    cast.world.cron("* * * * *");
    cast.world.deliver();
    cast.join("ada2", None);
    let again = cast.invited(&json!({"email": "ada@acme.example", "role": "admin"}));
    let id = text(&accept(&cast.world, &again, 201).body["$id"]);
    accept(&cast.world, &cast.accepted(&json!({"token": cast.token_of(&id)})), 201);
    check(&cast.world, &ask(&session, "GET", "/v1/seats"), refusal(401, "unauthenticated", ""));
    check(&cast.world, &usage(), refusal(401, "unauthenticated", ""));
    assert_eq!(cast.counted(), (2, 0, true));
}

#[test]
fn an_owner_signs_up_with_the_organization() {
    use tenantry::identity::members::member::Profile;
    use tenantry::identity::members::rules::sign_up_owner;
    use tenantry::identity::members::{directory, store};
    let cast = Cast::new();
    let tenant = tenant(&cast, Actor::System("sign_up"));
    let person = block_on(directory::enter(&tenant, "ada@acme.example")).unwrap();
    assert_eq!(block_on(directory::enter(&tenant, "ada@acme.example")).unwrap(), person, "entering again changes nothing");
    let (member, decision) = sign_up_owner(person, "Ada@acme.example", Profile::default(), tenant.moment()).unwrap();
    block_on(tenant.commit(decision, None)).unwrap();
    cast.world.deliver();
    assert_eq!(block_on(store::member_by_email(&tenant, "ada@acme.example")).unwrap(), Some(member));
    assert_eq!(cast.counted(), (1, 0, true));
    check(&cast.world, &cast.removed(&person.to_string()), refusal(409, "last_owner", ""));
}

#[test]
fn the_vendor_can_undo_nothing_of_seats_through_usage() {
    let cast = Cast::new();
    cast.join("ada", None);
    let usage = |path: &str| cast.asked("POST", path).json(r#"{"metric":"users"}"#);
    for path in ["/v1/usage", "/v1/usage/consumption", "/v1/reservations"] {
        check(&cast.world, &usage(path), refusal(409, "metric_is_counted", ""));
    }
    let key = cast.acme().key(&["usage.write"]);
    check(&cast.world, &ask(&key, "POST", "/v1/usage").json(r#"{"metric":"users"}"#), refusal(409, "metric_is_counted", ""));
}
