//! Any plan that is accepted can be billed: it survives its own JSON, and every usage has a price.

use proptest::prelude::*;
use rating::{Currency, Quantity, Usage};
use serde_json::{Value, json};
use tenantry::catalog::metrics::built_in::built_in_metrics;
use tenantry::catalog::plans::plan::{Plan, price_of};
use tenantry::catalog::plans::publishing::{Place, version};
use tenantry::catalog::plans::wire::NewPlan;
use tenantry::kernel::time::Timestamp;

const CURRENCIES: [&str; 4] = ["USD", "JPY", "KWD", "IDR"];

/// Up to 900 major units with up to four decimals.
fn amount() -> impl Strategy<Value = String> {
    (0_u32..900, 0_u32..10_000).prop_map(|(whole, part)| format!("{whole}.{part:04}"))
}

fn tiers(tier: impl Strategy<Value = Value> + Clone + 'static) -> impl Strategy<Value = Value> {
    prop::collection::vec((1_u64..1_000_000_000, tier), 1..6).prop_map(|parts| {
        let last = parts.len() - 1;
        let mut bound = 0;
        let tiers = parts.into_iter().enumerate().map(|(index, (width, mut tier))| {
            bound += width;
            tier["upTo"] = if index == last { Value::Null } else { json!(bound.to_string()) };
            tier
        });
        tiers.collect()
    })
}

fn unit_tier() -> BoxedStrategy<Value> {
    (amount(), amount()).prop_map(|(unit, flat)| json!({"unitAmount": unit, "flatAmount": flat})).boxed()
}

fn rate_tier() -> BoxedStrategy<Value> {
    (0_u32..10_000).prop_map(|rate| json!({"rate": format!("{}.{:02}", rate / 100, rate % 100)})).boxed()
}

fn charge() -> impl Strategy<Value = Value> {
    prop_oneof![
        amount().prop_map(|amount| json!({"model": "flat", "amount": amount})),
        (amount(), 0_u32..1_000_000).prop_map(|(unit, free)| json!({"model": "per_unit", "unitAmount": unit, "freeUnits": free})),
        tiers(unit_tier()).prop_map(|tiers| json!({"model": "graduated", "tiers": tiers})),
        tiers(unit_tier()).prop_map(|tiers| json!({"model": "volume", "tiers": tiers})),
        (1_u32..100_000, amount()).prop_map(|(size, amount)| json!({"model": "package", "packageSize": size, "amount": amount})),
        tiers(rate_tier()).prop_map(|tiers| json!({"model": "graduated_percentage", "tiers": tiers})),
        (1_u32..100).prop_map(|times| json!({"model": "dynamic", "multiplier": times.to_string()})),
    ]
}

fn price() -> impl Strategy<Value = Value> {
    (charge(), prop::option::of(0_u32..1_000), prop::option::of(1_000_u32..1_000_000)).prop_map(|(mut price, minimum, maximum)| {
        if let Some(minimum) = minimum {
            price["minimumAmount"] = json!(minimum.to_string());
        }
        if let Some(maximum) = maximum {
            price["maximumAmount"] = json!(maximum.to_string());
        }
        price
    })
}

fn plan() -> impl Strategy<Value = Value> {
    let priced = || prop::collection::vec(price(), CURRENCIES.len());
    let limit = prop::option::of(0_u64..1_000_000_000);
    (priced(), prop::collection::vec((prop::option::of(priced()), limit), 4), priced(), 0_u32..100).prop_map(|(base, metrics, add_on, days)| {
        let list = |prices: &[Value]| -> Vec<Value> {
            let each = CURRENCIES.iter().zip(prices);
            each.map(|(currency, price)| json!({"currency": currency, "interval": "month", "price": price})).collect()
        };
        let metrics: Vec<Value> = ["apiCalls", "users", "projects", "storage"]
            .iter()
            .zip(metrics)
            .map(|(metric, (prices, limit))| {
                let prices: serde_json::Map<String, Value> =
                    prices.into_iter().flatten().zip(CURRENCIES).map(|(price, currency)| (currency.to_owned(), price)).collect();
                json!({"metric": metric, "limit": limit, "prices": prices})
            })
            .collect();
        json!({"name": "Generated", "prices": list(&base), "metrics": metrics,
            "addOns": [{"key": "more", "name": "More", "prices": list(&add_on), "limits": {"users": 3}}],
            "features": [{"key": "sso", "name": "SSO", "type": "boolean"}, {"key": "calls", "name": "Calls", "type": "metered", "metric": "apiCalls"}],
            "trial": if days == 0 { Value::Null } else { json!({"days": days}) }})
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn a_plan_that_is_accepted_can_be_billed(written in plan(), units in 0_i64..=1_000_000_000_000, nanos in 0_i64..1_000_000_000, seats in 0_u32..=1_000_000) {
        let new: NewPlan = serde_json::from_value(written).unwrap();
        let now = Timestamp::parse("2026-01-01T00:00:00Z").unwrap();
        let plan = version(&new, Place { key: "generated", version: 3 }, &built_in_metrics(), now).unwrap();
        let text = serde_json::to_string(&plan).unwrap();
        let read: Plan = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(&read, &plan);
        prop_assert_eq!(serde_json::to_string(&read).unwrap(), text);
        let count = Quantity::from_nanos(i128::from(units) * 1_000_000_000 + i128::from(nanos)).unwrap();
        for code in CURRENCIES {
            let currency = Currency::parse(code).unwrap();
            prop_assert!(plan.base_price(currency, rating::BillingInterval::Month, seats).is_ok());
            let add_on = plan.add_ons[0].price(currency, rating::BillingInterval::Month).unwrap();
            prop_assert!(price_of(add_on, Quantity::from(seats), currency).is_ok());
            for price in plan.metrics.iter().filter_map(|metric| metric.price(currency)) {
                prop_assert!(!price_of(price, count, currency).unwrap().is_negative());
                let part = rating::price_part(price, Some(&Usage::Total(Quantity::ZERO)), &Usage::Total(count), true, currency);
                prop_assert!(part.is_ok());
            }
        }
    }
}
