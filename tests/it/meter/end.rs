//! An organization that is suspended reads and does not count; one that was erased never was.

use tenantry::kernel::organization::Status;
use tenantry::meter::contract::{Call, CallRefused, Done, Erased, PendingFacts};

use crate::meter::world::{World, entitlements, from, key, request};

/// Acme, suspended, and a header of its key.
fn suspended() -> (World, String) {
    let mut world = World::new();
    let header = world.key(1, &["*"], None);
    world.told(Call::PutStatus { version: 2, status: Status::Suspended });
    (world, header)
}

impl World {
    fn told(&mut self, call: Call) {
        let _: Done = serde_json::from_value(self.call(call)).unwrap();
    }

    fn asked(&mut self, header: &str, method: &str, target: &str) -> String {
        let body = if method == "POST" { r#"{"metric":"apiCalls"}"# } else { "" };
        let answer = self.send(from(header, request(method, target, body)));
        format!("{} {}", answer.status, answer.code())
    }
}

#[test]
fn a_suspended_organizations_keys_read_and_do_not_count() {
    let (mut world, header) = suspended();
    for (method, target) in [("POST", "/v1/usage"), ("POST", "/v1/usage/consumption"), ("POST", "/v1/reservations")] {
        assert_eq!(world.asked(&header, method, target), "403 organization_suspended", "{target}");
    }
    assert_eq!(world.asked(&header, "GET", "/v1/usage"), "200 ");
    assert_eq!(world.asked(&header, "GET", "/v1/quotas/apiCalls"), "200 ");
    let vendor = world.send(request("POST", "/v1/usage", r#"{"metric":"apiCalls"}"#));
    assert_eq!(vendor.status, 200, "the vendor may: {}", vendor.text);
}

#[test]
fn an_older_status_never_replaces_a_newer_one() {
    let (mut world, header) = suspended();
    world.told(Call::PutStatus { version: 1, status: Status::Active });
    assert_eq!(world.asked(&header, "POST", "/v1/usage"), "403 organization_suspended");
    world.restart();
    assert_eq!(world.asked(&header, "POST", "/v1/usage"), "403 organization_suspended", "it is not only in memory");
    world.told(Call::PutStatus { version: 3, status: Status::Cancelled });
    assert_eq!(world.asked(&header, "POST", "/v1/usage"), "403 organization_cancelled");
    world.told(Call::PutStatus { version: 4, status: Status::Onboarded });
    assert_eq!(world.asked(&header, "POST", "/v1/usage"), "200 ");
}

#[test]
fn an_erased_meter_keeps_nothing_and_nothing_brings_it_back() {
    let (mut world, header) = suspended();
    world.told(Call::PutStatus { version: 3, status: Status::Active });
    assert_eq!(world.asked(&header, "POST", "/v1/usage"), "200 ");
    let erased: Erased = serde_json::from_value(world.call(Call::Erase)).unwrap();
    assert_eq!((erased.rows["commits"], erased.rows["keys"]), (1, 1), "{erased:?}");
    for _ in 0..2 {
        let left = world.sql.dump();
        assert_eq!(left.len(), 1, "only the mark that it was erased is kept: {left:?}");
        assert_eq!(world.sql.tables(), ["erased"], "also when its keys were last used is deleted");
        assert!(world.alarm_at().is_none());
        assert_eq!(world.asked(&header, "GET", "/v1/usage"), "401 unauthenticated", "its keys are unknown");
        let late = [
            Call::Configure { entitlements: entitlements() },
            Call::PutKey { key: key(1), scopes: vec!["*".into()], expires_at: None },
            Call::RemoveKey { key: key(1) },
            Call::PutStatus { version: 9, status: Status::Active },
            Call::PutMetrics { version: 1, metrics: [].into(), event_types: [].into() },
            Call::PutLimits { version: 1, overrides: [].into(), grants: Vec::new() },
        ];
        for call in late {
            let refused: CallRefused = serde_json::from_value(world.call(call)).unwrap();
            assert_eq!(refused.refused, "not_configured");
        }
        let pending: PendingFacts = serde_json::from_value(world.call(Call::PendingFacts)).unwrap();
        assert!(pending.facts.is_empty());
        world.told(Call::Prune);
        let again: Erased = serde_json::from_value(world.call(Call::Erase)).unwrap();
        assert!(again.rows.is_empty(), "it was done before");
        world.restart();
    }
    assert_eq!(world.send(request("GET", "/v1/usage", "")).status, 409, "as if it had never been configured");
}
