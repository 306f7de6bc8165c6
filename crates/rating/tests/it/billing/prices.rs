//! What usages cost: models, running totals, parts of a period.

use rating::{Currency, Money, PriceModel, PricedLine, Quantity, Usage, price, price_buckets, price_part, total};
use serde_json::{Value, json};

use super::case::{Case, date, midnight, quantity, text, usd};

pub fn check(case: &Case) -> bool {
    if case.has(&["precise_total_amount_cents"]) {
        dynamic_costs(case);
    } else if case.has(&["period", "seat_added"]) {
        super::periods::seat(case);
    } else if case.has(&["buckets_flat"]) {
        buckets(case);
    } else if case.has(&["packs_of"]) {
        packs(case);
    } else if case.has(&["pre_units"]) {
        part(case);
    } else if case.has(&["cancel_at"]) {
        until_cancellation(case);
    } else if case.has(&["events"]) {
        running(case);
    } else if case.has(&["units"]) || case.has(&["value", "multiplier"]) {
        totals(case);
    } else {
        return false;
    }
    true
}

fn model(price: Value) -> PriceModel {
    let model: PriceModel = serde_json::from_value(price.clone()).unwrap_or_else(|error| panic!("{price}: {error}"));
    model.validate().unwrap();
    model
}

fn cost(model: &PriceModel, usage: &Usage) -> Money {
    sum(&price(model, usage, Currency::USD).unwrap())
}

fn sum(lines: &[PricedLine]) -> Money {
    total(lines, Currency::USD).unwrap()
}

/// The price that the inputs describe, in whichever words.
fn price_of(case: &Case) -> PriceModel {
    let free = |key| case.inputs.get(key).map_or("0".to_owned(), text);
    let amount = |key| case.inputs.get(key).map(text);
    if case.has(&["tiers"]) {
        return tiered(case, case.inputs.get("model").map_or("graduated", |model| model.as_str().unwrap()));
    }
    if case.has(&["rate_percent"]) {
        return model(
            json!({"model": "percentage", "rate": amount("rate_percent"), "fixedAmount": amount("fixed_per_event").unwrap_or("0".into()),
            "freeEvents": case.inputs.get("free_events").unwrap_or(&json!(0)), "freeValue": free("free_units_total"),
            "minimumPerEvent": amount("min_per_txn"), "maximumPerEvent": amount("max_per_txn")}),
        );
    }
    for (size, price) in [("package_size", "amount"), ("package", "price"), ("block", "block_price")] {
        if case.has(&[size]) {
            let rounding = case.inputs.get("round").map_or("up", |round| round.as_str().unwrap());
            return model(json!({"model": "package", "packageSize": text(case.input(size)), "amount": amount(price).unwrap_or("1".into()),
                "freeUnits": free("free_units"), "rounding": rounding}));
        }
    }
    if case.has(&["multiplier"]) {
        return model(json!({"model": "dynamic", "multiplier": amount("multiplier")}));
    }
    model(json!({"model": "per_unit", "unitAmount": amount("unit")}))
}

/// Tiers as the systems write them: `[up to, unit]`, `[block size, blocks, price]`, or objects.
pub fn tiered(case: &Case, kind: &str) -> PriceModel {
    let tiers = case.list("tiers");
    let is_percentage = tiers.iter().any(|tier| tier.get("rate_percent").is_some());
    let package_size = case.inputs.get("packs_of").map(text);
    let mut blocks_bound = 0;
    let mut read = |(position, tier): (usize, &Value)| {
        let amount = |key: &str| tier.get(key).map_or("0".to_owned(), text);
        let bound = |value: &Value| (!value.is_null()).then(|| text(value));
        match tier {
            Value::Array(parts) => match parts.as_slice() {
                [up_to, unit] => json!({"upTo": bound(up_to), "unitAmount": unit, "packageSize": package_size}),
                [size, blocks, price] => {
                    blocks_bound += size.as_i64().unwrap() * blocks.as_i64().unwrap();
                    let up_to = (position + 1 < tiers.len()).then(|| blocks_bound.to_string());
                    json!({"upTo": up_to, "unitAmount": price, "packageSize": text(size)})
                }
                _ => panic!("{}: not a tier: {tier}", case.id),
            },
            _ if is_percentage => json!({"upTo": bound(&tier["to"]), "rate": amount("rate_percent"), "flatAmount": amount("flat")}),
            _ => {
                let up_to = bound(tier.get("to").or(tier.get("up_to")).unwrap());
                json!({"upTo": up_to, "unitAmount": amount("unit"), "flatAmount": amount("flat")})
            }
        }
    };
    let tiers: Vec<_> = tiers.iter().enumerate().map(&mut read).collect();
    model(json!({"model": if is_percentage { "graduated_percentage" } else { kind }, "tiers": tiers}))
}

