//! Worked cases of other billing systems: the figures that their own tests and documents assert.
//!
//! `cases/*.json` restates each as data, with its source. One function per kind of case; a case that none of
//! them can read fails the test, so none is skipped in silence.

use chrono::{DateTime, Utc};
use rating::{
    BillingCalendar, BillingInterval, Currency, Exact, Money, Period, PriceModel, ProrationPolicy, Quantity, Tz, Usage, change_lines,
    creditable, parse_time_zone, price, prorate, remaining_fraction, total, used_fraction,
};
use serde::Deserialize;

#[derive(Deserialize)]
struct Cases<T> {
    cases: Vec<T>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PricingCase {
    id: String,
    title: String,
    #[serde(rename = "source")]
    _source: serde_json::Value,
    price: PriceModel,
    steps: Vec<PricingStep>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PricingStep {
    quantity: Option<Quantity>,
    events: Option<Vec<Quantity>>,
    total: Option<String>,
    charged: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ProrationCase {
    id: String,
    title: String,
    #[serde(flatten)]
    facts: Facts,
}

#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", rename_all_fields = "camelCase")]
enum Facts {
    Share {
        amount_minor: i64,
        part: i64,
        of: i64,
        expected_minor: i64,
        tax_percent: Option<i64>,
        expected_tax_minor: Option<i64>,
    },
    Fraction {
        policy: ProrationPolicy,
        period: [String; 2],
        change_at: String,
        time_zone: String,
        used: Option<String>,
        remaining: Option<String>,
        amount_minor: Option<i64>,
        expected_minor: Option<i64>,
    },
    Change {
        policy: ProrationPolicy,
        period: [String; 2],
        change_at: String,
        time_zone: String,
        old: String,
        new: String,
        paid: String,
        credit: String,
        charge: String,
        net: String,
    },
    Cap {
        computed: String,
        paid: String,
        credited_before: String,
        expected: String,
    },
    Rounding {
        values: Vec<String>,
        expected: Vec<String>,
    },
    Days {
        period: [String; 2],
        time_zone: String,
        expected: i64,
    },
    Periods {
        anchor: String,
        interval: BillingInterval,
        time_zone: String,
        first: u32,
        periods: Vec<[String; 2]>,
    },
}

fn usd(text: &str) -> Money {
    Money::from_decimal_str(text, Currency::USD).unwrap()
}

fn cents(minor: i64) -> Money {
    Money::new(minor, Currency::USD)
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn zone(name: &str) -> Tz {
    parse_time_zone(name).unwrap()
}

fn span([start, end]: &[String; 2]) -> Period {
    Period::new(at(start), at(end)).unwrap()
}

#[test]
fn usages_cost_what_others_assert() {
    let cases: Cases<PricingCase> = serde_json::from_str(include_str!("cases/pricing.json")).unwrap();
    assert!(cases.cases.len() >= 35);
    for case in cases.cases {
        let mut before = usd("0");
        for step in case.steps {
            let usage = match (step.quantity, step.events) {
                (Some(quantity), None) => Usage::Total(quantity),
                (None, Some(events)) => Usage::Events(events),
                _ => panic!("{}: give either quantity or events", case.id),
            };
            let lines = price(&case.price, &usage, Currency::USD).unwrap();
            let cost = total(&lines, Currency::USD).unwrap();
            let name = format!("{} ({}), {usage:?}", case.id, case.title);
            match (step.total, step.charged) {
                (Some(total), None) => assert_eq!(cost, usd(&total), "{name}"),
                (None, Some(charged)) => {
                    assert_eq!(cost.checked_sub(before).unwrap(), usd(&charged), "{name}");
                }
                _ => panic!("{}: give either total or charged", case.id),
            }
            before = cost;
        }
    }
}

#[test]
fn shares_changes_and_periods_are_what_others_assert() {
    let cases: Cases<ProrationCase> = serde_json::from_str(include_str!("cases/proration.json")).unwrap();
    assert!(cases.cases.len() >= 45);
    for case in cases.cases {
        check(&format!("{} ({})", case.id, case.title), case.facts);
    }
}

fn check(name: &str, facts: Facts) {
    match facts {
        Facts::Share { amount_minor, part, of, expected_minor, tax_percent, expected_tax_minor } => {
            let share = prorate(cents(amount_minor), &Exact::ratio(part.into(), of.into()).unwrap()).unwrap();
            assert_eq!(share, cents(expected_minor), "{name}");
            let tax = tax_percent.map(|rate| share.scaled_by(&Exact::ratio(rate.into(), 100).unwrap()).unwrap().minor());
            assert_eq!(tax, expected_tax_minor, "{name}, tax");
        }
        Facts::Fraction { policy, period, change_at, time_zone, used, remaining, amount_minor, expected_minor } => {
            let fraction = if used.is_some() { used_fraction } else { remaining_fraction };
            let fraction = fraction(span(&period), at(&change_at), zone(&time_zone), policy);
            let expected = used.or(remaining).expect("a fraction is asserted");
            assert_eq!(fraction.to_decimal_string(9), expected, "{name}");
            let share = amount_minor.map(|minor| prorate(cents(minor), &fraction).unwrap().minor());
            assert_eq!(share, expected_minor, "{name}, share");
        }
        Facts::Change { policy, period, change_at, time_zone, old, new, paid, credit, charge, net } => {
            let lines = change_lines(usd(&old), usd(&new), span(&period), at(&change_at), zone(&time_zone), policy, usd(&paid)).unwrap();
            let billed = (lines.credit, lines.charge, lines.net().unwrap());
            assert_eq!(billed, (usd(&credit), usd(&charge), usd(&net)), "{name}");
        }
        Facts::Cap { computed, paid, credited_before, expected } => {
            let credit = creditable(usd(&computed), usd(&paid), usd(&credited_before)).unwrap();
            assert_eq!(credit, usd(&expected), "{name}");
        }
        Facts::Rounding { values, expected } => {
            let rounded = values
                .iter()
                .map(|value| Money::round(&Exact::parse(value).unwrap(), Currency::USD).unwrap())
                .map(Money::to_decimal_string);
            assert_eq!(rounded.collect::<Vec<_>>(), expected, "{name}");
        }
        Facts::Days { period, time_zone, expected } => {
            assert_eq!(span(&period).calendar_days(zone(&time_zone)), expected, "{name}");
        }
        Facts::Periods { anchor, interval, time_zone, first, periods } => {
            let calendar = BillingCalendar { anchor: at(&anchor), interval, time_zone: zone(&time_zone) };
            for (n, expected) in (first..).zip(&periods) {
                assert_eq!(calendar.period(n), Ok(span(expected)), "{name}");
            }
        }
    }
}
