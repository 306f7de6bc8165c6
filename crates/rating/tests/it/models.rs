//! The prices beyond tiers and packages, and usage that is billed in parts or by bucket.

use chrono::{DateTime, Utc};
use rating::{Currency, PriceModel, PricedLine, Quantity, Usage, price, price_buckets, price_currency, price_part};
use serde_json::{Value, json};

fn model(value: Value) -> PriceModel {
    let model: PriceModel = serde_json::from_value(value).unwrap();
    model.validate().unwrap();
    model
}

fn units(text: &str) -> Quantity {
    text.parse().unwrap()
}

fn used(text: &str) -> Usage {
    Usage::Total(units(text))
}

fn events(texts: &[&str]) -> Usage {
    Usage::Events(texts.iter().map(|text| units(text)).collect())
}

/// Lines as `quantity x unit price = amount: description`.
fn written(lines: &[PricedLine]) -> Vec<String> {
    let line =
        |line: &PricedLine| format!("{} x {} = {}: {}", line.quantity, line.unit_price, line.amount.to_decimal_string(), line.description);
    lines.iter().map(line).collect()
}

fn lines(value: Value, usage: &Usage) -> Vec<String> {
    written(&price(&model(value), usage, Currency::USD).unwrap())
}

fn volume() -> Value {
    json!({"model": "volume", "tiers": [{"upTo": "5", "unitAmount": "10"}, {"unitAmount": "7", "flatAmount": "1"}]})
}

#[test]
fn new_models_read_and_write_back() {
    for written in [
        json!({"model": "graduated_percentage", "tiers": [{"upTo": "100", "rate": "5"}, {"upTo": null, "rate": "2", "flatAmount": "10"}]}),
        json!({"model": "dynamic"}),
        json!({"model": "dynamic", "multiplier": "1.33333"}),
        json!({"model": "package", "packageSize": "100", "amount": "5", "rounding": "down"}),
        json!({"model": "percentage", "rate": "1", "freeValue": "15"}),
        json!({"model": "graduated", "tiers": [{"upTo": null, "unitAmount": "5", "packageSize": "100"}]}),
    ] {
        assert_eq!(serde_json::to_value(model(written.clone())).unwrap(), written);
    }
    assert_eq!(model(json!({"model": "dynamic", "multiplier": "1.0"})), model(json!({"model": "dynamic"})));
}

#[test]
fn what_makes_no_sense_is_refused_with_its_place() {
    for (written, place) in [
        (json!({"model": "graduated_percentage", "tiers": []}), "/tiers: no tier"),
        (
            json!({"model": "graduated_percentage", "tiers": [{"upTo": 5, "rate": "1"}, {"upTo": 5, "rate": "1"}, {"rate": "1"}]}),
            "/tiers/1/upTo: bounds must ascend",
        ),
        (
            json!({"model": "graduated_percentage", "tiers": [{"upTo": 9, "rate": "1"}, {"upTo": 3, "rate": "1"}, {"rate": "1"}]}),
            "/tiers/1/upTo: bounds must ascend",
        ),
        (json!({"model": "graduated_percentage", "tiers": [{"rate": "-1"}]}), "/tiers/0/rate: must not be below zero"),
        (json!({"model": "graduated_percentage", "tiers": [{"rate": "0.00000000001"}]}), "/tiers/0/rate: too many decimals"),
        (json!({"model": "graduated_percentage", "tiers": [{"rate": "1", "flatAmount": "-1"}]}), "/tiers/0/flatAmount: must not"),
        (json!({"model": "graduated", "tiers": [{"unitAmount": "1", "packageSize": "0"}]}), "/tiers/0/packageSize: a package"),
        (json!({"model": "dynamic", "multiplier": "-1"}), "/multiplier: must not"),
        (json!({"model": "percentage", "rate": "1", "freeValue": "-1"}), "/freeValue: must not"),
    ] {
        let model: PriceModel = serde_json::from_value(written.clone()).unwrap();
        let refusal = model.validate().unwrap_err().to_string();
        assert!(refusal.starts_with(place), "{written}: {refusal}");
    }
    assert_eq!(price_currency("USD"), Ok(Currency::USD));
    assert!(price_currency("usd").unwrap_err().to_string().starts_with("/currency: not a currency we know"));
}

#[test]
fn each_part_of_a_value_has_its_rate() {
    let fee = json!({"model": "graduated_percentage", "tiers": [{"upTo": "100", "rate": "5"}, {"rate": "2", "flatAmount": "10"}]});
    assert_eq!(lines(fee.clone(), &used("100")), ["100 x 0.05 = 5.00: 5% of the value, up to 100"]);
    assert_eq!(
        lines(fee, &events(&["100", "50.5"])),
        [
            "100 x 0.05 = 5.00: 5% of the value, up to 100",
            "1 x 10 = 10.00: Flat fee, above 100",
            "50.5 x 0.02 = 1.01: 2% of the value, above 100"
        ]
    );
}

#[test]
fn a_dynamic_price_passes_on_what_events_cost() {
    assert_eq!(lines(json!({"model": "dynamic"}), &events(&["0.101", "9.019"])), ["9.12 x 1 = 9.12: Cost of the events"]);
    assert_eq!(lines(json!({"model": "dynamic", "multiplier": "1.5"}), &used("0")), [""; 0]);
}

