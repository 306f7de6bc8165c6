//! When it happened: at most 35 days back, 5 minutes ahead, and not before the subscription.

use crate::api::cast::Cast;
use crate::api::check::{accept, ask, check, refusal};

/// Acme's clock stands at 2026-02-20T00:00:00Z; its subscription began on the first of January.
const BAD: &[(&str, &str)] = &[
    ("\"2026-02-20T00:05:00.001Z\"", "timestamp_in_future"),
    ("\"2026-02-20T00:06:00Z\"", "timestamp_in_future"),
    ("\"2026-02-20T01:00:00Z\"", "timestamp_in_future"),
    ("\"2027-01-01T00:00:00Z\"", "timestamp_in_future"),
    ("\"9999-12-31T23:59:59Z\"", "timestamp_in_future"),
    ("\"2026-01-15T23:59:59.999Z\"", "timestamp_too_old"),
    ("\"2026-01-01T00:00:00Z\"", "timestamp_too_old"),
    ("\"1970-01-01T00:00:00Z\"", "timestamp_too_old"),
    ("\"1969-12-31T23:59:59Z\"", "invalid_value"),
    ("\"+10000-01-01T00:00:00Z\"", "invalid_value"),
    ("\"\"", "invalid_value"),
    ("\"yesterday\"", "invalid_value"),
    ("\"2026-02-19\"", "invalid_value"),
    ("\"2026-02-19T00:00:00\"", "invalid_value"),
    ("\"2026-02-30T00:00:00Z\"", "invalid_value"),
    ("\"2026-02-19T25:00:00Z\"", "invalid_value"),
    ("\"Thu, 19 Feb 2026 00:00:00 GMT\"", "invalid_value"),
    ("1771459200", "invalid_value"),
    ("1771459200000", "invalid_value"),
    ("true", "invalid_value"),
    ("{}", "invalid_value"),
];

const GOOD: &[&str] = &[
    "null",
    "\"2026-02-20T00:00:00Z\"",
    "\"2026-02-20T00:05:00Z\"",
    "\"2026-02-20T01:00:00+01:00\"",
    "\"2026-02-19T23:59:59.123456789Z\"",
    "\"2026-01-16T00:00:00Z\"",
];

#[test]
fn a_timestamp_out_of_its_window_is_refused_everywhere() {
    let cast = Cast::new();
    let backend = cast.acme().key(&["usage.write"]);
    for (timestamp, code) in BAD {
        let event = format!(r#"{{"metric":"apiCalls","timestamp":{timestamp}}}"#);
        for path in ["/v1/usage", "/v1/usage/consumption"] {
            check(&cast.world, &ask(&backend, "POST", path).json(event.clone()), refusal(400, code, "/timestamp"));
        }
        let answer = accept(&cast.world, &ask(&backend, "POST", "/v1/usage/batch").json(format!(r#"{{"events":[{event}]}}"#)), 200);
        assert_eq!(answer.body["rejected"][0]["code"], *code, "{event}: {}", answer.text);
    }
    for timestamp in GOOD {
        let event = format!(r#"{{"metric":"apiCalls","timestamp":{timestamp}}}"#);
        accept(&cast.world, &ask(&backend, "POST", "/v1/usage").json(event.clone()), 200);
        accept(&cast.world, &ask(&backend, "POST", "/v1/usage/consumption").json(event.clone()), 200);
        let answer = accept(&cast.world, &ask(&backend, "POST", "/v1/usage/batch").json(format!(r#"{{"events":[{event}]}}"#)), 200);
        assert_eq!(answer.body["accepted"], 1, "{event}: {}", answer.text);
    }
}

#[test]
fn nothing_is_counted_before_the_subscription() {
    let cast = Cast::new();
    let backend = cast.globex().key(&["usage.write"]);
    let at = |timestamp: &str| ask(&backend, "POST", "/v1/usage").json(format!(r#"{{"metric":"apiCalls","timestamp":"{timestamp}"}}"#));
    for timestamp in ["2025-12-31T23:59:59.999Z", "2025-12-01T00:00:00Z"] {
        check(&cast.world, &at(timestamp), refusal(400, "timestamp_before_subscription", "/timestamp"));
    }
    accept(&cast.world, &at("2026-01-01T00:00:00Z"), 200);
}
