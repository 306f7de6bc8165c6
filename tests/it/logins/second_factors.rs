//! The second factor: enrolled, confirmed, asked for at login, and removed.

use serde_json::{Value, json};
use tenantry::identity::second_factors::totp;
use tenantry::kernel::time::seconds;

use crate::api::check::{Ask, accept, ask, check, refusal, state};
use crate::logins::people::{ADA, acme, at_once, log_in, new_code, post, signed_up, token};
use crate::support::world::{Credential, World};

/// What the authenticator app shows, some steps from now.
fn shown(world: &World, secret: &str, steps: i64) -> String {
    totp::code(&unbase32(secret), totp::step(world.app.moment().now) + steps, 6)
}

fn unbase32(text: &str) -> Vec<u8> {
    let digits = text.bytes().map(|letter| u32::from(if letter.is_ascii_digit() { letter - b'2' + 26 } else { letter - b'A' }));
    let bits: Vec<u32> = digits.flat_map(|digit| (0..5).rev().map(move |bit| (digit >> bit) & 1)).collect();
    bits.chunks_exact(8).map(|bits| bits.iter().fold(0, |byte, bit| (byte << 1) | u8::try_from(*bit).unwrap())).collect()
}

fn enrol(world: &World, who: &Credential) -> Value {
    accept(world, &ask(who, "POST", "/v1/second-factor").json("{}"), 201).body
}

fn confirm(who: &Credential, code: &str) -> Ask {
    ask(who, "POST", "/v1/second-factor/confirmation").json(json!({"code": code}).to_string())
}

/// Ada's confirmed factor: its secret and her recovery codes.
fn confirmed(world: &World, who: &Credential) -> (String, Vec<String>) {
    let secret = enrol(world, who)["secret"].as_str().unwrap().to_owned();
    let view = accept(world, &confirm(who, &shown(world, &secret, 0)), 201).body;
    let codes = view["recoveryCodes"].as_array().unwrap().iter().map(|code| code.as_str().unwrap().to_owned()).collect();
    (secret, codes)
}

fn log_in_with(email: &str, code: &str, second: &str) -> Ask {
    post("/v1/sessions", &json!({"email": email, "code": code, "secondFactorCode": second}))
}

fn status_and_code(world: &World, ask: &Ask) -> (u16, String) {
    let answer = ask.send(world);
    (answer.status, answer.body["code"].as_str().unwrap_or_default().to_owned())
}

#[test]
fn it_protects_once_it_is_confirmed() {
    let world = World::new();
    acme(&world);
    let me = token(&log_in(&world, ADA));
    check(&world, &ask(&me, "GET", "/v1/second-factor"), refusal(404, "not_found", ""));
    let enrolled = enrol(&world, &me);
    let secret = enrolled["secret"].as_str().unwrap();
    let uri = enrolled["otpauthUri"].as_str().unwrap();
    assert!(uri.starts_with("otpauth://totp/app.example:ada%40acme.example?") && uri.contains(secret), "{uri}");
    log_in(&world, ADA);
    let wrong = shown(&world, secret, 5);
    assert_eq!(status_and_code(&world, &confirm(&me, &wrong)), (403, "invalid_second_factor".into()));
    let view = accept(&world, &confirm(&me, &shown(&world, secret, 0)), 201).body;
    assert_eq!(view["recoveryCodes"].as_array().unwrap().len(), 10);
    let shown_later = accept(&world, &ask(&me, "GET", "/v1/second-factor"), 200).body;
    assert!(shown_later.get("secret").is_none() && shown_later.get("recoveryCodes").is_none(), "{shown_later}");
    check(&world, &ask(&me, "POST", "/v1/second-factor").json("{}"), refusal(409, "second_factor_exists", ""));
    check(&world, &confirm(&me, "123456"), refusal(409, "second_factor_exists", ""));
}

#[test]
fn a_login_needs_it_and_the_mailed_code_waits_for_it() {
    let world = World::new();
    acme(&world);
    let (secret, _) = confirmed(&world, &token(&log_in(&world, ADA)));
    world.pass(seconds(60));
    let code = new_code(&world, ADA);
    let without = post("/v1/sessions", &json!({"email": ADA, "code": code}));
    assert_eq!(status_and_code(&world, &without), (409, "second_factor_required".into()));
    let wrong = shown(&world, &secret, 9);
    assert_eq!(status_and_code(&world, &log_in_with(ADA, &code, &wrong)), (401, "invalid_second_factor".into()));
    accept(&world, &log_in_with(ADA, &code, &shown(&world, &secret, 0)), 201);
}

#[test]
fn a_step_is_good_once() {
    let world = World::new();
    acme(&world);
    let (secret, _) = confirmed(&world, &token(&log_in(&world, ADA)));
    let of_confirmation = shown(&world, &secret, 0);
    let code = new_code(&world, ADA);
    assert_eq!(status_and_code(&world, &log_in_with(ADA, &code, &of_confirmation)).0, 401);
    let next = shown(&world, &secret, 1);
    accept(&world, &log_in_with(ADA, &code, &next), 201);
    let code = new_code(&world, ADA);
    assert_eq!(status_and_code(&world, &log_in_with(ADA, &code, &next)).0, 401);
    world.pass(seconds(60));
    accept(&world, &log_in_with(ADA, &code, &shown(&world, &secret, 0)), 201);
}

