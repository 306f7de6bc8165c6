//! The mail, its code and its link: what each is good for, and for how long.

use std::time::Duration;

use serde_json::{Value, json};
use tenantry::kernel::time::{minutes, seconds};

use crate::api::check::{Ask, accept, anonymous, check, refusal, state};
use crate::logins::people::{
    ADA, BOB, NOBODY, acme, at_once, code, join, leave, link, log_in, mails, new_code, post, signed_up, with_code,
};
use crate::support::world::World;

const INVALID: crate::api::check::Refusal<'_> = crate::api::check::Refusal { status: 401, code: "invalid_code", pointer: "" };

/// Refused as an invalid code; what is counted may change, nothing else is looked at.
fn refused(world: &World, ask: &Ask) -> Value {
    let answer = ask.send(world);
    assert_eq!((answer.status, answer.body["code"].as_str()), (INVALID.status, Some(INVALID.code)), "{}", answer.text);
    anonymous(&answer)
}

fn wrong(code: &str) -> String {
    let number: u32 = code.parse().unwrap();
    format!("{:06}", (number + 1) % 1_000_000)
}

#[test]
fn a_mailed_code_opens_a_session_once() {
    let world = World::new();
    acme(&world);
    let code = new_code(&world, ADA);
    let session = accept(&world, &with_code(ADA, &code), 201).body;
    assert_eq!((&session["$type"], &session["tokenType"], &session["expiresIn"]), (&json!("Session"), &json!("Bearer"), &json!(600)));
    refused(&world, &with_code(ADA, &code));
}

#[test]
fn a_mailed_link_opens_a_session_once() {
    let world = World::new();
    acme(&world);
    new_code(&world, ADA);
    let by_link = post("/v1/sessions", &json!({"token": link(&world, ADA)}));
    accept(&world, &by_link, 201);
    refused(&world, &by_link);
    refused(&world, &with_code(ADA, &code(&world, ADA)));
}

#[test]
fn an_email_is_the_same_in_any_case() {
    let world = World::new();
    signed_up(&world, "Acme", "Ada@Acme.Example");
    let code = new_code(&world, ADA);
    accept(&world, &with_code(" ADA@acme.example ", &code), 201);
}

#[test]
fn what_is_wrong_used_expired_or_unknown_is_refused_alike() {
    let world = World::new();
    acme(&world);
    let (right, token) = (new_code(&world, ADA), link(&world, ADA));
    let mut refusals = vec![
        refused(&world, &with_code(ADA, &wrong(&right))),
        refused(&world, &with_code(ADA, "")),
        refused(&world, &with_code(ADA, "abcdef")),
        refused(&world, &with_code(BOB, &right)),
        refused(&world, &with_code(NOBODY, &right)),
        refused(&world, &post("/v1/sessions", &json!({"token": "tk_login_forged"}))),
        refused(&world, &post("/v1/sessions", &json!({"token": format!("{}0", &token[..token.len() - 1])}))),
    ];
    world.pass(minutes(10));
    refusals.push(refused(&world, &with_code(ADA, &right)));
    refusals.push(refused(&world, &post("/v1/sessions", &json!({"token": token}))));
    let used = new_code(&world, ADA);
    accept(&world, &with_code(ADA, &used), 201);
    refusals.push(refused(&world, &with_code(ADA, &used)));
    refusals.dedup();
    assert_eq!(refusals.len(), 1, "{refusals:#?}");
}

#[test]
fn a_code_and_a_link_are_good_for_ten_minutes_and_not_a_moment_longer() {
    let world = World::new();
    acme(&world);
    let ways: [&dyn Fn() -> Ask; 2] =
        [&|| with_code(ADA, &code(&world, ADA)), &|| post("/v1/sessions", &json!({"token": link(&world, ADA)}))];
    for way in ways {
        new_code(&world, ADA);
        let asked = way();
        world.pass(minutes(10) - Duration::from_millis(1));
        accept(&world, &asked, 201);
        new_code(&world, ADA);
        let asked = way();
        world.pass(minutes(10));
        refused(&world, &asked);
        // It was the time: a code that is asked for now opens.
        new_code(&world, ADA);
        accept(&world, &way(), 201);
    }
}

#[test]
fn five_guesses_are_all_there_are() {
    let world = World::new();
    acme(&world);
    let code = new_code(&world, ADA);
    for _ in 0..4 {
        refused(&world, &with_code(ADA, &wrong(&code)));
    }
    accept(&world, &with_code(ADA, &code), 201);
    let code = new_code(&world, ADA);
    for _ in 0..5 {
        refused(&world, &with_code(ADA, &wrong(&code)));
    }
    refused(&world, &with_code(ADA, &code));
}

#[test]
fn three_mails_are_good_at_a_time_and_a_login_ends_them_all() {
    let world = World::new();
    acme(&world);
    let codes: Vec<String> = (0..4)
        .map(|_| {
            world.pass(seconds(1));
            new_code(&world, ADA)
        })
        .collect();
    refused(&world, &with_code(ADA, &codes[0]));
    accept(&world, &with_code(ADA, &codes[1]), 201);
    for code in &codes[2..] {
        refused(&world, &with_code(ADA, code));
    }
}

#[test]
fn of_two_logins_with_one_code_one_succeeds() {
    let world = World::new();
    acme(&world);
    let code = new_code(&world, ADA);
    let mut statuses: Vec<u16> = at_once(&world, &vec![with_code(ADA, &code); 4]).into_iter().map(|(status, _)| status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 401, 401, 401]);
}

