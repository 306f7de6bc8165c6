//! The same key and the same request: the first answer again, and nothing happens twice.

use serde_json::{Value, json};
use tenantry::kernel::time::hours;

use crate::api::cast::Cast;
use crate::api::check::{Ask, accept, ask, check, difference, refusal, state};
use crate::support::world::{Credential, vendor};

/// A `POST`, two bodies that ask for different things, and the status of success.
struct Row {
    path: &'static str,
    body: &'static str,
    other: &'static str,
    status: u16,
}

const ROWS: &[Row] = &[
    Row {
        path: "/v1/organizations",
        body: r#"{"name":"Initech","email":"admin@initech.example"}"#,
        other: r#"{"name":"Initrode","email":"admin@initech.example"}"#,
        status: 201,
    },
    Row { path: "/v1/test-clocks", body: r#"{"now":"2026-01-31T00:00:00Z"}"#, other: r#"{"now":"2026-02-28T00:00:00Z"}"#, status: 201 },
    Row {
        path: "/v1/organizations/{acme}/grants",
        body: r#"{"metric":"apiCalls","amount":2}"#,
        other: r#"{"metric":"apiCalls","amount":3}"#,
        status: 201,
    },
    Row {
        path: "/v1/api-keys",
        body: r#"{"name":"backend","scopes":["usage.read"]}"#,
        other: r#"{"name":"backend","scopes":["usage.write"]}"#,
        status: 201,
    },
    Row { path: "/v1/usage", body: r#"{"metric":"apiCalls","amount":2}"#, other: r#"{"metric":"apiCalls","amount":3}"#, status: 200 },
    Row { path: "/v1/usage/consumption", body: r#"{"metric":"users"}"#, other: r#"{"metric":"projects"}"#, status: 200 },
    Row {
        path: "/v1/usage/batch",
        body: r#"{"events":[{"metric":"apiCalls"},{"metric":"nothing"}]}"#,
        other: r#"{"events":[{"metric":"apiCalls"}]}"#,
        status: 200,
    },
];

impl Row {
    /// Usage has one set of keys for its three endpoints, so each row has keys of its own.
    fn key(&self, name: &str) -> String {
        format!("{name} of {}", self.path)
    }

    fn is_vendors(&self) -> bool {
        self.path.starts_with("/v1/organizations") || self.path == "/v1/test-clocks"
    }

    fn ask(&self, cast: &Cast, body: &str) -> Ask {
        let who = if self.is_vendors() { vendor() } else { cast.acme().vendor() };
        ask(&who, "POST", &cast.fill(self.path)).json(body)
    }
}

#[test]
fn a_repeated_request_gets_the_first_answer() {
    let cast = Cast::new();
    for row in ROWS {
        let first = accept(&cast.world, &row.ask(&cast, row.body).header("idempotency-key", &row.key("key")), row.status);
        assert_eq!(first.header("idempotent-replayed"), "", "{}", row.path);
        cast.world.pass(hours(1));
        for key in &[row.key("key"), format!("\"{}\"", row.key("key"))] {
            let before = state(&cast.world);
            let again = accept(&cast.world, &row.ask(&cast, row.body).header("idempotency-key", key), row.status);
            assert_eq!(again.header("idempotent-replayed"), "true", "{} {key}", row.path);
            assert_eq!(told(&again.body), told(&first.body), "{} {key}", row.path);
            assert_eq!(difference(&before, &state(&cast.world)), [""; 0], "{} {key}", row.path);
        }
    }
}

/// A receipt says itself whether it is a replay.
fn told(body: &Value) -> Value {
    let mut body = body.clone();
    if body["$type"] == "UsageReceipt" {
        body["replayed"] = Value::Null;
    }
    body
}

#[test]
fn a_key_stands_for_one_request() {
    let cast = Cast::new();
    for row in ROWS {
        accept(&cast.world, &row.ask(&cast, row.body).header("idempotency-key", &row.key("key")), row.status);
        for key in &[row.key("key"), format!("\"{}\"", row.key("key"))] {
            check(&cast.world, &row.ask(&cast, row.other).header("idempotency-key", key), refusal(422, "idempotency_mismatch", ""));
        }
        accept(&cast.world, &row.ask(&cast, row.other).header("idempotency-key", &row.key("other")), row.status);
    }
    let recorded = ask(&cast.acme().vendor(), "POST", "/v1/usage/consumption")
        .json(r#"{"metric":"apiCalls","amount":2,"idempotencyKey":"key of /v1/usage"}"#);
    check(&cast.world, &recorded, refusal(422, "idempotency_mismatch", ""));
}

#[test]
fn a_refused_request_leaves_its_key_free() {
    let cast = Cast::new();
    let bad = [
        r#"{"name":"","email":"a@b.example"}"#,
        r#"{"now":"never"}"#,
        r#"{"metric":"seats","amount":1}"#,
        r#"{"name":"k","scopes":[]}"#,
        r#"{"metric":"apiCalls","amount":0}"#,
        r#"{"metric":"seats"}"#,
        r#"{"events":[]}"#,
    ];
    for (row, bad) in ROWS.iter().zip(bad) {
        let send = |body: &str| row.ask(&cast, body).header("idempotency-key", &row.key("key")).send(&cast.world);
        assert_eq!(send(bad).status, 400, "{}", row.path);
        let answer = send(row.body);
        assert_eq!((answer.status, answer.header("idempotent-replayed")), (row.status, ""), "{}", row.path);
    }
}

#[test]
fn a_key_has_a_form() {
    let cast = Cast::new();
    for row in ROWS {
        let asked = |key: &str| row.ask(&cast, row.body).header("idempotency-key", key);
        let too_long = "k".repeat(256);
        for key in [too_long.as_str(), &format!("\"{too_long}\""), "\"\"", "tab\there"] {
            check(&cast.world, &asked(key), refusal(400, "invalid_idempotency_key", "Idempotency-Key"));
        }
        let longest = row.key(&"k".repeat(251 - row.path.len()));
        accept(&cast.world, &asked(&longest), row.status);
        let again = accept(&cast.world, &asked(&format!("\"{longest}\"")), row.status);
        assert_eq!(again.header("idempotent-replayed"), "true", "{}", row.path);
    }
}

#[test]
fn a_key_belongs_to_one_company() {
    let cast = Cast::new();
    for row in ROWS.iter().filter(|row| !row.is_vendors()) {
        for who in [cast.acme().vendor(), cast.globex().vendor()] {
            let answer =
                accept(&cast.world, &ask(&who, "POST", row.path).json(row.body).header("idempotency-key", &row.key("shared")), row.status);
            assert_eq!(answer.header("idempotent-replayed"), "", "{}", row.path);
        }
    }
}

#[test]
fn a_stored_answer_belongs_to_the_actor_that_asked() {
    let cast = Cast::new();
    let strong = cast.acme().key(&["apiKeys.write", "usage.read", "invoices.read"]);
    let weak = cast.acme().key(&["apiKeys.write"]);
    let asked = |who: &Credential, path: &str, body: &str| ask(who, "POST", path).json(body).header("idempotency-key", "shared");
    let body = r#"{"name":"reader","scopes":["usage.read","invoices.read"]}"#;
    let made = accept(&cast.world, &asked(&strong, "/v1/api-keys", body), 201).body;
    check(&cast.world, &asked(&weak, "/v1/api-keys", body), refusal(403, "forbidden", ""));
    let rotation = format!("/v1/api-keys/{}/rotations", made["$id"].as_str().unwrap());
    let turned = |who: &Credential| ask(who, "POST", &rotation).json("{}").header("idempotency-key", "turn");
    let first = accept(&cast.world, &turned(&strong), 201).body;
    check(&cast.world, &turned(&weak), refusal(403, "forbidden", ""));
    let again = accept(&cast.world, &turned(&strong), 201);
    assert_eq!((again.header("idempotent-replayed"), &again.body["secret"]), ("true", &first["secret"]));
}

#[test]
fn usage_takes_its_key_in_the_body_too() {
    let cast = Cast::new();
    let backend = cast.acme().key(&["usage.write"]);
    let body = |key: &str| json!({"metric": "apiCalls", "idempotencyKey": key}).to_string();
    let post = |body: String| ask(&backend, "POST", "/v1/usage").json(body);
    check(&cast.world, &post(body("a")).header("idempotency-key", "b"), refusal(400, "idempotency_keys_differ", "/idempotencyKey"));
    accept(&cast.world, &post(body("a")).header("idempotency-key", "\"a\""), 200);
    for asked in [post(body("a")), post(json!({"metric": "apiCalls"}).to_string()).header("idempotency-key", "a")] {
        assert_eq!(accept(&cast.world, &asked, 200).body["replayed"], true);
    }
    check(&cast.world, &post(body(&"k".repeat(256))), refusal(400, "invalid_idempotency_key", "/idempotencyKey"));
    accept(&cast.world, &post(body(&"k".repeat(255))), 200);
    let events = json!({"events": [{"metric": "apiCalls", "idempotencyKey": "a"}, {"metric": "users", "idempotencyKey": "a"}]}).to_string();
    let batch = accept(&cast.world, &ask(&backend, "POST", "/v1/usage/batch").json(events), 200).body;
    assert_eq!(
        (&batch["accepted"], &batch["replayed"], &batch["rejected"][0]["code"]),
        (&json!(0), &json!(1), &json!("idempotency_mismatch"))
    );
    assert_eq!(cast.acme().get("/v1/usage")["metrics"]["apiCalls"]["current"], 2);
}

#[test]
fn answers_are_kept_for_48_hours_and_usage_for_35_days() {
    let cast = Cast::new();
    let replayed = |row: &Row| {
        accept(&cast.world, &row.ask(&cast, row.body).header("idempotency-key", &row.key("kept")), row.status).header("idempotent-replayed")
            == "true"
    };
    assert_eq!(ROWS.iter().map(replayed).collect::<Vec<_>>(), [false; 7]);
    cast.world.pass(hours(47));
    cast.world.cron("0 5 * * *");
    assert_eq!(ROWS.iter().map(replayed).collect::<Vec<_>>(), [true; 7]);
    cast.world.pass(hours(2));
    assert_eq!(ROWS.iter().map(replayed).collect::<Vec<_>>(), [false, false, false, false, true, true, true]);
}

#[test]
fn a_dead_letter_is_replayed_once_a_key() {
    let cast = Cast::new();
    let replay = |body: String| ask(&vendor(), "POST", "/v1/dead-letters/replays").json(body).header("idempotency-key", "again");
    let first = replay(json!({"id": cast.dead_letter}).to_string()).send(&cast.world);
    assert_eq!((first.status, first.header("idempotent-replayed")), (204, ""), "{}", first.text);
    let before = state(&cast.world);
    let again = replay(json!({"id": cast.dead_letter}).to_string()).send(&cast.world);
    assert_eq!((again.status, again.header("idempotent-replayed")), (204, "true"));
    assert_eq!((again.text, difference(&before, &state(&cast.world))), (first.text, Vec::new()));
    check(&cast.world, &replay(json!({"id": "message:x"}).to_string()), refusal(422, "idempotency_mismatch", ""));
}
