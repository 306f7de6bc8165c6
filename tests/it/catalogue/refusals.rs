//! What can't be published: one row a refusal, and nothing changes.

use serde_json::{Value, json};

use crate::api::check::{accept, check, refusal};
use crate::catalogue::{growth, publish, publish_next};
use crate::support::world::World;

/// Where something is put into a plan that is good, what, and the refusal.
fn rows() -> Vec<(&'static str, Value, &'static str, &'static str)> {
    let price = |currency: &str, interval: &str, price: Value| json!({"currency": currency, "interval": interval, "price": price});
    let flat = json!({"model": "flat", "amount": "1"});
    let sold = price("USD", "month", flat.clone());
    let feature = |key: &str, kind: &str| json!({"key": key, "name": "F", "type": kind});
    vec![
        ("/key", json!("Growth"), "invalid_key", "/key"),
        ("/key", json!("9lives"), "invalid_key", "/key"),
        ("/key", json!(""), "invalid_key", "/key"),
        ("/key", json!("g".repeat(65)), "invalid_key", "/key"),
        ("/key", Value::Null, "invalid_key", "/key"),
        ("/name", json!(" "), "invalid_value", "/name"),
        ("/name", json!("n".repeat(201)), "invalid_value", "/name"),
        ("/description", json!("d".repeat(2_001)), "invalid_value", "/description"),
        ("/typo", json!(1), "invalid_value", "/typo"),
        ("/prices", json!([]), "no_price", "/prices"),
        ("/prices", json!(vec![sold.clone(); 101]), "too_many", "/prices"),
        ("/prices/1", sold.clone(), "duplicate_price", "/prices/1"),
        ("/prices/0/currency", json!("usd"), "unknown_currency", "/prices/0/currency"),
        ("/prices/0/currency", json!("XXX"), "unknown_currency", "/prices/0/currency"),
        ("/prices/0/interval", json!("week"), "invalid_value", "/prices/0/interval"),
        ("/prices/0/typo", json!(1), "invalid_value", "/prices/0/typo"),
        ("/prices/0/price", json!({"model": "flat", "amount": 49}), "invalid_value", "/prices/0/price"),
        ("/prices/0/price", json!({"model": "flat", "amount": "49", "typo": 1}), "invalid_value", "/prices/0/price"),
        ("/prices/0/price", json!({"model": "free"}), "invalid_value", "/prices/0/price"),
        ("/prices/0/price/amount", json!("-1"), "negative_price", "/prices/0/price/amount"),
        ("/prices/0/price/amount", json!("10000000000000.01"), "amount_too_large", "/prices/0/price/amount"),
        ("/prices/0/price", json!({"model": "percentage", "rate": "1"}), "price_needs_events", "/prices/0/price/model"),
        ("/prices/0/price", json!({"model": "volume", "tiers": []}), "no_tiers", "/prices/0/price/tiers"),
        (
            "/prices/0/price",
            json!({"model": "flat", "amount": "1", "minimumAmount": "2", "maximumAmount": "1"}),
            "minimum_above_maximum",
            "/prices/0/price/minimumAmount",
        ),
        ("/metrics", json!(vec![json!({"metric": "users"}); 101]), "too_many", "/metrics"),
        ("/metrics/0/metric", json!("nothing"), "unknown_metric", "/metrics/0/metric"),
        ("/metrics/1/metric", json!("apiCalls"), "duplicate_key", "/metrics/1/metric"),
        ("/metrics/0/kind", json!("level"), "kind_mismatch", "/metrics/0/kind"),
        ("/metrics/1/limit", json!(-2), "invalid_value", "/metrics/1/limit"),
        ("/metrics/1/limit", json!(1.5), "invalid_value", "/metrics/1/limit"),
        ("/metrics/1/included", json!(-1), "invalid_value", "/metrics/1/included"),
        ("/metrics/1/included", json!(11), "included_above_limit", "/metrics/1/included"),
        ("/metrics/1/unit", json!(""), "invalid_value", "/metrics/1/unit"),
        ("/metrics/1/enforcement", json!("firm"), "invalid_value", "/metrics/1/enforcement"),
        ("/metrics/0/prices/EUR", Value::Null, "invalid_value", "/metrics/0/prices/EUR"),
        ("/metrics/0/prices", json!({"USD": flat}), "price_missing_in_currency", "/metrics/0/prices"),
        ("/metrics/0/prices/GBP", flat.clone(), "currency_not_sold", "/metrics/0/prices/GBP"),
        ("/metrics/0/prices/usd", flat.clone(), "unknown_currency", "/metrics/0/prices/usd"),
        ("/metrics/0/prices/USD", json!({"model": "percentage", "rate": "1"}), "price_needs_events", "/metrics/0/prices/USD/model"),
        (
            "/metrics/0/prices/USD",
            json!({"model": "graduated", "tiers": [{"upTo": "9", "unitAmount": "1"}, {"upTo": "5", "unitAmount": "1"}, {"unitAmount": "1"}]}),
            "tiers_not_ascending",
            "/metrics/0/prices/USD/tiers/1/upTo",
        ),
        ("/addOns", json!(vec![json!({"key": "a", "name": "A", "prices": [sold]}); 51]), "too_many", "/addOns"),
        ("/addOns/1", json!({"key": "extra-users", "name": "A", "prices": [sold]}), "duplicate_key", "/addOns/1/key"),
        ("/addOns/0/key", json!("Extra"), "invalid_key", "/addOns/0/key"),
        ("/addOns/0/name", json!(""), "invalid_value", "/addOns/0/name"),
        ("/addOns/0/prices", json!([]), "no_price", "/addOns/0/prices"),
        ("/addOns/0/prices/0", price("EUR", "year", flat.clone()), "currency_not_sold", "/addOns/0/prices/0"),
        ("/addOns/0/limits/tokens", json!(1), "unknown_metric", "/addOns/0/limits/tokens"),
        ("/addOns/0/limits/users", json!(0), "invalid_value", "/addOns/0/limits/users"),
        ("/addOns/0/features/0", feature("support", "boolean"), "feature_type_mismatch", "/addOns/0/features/0/type"),
        ("/features/5", feature("sso", "boolean"), "duplicate_key", "/features/5/key"),
        ("/features/5", feature("9", "boolean"), "invalid_key", "/features/5/key"),
        ("/features/5", feature("text", "static"), "invalid_value", "/features/5/value"),
        ("/features/5", feature("m", "metered"), "unknown_metric", "/features/5/metric"),
        ("/features/5", feature("m", "other"), "invalid_value", "/features/5/type"),
        ("/features/0/value", json!("yes"), "invalid_value", "/features/0/value"),
        ("/features/0/metric", json!("users"), "invalid_value", "/features/0/metric"),
        ("/features/2/value", json!(true), "invalid_value", "/features/2/value"),
        ("/features/2/value", json!("v".repeat(501)), "invalid_value", "/features/2/value"),
        ("/features/3/value", json!(true), "invalid_value", "/features/3/value"),
        ("/features/3/metric", json!("tokens"), "unknown_metric", "/features/3/metric"),
        ("/rateLimits/key/perSecond", json!(0), "invalid_value", "/rateLimits/key/perSecond"),
        ("/rateLimits/organization/burst", json!(10_000_001), "invalid_value", "/rateLimits/organization/burst"),
        ("/trial/days", json!(-1), "invalid_value", "/trial/days"),
        ("/trial/days", json!(731), "invalid_value", "/trial/days"),
        ("/trial/ending", json!("never"), "invalid_value", "/trial/ending"),
        ("/prorationPolicy", json!("monthly"), "invalid_value", "/prorationPolicy"),
        ("/baseTiming", json!("later"), "invalid_value", "/baseTiming"),
        ("/minimumCommitment/GBP", json!("1"), "currency_not_sold", "/minimumCommitment/GBP"),
        ("/minimumCommitment/USD", json!("0"), "invalid_value", "/minimumCommitment/USD"),
        ("/minimumCommitment/USD", json!(100), "invalid_value", "/minimumCommitment/USD"),
        ("/progressiveBilling/USD", json!("-5"), "invalid_value", "/progressiveBilling/USD"),
        ("/progressiveBilling/dollars", json!("5"), "unknown_currency", "/progressiveBilling/dollars"),
        ("/organization", json!("acme"), "invalid_value", "/organization"),
    ]
}

