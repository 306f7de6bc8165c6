//! Refresh tokens: one is good at a time, and using an old one ends them all.

use serde_json::{Value, json};
use tenantry::kernel::time::{minutes, seconds};

use crate::api::check::{accept, check, refusal};
use crate::logins::people::{ADA, acme, at_once, is_live, log_in, post, refresh};
use crate::support::world::World;

/// Refused because its token is no good.
fn refused(world: &World, session: &Value) {
    let answer = refresh(session).send(world);
    assert_eq!((answer.status, answer.body["code"].as_str()), (401, Some("invalid_refresh_token")), "{}", answer.text);
}

#[test]
fn each_refresh_gives_the_next_token() {
    let world = World::new();
    acme(&world);
    let mut session = log_in(&world, ADA);
    for _ in 0..3 {
        world.pass(minutes(9));
        let next = accept(&world, &refresh(&session), 201).body;
        assert_ne!(next["refreshToken"], session["refreshToken"]);
        assert_eq!((&next["$id"], &next["expiresAt"]), (&session["$id"], &session["expiresAt"]));
        assert!(is_live(&world, &next));
        session = next;
    }
}

#[test]
fn a_reused_token_ends_the_whole_family() {
    let world = World::new();
    let acme = acme(&world);
    let (first, other) = (log_in(&world, ADA), log_in(&world, ADA));
    let second = accept(&world, &refresh(&first), 201).body;
    let third = accept(&world, &refresh(&second), 201).body;
    refused(&world, &first);
    assert!(!is_live(&world, &third), "whoever holds the newest one is out, too");
    refused(&world, &third);
    assert!(is_live(&world, &other), "another login goes on");
    let ended = acme.get("/v1/sessions")["data"].as_array().unwrap().len();
    assert_eq!(ended, 1);
}

#[test]
fn of_two_at_the_same_time_one_wins_and_nothing_ends() {
    let world = World::new();
    acme(&world);
    let first = log_in(&world, ADA);
    let second = accept(&world, &refresh(&first), 201).body;
    world.pass(seconds(9));
    check(&world, &refresh(&first), refusal(409, "refreshed_meanwhile", ""));
    assert!(is_live(&world, &second));
    world.pass(seconds(1));
    refused(&world, &first);
    assert!(!is_live(&world, &second), "ten seconds later it is no race any more");
}

#[test]
fn of_many_in_parallel_one_gets_tokens() {
    let world = World::new();
    acme(&world);
    let first = log_in(&world, ADA);
    let mut answers = at_once(&world, &vec![refresh(&first); 4]);
    answers.sort_by_key(|(status, _)| *status);
    let statuses: Vec<u16> = answers.iter().map(|(status, _)| *status).collect();
    assert_eq!(statuses, [201, 409, 409, 409]);
    assert!(is_live(&world, &answers[0].1));
}

#[test]
fn what_was_not_made_here_is_refused_without_a_look() {
    let world = World::new();
    acme(&world);
    let session = log_in(&world, ADA);
    let token = session["refreshToken"].as_str().unwrap();
    let forged = [
        String::new(),
        "tk_refresh_".into(),
        format!("{token}1"),
        token.replacen("tk_refresh_", "tk_refresh_0", 1),
        token[..token.len() - 1].to_owned() + "2",
    ];
    for token in forged {
        check(&world, &post("/v1/session-refreshments", &json!({"refreshToken": token})), refusal(401, "invalid_refresh_token", ""));
    }
    assert!(is_live(&world, &session));
}

#[test]
fn a_refresh_can_be_repeated_under_its_key() {
    let world = World::new();
    acme(&world);
    let first = log_in(&world, ADA);
    let asked = refresh(&first).header("idempotency-key", "r1");
    let second = accept(&world, &asked, 201);
    world.pass(minutes(5));
    let again = accept(&world, &asked, 201);
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_eq!(again.body["refreshToken"], second.body["refreshToken"]);
    let third = accept(&world, &refresh(&second.body), 201).body;
    assert_eq!(asked.send(&world).status, 401, "what went on is not given out again");
    assert!(is_live(&world, &third));
}