/// One usage or several, each a period of its own.
fn totals(case: &Case) {
    if case.has(&["tiers"]) && (case.expects("volume") || case.expects("graduated")) {
        for kind in ["volume", "graduated"] {
            case.expect_money(kind, cost(&tiered(case, kind), &Usage::Total(case.quantity("units"))));
        }
        return;
    }
    let model = price_of(case);
    let used = case.input(if case.has(&["units"]) { "units" } else { "value" });
    let key = ["total", "totals", "cost", "amount", "amount_cents", "packages"].into_iter().find(|key| case.expects(key)).unwrap();
    match used {
        Value::Array(several) => {
            case.expect_all(key, several.iter().map(|used| cost(&model, &Usage::Total(quantity(used)))));
        }
        one => case.expect_money(key, cost(&model, &Usage::Total(quantity(one)))),
    }
}

/// Events one after the other: what the period comes to after each, or what each adds to it.
fn running(case: &Case) {
    let model = price_of(case);
    let amount = |event: &Value| quantity(event.get("qty").unwrap_or(event));
    let events: Vec<_> = case.list("events").iter().map(amount).collect();
    let is_latest = case.id.contains("latest");
    let usage = |count: usize| if is_latest { Usage::Total(events[count - 1]) } else { Usage::Events(events[..count].to_vec()) };
    let running: Vec<_> = (1..=events.len()).map(|count| cost(&model, &usage(count))).collect();
    let mut seen = 0;
    let mut expect = |key: &str, amounts: Vec<Money>| {
        if case.expects(key) {
            case.expect_all(key, amounts);
            seen += 1;
        }
    };
    expect("running_amount_cents", running.clone());
    expect("running_total_cents", running.iter().map(|amount| with_tax(case, *amount)).collect());
    let part = |count: usize| {
        let billed = (count > 1).then(|| usage(count - 1));
        sum(&price_part(&model, billed.as_ref(), &usage(count), count == events.len(), Currency::USD).unwrap())
    };
    expect("fee_amounts_cents", (1..=events.len()).map(part).collect());
    if case.expects("amount_cents") {
        case.expect_money("amount_cents", running[running.len() - 1]);
        case.expect_money("total_with_tax_cents", with_tax(case, running[running.len() - 1]));
        case.expect_money("after_first_three_events_cents", running[2]);
        seen += 1;
    }
    assert!(seen > 0, "{}: nothing that is expected was checked", case.id);
}

fn with_tax(case: &Case, amount: Money) -> Money {
    let rate = case.percent("tax_rate_percent").unwrap_or("0".to_owned());
    super::bills::taxed_at(&[(amount, &rate)])
}

/// Events that carry their cost in cents.
fn dynamic_costs(case: &Case) {
    let model = model(json!({"model": "dynamic"}));
    let dollars = |value: &Value| Quantity::from_nanos(quantity(value).nanos() / 100).unwrap();
    let events: Vec<_> = case.list("precise_total_amount_cents").iter().map(dollars).collect();
    let running = (1..=events.len()).map(|count| cost(&model, &Usage::Events(events[..count].to_vec())));
    case.expect_all("running_total_cents", running);
}

/// A part of a period after another.
fn part(case: &Case) {
    let model = price_of(case);
    let before = case.quantity("pre_units");
    let all = Usage::Total(before.checked_add(case.quantity("units")).unwrap());
    case.expect_money("total", sum(&price_part(&model, Some(&Usage::Total(before)), &all, true, Currency::USD).unwrap()));
}

/// Each hour by itself.
fn buckets(case: &Case) {
    let priced = |key, model: PriceModel| {
        let buckets: Vec<_> = case.list(key).iter().map(quantity).collect();
        sum(&price_buckets(&model, &buckets, Currency::USD).unwrap())
    };
    case.expect_money("flat", priced("buckets_flat", model(json!({"model": "per_unit", "unitAmount": case.input("unit")}))));
    let package = json!({"model": "package", "packageSize": text(case.input("package")), "amount": case.input("price")});
    case.expect_money("package", priced("buckets_pkg", model(package)));
    for kind in ["graduated", "volume"] {
        case.expect_money(kind, priced("buckets_tier", tiered(case, kind)));
    }
}

/// Prepaid packs: the quantity is rounded up to full ones, which is also what may be used.
fn packs(case: &Case) {
    for kind in ["volume", "graduated"] {
        case.expect_money(kind, cost(&tiered(case, kind), &Usage::Total(case.quantity("quantity"))));
    }
    let size = text(case.input("packs_of"));
    let one_each = model(json!({"model": "package", "packageSize": size, "amount": "1"}));
    let packs = &price(&one_each, &Usage::Total(case.quantity("quantity")), Currency::USD).unwrap()[0];
    let units = packs.quantity.to_integer().unwrap() * case.int("packs_of");
    case.expect("balance", units);
}

/// Usage that counts is dated up to the instant of the cancellation.
fn until_cancellation(case: &Case) {
    let event = |event: &Value| (midnight(date(&event[0])), quantity(&event[1]));
    let events = case.list("events").iter().map(event).collect();
    let usage = Usage::of_events(events, Some(midnight(case.date("cancel_at"))));
    assert_eq!(cost(&price_of(case), &usage), usd(case.expected("amount")), "{}", case.id);
}