/// `body` with `value` at a place; null takes away what is there.
fn with(mut body: Value, place: &str, value: Value) -> Value {
    let (parent, name) = place.rsplit_once('/').unwrap();
    match body.pointer_mut(parent).unwrap() {
        Value::Array(items) => match name.parse::<usize>().unwrap() {
            index if index < items.len() => items[index] = value,
            _ => items.push(value),
        },
        Value::Object(members) => drop(members.insert(name.to_owned(), value)),
        other => panic!("{place}: {other} holds nothing"),
    }
    body
}

#[test]
fn what_makes_no_sense_is_refused_where_it_stands() {
    let world = World::new();
    for (place, value, code, pointer) in rows() {
        check(&world, &publish(&with(growth(), place, value)), refusal(400, code, pointer));
    }
    accept(&world, &publish(&growth()), 201);
    for (place, value, code, pointer) in rows().into_iter().filter(|(place, ..)| *place != "/key") {
        check(&world, &publish_next("growth", &with(growth(), place, value)), refusal(400, code, pointer));
    }
    check(&world, &publish_next("growth", &with(growth(), "/key", json!("other"))), refusal(400, "key_mismatch", "/key"));
}

#[test]
fn what_can_be_reached_past_a_limit_may_be_included() {
    let world = World::new();
    let of_users = |metric: Value| with(growth(), "/metrics/1", metric);
    accept(&world, &publish(&of_users(json!({"metric": "users", "limit": 10, "included": 12, "enforcement": "soft"}))), 201);
    let free = json!({"model": "flat", "amount": "0"});
    let priced = json!({"metric": "users", "limit": 10, "included": 12, "prices": {"USD": free, "EUR": free}});
    accept(&world, &publish_next("growth", &of_users(priced)), 201);
}
