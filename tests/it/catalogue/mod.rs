//! The catalogue: plans that the vendor publishes, who sees them, what they entitle to, and how their subscribers move on.

mod entitlements;
mod estimates;
mod generated;
mod migrations;
mod offers;
mod publishing;
mod reading;
mod refusals;

use serde_json::{Value, json};

use crate::api::check::{Ask, ask};
use crate::support::world::vendor;

/// A plan with one of everything.
pub fn growth() -> Value {
    json!({
        "key": "growth", "name": "Growth", "description": "For teams that grow",
        "prices": [
            {"currency": "USD", "interval": "month", "price": {"model": "flat", "amount": "99"}},
            {"currency": "USD", "interval": "year", "price": {"model": "flat", "amount": "990"}},
            {"currency": "EUR", "interval": "month", "price": {"model": "per_unit", "unitAmount": "89.50"}}
        ],
        "baseTiming": "in_arrears",
        "metrics": [
            {"metric": "apiCalls", "kind": "consumable", "limit": -1, "included": 50_000, "enforcement": "soft", "unit": "calls",
                "prices": {"USD": {"model": "per_unit", "unitAmount": "0.002"}, "EUR": {"model": "package", "packageSize": "1000", "amount": "2"}}},
            {"metric": "users", "limit": 10},
            {"metric": "storage", "limit": "12.5"},
            {"metric": "projects"}
        ],
        "addOns": [{"key": "extra-users", "name": "Five more users",
            "prices": [{"currency": "USD", "interval": "month", "price": {"model": "per_unit", "unitAmount": "20"}}],
            "limits": {"users": 5}, "features": [{"key": "support", "name": "Support", "type": "static", "value": "phone"}]}],
        "features": [
            {"key": "sso", "name": "Single sign-on", "type": "boolean"},
            {"key": "beta", "name": "Beta", "type": "boolean", "value": false},
            {"key": "support", "name": "Support", "type": "static", "value": "mail"},
            {"key": "calls", "name": "Calls", "type": "metered", "metric": "apiCalls"},
            {"key": "people", "name": "People", "type": "metered", "metric": "users"}
        ],
        "rateLimits": {"organization": {"perSecond": 50, "burst": 100}, "key": {"perSecond": 20, "burst": 40}},
        "trial": {"days": 30, "ending": "expire_without_payment_method"},
        "prorationPolicy": "day",
        "progressiveBilling": {"USD": "500"},
        "minimumCommitment": {"USD": {"amountMinor": 10_000}, "EUR": "90.00"}
    })
}

/// The least that makes a plan.
pub fn least(key: &str) -> Value {
    json!({"key": key, "name": "Least", "prices": [{"currency": "USD", "interval": "month", "price": {"model": "flat", "amount": "1"}}]})
}

/// The same for a further version of a built-in plan, with other prices and limits.
pub fn second_professional() -> Value {
    json!({
        "name": "Professional",
        "prices": [{"currency": "USD", "interval": "month", "price": {"model": "flat", "amount": "249"}}],
        "metrics": [{"metric": "apiCalls", "limit": 50_000}, {"metric": "users", "limit": 30}],
        "features": [{"key": "sso", "name": "SSO/SAML", "type": "boolean"}],
        "trial": {"days": 14}
    })
}

pub fn publish(body: &Value) -> Ask {
    ask(&vendor(), "POST", "/v1/plans").json(body.to_string())
}

pub fn publish_next(key: &str, body: &Value) -> Ask {
    ask(&vendor(), "POST", &format!("/v1/plans/{key}/versions")).json(body.to_string())
}
