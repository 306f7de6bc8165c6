//! Price models as the vendor writes them: their JSON, their refusals, their lines, and what always holds.

use proptest::prelude::*;
use rating::{
    Charge, Currency, Decimal, Exact, Money, PackageRounding, Percentage, PriceError, PriceModel, PricedLine, Quantity, Tier, Usage, price,
    total,
};
use serde_json::{Value, json};

fn model(value: Value) -> PriceModel {
    serde_json::from_value(value).unwrap()
}

fn units(text: &str) -> Quantity {
    Quantity::parse(text).unwrap()
}

fn usd(text: &str) -> Money {
    Money::from_decimal_str(text, Currency::USD).unwrap()
}

/// Lines as `quantity x unit price = amount: description`.
fn lines(value: Value, usage: Usage) -> Vec<String> {
    price(&model(value), &usage, Currency::USD)
        .unwrap()
        .into_iter()
        .map(|line| {
            let amount = line.amount.to_decimal_string();
            format!("{} x {} = {amount}: {}", line.quantity, line.unit_price, line.description)
        })
        .collect()
}

fn used(text: &str) -> Usage {
    Usage::Total(units(text))
}

fn events(texts: &[&str]) -> Usage {
    Usage::Events(texts.iter().map(|text| units(text)).collect())
}

fn graduated() -> Value {
    json!({"model": "graduated", "tiers": [
        {"upTo": "1000", "unitAmount": "0.01", "flatAmount": "2"},
        {"upTo": null, "unitAmount": "0.005", "flatAmount": "3"},
    ]})
}

#[test]
fn every_model_of_the_api_reads_and_writes_back() {
    for written in [
        json!({"model": "flat", "amount": "49"}),
        json!({"model": "per_unit", "unitAmount": "0.001", "freeUnits": "10000"}),
        json!({"model": "graduated", "tiers": [{"upTo": "1000", "unitAmount": "0.01"}, {"upTo": null, "unitAmount": "0.005"}]}),
        json!({"model": "volume", "tiers": [{"upTo": null, "unitAmount": "7", "flatAmount": "1"}], "minimumAmount": "5"}),
        json!({"model": "package", "packageSize": "100", "amount": "5"}),
        json!({"model": "percentage", "rate": "1.5", "fixedAmount": "0.1", "minimumPerEvent": "0.2", "maximumPerEvent": "12"}),
        json!({"model": "flat", "amount": "49", "minimumAmount": "50", "maximumAmount": "60"}),
    ] {
        let read = model(written.clone());
        read.validate().unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), written);
    }
    // Defaults and nulls may be spelled out, and a bound may be an integer.
    let spelled_out = json!({"model": "percentage", "rate": "1.5", "fixedAmount": "0.10", "freeEvents": 0,
        "minimumPerEvent": null, "maximumPerEvent": null, "minimumAmount": null});
    let short = json!({"model": "percentage", "rate": "1.50", "fixedAmount": "0.1"});
    assert_eq!(model(spelled_out), model(short));
    let integer = json!({"model": "package", "packageSize": 100, "amount": "5", "freeUnits": "0"});
    assert_eq!(model(integer), model(json!({"model": "package", "packageSize": "100", "amount": "5"})));
}

#[test]
fn what_the_shape_forbids_is_refused_while_reading() {
    for (written, advice) in [
        (json!({"model": "flat", "amount": 49}), "a decimal in a string"),
        (json!({"model": "flat", "amount": 0.5}), "a decimal in a string"),
        (json!({"model": "flat", "amount": "1e3"}), "not a decimal"),
        (json!({"model": "flat", "amount": "0.0000000000001"}), "at most 12"),
        (json!({"model": "flat"}), "missing field `amount`"),
        (json!({"model": "flat", "amount": "1", "ammount": "1"}), "unknown field `ammount`"),
        (json!({"model": "flat", "amount": "1", "freeUnits": "1"}), "unknown field `freeUnits`"),
        (json!({"model": "flat", "amount": "1", "minimum_amount": "1"}), "unknown field `minimum_amount`"),
        (json!({"model": "flat", "amount": "1", "minimumAmount": 5}), "a decimal in a string"),
        (json!({"model": "per_unit", "unitAmount": "1", "freeUnits": 1.5}), "send decimals as a string"),
        (json!({"model": "graduated", "tiers": [{"upTo": null, "unit": "1"}]}), "unknown field `unit`"),
        (json!({"model": "banana", "amount": "1"}), "unknown variant `banana`"),
        (json!({"amount": "1"}), "missing field `model`"),
    ] {
        let refusal = serde_json::from_value::<PriceModel>(written.clone()).unwrap_err().to_string();
        assert!(refusal.contains(advice), "{written}: {refusal}");
    }
}

