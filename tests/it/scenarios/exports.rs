//! A company takes all of its data along.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tenantry::kernel::time::{days, hours, minutes, seconds};

use crate::support::rows;
use crate::support::world::{Company, Credential, World};

/// Tables that an export leaves out: the machinery's, and the text of exports.
const LEFT_OUT: [&str; 5] = ["arriving_rows", "export_chunks", "fences", "ledger_guards", "stale_guards"];

fn export(acme: &Company<'_>) -> String {
    acme.world.post(&acme.vendor(), "/v1/exports", &json!({})).expect(202)["$id"].as_str().unwrap().to_owned()
}

fn content(acme: &Company<'_>, id: &str) -> String {
    let answer = acme.world.get(&acme.vendor(), &format!("/v1/exports/{id}/content"));
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.header("content-type"), "application/x-ndjson");
    answer.text
}

/// A company that has done something in all the places there are so far.
fn busy(world: &World) -> Company<'_> {
    let acme = world.sign_up_at("Acme", "2026-01-01T00:00:00Z");
    let backend = acme.key(&["*"]);
    for number in 0..250 {
        world.post(&backend, "/v1/usage", &json!({"metric": "apiCalls", "metadata": {"number": number}})).expect(200);
    }
    acme.advance("2026-03-01T00:00:00Z");
    for number in 0..450 {
        world
            .post_once(&backend, "/v1/api-keys", &format!("k{number}"), &json!({"name": format!("key {number}"), "scopes": ["usage.read"]}))
            .expect(201);
    }
    world.deliver();
    acme
}

