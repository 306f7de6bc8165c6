//! Limits of one organization, and metrics that the platform defines: which limit applies, from when, and why.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tenantry::kernel::time::{Timestamp, hours};
use tenantry::meter::contract::Call;
use tenantry::meter::vocabulary::{Enforcement, Grant, LimitOverride, MetricKind};
use tenantry::meter::wire::METRICS_NEEDED;

use crate::meter::world::{HotRequest, World, at, batch, consumption, get, keyed, request, rule, usage};

fn put(world: &mut World, version: i64, overrides: &[(&str, Option<u32>, Enforcement)], grants: &[Grant]) {
    let own = |(metric, limit, enforcement): &(&str, Option<u32>, Enforcement)| {
        ((*metric).to_owned(), LimitOverride { limit: limit.map(Into::into), enforcement: *enforcement })
    };
    let overrides: BTreeMap<_, _> = overrides.iter().map(own).collect();
    assert_eq!(world.call(Call::PutLimits { version, overrides, grants: grants.to_vec() }), json!({}));
}

fn grant(id: &str, amount: u32, starts_at: &str, ends_at: Option<&str>) -> Grant {
    Grant { id: id.to_owned(), metric: "apiCalls".to_owned(), amount: amount.into(), starts_at: at(starts_at), ends_at: ends_at.map(at) }
}

fn explained(world: &mut World) -> Value {
    world.send(get("/v1/quotas/apiCalls?amount=3&explain=true")).body
}

#[test]
fn an_answer_explains_what_decided_it() {
    let mut world = World::new();
    let plan = json!({"plan": "professional", "planVersion": 3, "source": "plan", "enforcement": "hard", "kind": "consumable",
        "aggregation": "sum", "amount": 3, "limit": 1000, "grants": []});
    assert_eq!(explained(&mut world)["explanation"], plan);
    assert!(world.send(get("/v1/quotas/apiCalls?explain=false")).body.get("explanation").is_none());
    let grants = [grant("now", 10, "2026-01-01T00:00:00Z", None), grant("later", 5, "2026-02-01T00:00:00Z", None)];
    put(&mut world, 1, &[("apiCalls", Some(2), Enforcement::Soft)], &grants);
    let quota = explained(&mut world);
    assert_eq!(json!([quota["limit"], quota["allowed"]]), json!([12, true]));
    let now = json!([{"$id": "now", "amount": 10, "startsAt": "2026-01-01T00:00:00Z", "endsAt": null}]);
    let explanation = &quota["explanation"];
    assert_eq!(
        json!([explanation["source"], explanation["enforcement"], explanation["limit"], explanation["grants"]]),
        json!(["override", "soft", 2, now])
    );
    put(&mut world, 2, &[("apiCalls", None, Enforcement::Hard)], &grants);
    let quota = explained(&mut world);
    assert_eq!(
        json!([quota["limit"], quota["explanation"]["limit"], quota["remaining"]]),
        json!([-1, -1, null]),
        "unlimited stays unlimited"
    );
    world.call(Call::PutMetrics {
        version: 1,
        metrics: BTreeMap::from([("pages".to_owned(), rule(MetricKind::Consumable, None))]),
        event_types: BTreeMap::new(),
    });
    assert_eq!(world.send(get("/v1/quotas/pages?explain=true")).body["explanation"]["source"], "unlimited");
}

#[test]
fn a_grant_holds_from_its_start_up_to_its_end() {
    let mut world = World::new();
    put(
        &mut world,
        1,
        &[],
        &[grant("day", 500, "2026-01-11T00:00:00Z", Some("2026-01-12T00:00:00Z")), grant("good", 1, "2026-01-11T12:00:00Z", None)],
    );
    let mut limit_at = |instant: Timestamp, is_restarted: bool| {
        world.wall = instant;
        if is_restarted {
            world.restart();
        }
        world.send(get("/v1/quotas/apiCalls")).body["limit"].as_u64().unwrap()
    };
    for is_restarted in [false, true] {
        let limits = [
            "2026-01-10T23:59:59.999Z",
            "2026-01-11T00:00:00Z",
            "2026-01-11T12:00:00Z",
            "2026-01-11T23:59:59.999Z",
            "2026-01-12T00:00:00Z",
        ]
        .map(|instant| limit_at(at(instant), is_restarted));
        assert_eq!(limits, [1000, 1500, 1501, 1501, 1001], "restarted: {is_restarted}");
        // Time does not go back, but for this test.
        limit_at(at("2026-01-10T00:00:00Z"), true);
    }
}

#[test]
fn enforcement_is_for_consumption_only() {
    let mut world = World::new();
    put(&mut world, 1, &[("apiCalls", Some(5), Enforcement::Soft), ("tokens", Some(0), Enforcement::Hard)], &[]);
    assert_eq!(world.send(consumption(json!({"metric": "apiCalls", "amount": 6}))).short(), "200 6");
    assert_eq!(world.fact_names().len(), 4, "thresholds are those of the soft limit");
    assert_eq!(world.send(consumption(json!({"metric": "tokens"}))).short(), "429 quota_exceeded");
    let used = world.send(usage(json!({"metric": "tokens"})));
    assert_eq!(json!([used.body["current"], used.body["percentage"], used.body["remaining"]]), json!([1, "100", 0]));
    put(&mut world, 1, &[], &[]);
    put(&mut world, 0, &[], &[]);
    world.restart();
    assert_eq!(world.send(get("/v1/quotas/apiCalls")).body["limit"], 5, "an older version, or the same, changes nothing");
}