#[test]
fn free_events_and_free_value_both_hold() {
    let fee = |free: Value| {
        let mut written = json!({"model": "percentage", "rate": "1", "fixedAmount": "5"});
        written.as_object_mut().unwrap().extend(free.as_object().unwrap().clone());
        move |values: &[&str]| lines(written.clone(), &events(values)).len()
    };
    let value = fee(json!({"freeValue": "15"}));
    assert_eq!((value(&["4", "4", "4"]), value(&["4", "4", "4", "4"])), (0, 2));
    let both = fee(json!({"freeValue": "15", "freeEvents": 3}));
    assert_eq!((both(&["1", "1", "1"]), both(&["1", "1", "1", "1"]), both(&["10"]), both(&["10", "10"])), (0, 2, 0, 2));
    // The event that reaches the limit exactly is not below it: it pays its fee.
    let reaching = json!({"model": "percentage", "rate": "1", "fixedAmount": "5", "freeValue": "15"});
    assert_eq!(lines(reaching, &events(&["10", "5"])), ["1 x 5 = 5.00: Fee per event"]);
    // The event that crosses the limit is charged for what lies beyond it.
    let crossing = json!({"model": "percentage", "rate": "1", "fixedAmount": "5", "freeValue": "15"});
    assert_eq!(
        lines(crossing, &events(&["10", "10", "10"])),
        ["15 x 0.01 = 0.15: 1% of the value of events", "2 x 5 = 10.00: Fee per event"]
    );
}

#[test]
fn tiers_may_sell_packages_of_their_own_size() {
    let packs = json!({"model": "graduated", "tiers": [{"upTo": "500", "unitAmount": "10", "packageSize": "100"}, {"unitAmount": "5", "packageSize": "100"}]});
    assert_eq!(
        lines(packs, &used("501")),
        ["5 x 10 = 50.00: Packages of 100 units, up to 500", "1 x 5 = 5.00: Packages of 100 units, above 500"]
    );
    let full = json!({"model": "package", "packageSize": "100", "amount": "1", "rounding": "down"});
    assert_eq!((lines(full.clone(), &used("99")).len(), lines(full, &used("250"))[0].as_str()), (0, "2 x 1 = 2.00: Packages of 100 units"));
}

#[test]
fn a_part_bills_what_is_new_and_takes_back_what_no_longer_holds() {
    let part = |billed: Option<&str>, so_far: &str, is_last| {
        written(&price_part(&model(volume()), billed.map(used).as_ref(), &used(so_far), is_last, Currency::USD).unwrap())
    };
    assert_eq!(part(None, "3", false), ["3 x 10 = 30.00: Units, up to 5"]);
    assert_eq!(part(Some("3"), "5", false), ["2 x 10 = 20.00: Units, up to 5"]);
    assert_eq!(part(Some("5"), "5", true), [""; 0]);
    assert_eq!(
        part(Some("5"), "6", true),
        ["1 x 1 = 1.00: Flat fee, above 5", "6 x 7 = 42.00: Units, above 5", "-5 x 10 = -50.00: Units, up to 5"]
    );
}

#[test]
fn the_last_part_alone_is_brought_up_to_the_minimum() {
    let mut written_model = json!({"model": "per_unit", "unitAmount": "1", "minimumAmount": "10", "maximumAmount": "20"});
    let part = |model: &Value, billed: Option<&str>, so_far: &str, is_last| {
        let model: PriceModel = serde_json::from_value(model.clone()).unwrap();
        written(&price_part(&model, billed.map(used).as_ref(), &used(so_far), is_last, Currency::USD).unwrap())
    };
    assert_eq!(part(&written_model, None, "4", false), ["4 x 1 = 4.00: Units"]);
    assert_eq!(part(&written_model, Some("4"), "6", true), ["2 x 1 = 2.00: Units", "1 x 4 = 4.00: Up to the minimum charge"]);
    assert_eq!(part(&written_model, Some("18"), "25", false), ["7 x 1 = 7.00: Units", "1 x -5 = -5.00: Down to the maximum charge"]);
    assert_eq!(part(&written_model, Some("25"), "30", true), ["5 x 1 = 5.00: Units", "1 x -5 = -5.00: Down to the maximum charge"]);
    written_model["minimumAmount"] = json!("-1");
    let invalid: PriceModel = serde_json::from_value(written_model).unwrap();
    assert!(price_part(&invalid, None, &used("1"), true, Currency::USD).is_err());
}

#[test]
fn buckets_are_priced_apart_and_their_lines_add_up() {
    let buckets = |value: Value, buckets: &[&str]| {
        let buckets: Vec<_> = buckets.iter().map(|bucket| units(bucket)).collect();
        written(&price_buckets(&model(value), &buckets, Currency::USD).unwrap())
    };
    assert_eq!(
        buckets(volume(), &["5", "6"]),
        ["5 x 10 = 50.00: Units, up to 5", "1 x 1 = 1.00: Flat fee, above 5", "6 x 7 = 42.00: Units, above 5"]
    );
    // Two halves of a cent are a cent, not two.
    assert_eq!(buckets(json!({"model": "per_unit", "unitAmount": "0.005"}), &["1", "1"]), ["2 x 0.005 = 0.01: Units"]);
    assert_eq!(
        buckets(json!({"model": "flat", "amount": "1", "maximumAmount": "1.50"}), &["9", "9"]),
        ["2 x 1 = 2.00: Flat fee", "1 x -0.5 = -0.50: Down to the maximum charge"]
    );
}

#[test]
fn events_are_billed_in_the_order_of_time_up_to_the_end() {
    let at = |hour: u32| format!("2026-04-01T{hour:02}:00:00Z").parse::<DateTime<Utc>>().unwrap();
    let arrived = vec![(at(3), units("3")), (at(1), units("1")), (at(2), units("2"))];
    assert_eq!(Usage::of_events(arrived.clone(), None), events(&["1", "2", "3"]));
    assert_eq!(Usage::of_events(arrived, Some(at(2))), events(&["1", "2"]));
}
