//! People: how they come in, what they are, how they go; and the seats they take.

use futures::executor::block_on;
use serde_json::{Value, json};
use tenantry::kernel::ids::SessionId;
use tenantry::kernel::platform::Platform;
use tenantry::kernel::tenant::Actor;
use tenantry::kernel::time::{days, hours};

use crate::cast::{Cast, text};
use crate::check::{Ask, accept, anonymous, ask, check, refusal, state};
use crate::support::world::{Credential, vendor};

impl Cast {
    /// By the vendor, in Acme.
    fn asked(&self, method: &str, path: &str) -> Ask {
        ask(&self.acme().vendor(), method, path)
    }

    fn invited(&self, body: &Value) -> Ask {
        self.asked("POST", "/v1/invitations").json(body.to_string())
    }

    fn accepted(&self, body: &Value) -> Ask {
        ask(&Credential::Nobody, "POST", "/v1/invitation-acceptances").json(body.to_string())
    }

    fn changed(&self, member: &str, body: &Value) -> Ask {
        self.asked("PATCH", &format!("/v1/members/{member}")).json(body.to_string())
    }

    fn removed(&self, member: &str) -> Ask {
        self.asked("DELETE", &format!("/v1/members/{member}"))
    }

    fn seats(&self) -> Value {
        accept(&self.world, &self.asked("GET", "/v1/seats"), 200).body
    }

    /// Members, pending invitations, and whether the Meter says the same.
    fn counted(&self) -> (i64, i64, bool) {
        let seats = self.seats();
        let number = |value: &Value| value.as_i64().unwrap();
        assert_eq!(seats["isConsistent"] == true, seats["meter"]["taken"] == seats["taken"] && seats["meter"]["held"] == seats["held"]);
        (number(&seats["taken"]), number(&seats["held"]), seats["isConsistent"] == true)
    }

    fn emails(&self, query: &str) -> Vec<String> {
        let page = accept(&self.world, &self.asked("GET", &format!("/v1/members{query}")), 200).body;
        page["data"].as_array().unwrap().iter().map(|member| text(&member["email"])).collect()
    }

    /// A team, as its own slice makes it.
    fn bare_team(&self, number: u8, settings: &Value) -> String {
        let id = format!("team_{number:026}");
        self.sql(&format!(
            "INSERT INTO teams (organization_id, id, name, path, depth, settings, created_at) VALUES ('{}', '{id}', 'T', '{id}/', 0, '{settings}', 0)",
            self.acme
        ));
        id
    }

    fn bare_role(&self, key: &str, permissions: &Value) {
        self.sql(&format!(
            "INSERT INTO roles (organization_id, id, key, name, permissions, created_at) VALUES ('{}', 'role_{key}', '{key}', 'R', '{permissions}', 0)",
            self.acme
        ));
    }

    fn sql(&self, text: &str) {
        use tenantry::kernel::sql::{Sql, Statement};
        let text: &'static str = text.to_owned().leak();
        let shard = block_on(self.world.platform().placement(self.acme.parse().unwrap())).unwrap().unwrap().shard;
        block_on(self.world.shards[shard].batch(vec![Statement { text, params: Vec::new() }])).unwrap();
    }

    /// Acme's clock goes on.
    fn advance(&self, now: &str) {
        self.world.write(&vendor(), "PUT", &format!("/v1/test-clocks/{}", self.clock), &json!({"now": now})).expect(200);
    }

    fn mails_to(&self, email: &str) -> Vec<Value> {
        self.world.deliver();
        let mails = self.world.get(&Credential::Nobody, &format!("/dev/emails?to={email}")).expect(200);
        mails.as_array().unwrap().iter().rev().cloned().collect()
    }
}

/// The token in a mail's link.
fn token_in(mail: &Value) -> String {
    let text = text(&mail["text"]);
    text.split("token=").nth(1).unwrap().split_whitespace().next().unwrap().to_owned()
}

