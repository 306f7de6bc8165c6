//! The audit log as a client reads it: what an entry says, what can be sought, and that an export verifies.

use futures::executor::block_on;
use serde_json::{Value, json};
use tenantry::kernel::sql::{Sql, Statement};
use tenantry::kernel::time::seconds;
use verify::{Kept, verify_audit};

use crate::api::cast::{Cast, text};
use crate::api::check::{accept, ask, check, refusal};
use crate::support::world::{Credential, vendor};

/// Entries of Acme's that are sought, newest first.
fn sought(cast: &Cast, query: &str) -> Vec<Value> {
    let who = cast.acme().vendor();
    accept(&cast.world, &ask(&who, "GET", &format!("/v1/audit-log?{query}")), 200).body["data"].as_array().unwrap().clone()
}

fn actions(entries: &[Value]) -> Vec<&str> {
    entries.iter().map(|entry| entry["action"].as_str().unwrap()).collect()
}

fn head(cast: &Cast, who: &Credential, path: &str) -> Kept {
    let head = accept(&cast.world, &ask(who, "GET", path), 200).body;
    Kept { sequence: head["sequence"].as_u64().unwrap(), hash: text(&head["hash"]) }
}

#[test]
fn an_entry_says_who_did_what_for_whom_and_from_where() {
    let cast = Cast::new();
    let made = cast.world.post(&cast.acme().vendor(), "/v1/api-keys", &json!({"name": "all", "scopes": ["*"]})).expect(201);
    let key = Credential::Bearer(text(&made["secret"]));
    let asked = ask(&key, "PATCH", "/v1/organization").json(r#"{"name":"Acme Ltd"}"#);
    let asked = asked.header("cf-connecting-ip", "203.0.113.7").header("user-agent", "curl/8");
    let answer = accept(&cast.world, &asked, 200);
    let entry = &sought(&cast, "action=organization.updated")[0];
    assert_eq!(entry["actor"], json!({"kind": "apiKey", "id": made["$id"]}));
    assert_eq!(entry["onBehalfOf"], Value::Null);
    assert_eq!(entry["target"], json!({"type": "organization", "id": cast.acme}));
    assert_eq!((&entry["before"]["name"], &entry["after"]["name"]), (&json!("Acme"), &json!("Acme Ltd")));
    assert_eq!((&entry["address"], &entry["userAgent"]), (&json!("203.0.113.7"), &json!("curl/8")));
    assert_eq!(entry["requestId"], answer.header("request-id"));
    assert_eq!(entry["at"], "2026-02-20T00:00:00Z", "in the organization's time");
    assert_eq!(entry["log"], cast.acme);

    cast.world.write(&vendor(), "PATCH", &format!("/v1/organizations/{}", cast.acme), &json!({"name": "Acme"})).expect(200);
    let entry = &sought(&cast, "action=organization.updated")[0];
    assert_eq!(entry["actor"], json!({"kind": "platform", "id": null}));
    assert_eq!(entry["onBehalfOf"], json!({"kind": "organization", "id": cast.acme}));
}

#[test]
fn what_a_client_says_of_itself_is_cut_and_never_believed() {
    let cast = Cast::new();
    let long = "x".repeat(4_000);
    let asked = ask(&cast.admin(), "PATCH", "/v1/organization").json(r#"{"name":"Acme Ltd"}"#);
    accept(&cast.world, &asked.header("user-agent", &long).header("x-forwarded-for", "198.51.100.1"), 200);
    let entry = &sought(&cast, "action=organization.updated")[0];
    assert_eq!((text(&entry["userAgent"]).len(), &entry["address"]), (500, &Value::Null));
}

#[test]
fn no_secret_gets_into_the_log() {
    let cast = Cast::new();
    let made = cast.world.post(&cast.acme().vendor(), "/v1/api-keys", &json!({"name": "k", "scopes": ["*"]})).expect(201);
    let who = cast.acme().vendor();
    for path in ["/v1/audit-log?limit=100", "/v1/audit-log/export", "/v1/audit-log/export?format=csv"] {
        let answer = ask(&who, "GET", path).send(&cast.world);
        assert!(
            answer.status == 200 && answer.text.contains(&text(&made["$id"])) && !answer.text.contains(&text(&made["secret"])),
            "{path}"
        );
    }
}

#[test]
fn what_changed_nothing_leaves_nothing() {
    let cast = Cast::new();
    let who = cast.admin();
    let before = head(&cast, &cast.acme().vendor(), "/v1/audit-log/head");
    accept(&cast.world, &ask(&who, "PATCH", "/v1/organization").json(r#"{"name":"Acme"}"#), 200);
    check(&cast.world, &ask(&who, "PATCH", "/v1/organization").json(r#"{"email":"x"}"#), refusal(400, "invalid_value", "/email"));
    accept(&cast.world, &ask(&who, "GET", "/v1/organization"), 200);
    // The key that was made for it all is the only news.
    assert_eq!(head(&cast, &cast.acme().vendor(), "/v1/audit-log/head"), before);
}

#[test]
fn it_is_sought_by_actor_action_target_and_time() {
    let cast = Cast::new();
    let made = cast.world.post(&cast.acme().vendor(), "/v1/api-keys", &json!({"name": "all", "scopes": ["*"]})).expect(201);
    let (key, id) = (Credential::Bearer(text(&made["secret"])), text(&made["$id"]));
    cast.world.write(&key, "PATCH", "/v1/organization", &json!({"name": "Acme Ltd"})).expect(200);
    cast.world.write(&vendor(), "PUT", &format!("/v1/test-clocks/{}", cast.clock), &json!({"now": "2026-02-21T00:00:00Z"})).expect(200);
    cast.world.write(&key, "DELETE", &format!("/v1/api-keys/{}", cast.spare_key), &json!({})).expect(204);

    assert_eq!(actions(&sought(&cast, &format!("actor={id}"))), ["apiKey.revoked", "organization.updated"]);
    assert_eq!(actions(&sought(&cast, &format!("actor={id}&action=apiKey.*"))), ["apiKey.revoked"]);
    assert_eq!(actions(&sought(&cast, "action=apiKey.*")), ["apiKey.revoked", "apiKey.created", "apiKey.created"]);
    assert_eq!(actions(&sought(&cast, "action=apiKey.revoked")), ["apiKey.revoked"]);
    assert_eq!(actions(&sought(&cast, "action=apiKey.unknown")), [""; 0]);
    assert_eq!(actions(&sought(&cast, &format!("target={}", cast.spare_key))), ["apiKey.revoked", "apiKey.created"]);
    assert_eq!(actions(&sought(&cast, &format!("target={}&actor=platform", cast.spare_key))), ["apiKey.created"]);
    assert_eq!(actions(&sought(&cast, &format!("target={}&action=organization.*", cast.spare_key))), [""; 0]);
    assert_eq!(actions(&sought(&cast, "from=2026-02-21T00:00:00Z")), ["apiKey.revoked"]);
    assert_eq!(
        actions(&sought(&cast, "from=2026-02-20T00:00:00Z&to=2026-02-21T00:00:00Z&action=organization.*")),
        ["organization.updated"]
    );
    assert_eq!(actions(&sought(&cast, "to=2026-01-01T00:00:00.001Z&limit=100")).last(), Some(&"organization.created"));
    assert_eq!(actions(&sought(&cast, "from=2030-01-01T00:00:00Z")), [""; 0]);
    assert_eq!(actions(&sought(&cast, "to=2025-01-01T00:00:00Z")), [""; 0]);
}

#[test]
fn a_search_that_makes_no_sense_is_refused() {
    let cast = Cast::new();
    for path in ["/v1/audit-log", "/v1/platform-audit-log"] {
        let who = if path == "/v1/audit-log" { cast.admin() } else { vendor() };
        for (query, code, pointer) in [
            ("action=apiKey", "invalid_action", "action"),
            ("action=*", "invalid_action", "action"),
            ("action=", "invalid_value", "action"),
            ("actor=", "invalid_value", "actor"),
            ("target=", "invalid_value", "target"),
            ("from=yesterday", "invalid_query", "from"),
            ("from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", "invalid_range", "from"),
            ("cursor=0", "invalid_cursor", "cursor"),
            ("cursor=4000000000", "invalid_cursor", "cursor"),
            ("who=me", "invalid_query", "who"),
        ] {
            check(&cast.world, &ask(&who, "GET", &format!("{path}?{query}")), refusal(400, code, pointer));
        }
        for (query, code, pointer) in [
            ("format=xml", "invalid_query", "format"),
            ("limit=5", "invalid_query", "limit"),
            ("from=2026-01-02T00:00:00Z&to=2026-01-02T00:00:00Z", "invalid_range", "from"),
        ] {
            check(&cast.world, &ask(&who, "GET", &format!("{path}/export?{query}")), refusal(400, code, pointer));
        }
    }
}

#[test]
fn pages_show_every_entry_once() {
    let cast = Cast::new();
    let who = cast.acme().vendor();
    let all: Vec<Value> = sought(&cast, "limit=100").iter().map(|entry| entry["sequence"].clone()).collect();
    assert_eq!(all.last(), Some(&json!(1)));
    for filter in ["", "&actor=platform", "&action=apiKey.*", "&from=2026-01-02T00:00:00Z"] {
        let expected: Vec<Value> = sought(&cast, &format!("limit=100{filter}")).iter().map(|entry| entry["sequence"].clone()).collect();
        let (mut found, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = accept(&cast.world, &ask(&who, "GET", &format!("/v1/audit-log?limit=2{filter}{cursor}")), 200).body;
            found.extend(page["data"].as_array().unwrap().iter().map(|entry| entry["sequence"].clone()));
            let Some(next) = page["nextCursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(found, expected, "{filter}");
    }
}

#[test]
fn an_export_verifies_up_to_the_head() {
    let cast = Cast::new();
    let who = cast.acme().vendor();
    let kept = head(&cast, &who, "/v1/audit-log/head");
    let answer = ask(&who, "GET", "/v1/audit-log/export").send(&cast.world);
    assert_eq!(answer.header("content-type"), "application/x-ndjson");
    let found = verify_audit(answer.text.as_bytes(), Some(kept.clone())).unwrap();
    assert_eq!((found.verdict.clone(), found.reaches_head), (Ok(()), true), "{found}");
    assert_eq!(found.entries, Some((1, kept.sequence)));
    // What was said and is hashed is what the list shows.
    let line: Value = serde_json::from_str(answer.text.lines().nth(1).unwrap()).unwrap();
    let mut shown = sought(&cast, "limit=100").pop().unwrap();
    let hash = shown.as_object_mut().unwrap().remove("hash").unwrap();
    assert_eq!((&line["entry"], &line["hash"]), (&shown, &hash));

    let changed = answer.text.replacen("\"name\":\"Acme\"", "\"name\":\"Acne\"", 1);
    assert!(changed != answer.text && verify_audit(changed.as_bytes(), None).unwrap().verdict.is_err());
}

#[test]
fn a_range_is_chained_to_what_was_before_it() {
    let cast = Cast::new();
    let who = cast.acme().vendor();
    for (query, reaches_head) in [
        ("from=2026-01-02T00:00:00Z", true),
        ("from=2026-01-02T00:00:00Z&to=2026-02-01T00:00:00Z", false),
        ("to=2026-01-02T00:00:00Z", false),
        ("from=2030-01-01T00:00:00Z", true),
        ("to=2025-01-01T00:00:00Z", false),
    ] {
        let answer = ask(&who, "GET", &format!("/v1/audit-log/export?{query}")).send(&cast.world);
        let found = verify_audit(answer.text.as_bytes(), None).unwrap();
        assert_eq!((found.verdict.clone(), found.reaches_head), (Ok(()), reaches_head), "{query}: {found}");
    }
    let stranger = ask(&cast.globex().vendor(), "GET", "/v1/audit-log/export").send(&cast.world);
    assert!(verify_audit(stranger.text.as_bytes(), None).unwrap().verdict.is_ok() && !stranger.text.contains(&cast.acme));
}

#[test]
fn a_long_log_is_exported_in_pages() {
    let cast = Cast::new();
    let admin = cast.admin();
    for number in 0..410 {
        cast.world.pass(seconds(1));
        cast.world.write(&admin, "PATCH", "/v1/organization", &json!({"name": format!("=Acme, \"{number}\"")})).expect(200);
    }
    let who = cast.acme().vendor();
    let kept = head(&cast, &who, "/v1/audit-log/head");
    let found = verify_audit(ask(&who, "GET", "/v1/audit-log/export").send(&cast.world).text.as_bytes(), Some(kept.clone())).unwrap();
    assert_eq!((found.verdict.clone(), found.reaches_head, found.entries), (Ok(()), true, Some((1, kept.sequence))), "{found}");
    let csv = ask(&who, "GET", "/v1/audit-log/export?format=csv").send(&cast.world);
    assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8");
    assert!(csv.header("content-disposition").contains("audit-log.csv"));
    let lines: Vec<&str> = csv.text.split_terminator("\r\n").collect();
    assert_eq!(lines.len() as u64, kept.sequence + 1);
    assert!(lines[0].starts_with("sequence,id,at,actorKind,") && lines[1].starts_with("1,aud_"), "{}", lines[1]);
    assert!(lines.last().unwrap().contains("\"{\"\"") && lines.last().unwrap().ends_with(&kept.hash));
}

#[test]
fn the_vendors_own_writes_are_in_the_platforms_log() {
    let cast = Cast::new();
    cast.world.post(&vendor(), "/v1/metrics", &json!({"key": "tokens", "aggregation": "sum", "kind": "consumable"})).expect(201);
    cast.world.post(&vendor(), "/v1/dead-letters/replays", &json!({"id": cast.dead_letter})).expect(204);
    let list =
        accept(&cast.world, &ask(&vendor(), "GET", "/v1/platform-audit-log?limit=100"), 200).body["data"].as_array().unwrap().clone();
    assert_eq!(actions(&list), ["deadLetter.replayed", "metric.created", "platformKey.created", "testClock.advanced", "testClock.created"]);
    let moved = &list[3];
    assert_eq!(moved["target"], json!({"type": "testClock", "id": cast.clock}));
    assert_eq!((&moved["before"]["now"], &moved["after"]["now"]), (&json!("2026-01-01T00:00:00Z"), &json!("2026-02-20T00:00:00Z")));
    assert_eq!((&moved["actor"]["kind"], &moved["onBehalfOf"], &moved["log"]), (&json!("platform"), &Value::Null, &json!("platform")));
    let clocks = accept(&cast.world, &ask(&vendor(), "GET", "/v1/platform-audit-log?action=testClock.*&actor=platform"), 200);
    assert_eq!(clocks.body["data"].as_array().unwrap().len(), 2);
    let export = ask(&vendor(), "GET", "/v1/platform-audit-log/export").send(&cast.world);
    let kept = head(&cast, &vendor(), "/v1/platform-audit-log/head");
    assert_eq!(verify_audit(export.text.as_bytes(), Some(kept)).unwrap().verdict, Ok(()));
    // A definition that is refused leaves no entry.
    let again = json!({"key": "tokens", "aggregation": "sum", "kind": "consumable"});
    assert_eq!(cast.world.post(&vendor(), "/v1/metrics", &again).status, 409);
    assert_eq!(head(&cast, &vendor(), "/v1/platform-audit-log/head").sequence, 5);
}

#[test]
fn every_search_has_an_index() {
    let cast = Cast::new();
    let placement = block_on(cast.world.platform().placement(cast.acme.parse().unwrap())).unwrap().unwrap();
    let sql = &cast.world.shards[placement.shard];
    for (lead, index) in [
        ("target = ?2 AND sequence BETWEEN 1 AND 9 AND (?3 IS NULL OR actor = ?3)", "audit_log_by_target"),
        ("actor = ?2 AND sequence BETWEEN 1 AND 9 AND (?3 IS NULL OR resource = ?3)", "audit_log_by_actor"),
        ("resource = ?2 AND sequence BETWEEN 1 AND 9 AND (?3 IS NULL OR action = ?3)", "audit_log_by_resource"),
        ("sequence BETWEEN ?2 AND ?3", "sqlite_autoindex_audit_log_1"),
        ("at >= ?2 AND ?3 IS NULL", "audit_log_by_time"),
    ] {
        let order = if lead.starts_with("at") { "at, sequence" } else { "sequence DESC" };
        let explained = format!(
            "EXPLAIN QUERY PLAN SELECT organization_id, sequence, entry, hash FROM audit_log WHERE organization_id = ?1 AND {lead} ORDER BY {order} LIMIT 5"
        );
        let params = vec!["a".into(), "b".into(), "c".into()];
        let outcomes = block_on(sql.batch(vec![Statement { text: explained.leak(), params }])).unwrap();
        let plan: Vec<String> = outcomes[0].rows.iter().map(|row| text(&row["detail"])).collect();
        assert!(plan.len() == 1 && plan[0].starts_with("SEARCH") && plan[0].contains(index), "{lead}: {plan:?}");
    }
}
