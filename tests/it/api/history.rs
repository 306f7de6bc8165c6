//! Usage over time, exports and the way into a live feed. What only the real runtime does of them is in `tests/worker/`.

use futures::executor::block_on;
use serde_json::{Value, json};
use tenantry::kernel::tenant::{Actor, Tenant};
use tenantry::kernel::time::Timestamp;
use tenantry::meter::contract::Bucket;
use tenantry::metering::usage::buckets;

use crate::api::cast::Cast;
use crate::api::check::{accept, ask, check, refusal};

/// Far above what the cast's own Meter has come to.
const VERSION: u64 = 1_000_000;

fn bucket(hour: &str, version: u64, count: u64, sum: &str) -> Bucket {
    let text = json!({"metric": "apiCalls", "periodStartsAt": "2026-01-15T00:00:00Z", "hour": hour, "count": count, "sum": sum, "max": sum, "last": sum, "lastAt": hour,
        "uniques": 0, "version": VERSION + version});
    serde_json::from_value(text).unwrap()
}

fn acme(cast: &Cast) -> Tenant {
    block_on(cast.world.platform().tenant(cast.acme.parse().unwrap(), Actor::System("test"), None)).unwrap().unwrap()
}

fn history(cast: &Cast, query: &str) -> Vec<Value> {
    let asked = ask(&cast.admin(), "GET", &format!("/v1/usage/history?metric=apiCalls&{query}"));
    accept(&cast.world, &asked, 200).body["data"].as_array().unwrap().clone()
}

#[test]
fn buckets_that_come_twice_late_or_in_the_wrong_order_change_nothing() {
    let cast = Cast::new();
    let tenant = acme(&cast);
    let (hour, next) = ("2026-02-10T05:00:00Z", "2026-02-10T06:00:00Z");
    let first = vec![bucket(hour, 1, 1, "0.1"), bucket(next, 2, 1, "9000000000000000")];
    let second = vec![bucket(hour, 3, 3, "0.3")];
    for buckets in [&first, &second, &first, &second, &first] {
        block_on(buckets::record(&tenant, buckets)).unwrap();
    }
    block_on(buckets::record(&tenant, &[])).unwrap();
    let found = history(&cast, "from=2026-02-10T00:00:00Z&to=2026-02-10T12:00:00Z");
    let entry = |start: &str, end: &str, count: u64, sum: Value| json!({"start": start, "end": end, "count": count, "sum": sum, "max": sum, "last": sum, "uniques": 0});
    let end = "2026-02-10T07:00:00Z";
    assert_eq!(found, [entry(hour, next, 3, json!("0.3")), entry(next, end, 1, json!(9_000_000_000_000_000_u64))]);
}

#[test]
fn days_are_the_sum_of_their_hours_and_empty_ones_are_left_out() {
    let cast = Cast::new();
    let hours = ["2026-02-09T23:00:00Z", "2026-02-10T00:00:00Z", "2026-02-10T23:00:00Z", "2026-02-12T00:00:00Z"];
    let buckets: Vec<Bucket> =
        hours.iter().zip(1..).map(|(hour, version)| bucket(hour, version, version, &format!("0.{version}"))).collect();
    block_on(buckets::record(&acme(&cast), &buckets)).unwrap();
    let days = history(&cast, "granularity=day&from=2026-02-10T00:00:00Z&to=2026-02-13T00:00:00Z");
    let shown: Vec<Value> =
        days.iter().map(|day| json!([day["start"], day["end"], day["count"], day["sum"], day["max"], day["last"]])).collect();
    let tenth = json!(["2026-02-10T00:00:00Z", "2026-02-11T00:00:00Z", 5, "0.5", "0.3", "0.3"]);
    assert_eq!(shown, [tenth, json!(["2026-02-12T00:00:00Z", "2026-02-13T00:00:00Z", 4, "0.4", "0.4", "0.4"])]);
}

#[test]
fn an_hour_in_which_a_period_ends_is_one_entry() {
    let cast = Cast::new();
    let hour = "2026-02-10T05:00:00Z";
    let next = Bucket { period_starts_at: Timestamp::parse("2026-02-10T05:30:00Z").unwrap(), ..bucket(hour, 2, 2, "0.2") };
    block_on(buckets::record(&acme(&cast), &[bucket(hour, 1, 1, "0.1"), next])).unwrap();
    let found = history(&cast, "from=2026-02-10T00:00:00Z&to=2026-02-10T12:00:00Z");
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!([&found[0]["count"], &found[0]["sum"], &found[0]["last"]], [&json!(3), &json!("0.3"), &json!("0.2")]);
}