#[test]
fn whoever_is_invited_comes_in_by_the_mail_once() {
    let cast = Cast::new();
    let team = cast.bare_team(1, &json!({"allowedRoles": null, "defaultRole": "viewer"}));
    let body = json!({"email": "Ada@Acme.Example", "role": "developer", "teams": [{"team": team}]});
    let mut invitation = accept(&cast.world, &cast.invited(&body), 201).body;
    let id = text(&invitation["$id"]);
    assert_eq!(accept(&cast.world, &cast.asked("GET", &format!("/v1/invitations/{id}")), 200).body, invitation);
    invitation["$id"] = Value::Null;
    let wanted = json!({"$type": "Invitation", "$id": null, "email": "ada@acme.example", "role": "developer", "teams": [{"team": team, "role": "viewer"}],
        "status": "pending", "invitedBy": "platform", "createdAt": "2026-02-20T00:00:00Z", "expiresAt": "2026-02-27T00:00:00Z"});
    assert_eq!(invitation, wanted);
    let mails = cast.mails_to("ada@acme.example");
    assert_eq!(
        (mails.len(), &mails[0]["template"], &mails[0]["subject"]),
        (1, &json!("team-invitation"), &json!("You have been invited to join Acme"))
    );
    assert!(text(&mails[0]["text"]).contains("https://app.example/invitations/accept?token=tk_invite_"));
    let token = token_in(&mails[0]);
    assert_eq!(token, cast.token_of(&id));
    let stored = state(&cast.world).into_iter().filter(|line| line.contains(&token) && !line.starts_with("directory local_mails"));
    assert_eq!(stored.collect::<Vec<_>>(), Vec::<String>::new(), "a token is stored nowhere but in the mail");

    let accepted = cast.accepted(&json!({"token": token, "givenName": " Ada ", "familyName": "Lovelace"}));
    let mut member = accept(&cast.world, &accepted, 201).body;
    let person = text(&member["$id"]);
    assert_eq!(accept(&cast.world, &cast.asked("GET", &format!("/v1/members/{person}")), 200).body, member);
    member["$id"] = Value::Null;
    let wanted = json!({"$type": "Person", "$id": null, "givenName": "Ada", "familyName": "Lovelace", "email": "ada@acme.example", "jobTitle": null,
        "telephone": null, "role": "developer", "teams": [{"team": team, "role": "viewer"}], "authProvider": "email", "emailVerified": true,
        "status": "active", "joinedAt": "2026-02-20T00:00:00Z", "lastLoginAt": null});
    assert_eq!(member, wanted);
    check(&cast.world, &accepted, refusal(404, "invitation_not_valid", ""));
    assert_eq!(accept(&cast.world, &cast.asked("GET", &format!("/v1/invitations/{id}")), 200).body["status"], "accepted");
    assert_eq!(cast.counted(), (1, 0, true));
    assert!(!state(&cast.world).iter().any(|line| line.starts_with("audit_log") && line.contains("tk_invite_")));
}

#[test]
fn every_token_that_opens_nothing_hears_the_same() {
    let cast = Cast::new();
    let (used, revoked, renewed, late) =
        (cast.invite("used", None), cast.invite("revoked", None), cast.invite("renewed", None), cast.invite("late", None));
    accept(&cast.world, &cast.accepted(&json!({"token": cast.token_of(&used)})), 201);
    accept(&cast.world, &cast.asked("DELETE", &format!("/v1/invitations/{revoked}")), 204);
    accept(&cast.world, &cast.asked("POST", &format!("/v1/invitations/{renewed}/mails")), 201);
    cast.advance("2026-02-27T00:00:00Z");
    let good = cast.token_of_mail(&renewed, 2);
    let tokens = [
        String::new(),
        "tk_invite_".to_owned(),
        "garbage".to_owned(),
        "ä".repeat(60),
        good[..good.len() - 1].to_owned(),
        good.replacen("00000002", "00000003", 1),
        good.to_uppercase(),
        cast.token_of(&used),
        cast.token_of(&revoked),
        cast.token_of(&renewed),
        cast.token_of(&late),
        cast.token_of("invitation_00000000000000000000000001"),
    ];
    let answers: Vec<Value> = tokens
        .iter()
        .map(|token| anonymous(&check(&cast.world, &cast.accepted(&json!({"token": token})), refusal(404, "invitation_not_valid", ""))))
        .collect();
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    let named = cast.accepted(&json!({"token": good, "givenName": " "}));
    check(&cast.world, &named, refusal(400, "invalid_value", "/givenName"));
}