#[test]
fn a_step_is_good_once_for_logins_at_the_same_time() {
    let world = World::new();
    acme(&world);
    let (secret, _) = confirmed(&world, &token(&log_in(&world, ADA)));
    world.pass(seconds(60));
    let (code, second) = (new_code(&world, ADA), shown(&world, &secret, 0));
    let mut statuses: Vec<u16> =
        at_once(&world, &vec![log_in_with(ADA, &code, &second); 3]).into_iter().map(|(status, _)| status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 401, 401]);
}

#[test]
fn it_asks_in_every_organization() {
    let world = World::new();
    acme(&world);
    let (secret, _) = confirmed(&world, &token(&log_in(&world, ADA)));
    let globex = signed_up(&world, "Globex", ADA);
    world.pass(seconds(60));
    let code = new_code(&world, ADA);
    let body = |second: Option<String>| json!({"email": ADA, "code": code, "organization": globex.id, "secondFactorCode": second});
    assert_eq!(status_and_code(&world, &post("/v1/sessions", &body(None))), (409, "second_factor_required".into()));
    accept(&world, &post("/v1/sessions", &body(Some(shown(&world, &secret, 0)))), 201);
}

#[test]
fn a_recovery_code_stands_for_the_device_once() {
    let world = World::new();
    acme(&world);
    let me = token(&log_in(&world, ADA));
    let (_, codes) = confirmed(&world, &me);
    accept(&world, &log_in_with(ADA, &new_code(&world, ADA), &codes[3].to_uppercase()), 201);
    let left = accept(&world, &ask(&me, "GET", "/v1/second-factor"), 200).body["recoveryCodesLeft"].clone();
    assert_eq!(left, 9);
    let code = new_code(&world, ADA);
    assert_eq!(status_and_code(&world, &log_in_with(ADA, &code, &codes[3])).0, 401);
    accept(&world, &log_in_with(ADA, &code, &codes[4]), 201);
}

#[test]
fn guessing_is_limited_by_the_code_and_by_the_person() {
    let world = World::new();
    acme(&world);
    let (secret, _) = confirmed(&world, &token(&log_in(&world, ADA)));
    world.pass(seconds(60));
    let code = new_code(&world, ADA);
    for _ in 0..5 {
        let wrong = shown(&world, &secret, 9);
        assert_eq!(status_and_code(&world, &log_in_with(ADA, &code, &wrong)).0, 401);
    }
    let right = shown(&world, &secret, 0);
    assert_eq!(status_and_code(&world, &log_in_with(ADA, &code, &right)), (401, "invalid_code".into()), "the mailed code is spent");
    let from_afar = |ask: Ask| ask.header("cf-connecting-ip", "203.0.113.7");
    let me = token(&accept(&world, &log_in_with(ADA, &new_code(&world, ADA), &right), 201).body);
    let remove = || from_afar(ask(&me, "DELETE", "/v1/second-factor").header("second-factor-code", "000000"));
    // The tries before came from a developer's machine, where a try counts a thousandth.
    let statuses: Vec<u16> = (0..10).map(|_| remove().send(&world).status).collect();
    assert_eq!(statuses, [vec![403; 9], vec![429]].concat());
}

#[test]
fn it_is_removed_with_a_code_of_it() {
    let world = World::new();
    let acme = acme(&world);
    let me = token(&log_in(&world, ADA));
    let remove = |code: &str| ask(&me, "DELETE", "/v1/second-factor").header("second-factor-code", code);
    check(&world, &remove("123456"), refusal(404, "not_found", ""));
    let (secret, _) = confirmed(&world, &me);
    check(&world, &ask(&me, "DELETE", "/v1/second-factor"), refusal(400, "second_factor_required", "Second-Factor-Code"));
    check(&world, &remove(&shown(&world, &secret, 9)), refusal(403, "invalid_second_factor", ""));
    accept(&world, &remove(&shown(&world, &secret, 1)), 204);
    log_in(&world, ADA);
    check(&world, &ask(&acme.key(&["*"]), "GET", "/v1/second-factor"), refusal(403, "forbidden", ""));
}

#[test]
fn a_factor_that_was_never_confirmed_is_replaced_or_removed_freely() {
    let world = World::new();
    acme(&world);
    let me = token(&log_in(&world, ADA));
    let (first, second) = (enrol(&world, &me), enrol(&world, &me));
    assert_ne!(first["secret"], second["secret"]);
    let of_first = shown(&world, first["secret"].as_str().unwrap(), 0);
    assert_eq!(status_and_code(&world, &confirm(&me, &of_first)).0, 403);
    accept(&world, &ask(&me, "DELETE", "/v1/second-factor"), 204);
}

#[test]
fn no_secret_is_stored_as_it_is() {
    let world = World::new();
    acme(&world);
    let me = token(&log_in(&world, ADA));
    let asked = ask(&me, "POST", "/v1/second-factor").json("{}").header("idempotency-key", "enrol");
    let secret = accept(&world, &asked, 201).body["secret"].as_str().unwrap().to_owned();
    let again = accept(&world, &asked, 201);
    assert_eq!((again.header("idempotent-replayed"), again.body["secret"].as_str()), ("true", Some(secret.as_str())));
    let asked = confirm(&me, &shown(&world, &secret, 0)).header("idempotency-key", "confirm");
    let view = accept(&world, &asked, 201).body;
    assert_eq!(accept(&world, &asked, 201).body["recoveryCodes"], view["recoveryCodes"]);
    let hex: String = unbase32(&secret).iter().map(|byte| format!("{byte:02x}")).collect();
    let recovery = view["recoveryCodes"][0].as_str().unwrap();
    for line in state(&world) {
        assert!(!line.contains(&secret) && !line.contains(&hex) && !line.contains(recovery), "{line}");
    }
}