#[test]
fn what_makes_no_sense_is_refused_with_its_place() {
    let tiers = |tiers: Value| json!({"model": "graduated", "tiers": tiers});
    let many: Vec<_> = (1..=101).map(|n| json!({"upTo": n, "unitAmount": "1"})).collect();
    for (written, place) in [
        (json!({"model": "flat", "amount": "-1"}), "/amount: must not be below zero"),
        (json!({"model": "per_unit", "unitAmount": "-1"}), "/unitAmount: must not"),
        (json!({"model": "per_unit", "unitAmount": "1", "freeUnits": -1}), "/freeUnits: must not"),
        (tiers(json!([])), "/tiers: no tier"),
        (tiers(json!(many)), "/tiers: too many tiers"),
        (tiers(json!([{"upTo": "5"}])), "/tiers/0/upTo: the last tier"),
        (tiers(json!([{"upTo": null}, {"upTo": null}])), "/tiers/0/upTo: only the last"),
        (tiers(json!([{"upTo": "0"}, {"upTo": null}])), "/tiers/0/upTo: bounds must ascend"),
        (tiers(json!([{"upTo": 5}, {"upTo": 5}, {"upTo": null}])), "/tiers/1/upTo: bounds must ascend"),
        (tiers(json!([{"upTo": null, "unitAmount": "-1"}])), "/tiers/0/unitAmount: must not"),
        (tiers(json!([{"upTo": null, "flatAmount": "-1"}])), "/tiers/0/flatAmount: must not"),
        (json!({"model": "package", "packageSize": 0, "amount": "1"}), "/packageSize: a package"),
        (json!({"model": "percentage", "rate": "0.00000000001"}), "/rate: too many decimals"),
        (json!({"model": "percentage", "rate": "1", "minimumPerEvent": "2", "maximumPerEvent": "1"}), "/minimumPerEvent: the minimum"),
        (json!({"model": "flat", "amount": "1", "minimumAmount": "2", "maximumAmount": "1"}), "/minimumAmount: the minimum"),
        (json!({"model": "flat", "amount": "1", "maximumAmount": "-1"}), "/maximumAmount: must not"),
    ] {
        let refusal = model(written.clone()).validate().unwrap_err();
        assert!(refusal.to_string().starts_with(place), "{written}: {refusal}");
        assert_eq!(price(&model(written), &used("1"), Currency::USD), Err(refusal));
    }
}

#[test]
fn tiers_include_their_bound_and_flat_amounts_fall_due_when_a_tier_is_reached() {
    assert_eq!(lines(graduated(), used("0")), ["1 x 2 = 2.00: Flat fee, up to 1000"]);
    assert_eq!(lines(graduated(), used("1000")), ["1 x 2 = 2.00: Flat fee, up to 1000", "1000 x 0.01 = 10.00: Units, up to 1000"]);
    assert_eq!(
        lines(graduated(), used("1000.5")),
        [
            "1 x 2 = 2.00: Flat fee, up to 1000",
            "1000 x 0.01 = 10.00: Units, up to 1000",
            "1 x 3 = 3.00: Flat fee, above 1000",
            "0.5 x 0.005 = 0.00: Units, above 1000",
        ]
    );
}

#[test]
fn volume_prices_all_units_by_the_tier_that_is_reached() {
    let mut volume = graduated();
    volume["model"] = json!("volume");
    assert_eq!(lines(volume.clone(), used("0")), ["1 x 2 = 2.00: Flat fee, up to 1000"]);
    assert_eq!(lines(volume, used("1001")), ["1 x 3 = 3.00: Flat fee, above 1000", "1001 x 0.005 = 5.01: Units, above 1000"]);
}

