//! The allowed origins: one list, the vendor's, of exact origins.

use serde_json::{Value, json};

use crate::api::cast::Cast;
use crate::api::check::{Ask, accept, ask, check, difference, refusal, state};
use crate::support::world::vendor;

fn put(body: &Value) -> Ask {
    ask(&vendor(), "PUT", "/v1/allowed-origins").json(body.to_string())
}

fn read(cast: &Cast) -> Value {
    accept(&cast.world, &ask(&vendor(), "GET", "/v1/allowed-origins"), 200).body
}

#[test]
fn the_list_is_empty_until_it_is_set_and_is_set_whole() {
    let cast = Cast::new();
    assert_eq!(read(&cast), json!({"$type": "AllowedOrigins", "origins": [], "updatedAt": null}));
    let origins = json!(["https://app.example.com", "http://localhost:5173"]);
    let set = accept(&cast.world, &put(&json!({"origins": origins})), 200).body;
    assert_eq!(set, json!({"$type": "AllowedOrigins", "origins": origins, "updatedAt": "2026-01-01T00:00:00Z"}));
    assert_eq!(read(&cast), set);
    accept(&cast.world, &put(&json!({"origins": []})), 200);
    assert_eq!(read(&cast)["origins"], json!([]));
}

#[test]
fn what_no_browser_sends_is_refused() {
    let cast = Cast::new();
    accept(&cast.world, &put(&json!({"origins": ["https://app.example.com"]})), 200);
    let before = state(&cast.world);
    let many: Vec<String> = (0..101).map(|number| format!("https://app{number}.example")).collect();
    for (origins, pointer) in [
        (json!(["*"]), "/origins/0"),
        (json!(["https://a.example", "https://*.example"]), "/origins/1"),
        (json!(["https://a.example/"]), "/origins/0"),
        (json!(["http://a.example"]), "/origins/0"),
        (json!(["null"]), "/origins/0"),
        (json!(["https://A.example"]), "/origins/0"),
        (json!(["https://a.example", "https://a.example"]), "/origins/1"),
        (json!(many), "/origins"),
        (json!("https://a.example"), "/origins"),
        (json!([7]), "/origins/0"),
    ] {
        check(&cast.world, &put(&json!({"origins": origins})), refusal(400, "invalid_value", pointer));
    }
    check(&cast.world, &put(&json!({})), refusal(400, "invalid_value", ""));
    assert_eq!(difference(&before, &state(&cast.world)), [""; 0]);
}

#[test]
fn no_organization_reads_or_sets_it() {
    let cast = Cast::new();
    for who in [cast.acme().key(&["*"]), cast.ada()] {
        for (method, body) in [("GET", ""), ("PUT", r#"{"origins":[]}"#)] {
            let answer = ask(&who, method, "/v1/allowed-origins").json(body).send(&cast.world);
            assert!([401, 403].contains(&answer.status), "{method}: {} {}", answer.status, answer.text);
        }
    }
}