#[test]
fn an_export_holds_every_row_of_every_table_and_all_usage() {
    let world = World::new();
    let acme = busy(&world);
    let id = export(&acme);
    let queued = acme.get(&format!("/v1/exports/{id}"));
    assert_eq!((&queued["status"], &queued["progress"]), (&json!("queued"), &json!(0)));
    let early = world.get(&acme.vendor(), &format!("/v1/exports/{id}/content"));
    assert_eq!((early.status, &early.body["code"]), (409, &json!("export_not_done")));
    world.deliver();
    let done = acme.get(&format!("/v1/exports/{id}"));
    assert_eq!((&done["status"], &done["progress"]), (&json!("done"), &json!(100)));

    let text = content(&acme, &id);
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut counted: BTreeMap<String, u64> = BTreeMap::new();
    for line in &lines[..lines.len() - 1] {
        *counted.entry(line["table"].as_str().unwrap().to_owned()).or_default() += 1;
        assert!(line["row"]["organization_id"] == json!(acme.id) || line["table"] == "usageEvents", "{line}");
    }
    let shard = world.shards[rows::home(&world, &acme.id)].as_ref();
    let mut expected: BTreeMap<String, u64> =
        rows::of(shard, &acme.id).into_iter().map(|(table, rows)| (table, rows.len() as u64)).collect();
    expected.retain(|table, _| !LEFT_OUT.contains(&table.as_str()));
    expected.insert("usageEvents".into(), 250);
    assert_eq!(counted, expected);

    let summary = &lines.last().unwrap()["summary"];
    let named: BTreeMap<String, u64> = serde_json::from_value(summary["rows"].clone()).unwrap();
    let named: BTreeMap<String, u64> = named.into_iter().filter(|(_, rows)| *rows > 0).collect();
    assert_eq!(named, expected);
    let before_summary = &text[..text.trim_end().rfind('\n').unwrap() + 1];
    let digest: String = Sha256::digest(before_summary.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!((&summary["sha256"], &done["sha256"]), (&json!(digest), &json!(digest)));
    assert_eq!((done["bytes"].as_u64().unwrap(), summary["bytes"].as_u64().unwrap()), (text.len() as u64, before_summary.len() as u64));
}

#[test]
fn a_download_that_was_cut_off_goes_on_where_it_stopped() {
    let world = World::new();
    let acme = busy(&world);
    let id = export(&acme);
    world.deliver();
    let whole = content(&acme, &id);
    let path = format!("/v1/exports/{id}/content");
    for start in [1, 1_000, whole.len() / 2, whole.len() - 1] {
        let rest = world.send(&acme.vendor(), "GET", &path, &[("range", &format!("bytes={start}-"))], "");
        assert_eq!((rest.status, rest.text.as_str()), (206, &whole[start..]));
        assert_eq!(rest.header("content-range"), format!("bytes {start}-{}/{}", whole.len() - 1, whole.len()));
    }
    let beyond = world.send(&acme.vendor(), "GET", &path, &[("range", &format!("bytes={}-", whole.len()))], "");
    assert_eq!(beyond.status, 416);
    acme.key(&["*"]);
    assert_eq!(content(&acme, &id), whole, "what is written later is not in it");
}

#[test]
fn one_export_is_made_at_a_time_and_forgotten_after_a_week() {
    let world = World::new();
    let acme = world.sign_up("Acme");
    let first = export(&acme);
    assert_eq!(export(&acme), first, "it is still being made");
    world.deliver();
    world.pass(minutes(1));
    let second = export(&acme);
    assert_ne!(second, first);
    world.deliver();
    world.pass(days(7).saturating_sub(minutes(1)));
    let expired = world.get(&acme.vendor(), &format!("/v1/exports/{first}/content"));
    assert_eq!((expired.status, &expired.body["code"]), (410, &json!("export_expired")));
    world.cron("0 5 * * *");
    let shard = world.shards[rows::home(&world, &acme.id)].as_ref();
    assert!(rows::of(shard, &acme.id)["export_chunks"].iter().all(|chunk| chunk.contains(&second)));
    world.get(&acme.vendor(), &format!("/v1/exports/{second}/content")).expect(200);
    world.pass(minutes(1));
    world.cron("0 5 * * *");
    assert!(!rows::of(shard, &acme.id).contains_key("export_chunks"));
    let listed = acme.get("/v1/exports");
    assert_eq!(listed["data"].as_array().unwrap().iter().map(|export| &export["$id"]).collect::<Vec<_>>(), [&json!(second), &json!(first)]);
}

#[test]
fn an_export_that_is_cut_off_anywhere_is_whole_at_the_end() {
    for cut_after in 0..60 {
        let world = World::new();
        let acme = world.sign_up("Acme");
        let id = export(&acme);
        world.shards[rows::home(&world, &acme.id)].fail_after(cut_after, 1);
        world.try_deliver();
        world.shards.iter().for_each(|shard| shard.fail(0));
        for _ in 0..4 {
            world.pass(minutes(1));
            world.cron("* * * * *");
            world.try_deliver();
        }
        assert_eq!(acme.get(&format!("/v1/exports/{id}"))["status"], "done", "cut off after {cut_after} batches");
        let text = content(&acme, &id);
        let (rest, last) = text.trim_end().rsplit_once('\n').unwrap();
        let summary: Value = serde_json::from_str(last).unwrap();
        let digest: String = Sha256::digest(format!("{rest}\n").as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(summary["summary"]["sha256"], json!(digest));
    }
}

#[test]
fn an_export_whose_step_keeps_failing_pauses_and_is_given_up() {
    let world = World::new();
    let acme = world.sign_up("Acme");
    let id = export(&acme);
    world.meters_fail(0, u32::MAX);
    world.deliver();
    let attempts = || {
        let shard = world.shards[rows::home(&world, &acme.id)].as_ref();
        let row: Value = serde_json::from_str(&rows::of(shard, &acme.id)["exports"][0]).unwrap();
        row["attempts"].as_i64().unwrap()
    };
    assert_eq!(attempts(), 1, "the Meter's events could not be read");
    world.pass(seconds(4));
    world.cron("* * * * *");
    world.deliver();
    assert_eq!(attempts(), 1, "it pauses for five seconds at least");
    for expected in 2..=8 {
        assert_eq!(acme.get(&format!("/v1/exports/{id}"))["status"], "running");
        world.pass(hours(1));
        world.cron("* * * * *");
        world.deliver();
        assert_eq!(attempts(), expected);
    }
    assert_eq!(acme.get(&format!("/v1/exports/{id}"))["status"], "failed");
    world.meters_fail(0, 0);
    world.pass(hours(1));
    world.cron("* * * * *");
    world.deliver();
    assert_eq!(attempts(), 8, "what was given up is not tried again");
    assert_ne!(export(&acme), id, "and another one may be asked for");
}

#[test]
fn who_is_suspended_or_leaves_takes_the_data_along() {
    let world = World::new();
    let acme = world.sign_up("Acme");
    let key: Credential = acme.key(&["exports.*", "organization.own"]);
    world.post(&key, "/v1/organization/cancellation", &json!({})).expect(201);
    let id = world.post(&key, "/v1/exports", &json!({})).expect(202)["$id"].as_str().unwrap().to_owned();
    world.deliver();
    assert!(world.get(&key, &format!("/v1/exports/{id}/content")).text.contains("\"table\":\"organizations\""));
}