#[test]
fn free_units_come_first_and_a_started_package_is_charged_whole() {
    let calls = json!({"model": "per_unit", "unitAmount": "0.005", "freeUnits": "10000"});
    assert_eq!(lines(calls.clone(), used("10000")), [""; 0]);
    assert_eq!(lines(calls, used("15000")), ["5000 x 0.005 = 25.00: Units, above 10000 free"]);
    let storage = json!({"model": "package", "packageSize": "1", "amount": "0.50", "freeUnits": "5"});
    assert_eq!(lines(storage, used("7.000000001")), ["3 x 0.5 = 1.50: Packages of 1 units, above 5 free"]);
}

#[test]
fn a_percentage_looks_at_each_event() {
    let fee = json!({"model": "percentage", "rate": "1.5", "fixedAmount": "0.10", "freeEvents": 1});
    assert_eq!(
        lines(fee.clone(), events(&["99", "10", "4.5"])),
        ["14.5 x 0.015 = 0.22: 1.5% of the value of events", "2 x 0.1 = 0.20: Fee per event"]
    );
    assert_eq!(lines(fee.clone(), events(&[])), [""; 0]);
    let refusal = price(&model(fee), &used("10"), Currency::USD).unwrap_err();
    assert_eq!(refusal, PriceError::EventsRequired);
    assert!(refusal.to_string().contains("send `events`"));
}

#[test]
fn limits_per_event_hold_to_the_cent() {
    let limited = json!({"model": "percentage", "rate": "0.4", "fixedAmount": "0.004", "minimumPerEvent": "12"});
    assert_eq!(
        lines(limited, events(&["1"])),
        [
            "1 x 0.004 = 0.00: 0.4% of the value of events",
            "1 x 0.004 = 0.00: Fee per event",
            "1 x 12 = 12.00: Minimum and maximum per event",
        ]
    );
}

#[test]
fn minimum_and_maximum_are_lines_of_their_own() {
    let priced = |limits: Value| {
        let mut written = json!({"model": "per_unit", "unitAmount": "1"});
        written.as_object_mut().unwrap().extend(limits.as_object().unwrap().clone());
        move |usage: &str| lines(written.clone(), used(usage))
    };
    let minimum = priced(json!({"minimumAmount": "10"}));
    assert_eq!(minimum("0"), ["1 x 10 = 10.00: Up to the minimum charge"]);
    assert_eq!(minimum("4"), ["4 x 1 = 4.00: Units", "1 x 6 = 6.00: Up to the minimum charge"]);
    assert_eq!(minimum("10"), ["10 x 1 = 10.00: Units"]);
    let maximum = priced(json!({"maximumAmount": "10"}));
    assert_eq!(maximum("10"), ["10 x 1 = 10.00: Units"]);
    assert_eq!(maximum("12"), ["12 x 1 = 12.00: Units", "1 x -2 = -2.00: Down to the maximum charge"]);
}

#[test]
fn amounts_follow_the_decimals_of_the_currency() {
    let third = model(json!({"model": "per_unit", "unitAmount": "0.3335"}));
    let cost = |currency| total(&price(&third, &used("10"), currency).unwrap(), currency).unwrap();
    assert_eq!(cost(Currency::USD).to_decimal_string(), "3.34");
    assert_eq!(cost(Currency::JPY).to_decimal_string(), "3");
    assert_eq!(cost(Currency::parse("KWD").unwrap()).to_decimal_string(), "3.335");
}

#[test]
fn what_can_not_be_billed_is_an_error() {
    let flat = model(json!({"model": "flat", "amount": "1"}));
    let huge = model(json!({"model": "per_unit", "unitAmount": "1000000"}));
    for usage in [used("-1"), events(&["5", "-6"])] {
        assert_eq!(price(&flat, &usage, Currency::USD), Err(PriceError::NegativeUsage));
    }
    let corrected = events(&["5", "-1"]);
    assert!(price(&flat, &corrected, Currency::USD).is_ok());
    let percentage = model(json!({"model": "percentage", "rate": "1"}));
    assert_eq!(price(&percentage, &corrected, Currency::USD), Err(PriceError::NegativeUsage));
    let most = used("9000000000000000");
    assert!(matches!(price(&huge, &most, Currency::USD), Err(PriceError::Money(_))));
    let tiny = model(json!({"model": "package", "packageSize": "0.000000001", "amount": "0"}));
    assert!(matches!(price(&tiny, &most, Currency::USD), Err(PriceError::Quantity(_))));
    let twice = events(&["9000000000000000", "1"]);
    assert!(matches!(price(&flat, &twice, Currency::USD), Err(PriceError::Quantity(_))));
}