#[test]
fn guesses_at_the_same_time_are_all_counted() {
    let world = World::new();
    acme(&world);
    let code = new_code(&world, ADA);
    let mut guesses = vec![with_code(ADA, &wrong(&code)); 5];
    guesses.push(with_code(ADA, &code));
    assert!(at_once(&world, &guesses).iter().all(|(status, _)| *status == 401), "the sixth is one too many");
}

#[test]
fn nobody_learns_whether_an_address_is_known() {
    let world = World::new();
    acme(&world);
    mails(&world, ADA);
    let asked = |email: &str| {
        let before = state(&world).len();
        let answer = accept(&world, &post("/v1/login", &json!({"email": email})), 202);
        (answer.text, state(&world).len() - before)
    };
    assert_eq!(asked(ADA), asked(NOBODY), "the same answer, and the same work before it");
    assert_eq!((mails(&world, ADA).len(), mails(&world, NOBODY).len()), (2, 0));
}

#[test]
fn whoever_left_is_as_unknown_as_anybody() {
    let world = World::new();
    let acme = acme(&world);
    let bob = join(&acme, BOB, "developer");
    let code = new_code(&world, BOB);
    leave(&acme, &bob);
    refused(&world, &with_code(BOB, &code));
    accept(&world, &post("/v1/login", &json!({"email": BOB})), 202);
    assert_eq!(mails(&world, BOB).len(), 1, "there is no further mail");
}

#[test]
fn no_code_is_stored() {
    let world = World::without_mail_provider();
    acme(&world);
    accept(&world, &post("/v1/login", &json!({"email": ADA})), 202);
    world.try_deliver();
    let login = state(&world).into_iter().find(|line| line.contains("logins")).unwrap();
    let id = login.split('"').find(|text| text.starts_with("login_")).unwrap().parse().unwrap();
    let code = tenantry::identity::logins::secrets::code(id, crate::support::world::SECRET);
    assert!(!state(&world).iter().any(|line| line.contains(&code)), "{code}");
}

#[test]
fn a_mail_whose_nudge_was_lost_is_sent_by_the_sweep() {
    let world = World::new();
    acme(&world);
    mails(&world, ADA);
    *world.queues.lossy.lock().unwrap() = true;
    accept(&world, &post("/v1/login", &json!({"email": ADA})), 202);
    *world.queues.lossy.lock().unwrap() = false;
    assert_eq!(mails(&world, ADA).len(), 1);
    world.pass(seconds(61));
    world.cron("* * * * *");
    world.deliver();
    world.cron("* * * * *");
    assert_eq!(mails(&world, ADA).len(), 2, "once");
}

#[test]
fn people_of_several_organizations_say_where() {
    let world = World::new();
    let acme = acme(&world);
    let globex = signed_up(&world, "Globex", ADA);
    let code = new_code(&world, ADA);
    for _ in 0..6 {
        let answer = with_code(ADA, &code).send(&world);
        assert_eq!((answer.status, answer.body["code"].as_str()), (409, Some("organization_required")), "{}", answer.text);
        let mut names: Vec<&str> =
            answer.body["organizations"].as_array().unwrap().iter().map(|each| each["name"].as_str().unwrap()).collect();
        names.sort_unstable();
        assert_eq!(names, ["Acme", "Globex"]);
        world.pass(seconds(1));
    }
    let stranger = signed_up(&world, "Initech", BOB);
    let elsewhere = post("/v1/sessions", &json!({"email": ADA, "code": code, "organization": stranger.id}));
    check(&world, &elsewhere, refusal(404, "not_found", ""));
    let there = post("/v1/sessions", &json!({"email": ADA, "code": code, "organization": globex.id}));
    assert_eq!(accept(&world, &there, 201).body["organization"], globex.id);
    assert_ne!(acme.id, globex.id);
}

#[test]
fn a_body_names_a_code_or_a_link() {
    let world = World::new();
    for body in [json!({}), json!({"email": ADA}), json!({"code": "123456"}), json!({"email": ADA, "code": "123456", "token": "x"})] {
        check(&world, &post("/v1/sessions", &body), refusal(400, "invalid_value", ""));
    }
    for email in ["", "ada", "ada@", "a b@acme.example"] {
        check(&world, &post("/v1/login", &json!({"email": email})), refusal(400, "invalid_value", "/email"));
        check(&world, &with_code(email, "123456"), refusal(400, "invalid_value", "/email"));
    }
    let nowhere = json!({"email": ADA, "code": "123456", "organization": "acme"});
    check(&world, &post("/v1/sessions", &nowhere), refusal(400, "invalid_value", "/organization"));
}

#[test]
fn the_first_login_proves_the_email() {
    let world = World::new();
    let acme = acme(&world);
    let item = || acme.get("/v1/onboarding")["itemListElement"][0].clone();
    let member = || acme.get("/v1/members")["data"][0].clone();
    assert_eq!((&item()["key"], &item()["status"]), (&json!("verifyEmail"), &json!("pending")));
    assert_eq!((&member()["emailVerified"], &member()["lastLoginAt"]), (&json!(false), &Value::Null));
    log_in(&world, ADA);
    assert_eq!(item()["status"], "completed");
    assert_eq!((&member()["emailVerified"], &member()["lastLoginAt"]), (&json!(true), &json!(world.app.moment().now)));
}