#[test]
fn a_token_of_one_organization_opens_no_other() {
    let cast = Cast::new();
    let id = cast.invite("ada", None);
    let (organization, invitation) = (cast.globex.parse().unwrap(), id.parse().unwrap());
    let token = tenantry::identity::invitations::token::InvitationToken { organization, invitation, generation: 1 };
    let token = token.mint(crate::support::world::SECRET);
    check(&cast.world, &cast.accepted(&json!({"token": token})), refusal(404, "invitation_not_valid", ""));
}

#[test]
fn nobody_is_invited_who_can_t_come() {
    let cast = Cast::new();
    let team = cast.bare_team(1, &json!({"allowedRoles": ["viewer"], "defaultRole": null}));
    cast.join("member", Some("viewer"));
    cast.invite("guest", Some("viewer"));
    let rows: &[(Value, u16, &str, &str)] = &[
        (json!({"email": "Member@Acme.example", "role": "viewer"}), 409, "already_member", ""),
        (json!({"email": "GUEST@acme.example", "role": "admin"}), 409, "already_invited", ""),
        (json!({"email": "nobody", "role": "viewer"}), 400, "invalid_value", "/email"),
        (json!({"email": "a b@acme.example", "role": "viewer"}), 400, "invalid_value", "/email"),
        (json!({"email": "a@acme.example"}), 400, "role_required", "/role"),
        (json!({"email": "a@acme.example", "teams": []}), 400, "role_required", "/role"),
        (json!({"email": "a@acme.example", "role": "king"}), 400, "unknown_role", "/role"),
        (json!({"email": "a@acme.example", "role": ""}), 400, "unknown_role", "/role"),
        (
            json!({"email": "a@acme.example", "role": "viewer", "teams": [{"team": "team_00000000000000000000000009", "role": "viewer"}]}),
            400,
            "unknown_team",
            "/teams/0/team",
        ),
        (
            json!({"email": "a@acme.example", "role": "viewer", "teams": [{"team": "x", "role": "viewer"}]}),
            400,
            "invalid_value",
            "/teams/0/team",
        ),
        (json!({"email": "a@acme.example", "teams": [{"team": team, "role": "king"}]}), 400, "role_not_allowed", "/teams/0/role"),
        (json!({"email": "a@acme.example", "teams": [{"team": team, "role": "admin"}]}), 400, "role_not_allowed", "/teams/0/role"),
        (json!({"email": "a@acme.example", "teams": [{"team": team}]}), 400, "role_required", "/teams/0/role"),
        (
            json!({"email": "a@acme.example", "teams": [{"team": team, "role": "viewer"}, {"team": team, "role": "viewer"}]}),
            400,
            "invalid_value",
            "/teams/1/team",
        ),
        (json!({"email": "a@acme.example", "role": "viewer", "name": "Ada"}), 400, "invalid_value", "/name"),
        (json!({"role": "viewer"}), 400, "invalid_value", ""),
    ];
    for (body, status, code, pointer) in rows {
        check(&cast.world, &cast.invited(body), refusal(*status, code, pointer));
    }
    accept(&cast.world, &cast.invited(&json!({"email": "a@acme.example", "teams": [{"team": team, "role": "viewer"}]})), 201);
    assert_eq!(cast.counted(), (1, 2, true));
}

