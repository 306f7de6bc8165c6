//! Sessions: who sees and ends which, and when they end by themselves.

use serde_json::{Value, json};
use tenantry::kernel::time::{days, minutes, seconds};

use crate::api::check::{accept, ask, check, refusal};
use crate::logins::people::{ADA, BOB, acme, code, is_live, join, leave, log_in, new_code, post, refresh, token, with_code};
use crate::support::world::{Credential, World};

fn ids(world: &World, who: &Credential, query: &str) -> Vec<String> {
    let answer = accept(world, &ask(who, "GET", &format!("/v1/sessions{query}")), 200).body;
    answer["data"].as_array().unwrap().iter().map(|session| session["$id"].as_str().unwrap().to_owned()).collect()
}

fn id(session: &Value) -> String {
    session["$id"].as_str().unwrap().to_owned()
}

fn end(who: &Credential, session: &Value) -> crate::api::check::Ask {
    ask(who, "DELETE", &format!("/v1/sessions/{}", id(session)))
}

#[test]
fn people_see_their_own_and_administrators_all() {
    let world = World::new();
    let acme = acme(&world);
    let bob = join(&acme, BOB, "viewer");
    let ada = log_in(&world, ADA);
    world.pass(seconds(1));
    let bobs = log_in(&world, BOB);
    assert_eq!(ids(&world, &token(&ada), ""), [id(&bobs), id(&ada)], "newest first");
    assert_eq!(ids(&world, &token(&bobs), "?person=me"), [id(&bobs)]);
    assert_eq!(ids(&world, &token(&bobs), &format!("?person={bob}")), [id(&bobs)]);
    assert_eq!(ids(&world, &token(&ada), &format!("?person={bob}")), [id(&bobs)]);
    assert_eq!(ids(&world, &acme.key(&["sessions.read"]), ""), [id(&bobs), id(&ada)]);
    for query in ["".to_owned(), format!("?person={}", ada["person"].as_str().unwrap())] {
        let asked = ask(&token(&bobs), "GET", &format!("/v1/sessions{query}"));
        check(&world, &asked, refusal(403, "forbidden", ""));
    }
    check(&world, &ask(&acme.key(&["*"]), "GET", "/v1/sessions?person=me"), refusal(400, "invalid_value", "person"));
    check(&world, &ask(&token(&ada), "GET", "/v1/sessions?person=bob"), refusal(400, "invalid_value", "person"));
    let foreign = ask(&token(&ada), "GET", &format!("/v1/sessions?person=me&cursor={}", id(&bobs)));
    check(&world, &foreign, refusal(400, "invalid_cursor", "cursor"));
}

#[test]
fn a_session_remembers_where_the_login_came_from() {
    let world = World::new();
    acme(&world);
    let code = new_code(&world, ADA);
    let asked = with_code(ADA, &code).header("cf-connecting-ip", "203.0.113.7").header("user-agent", "Firefox");
    let session = accept(&world, &asked, 201).body;
    let listed = world.get(&token(&session), "/v1/sessions?person=me").expect(200)["data"][0].clone();
    assert_eq!((&listed["ip"], &listed["userAgent"]), (&json!("203.0.113.7"), &json!("Firefox")));
    assert!(listed.get("refreshToken").is_none() && listed.get("accessToken").is_none());
}

#[test]
fn an_ended_session_is_over_at_once() {
    let world = World::new();
    let acme = acme(&world);
    join(&acme, BOB, "viewer");
    let (ada, first, second) = (log_in(&world, ADA), log_in(&world, BOB), log_in(&world, BOB));
    check(&world, &end(&token(&first), &ada), refusal(403, "forbidden", ""));
    accept(&world, &end(&token(&first), &first), 204);
    assert!(!is_live(&world, &first) && is_live(&world, &second));
    check(&world, &refresh(&first), refusal(401, "invalid_refresh_token", ""));
    accept(&world, &end(&token(&ada), &second), 204);
    assert!(!is_live(&world, &second));
    accept(&world, &end(&token(&ada), &second), 204);
    check(&world, &ask(&token(&ada), "DELETE", "/v1/sessions/sess_00000000000000000000000001"), refusal(404, "not_found", ""));
    assert_eq!(ids(&world, &token(&ada), ""), [id(&ada)], "what has ended is not listed");
}

#[test]
fn all_other_sessions_are_ended_in_one_call() {
    let world = World::new();
    let acme = acme(&world);
    join(&acme, BOB, "viewer");
    let others: Vec<Value> = (0..4)
        .map(|_| {
            world.pass(minutes(30));
            log_in(&world, ADA)
        })
        .collect();
    let (here, bobs) = (log_in(&world, ADA), log_in(&world, BOB));
    accept(&world, &ask(&token(&here), "DELETE", "/v1/sessions"), 204);
    let live = |session: &&Value| is_live(&world, session);
    assert_eq!((others.iter().filter(live).count(), is_live(&world, &here), is_live(&world, &bobs)), (0, true, true));
    check(&world, &ask(&acme.key(&["*"]), "DELETE", "/v1/sessions"), refusal(403, "forbidden", ""));
}

