//! How people come in: the mail, its token, its week, and who can't be invited.

use serde_json::{Value, json};
use tenantry::kernel::time::days;

use super::token_in;
use crate::api::cast::{Cast, text};
use crate::api::check::{accept, anonymous, ask, check, refusal, state};

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