#[test]
fn a_mail_sent_again_replaces_the_one_before() {
    let cast = Cast::new();
    let id = cast.invite("ada", None);
    let again = || cast.asked("POST", &format!("/v1/invitations/{id}/mails"));
    cast.advance("2026-02-26T00:00:00Z");
    let once = again().header("idempotency-key", "k");
    let renewed = accept(&cast.world, &once, 201).body;
    assert_eq!(renewed["expiresAt"], "2026-03-05T00:00:00Z");
    assert_eq!(accept(&cast.world, &once, 201).body, renewed, "a retry mails nothing");
    let mails = cast.mails_to("ada@acme.example");
    assert_eq!(mails.len(), 2);
    let [first, second] = [token_in(&mails[0]), token_in(&mails[1])];
    check(&cast.world, &cast.accepted(&json!({"token": first})), refusal(404, "invitation_not_valid", ""));
    cast.advance("2026-03-04T00:00:00Z");
    assert_eq!(cast.counted(), (0, 1, true), "the end of the first week was not the end");
    accept(&cast.world, &cast.accepted(&json!({"token": second})), 201);
    check(&cast.world, &again(), refusal(409, "invitation_not_pending", ""));
    for number in 1..20 {
        accept(&cast.world, &cast.asked("POST", &format!("/v1/invitations/{}/mails", cast.invite("eve", None))), 201);
        assert!(number < 20);
    }
    let eve = format!("/v1/invitations/{}/mails", cast.invite("eve", None));
    check(&cast.world, &cast.asked("POST", &eve), refusal(409, "too_many_mails", ""));
}

#[test]
fn an_invitation_ends_after_a_week_and_leaves_its_seat() {
    let cast = Cast::new();
    let id = cast.invite("ada", None);
    assert_eq!(cast.counted(), (0, 1, true));
    let status = || text(&accept(&cast.world, &cast.asked("GET", &format!("/v1/invitations/{id}")), 200).body["status"]);
    cast.advance("2026-02-26T23:59:59Z");
    assert_eq!((status().as_str(), cast.counted()), ("pending", (0, 1, true)));
    cast.advance("2026-02-27T00:00:00Z");
    assert_eq!((status().as_str(), cast.counted()), ("expired", (0, 0, true)));
    accept(&cast.world, &cast.asked("DELETE", &format!("/v1/invitations/{id}")), 204);
    assert_eq!(status(), "expired");
    accept(&cast.world, &cast.invited(&json!({"email": "ada@acme.example", "role": "viewer"})), 201);
    assert_eq!(cast.counted(), (0, 1, true));
}

#[test]
fn what_is_over_is_over_also_before_anybody_noticed() {
    let cast = Cast::new();
    let globex = cast.globex();
    let invite = || ask(&globex.vendor(), "POST", "/v1/invitations").json(r#"{"email":"ada@globex.example","role":"viewer"}"#);
    let first = accept(&cast.world, &invite(), 201).body;
    check(&cast.world, &invite(), refusal(409, "already_invited", ""));
    // In real time, and no calendar runs.
    cast.world.pass(days(7));
    let shown = globex.get(&format!("/v1/invitations/{}", text(&first["$id"])));
    assert_eq!(shown["status"], "expired");
    for (status, count) in [("pending", 0), ("expired", 1), ("accepted", 0), ("revoked", 0)] {
        let page = globex.get(&format!("/v1/invitations?status={status}"));
        assert_eq!(page["data"].as_array().unwrap().len(), count, "{status}");
    }
    let mails = ask(&globex.vendor(), "POST", &format!("/v1/invitations/{}/mails", text(&first["$id"])));
    check(&cast.world, &mails, refusal(409, "invitation_not_pending", ""));
    accept(&cast.world, &invite(), 201);
    cast.world.cron("* * * * *");
    cast.world.deliver();
    let seats = globex.get("/v1/seats");
    assert_eq!((&seats["held"], &seats["isConsistent"]), (&json!(1), &json!(true)));
    check(&cast.world, &ask(&globex.vendor(), "GET", "/v1/invitations?status=open"), refusal(400, "invalid_value", "status"));
}

#[test]
fn an_invitation_that_was_accepted_is_not_revoked() {
    let cast = Cast::new();
    let id = cast.invite("ada", None);
    let revoke = || cast.asked("DELETE", &format!("/v1/invitations/{id}"));
    cast.join("ada", None);
    check(&cast.world, &revoke(), refusal(409, "invitation_not_pending", ""));
}

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