#[test]
fn a_long_history_is_read_in_parts_that_join() {
    let cast = Cast::new();
    // 2,400 hours are read at once: the first two lie in the first part, the others in the next two.
    let hours = ["2023-06-10T00:00:00Z", "2023-09-17T23:00:00Z", "2023-09-18T00:00:00Z", "2026-02-10T00:00:00Z"];
    let buckets: Vec<Bucket> = hours.iter().zip(1..).map(|(hour, version)| bucket(hour, version, 1, "1")).collect();
    block_on(buckets::record(&acme(&cast), &buckets)).unwrap();
    let days = history(&cast, "granularity=day&from=2023-06-10T00:00:00Z&to=2026-02-11T00:00:00Z");
    assert_eq!(days.len(), 4, "{days:?}");
}

#[test]
fn what_makes_no_history_is_refused() {
    let cast = Cast::new();
    let reader = cast.acme().key(&["usage.read"]);
    // What there is to be counted is counted, so that a refusal changes nothing.
    accept(&cast.world, &ask(&reader, "GET", "/v1/usage/history?metric=apiCalls"), 200);
    let rows = [
        ("metric=wishes", "unknown_metric", "metric"),
        ("", "invalid_query", "metric"),
        ("metric=apiCalls&granularity=week", "invalid_query", "granularity"),
        ("metric=apiCalls&from=yesterday", "invalid_query", "from"),
        ("metric=apiCalls&since=2026-01-01T00:00:00Z", "invalid_query", "since"),
        ("metric=apiCalls&from=2026-02-02T00:00:00Z&to=2026-02-02T00:00:00Z", "invalid_range", "from"),
        ("metric=apiCalls&from=2030-01-01T00:00:00Z", "invalid_range", "from"),
        ("metric=apiCalls&from=2026-01-01T00:00:00Z&to=2026-02-11T16:00:01Z", "range_too_large", "from"),
        ("metric=apiCalls&granularity=day&from=2020-01-01T00:00:00Z", "range_too_large", "from"),
    ];
    for (query, code, pointer) in rows {
        check(&cast.world, &ask(&reader, "GET", &format!("/v1/usage/history?{query}")), refusal(400, code, pointer));
    }
    assert!(accept(&cast.world, &ask(&reader, "GET", "/v1/usage/history?metric=storage"), 200).body["data"].as_array().unwrap().is_empty());
}

#[test]
fn an_export_is_lines_of_a_range() {
    let cast = Cast::new();
    let reader = cast.acme().key(&["usage.read"]);
    for path in ["/v1/usage/events", "/v1/usage/proof"] {
        let answer = ask(&reader, "GET", path).send(&cast.world);
        assert_eq!((answer.status, answer.header("content-type")), (200, "application/x-ndjson"), "{path}: {}", answer.text);
        for query in ["from=2026-02-02T00:00:00Z&to=2026-02-02T00:00:00Z", "from=2026-02-03T00:00:00Z&to=2026-02-02T00:00:00Z"] {
            check(&cast.world, &ask(&reader, "GET", &format!("{path}?{query}")), refusal(400, "invalid_range", "from"));
        }
        check(&cast.world, &ask(&reader, "GET", &format!("{path}?to=soon")), refusal(400, "invalid_query", "to"));
    }
}

#[test]
fn a_feed_is_asked_for_in_one_of_two_ways() {
    let cast = Cast::new();
    let reader = cast.acme().key(&["usage.read"]);
    let live = |method: &str| ask(&reader, method, "/v1/usage/live");
    check(&cast.world, &live("GET"), refusal(406, "not_acceptable", ""));
    check(&cast.world, &live("GET").header("accept", "application/json"), refusal(406, "not_acceptable", ""));
    check(&cast.world, &live("GET").header("upgrade", "h2c"), refusal(406, "not_acceptable", ""));
    for (name, value) in [("accept", "text/html, text/event-stream;q=0.9"), ("upgrade", "WebSocket")] {
        let ticket = live("GET").header(name, value).send(&cast.world).header("tenantry-feed").to_owned();
        assert!(ticket.starts_with(&format!("{} key_", cast.acme)) && ticket.ends_with(" -"), "{ticket}");
        assert_eq!(live("HEAD").header(name, value).send(&cast.world).header("tenantry-feed"), "", "there is nothing to follow");
    }
    let vendors = ask(&cast.acme().vendor(), "GET", "/v1/usage/live").header("accept", "text/event-stream").send(&cast.world);
    assert_eq!(vendors.header("tenantry-feed"), format!("{} - -", cast.acme));
}