#[test]
fn lines_are_written_with_a_decimal_unit_price() {
    let priced = price(&model(graduated()), &used("0"), Currency::USD).unwrap();
    let written = serde_json::to_value(&priced[0]).unwrap();
    assert_eq!(serde_json::from_value::<PricedLine>(written.clone()).unwrap(), priced[0]);
    assert_eq!(
        written,
        json!({"description": "Flat fee, up to 1000", "quantity": 1, "unitPrice": "2",
            "amount": {"minor": 200, "currency": "USD"}})
    );
}

fn any_amount() -> impl Strategy<Value = Decimal> {
    (0u64..1_000_000_000).prop_map(|n| format!("{}.{:06}", n / 1_000_000, n % 1_000_000).parse().unwrap())
}

fn any_usage() -> impl Strategy<Value = Quantity> {
    (0i128..2_000_000_000_000).prop_map(|nanos| Quantity::from_nanos(nanos).unwrap())
}

fn any_tiers() -> impl Strategy<Value = Vec<Tier>> {
    let tier = (1u32..500, any_amount(), any_amount());
    proptest::collection::vec(tier, 1..6).prop_map(|drawn| {
        let last = drawn.len() - 1;
        let mut bound = Quantity::ZERO;
        let tier = |(position, (width, unit_amount, flat_amount))| {
            bound = bound.checked_add(Quantity::from(width)).unwrap();
            Tier { up_to: (position < last).then_some(bound), unit_amount, flat_amount, package_size: None }
        };
        drawn.into_iter().enumerate().map(tier).collect()
    })
}

fn cost(charge: Charge, used: Quantity) -> Money {
    let lines = price(&PriceModel::new(charge), &Usage::Total(used), Currency::USD).unwrap();
    total(&lines, Currency::USD).unwrap()
}

