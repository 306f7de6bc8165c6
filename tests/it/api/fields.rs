//! What is wrong with a field, endpoint by endpoint. The body is its own description; the pointer names the place.

use crate::api::cast::Cast;
use crate::api::check::{accept, ask, check, refusal};
use crate::support::world::vendor;

/// A body, and why it is refused: the code and the place. All with 400.
type Row = (&'static str, &'static str, &'static str);

const ORGANIZATIONS: &[Row] = &[
    ("{}", "invalid_value", ""),
    (r#"{"name":"A"}"#, "invalid_value", ""),
    (r#"{"email":"a@b.example"}"#, "invalid_value", ""),
    (r#"{"name":7,"email":"a@b.example"}"#, "invalid_value", "/name"),
    (r#"{"name":null,"email":"a@b.example"}"#, "invalid_value", "/name"),
    (r#"{"name":"","email":"a@b.example"}"#, "invalid_value", "/name"),
    (r#"{"name":"  ","email":"a@b.example"}"#, "invalid_value", "/name"),
    (r#"{"name":"A","email":""}"#, "invalid_value", "/email"),
    (r#"{"name":"A","email":"nobody"}"#, "invalid_value", "/email"),
    (r#"{"name":"A","email":"@b.example"}"#, "invalid_value", "/email"),
    (r#"{"name":"A","email":"a@"}"#, "invalid_value", "/email"),
    (r#"{"name":"A","email":"a@b@c.example"}"#, "invalid_value", "/email"),
    (r#"{"name":"A","email":"a b@c.example"}"#, "invalid_value", "/email"),
    (r#"{"name":"A","email":"a@b.example\nBcc: c@d.example"}"#, "invalid_value", "/email"),
    (r#"{"name":"A","email":["a@b.example"]}"#, "invalid_value", "/email"),
    (r#"{"name":"A","name":"B","email":"a@b.example"}"#, "invalid_value", ""),
    (r#"{"name":"A","email":"a@b.example","numberOfEmployees":-1}"#, "invalid_value", "/numberOfEmployees"),
    (r#"{"name":"A","email":"a@b.example","numberOfEmployees":1.5}"#, "invalid_value", "/numberOfEmployees"),
    (r#"{"name":"A","email":"a@b.example","numberOfEmployees":"ten"}"#, "invalid_value", "/numberOfEmployees"),
    (r#"{"name":"A","email":"a@b.example","numberOfEmployees":4294967296}"#, "invalid_value", "/numberOfEmployees"),
    (r#"{"name":"A","email":"a@b.example","url":"javascript:alert(1)"}"#, "invalid_value", "/url"),
    (r#"{"name":"A","email":"a@b.example","foundingDate":"2026-02-30"}"#, "invalid_value", "/foundingDate"),
    (r#"{"name":"A","email":"a@b.example","foundingDate":"1.2.2026"}"#, "invalid_value", "/foundingDate"),
    (r#"{"name":"A","email":"a@b.example","plan":"platinum"}"#, "invalid_value", "/plan"),
    (r#"{"name":"A","email":"a@b.example","testClock":"clock_00000000000000000000000001"}"#, "unknown_test_clock", "/testClock"),
    (r#"{"name":"A","email":"a@b.example","testClock":"tomorrow"}"#, "unknown_test_clock", "/testClock"),
    (r#"{"name":"A","email":"a@b.example","address":"Main Street 1"}"#, "invalid_value", "/address"),
    (r#"{"name":"A","email":"a@b.example","address":{"street":"Main Street 1"}}"#, "invalid_value", "/address/street"),
    (r#"{"name":"A","email":"a@b.example","settings":{"timezone":"Mars/Olympus"}}"#, "invalid_value", "/settings/timezone"),
    (r#"{"name":"A","email":"a@b.example","settings":{"currency":"dollars"}}"#, "invalid_value", "/settings/currency"),
    (r#"{"name":"A","email":"a@b.example","settings":{"language":"english!"}}"#, "invalid_value", "/settings/language"),
    (r#"{"name":"A","email":"a@b.example","settings":{"dateFormat":""}}"#, "invalid_value", "/settings/dateFormat"),
    (r#"{"name":"A","email":"a@b.example","settings":{"theme":"dark"}}"#, "invalid_value", "/settings/theme"),
    (r#"{"name":"A","email":"a@b.example","settings":{"timezone":7}}"#, "invalid_value", "/settings/timezone"),
    (r#"{"name":"A","email":"a@b.example","status":"suspended"}"#, "invalid_value", "/status"),
];

const GOOD_ORGANIZATIONS: &[&str] = &[
    r#"{"name":"A","email":"a@b.example"}"#,
    r#"{"name":" Ünïcode & Söhne ","email":"ü+tag@xn--bcher-kva.example","url":"https://a.example","telephone":"+43 1","numberOfEmployees":0,
        "foundingDate":"2024-02-29","industry":"Software","description":"\u0000 is text, too","plan":"starter",
        "address":{"streetAddress":"Ring 1","addressLocality":"Wien","addressRegion":"W","postalCode":"1010","addressCountry":"AT"},
        "settings":{"timezone":"Europe/Vienna","dateFormat":"DD.MM.YYYY","currency":"EUR","language":"de-AT"}}"#,
    r#"{"name":"A","email":"a@b.example","url":null,"settings":{},"testClock":"{clock}"}"#,
];

/// For both ways to change an organization.
const CHANGES: &[Row] = &[
    (r#"{"name":""}"#, "invalid_value", "/name"),
    (r#"{"name":["A"]}"#, "invalid_value", "/name"),
    (r#"{"email":"nobody"}"#, "invalid_value", "/email"),
    (r#"{"url":"ftp://a.example"}"#, "invalid_value", "/url"),
    (r#"{"foundingDate":"2026-13-01"}"#, "invalid_value", "/foundingDate"),
    (r#"{"settings":{"timezone":""}}"#, "invalid_value", "/settings/timezone"),
    (r#"{"settings":{"currency":"usd "}}"#, "invalid_value", "/settings/currency"),
    (r#"{"settings":"UTC"}"#, "invalid_value", "/settings"),
    (r#"{"plan":"starter"}"#, "invalid_value", "/plan"),
    (r#"{"testClock":"{clock}"}"#, "invalid_value", "/testClock"),
    (r#"{"status":"cancelled"}"#, "invalid_value", "/status"),
    (r#"{"$id":"{globex}"}"#, "invalid_value", "/$id"),
];

const API_KEYS: &[Row] = &[
    ("{}", "invalid_value", ""),
    (r#"{"name":"k"}"#, "invalid_value", ""),
    (r#"{"scopes":["usage.read"]}"#, "invalid_value", ""),
    (r#"{"name":"","scopes":["usage.read"]}"#, "invalid_value", "/name"),
    (r#"{"name":"  ","scopes":["usage.read"]}"#, "invalid_value", "/name"),
    (r#"{"name":"k","scopes":[]}"#, "invalid_value", "/scopes"),
    (r#"{"name":"k","scopes":"usage.read"}"#, "invalid_value", "/scopes"),
    (r#"{"name":"k","scopes":["usage.read",7]}"#, "invalid_value", "/scopes/1"),
    (r#"{"name":"k","scopes":["usage.read","usage.fly"]}"#, "unknown_permission", "/scopes/1"),
    (r#"{"name":"k","scopes":[""]}"#, "unknown_permission", "/scopes/0"),
    (r#"{"name":"k","scopes":["us.*"]}"#, "unknown_permission", "/scopes/0"),
    (r#"{"name":"k","scopes":["usage.read"],"expiresAt":"tomorrow"}"#, "invalid_value", "/expiresAt"),
    (r#"{"name":"k","scopes":["usage.read"],"expiresAt":"2020-01-01T00:00:00Z"}"#, "invalid_value", "/expiresAt"),
    (r#"{"name":"k","scopes":["usage.read"],"expiresAt":4102444800}"#, "invalid_value", "/expiresAt"),
    (r#"{"name":"k","scopes":["usage.read"],"secret":"mine"}"#, "invalid_value", "/secret"),
];

const CLOCKS: &[Row] = &[
    ("{}", "invalid_value", ""),
    (r#"{"now":null}"#, "invalid_value", "/now"),
    (r#"{"now":""}"#, "invalid_value", "/now"),
    (r#"{"now":"2026-01-31"}"#, "invalid_value", "/now"),
    (r#"{"now":"2026-01-31T00:00:00"}"#, "invalid_value", "/now"),
    (r#"{"now":"2026-02-30T00:00:00Z"}"#, "invalid_value", "/now"),
    (r#"{"now":"1969-12-31T23:59:59Z"}"#, "invalid_value", "/now"),
    (r#"{"now":"+10000-01-01T00:00:00Z"}"#, "invalid_value", "/now"),
    (r#"{"now":1767225600}"#, "invalid_value", "/now"),
];

const ITEMS: &[Row] = &[
    ("{}", "invalid_value", ""),
    (r#"{"status":"done"}"#, "invalid_value", "/status"),
    (r#"{"status":"Completed"}"#, "invalid_value", "/status"),
];

const REPLAYS: &[Row] = &[("{}", "invalid_value", ""), (r#"{"id":7}"#, "invalid_value", "/id"), (r#"{"id":null}"#, "invalid_value", "/id")];

const METRICS: &[Row] = &[
    ("{}", "invalid_value", ""),
    (r#"{"key":"tokens","kind":"level"}"#, "invalid_value", ""),
    (r#"{"key":"tokens","aggregation":"sum"}"#, "invalid_value", ""),
    (r#"{"key":"tokens","aggregation":"average","kind":"level"}"#, "invalid_value", "/aggregation"),
    (r#"{"key":"tokens","aggregation":"weightedSum","kind":"level"}"#, "invalid_value", "/aggregation"),
    (r#"{"key":"tokens","aggregation":"sum","kind":"gauge"}"#, "invalid_value", "/kind"),
    (r#"{"key":"","aggregation":"sum","kind":"level"}"#, "invalid_value", "/key"),
    (r#"{"key":"9lives","aggregation":"sum","kind":"level"}"#, "invalid_value", "/key"),
    (r#"{"key":"to kens","aggregation":"sum","kind":"level"}"#, "invalid_value", "/key"),
    (r#"{"key":"to/kens","aggregation":"sum","kind":"level"}"#, "invalid_value", "/key"),
    (r#"{"key":"tökens","aggregation":"sum","kind":"level"}"#, "invalid_value", "/key"),
    (r#"{"key":7,"aggregation":"sum","kind":"level"}"#, "invalid_value", "/key"),
    (r#"{"key":"tokens","name":"  ","aggregation":"sum","kind":"level"}"#, "invalid_value", "/name"),
    (r#"{"key":"tokens","description":"","aggregation":"sum","kind":"level"}"#, "invalid_value", "/description"),
    (r#"{"key":"tokens","unit":"","aggregation":"sum","kind":"level"}"#, "invalid_value", "/unit"),
    (r#"{"key":"tokens","aggregation":"unique","kind":"consumable"}"#, "invalid_value", "/uniqueProperty"),
    (r#"{"key":"tokens","aggregation":"unique","kind":"consumable","uniqueProperty":""}"#, "invalid_value", "/uniqueProperty"),
    (r#"{"key":"tokens","aggregation":"unique","kind":"level","uniqueProperty":"userId"}"#, "invalid_value", "/kind"),
    (r#"{"key":"tokens","aggregation":"sum","kind":"consumable","uniqueProperty":"userId"}"#, "invalid_value", "/uniqueProperty"),
    (r#"{"key":"tokens","aggregation":"weighted_sum","kind":"consumable"}"#, "invalid_value", "/kind"),
    (r#"{"key":"tokens","aggregation":"sum","kind":"level","eventType":""}"#, "invalid_value", "/eventType"),
    (r#"{"key":"tokens","aggregation":"sum","kind":"level","eventType":" tokens.used"}"#, "invalid_value", "/eventType"),
    (r#"{"key":"tokens","aggregation":"sum","kind":"level","eventType":"tokens\nused"}"#, "invalid_value", "/eventType"),
    (r#"{"key":"tokens","aggregation":"sum","kind":"level","builtIn":true}"#, "invalid_value", "/builtIn"),
];

const LIMITS: &[Row] = &[
    ("{}", "invalid_value", ""),
    (r#"{"limit":null}"#, "invalid_value", "/limit"),
    (r#"{"limit":-2}"#, "invalid_value", "/limit"),
    (r#"{"limit":"-0.5"}"#, "invalid_value", "/limit"),
    (r#"{"limit":1.5}"#, "invalid_value", "/limit"),
    (r#"{"limit":"unlimited"}"#, "invalid_value", "/limit"),
    (r#"{"limit":9000000000000001}"#, "invalid_value", "/limit"),
    (r#"{"limit":7,"enforcement":"firm"}"#, "invalid_value", "/enforcement"),
    (r#"{"limit":7,"enforcement":null}"#, "invalid_value", "/enforcement"),
    (r#"{"limit":7,"reason":""}"#, "invalid_value", "/reason"),
    (r#"{"limit":7,"metric":"users"}"#, "invalid_value", "/metric"),
];

const GRANTS: &[Row] = &[
    ("{}", "invalid_value", ""),
    (r#"{"metric":"apiCalls"}"#, "invalid_value", ""),
    (r#"{"amount":7}"#, "invalid_value", ""),
    (r#"{"metric":"nothing","amount":7}"#, "unknown_metric", "/metric"),
    (r#"{"metric":"apiCalls","amount":0}"#, "invalid_value", "/amount"),
    (r#"{"metric":"apiCalls","amount":-1}"#, "invalid_value", "/amount"),
    (r#"{"metric":"apiCalls","amount":0.5}"#, "invalid_value", "/amount"),
    (r#"{"metric":"apiCalls","amount":7,"startsAt":"soon"}"#, "invalid_value", "/startsAt"),
    (r#"{"metric":"apiCalls","amount":7,"endsAt":"2026-02-20T00:00:00Z"}"#, "invalid_value", "/endsAt"),
    (r#"{"metric":"apiCalls","amount":7,"startsAt":"2026-03-02T00:00:00Z","endsAt":"2026-03-01T00:00:00Z"}"#, "invalid_value", "/endsAt"),
    (r#"{"metric":"apiCalls","amount":7,"reason":" "}"#, "invalid_value", "/reason"),
    (r#"{"metric":"apiCalls","amount":7,"expiresAt":"2026-03-01T00:00:00Z"}"#, "invalid_value", "/expiresAt"),
];

const EVENTS: &[Row] = &[
    ("{}", "invalid_value", ""),
    (r#"{"metric":""}"#, "unknown_metric", "/metric"),
    (r#"{"metric":"apicalls"}"#, "unknown_metric", "/metric"),
    (r#"{"metric":7}"#, "invalid_value", "/metric"),
    (r#"{"metric":null}"#, "invalid_value", "/metric"),
    (r#"{"metric":"apiCalls","metadata":"text"}"#, "invalid_value", "/metadata"),
    (r#"{"metric":"apiCalls","metadata":[1]}"#, "invalid_value", "/metadata"),
    (r#"{"metric":"apiCalls","idempotencyKey":7}"#, "invalid_value", "/idempotencyKey"),
    (r#"{"metric":"apiCalls","idempotencyKey":""}"#, "invalid_idempotency_key", "/idempotencyKey"),
    (r#"{"metric":"apiCalls","idempotencyKey":"ü"}"#, "invalid_idempotency_key", "/idempotencyKey"),
    (r#"{"metric":"apiCalls","quantity":1}"#, "invalid_value", "/quantity"),
    (r#"{"metric":"apiCalls","metric":"users"}"#, "invalid_value", ""),
];

const BATCHES: &[Row] = &[
    ("{}", "invalid_value", ""),
    (r#"{"events":[]}"#, "no_events", "/events"),
    (r#"{"events":{}}"#, "invalid_value", "/events"),
    (r#"{"events":null}"#, "invalid_value", "/events"),
    (r#"{"events":[{"metric":"apiCalls"}"#, "malformed_json", ""),
];

#[test]
fn the_vendors_endpoints_refuse_bad_fields() {
    let cast = Cast::new();
    refuses(&cast, "POST", "/v1/organizations", ORGANIZATIONS);
    refuses(&cast, "PATCH", "/v1/organizations/{acme}", CHANGES);
    refuses(&cast, "POST", "/v1/metrics", METRICS);
    refuses(&cast, "PUT", "/v1/organizations/{acme}/limits/apiCalls", LIMITS);
    refuses(&cast, "PUT", "/v1/organizations/{acme}/limits/nothing", &[(r#"{"limit":7}"#, "unknown_metric", "metric")]);
    refuses(&cast, "POST", "/v1/organizations/{acme}/grants", GRANTS);
    refuses(&cast, "POST", "/v1/test-clocks", CLOCKS);
    refuses(&cast, "PUT", "/v1/test-clocks/{clock}", CLOCKS);
    refuses(&cast, "PUT", "/v1/test-clocks/{clock}", &[(r#"{"now":"2026-02-19T23:59:59Z"}"#, "clock_moves_forward_only", "/now")]);
    refuses(&cast, "POST", "/v1/dead-letters/replays", REPLAYS);
    for body in GOOD_ORGANIZATIONS {
        let made = accept(&cast.world, &ask(&vendor(), "POST", "/v1/organizations").json(cast.fill(body)), 201).body;
        let path = format!("/v1/organizations/{}", made["$id"].as_str().unwrap());
        assert_eq!(accept(&cast.world, &ask(&vendor(), "GET", &path), 200).body, made);
        let address = serde_json::json!({"address": made["address"]}).to_string();
        assert_eq!(accept(&cast.world, &ask(&vendor(), "PATCH", &path).json(address), 200).body, made, "what was read may be sent back");
    }
    accept(&cast.world, &ask(&vendor(), "GET", "/v1/organizations"), 200);
}

#[test]
fn the_tenants_endpoints_refuse_bad_fields() {
    let cast = Cast::new();
    refuses(&cast, "PATCH", "/v1/organization", CHANGES);
    refuses(&cast, "PUT", "/v1/onboarding/items/verifyEmail", ITEMS);
    refuses(&cast, "POST", "/v1/api-keys", API_KEYS);
    refuses(&cast, "POST", "/v1/usage", EVENTS);
    refuses(&cast, "POST", "/v1/usage/consumption", EVENTS);
    refuses(&cast, "POST", "/v1/usage/batch", BATCHES);
}

#[test]
fn texts_and_lists_have_their_longest() {
    let cast = Cast::new();
    let admin = cast.admin();
    let of = |length: usize| "ü".repeat(length);
    let check_both = |path: &str, method: &str, body: &dyn Fn(usize) -> String, longest: usize, code: &str, pointer: &str, status: u16| {
        let who = if path == "/v1/organizations" { vendor() } else { admin.clone() };
        check(&cast.world, &ask(&who, method, path).json(body(longest + 1)), refusal(400, code, pointer));
        accept(&cast.world, &ask(&who, method, path).json(body(longest)), status);
    };
    let organization = |length| format!(r#"{{"name":"{}","email":"a@b.example"}}"#, of(length));
    check_both("/v1/organizations", "POST", &organization, 200, "invalid_value", "/name", 201);
    let email = |length: usize| format!(r#"{{"email":"{}@b.example"}}"#, "a".repeat(length - 10));
    check_both("/v1/organization", "PATCH", &email, 254, "invalid_value", "/email", 200);
    let description = |length| format!(r#"{{"description":"{}"}}"#, of(length));
    check_both("/v1/organization", "PATCH", &description, 2_000, "invalid_value", "/description", 200);
    let key = |length| format!(r#"{{"name":"{}","scopes":["usage.read"]}}"#, of(length));
    check_both("/v1/api-keys", "POST", &key, 200, "invalid_value", "/name", 201);
    let scopes = |length| format!(r#"{{"name":"k","scopes":["*"{}]}}"#, r#","usage.read""#.repeat(length - 1));
    check_both("/v1/api-keys", "POST", &scopes, 50, "invalid_value", "/scopes", 201);
    let batch = |length| format!(r#"{{"events":[{{"metric":"apiCalls"}}{}]}}"#, r#",{"metric":"apiCalls"}"#.repeat(length - 1));
    check_both("/v1/usage/batch", "POST", &batch, 1_000, "too_many_events", "/events", 200);
}

#[test]
fn a_completed_item_stays_completed() {
    let cast = Cast::new();
    let put =
        |status: &str| ask(&cast.acme().vendor(), "PUT", "/v1/onboarding/items/setUpBilling").json(format!(r#"{{"status":"{status}"}}"#));
    accept(&cast.world, &put("pending"), 200);
    accept(&cast.world, &put("completed"), 200);
    accept(&cast.world, &put("completed"), 200);
    check(&cast.world, &put("pending"), refusal(409, "item_completed", ""));
}

fn refuses(cast: &Cast, method: &str, path: &str, rows: &[Row]) {
    let is_vendors =
        ["/v1/organizations", "/v1/metrics", "/v1/test-clocks", "/v1/dead-letters"].iter().any(|prefix| path.starts_with(prefix));
    let who = if is_vendors { vendor() } else { cast.admin() };
    for (body, code, pointer) in rows {
        check(&cast.world, &ask(&who, method, &cast.fill(path)).json(cast.fill(body)), refusal(400, code, pointer));
    }
}
