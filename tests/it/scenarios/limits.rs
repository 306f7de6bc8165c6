//! What the vendor agrees with one company holds at once, and for as long as was agreed.

use serde_json::{Value, json};
use tenantry::kernel::time::minutes;
use tenantry::meter::contract::Call;

use crate::support::world::{Answer, Company, World, vendor};

impl Company<'_> {
    fn agree(&self, method: &str, path: &str, body: &Value) -> Answer {
        self.world.write(&vendor(), method, &format!("/v1/organizations/{}/{path}", self.id), body)
    }

    fn limit(&self, metric: &str) -> Value {
        self.get(&format!("/v1/quotas/{metric}"))["limit"].clone()
    }

    /// Versions and limits for `apiCalls` that the Meter heard, and how many grants came with each.
    fn sent_limits(&self) -> Vec<(i64, Value, usize)> {
        let heard = self.world.meters.heard.lock().unwrap();
        let of_company = heard.iter().filter(|(organization, _)| organization.to_string() == self.id);
        of_company
            .filter_map(|(_, call)| match call {
                Call::PutLimits { version, overrides, grants } => {
                    Some((*version, json!(overrides.get("apiCalls").map(|given| given.limit)), grants.len()))
                }
                _ => None,
            })
            .collect()
    }
}

#[test]
fn every_change_sends_all_limits_to_the_meter() {
    let world = World::new();
    let acme = world.sign_up("Acme");
    assert_eq!(acme.sent_limits(), [], "without own limits nothing is sent");
    acme.agree("PUT", "limits/apiCalls", &json!({"limit": 200_000})).expect(200);
    let grant = acme.agree("POST", "grants", &json!({"metric": "apiCalls", "amount": 5})).expect(201);
    acme.agree("DELETE", "limits/apiCalls", &json!({})).expect(204);
    acme.agree("DELETE", &format!("grants/{}", grant["$id"].as_str().unwrap()), &json!({})).expect(204);
    let mut sent_limits = acme.sent_limits();
    sent_limits.dedup();
    assert_eq!(sent_limits, [(1, json!(200_000), 0), (2, json!(200_000), 1), (3, Value::Null, 1), (4, Value::Null, 0)]);
}

#[test]
fn an_override_holds_in_the_request_after_its_answer() {
    let world = World::new();
    let acme = world.sign_up_at("Acme", "2026-01-01T00:00:00Z");
    let backend = acme.key(&["usage.write"]);
    let consume = || world.post(&backend, "/v1/usage/consumption", &json!({"metric": "apiCalls"})).status;
    assert_eq!(consume(), 200);
    acme.agree("PUT", "limits/apiCalls", &json!({"limit": 1, "reason": "payment is late"})).expect(200);
    assert_eq!(consume(), 429, "1 of 1 is used");
    acme.agree("POST", "grants", &json!({"metric": "apiCalls", "amount": 1})).expect(201);
    assert_eq!((consume(), consume()), (200, 429), "the grant is one more");
    acme.agree("PUT", "limits/apiCalls", &json!({"limit": 1, "enforcement": "soft"})).expect(200);
    assert_eq!(consume(), 200, "a soft limit admits");
    acme.agree("DELETE", "limits/apiCalls", &json!({})).expect(204);
    assert_eq!((consume(), acme.limit("apiCalls")), (200, json!(100_001)), "the plan's, and the grant");
}

#[test]
fn an_interrupted_call_to_the_meter_is_repeated() {
    let world = World::new();
    let acme = world.sign_up("Acme");
    world.meters_fail(0, 1);
    assert_eq!(acme.agree("PUT", "limits/apiCalls", &json!({"limit": 7})).status, 503);
    assert_eq!(acme.sent_limits(), []);
    world.pass(minutes(1));
    world.cron("* * * * *");
    world.deliver();
    assert_eq!(acme.sent_limits(), [(1, json!(7), 0)]);
    assert_eq!(acme.limit("apiCalls"), 7);
}

#[test]
fn a_retry_after_an_interruption_sends_the_limits_before_its_answer() {
    let world = World::new();
    let acme = world.sign_up("Acme");
    let grant = json!({"metric": "apiCalls", "amount": 5});
    let path = format!("/v1/organizations/{}/grants", acme.id);
    for (send, amount) in [
        (&(|| acme.agree("PUT", "limits/apiCalls", &json!({"limit": 7}))) as &dyn Fn() -> Answer, 7),
        (&|| world.post_once(&vendor(), &path, "grant-1", &grant), 12),
    ] {
        let before = acme.sent_limits().len();
        world.meters_fail(0, 1);
        assert_eq!(send().status, 503);
        assert_eq!(acme.sent_limits().len(), before);
        assert!([200, 201].contains(&send().status));
        assert!(acme.sent_limits().len() > before, "sent before the answer");
        assert_eq!(acme.limit("apiCalls"), amount);
    }
    assert_eq!(acme.agree("GET", "grants", &json!({})).expect(200)["data"].as_array().unwrap().len(), 1, "granted once");
}

#[test]
fn a_grant_counts_from_its_start_to_its_end_by_the_companys_clock() {
    let world = World::new();
    let acme = world.sign_up_at("Acme", "2026-01-01T00:00:00Z");
    let grant = json!({"metric": "users", "amount": 5, "startsAt": "2026-01-03T00:00:00Z", "endsAt": "2026-01-05T00:00:00Z"});
    acme.agree("POST", "grants", &grant).expect(201);
    let mut seen = vec![acme.limit("users")];
    for now in ["2026-01-02T23:59:59Z", "2026-01-03T00:00:00Z", "2026-01-04T23:59:59Z", "2026-01-05T00:00:00Z"] {
        acme.advance(now);
        seen.push(acme.limit("users"));
    }
    assert_eq!(seen, [25, 25, 30, 30, 25]);
    acme.agree("PUT", "limits/apiCalls", &json!({"limit": 7})).expect(200);
    assert_eq!(acme.sent_limits().last(), Some(&(2, json!(7), 0)), "an ended grant is not sent again");
}