proptest! {
    #[test]
    fn graduated_lines_add_up_to_the_units_used_and_to_the_exact_price(tiers in any_tiers(), used in any_usage()) {
        let model = PriceModel::new(Charge::Graduated { tiers: tiers.clone() });
        let lines = price(&model, &Usage::Total(used), Currency::USD).unwrap();
        let of_units = lines.iter().filter(|line| line.description.starts_with("Units"));
        prop_assert_eq!(Quantity::sum(of_units.map(|line| line.quantity)), Ok(used));

        // The same price, computed unit by unit from the definition and rounded once.
        let mut exact = Exact::zero();
        let mut floor = Quantity::ZERO;
        for (position, tier) in tiers.iter().enumerate() {
            if position == 0 || used > floor {
                let reached = tier.up_to.map_or(used, |bound| bound.min(used)).above(floor).unwrap();
                exact = exact.plus(&tier.flat_amount.to_exact()).plus(&reached.to_exact().times(&tier.unit_amount.to_exact()));
            }
            floor = tier.up_to.unwrap_or(floor);
        }
        let away = total(&lines, Currency::USD).unwrap().to_exact().minus(&exact);
        let half_a_cent_per_line = Exact::ratio(i128::try_from(lines.len().max(1)).unwrap(), 200).unwrap();
        prop_assert!(away <= half_a_cent_per_line && away.negated() <= half_a_cent_per_line);
    }

    #[test]
    fn graduated_and_volume_cost_more_for_more_within_a_tier(tiers in any_tiers(), a in any_usage(), b in any_usage()) {
        let (less, more) = (a.min(b), a.max(b));
        let graduated = |used| cost(Charge::Graduated { tiers: tiers.clone() }, used).minor();
        // Each line rounds by itself, but a line never shrinks when usage grows.
        prop_assert!(graduated(less) <= graduated(more));
        let tier_of = |used: Quantity| tiers.iter().position(|tier| tier.up_to.is_none_or(|bound| used <= bound));
        if tier_of(less) == tier_of(more) {
            let volume = |used| cost(Charge::Volume { tiers: tiers.clone() }, used).minor();
            prop_assert!(volume(less) <= volume(more));
        }
    }

    #[test]
    fn one_tier_is_a_price_per_unit(unit_amount in any_amount(), used in any_usage()) {
        let tiers = vec![Tier { up_to: None, unit_amount, flat_amount: Decimal::ZERO, package_size: None }];
        let per_unit = cost(Charge::PerUnit { unit_amount, free_units: Quantity::ZERO }, used);
        prop_assert_eq!(cost(Charge::Graduated { tiers: tiers.clone() }, used), per_unit);
        prop_assert_eq!(cost(Charge::Volume { tiers }, used), per_unit);
    }

    #[test]
    fn packages_cover_the_usage_with_less_than_one_to_spare(size in 1u32..1000, used in any_usage()) {
        let package_size = Quantity::from(size);
        let charge = Charge::Package { package_size, amount: Decimal::ONE, free_units: Quantity::ZERO, rounding: PackageRounding::Up };
        let packages = cost(charge, used).to_exact();
        let spare = packages.times(&package_size.to_exact()).minus(&used.to_exact());
        prop_assert!(!spare.is_negative() && spare < package_size.to_exact());
    }

    #[test]
    fn the_total_lies_between_minimum_and_maximum(tiers in any_tiers(), used in any_usage(), a in any_amount(), b in any_amount()) {
        let model = PriceModel {
            charge: Charge::Graduated { tiers },
            minimum_amount: Some(a.min(b)),
            maximum_amount: Some(a.max(b)),
        };
        let lines = price(&model, &Usage::Total(used), Currency::USD).unwrap();
        let due = total(&lines, Currency::USD).unwrap().minor();
        let limit = |decimal: Decimal| Money::round(&decimal.to_exact(), Currency::USD).unwrap().minor();
        prop_assert!(limit(a.min(b)) <= due && due <= limit(a.max(b)));
    }

    #[test]
    fn a_percentage_costs_each_event_within_its_limits(
        values in proptest::collection::vec(any_usage(), 0..10),
        rate in 0u32..1000,
        fee in any_amount(),
    ) {
        let charge = Charge::Percentage(Percentage {
            rate: rate.to_string().parse().unwrap(),
            fixed_amount: fee,
            free_events: 0,
            free_value: Quantity::ZERO,
            minimum_per_event: Some("2".parse().unwrap()),
            maximum_per_event: Some("3".parse().unwrap()),
        });
        let count = i64::try_from(values.len()).unwrap();
        let lines = price(&PriceModel::new(charge), &Usage::Events(values), Currency::USD).unwrap();
        let due = total(&lines, Currency::USD).unwrap().minor();
        prop_assert!((200 * count..=300 * count).contains(&due));
    }

    #[test]
    fn no_number_however_extreme_makes_it_panic(
        nanos in -9_000_000_000_000_000_000_000_000i128..=9_000_000_000_000_000_000_000_000,
        amount in "-?[0-9]{1,16}(\\.[0-9]{1,12})?",
        size in "[0-9]{1,16}(\\.[0-9]{1,9})?",
        currency in proptest::sample::select(Currency::all().collect::<Vec<_>>()),
    ) {
        let used = Quantity::from_nanos(nanos).unwrap();
        for written in [
            json!({"model": "per_unit", "unitAmount": amount, "freeUnits": size, "maximumAmount": amount}),
            json!({"model": "package", "packageSize": size, "amount": amount, "minimumAmount": amount}),
            json!({"model": "graduated", "tiers": [{"upTo": size, "unitAmount": amount}, {"flatAmount": amount}]}),
            json!({"model": "percentage", "rate": amount, "fixedAmount": amount, "maximumPerEvent": amount}),
        ] {
            if let Ok(model) = serde_json::from_value::<PriceModel>(written)
                && let Ok(lines) = price(&model, &Usage::Events(vec![used, Quantity::ONE]), currency)
            {
                prop_assert!(total(&lines, currency).is_ok());
            }
        }
    }

    #[test]
    fn models_round_trip_through_json(tiers in any_tiers(), minimum in proptest::option::of(any_amount())) {
        let model = PriceModel { charge: Charge::Volume { tiers }, minimum_amount: minimum, maximum_amount: None };
        let json = serde_json::to_string(&model).unwrap();
        prop_assert_eq!(serde_json::from_str::<PriceModel>(&json).unwrap(), model);
    }
}

#[test]
fn the_built_in_overage_prices_are_exact() {
    for (unit_amount, cost_of_one_thousand) in [("0.005", "5"), ("0.002", "2"), ("0.001", "1")] {
        let charge = Charge::PerUnit { unit_amount: unit_amount.parse().unwrap(), free_units: units("0") };
        assert_eq!(cost(charge, units("1000")), usd(cost_of_one_thousand));
    }
}