#[test]
fn an_access_token_is_good_for_ten_minutes() {
    let world = World::new();
    acme(&world);
    let session = log_in(&world, ADA);
    world.pass(minutes(10) - seconds(1));
    assert!(is_live(&world, &session));
    world.pass(seconds(1));
    assert!(!is_live(&world, &session));
}

#[test]
fn a_session_that_is_not_used_for_a_week_ends() {
    let world = World::new();
    acme(&world);
    let session = log_in(&world, ADA);
    world.pass(days(7) - seconds(1));
    let session = accept(&world, &refresh(&session), 201).body;
    world.pass(days(7));
    check(&world, &refresh(&session), refusal(401, "invalid_refresh_token", ""));
}

#[test]
fn a_session_ends_after_a_month_however_much_it_is_used() {
    let world = World::new();
    acme(&world);
    let mut session = log_in(&world, ADA);
    for _ in 0..5 {
        world.pass(days(5));
        session = accept(&world, &refresh(&session), 201).body;
    }
    world.pass(days(5) - minutes(5));
    session = accept(&world, &refresh(&session), 201).body;
    assert!(is_live(&world, &session));
    world.pass(minutes(5));
    assert!(!is_live(&world, &session), "also the access token, whose ten minutes are not over");
    check(&world, &refresh(&session), refusal(401, "invalid_refresh_token", ""));
    world.pass(days(30));
    world.cron("0 5 * * *");
    let kept = crate::api::check::state(&world)
        .into_iter()
        .filter(|line| line.starts_with("sessions ") || line.contains("directory logins "))
        .count();
    assert_eq!(kept, 0, "what is over is forgotten after a month");
}

#[test]
fn whoever_leaves_loses_their_sessions_at_once() {
    let world = World::new();
    let acme = acme(&world);
    let bob = join(&acme, BOB, "admin");
    let session = log_in(&world, BOB);
    leave(&acme, &bob);
    assert!(!is_live(&world, &session));
    check(&world, &refresh(&session), refusal(401, "invalid_refresh_token", ""));
}

#[test]
fn a_removed_member_who_comes_back_has_to_log_in() {
    let world = World::new();
    let acme = acme(&world);
    let bob = join(&acme, BOB, "viewer");
    let (ada, session) = (log_in(&world, ADA), log_in(&world, BOB));
    accept(&world, &ask(&token(&ada), "DELETE", &format!("/v1/members/{bob}")), 204);
    assert!(!is_live(&world, &session));
    world.deliver();
    join(&acme, BOB, "viewer");
    assert!(!is_live(&world, &session));
    check(&world, &refresh(&session), refusal(401, "invalid_refresh_token", ""));
}

#[test]
fn a_login_can_be_repeated_under_its_key() {
    let world = World::new();
    acme(&world);
    let code = new_code(&world, ADA);
    let asked = with_code(ADA, &code).header("idempotency-key", "login-1");
    let first = accept(&world, &asked, 201);
    let again = accept(&world, &asked, 201);
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_eq!((&again.body["$id"], &again.body["refreshToken"]), (&first.body["$id"], &first.body["refreshToken"]));
    assert!(is_live(&world, &again.body));
    let other = with_code(ADA, "000000").header("idempotency-key", "login-1");
    check(&world, &other, refusal(422, "idempotency_mismatch", ""));
    let elsewhere = post("/v1/sessions", &json!({"email": BOB, "code": code})).header("idempotency-key", "login-1");
    assert_eq!(elsewhere.send(&world).body["code"], "invalid_code", "a key is one address's");
    accept(&world, &refresh(&first.body), 201);
    assert_eq!(asked.send(&world).body["code"], "invalid_code", "what went on is not given out again");
}

#[test]
fn a_login_that_was_cut_off_is_finished_under_its_key() {
    let world = World::new();
    let acme = acme(&world);
    let code = new_code(&world, ADA);
    let asked = with_code(ADA, &code).header("idempotency-key", "login-1");
    let statuses: Vec<u16> = (0..6)
        .map(|passing| {
            world.shards.iter().for_each(|shard| shard.fail_after(passing, 3));
            let status = asked.send(&world).status;
            world.shards.iter().for_each(|shard| shard.fail(0));
            status
        })
        .collect();
    assert!(statuses.contains(&503), "{statuses:?}");
    let session = accept(&world, &asked, 201).body;
    assert!(is_live(&world, &session));
    assert_eq!(ids(&world, &acme.key(&["*"]), "").len(), 1, "one code, one session");
    assert_eq!(self::code(&world, ADA), code, "and no further mail");
}