fn without_metrics(request: HotRequest) -> HotRequest {
    HotRequest { has_all_metrics: false, ..request }
}

#[test]
fn an_unknown_metric_is_asked_for_once_and_nothing_is_counted() {
    let mut world = World::new();
    let event = |metric: &str, key: &str| json!({"metric": metric, "idempotencyKey": key});
    let cloud = |body: &str| HotRequest { content_type: "application/cloudevents+json".into(), ..request("POST", "/v1/events", body) };
    let sent = [
        without_metrics(usage(event("pages", "a"))),
        without_metrics(keyed("whole", batch(json!([event("apiCalls", "b"), event("pages", "c")])))),
        without_metrics(get("/v1/quotas/pages")),
        without_metrics(request("POST", "/v1/reservations", r#"{"metric":"pages"}"#)),
        without_metrics(cloud(r#"{"specversion":"1.0","id":"1","source":"/s","type":"com.acme.page"}"#)),
    ];
    let before = world.sql.dump();
    let wires: Vec<String> = sent.iter().map(HotRequest::to_wire).collect();
    assert_eq!(world.raw(&wires), [METRICS_NEEDED; 5]);
    assert_eq!(world.sql.dump(), before, "nothing is counted, and no key is taken");
    // With the platform's metrics sent, an unknown metric is refused.
    let with_metrics = |request: &HotRequest| HotRequest { has_all_metrics: true, ..request.clone() };
    let answers = world.group(&sent.each_ref().map(with_metrics));
    let short: Vec<String> = answers.iter().map(|answer| format!("{} {}", answer.status, answer.code())).collect();
    assert_eq!(short, ["400 unknown_metric", "200 ", "404 unknown_metric", "400 unknown_metric", "400 unknown_metric"]);
    assert_eq!(json!([answers[1].body["accepted"], answers[1].body["rejected"][0]["code"]]), json!([1, "unknown_metric"]));
    let metrics = BTreeMap::from([("pages".to_owned(), rule(MetricKind::Consumable, None))]);
    let event_types = BTreeMap::from([("com.acme.page".to_owned(), "pages".to_owned())]);
    world.call(Call::PutMetrics { version: 1, metrics, event_types });
    let counted: Vec<u16> = [0, 2, 3, 4].map(|index: usize| world.send(sent[index].clone()).status).to_vec();
    assert_eq!(counted, [200, 200, 201, 200]);
    assert_eq!(world.current("pages"), 2);
    world.call(Call::PutMetrics { version: 1, metrics: BTreeMap::new(), event_types: BTreeMap::new() });
    world.restart();
    assert_eq!(world.current("pages"), 2, "the same version changes nothing");
}

#[test]
fn a_cloud_event_is_an_event() {
    let mut world = World::new();
    let structured = HotRequest {
        content_type: "application/cloudevents+json; charset=utf-8".into(),
        ..request(
            "POST",
            "/v1/events",
            r#"{"specversion":"1.0","id":"1","source":"/s","type":"apiCalls","time":"2026-01-09T00:00:00Z","data":{"amount":5,"region":"eu"}}"#,
        )
    };
    let attributes = |id: &str| json!({"ce-specversion": "1.0", "ce-id": id, "ce-source": "/s", "ce-type": "apiCalls", "ce-time": "2026-01-09T00:00:00Z"});
    let binary = |id: &str| HotRequest {
        attributes: attributes(id).to_string().into(),
        ..request("POST", "/v1/events", r#"{"region":"eu","amount":5}"#)
    };
    let first = world.send(structured.clone());
    assert_eq!((first.short().as_str(), &first.body["$type"]), ("200 5", &json!("UsageReceipt")));
    let again = world.send(binary("1"));
    assert_eq!(again.text, first.text.replace(r#""replayed":false"#, r#""replayed":true"#), "one event, however it is written");
    assert_eq!(world.send(binary("2")).short(), "200 10");
    let events = format!("[{},{{}},{}]", structured.body, structured.body.replace("\"1\"", "\"3\""));
    let whole = HotRequest { content_type: "application/cloudevents-batch+json".into(), ..request("POST", "/v1/events", &events) };
    let answer = world.send(whole).body;
    assert_eq!(json!([answer["accepted"], answer["replayed"], answer["rejected"][0]["code"]]), json!([1, 1, "missing_attribute"]));
    assert_eq!(world.current("apiCalls"), 15);
    let ordinary = usage(json!({"metric": "apiCalls", "idempotencyKey": "1"}));
    assert_eq!(world.send(ordinary).short(), "200 16", "an ordinary key is another");
    world.wall = world.wall.plus(hours(24 * 40));
    assert_eq!(world.send(structured).short(), "400 timestamp_too_old");
}
