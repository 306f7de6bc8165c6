//! How each policy divides one and the same month, and where the dialects differ.

use chrono::{DateTime, NaiveDate, Utc};
use rating::proration::killbill::Cycles;
use rating::{CalendarError, Currency, Ending, Exact, Money, Period, ProrationPolicy, Tz, change_lines, parse_time_zone, shares, split};

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn period(start: &str, end: &str) -> Period {
    Period::new(at(start), at(end)).unwrap()
}

fn policy(name: &str) -> ProrationPolicy {
    serde_json::from_value(name.into()).unwrap()
}

/// Used, unused and remaining, as fractions.
fn divided(policy_name: &str, period: Period, change_at: &str, zone: Tz, ending: Ending) -> String {
    let shares = shares(period, at(change_at), zone, policy(policy_name), ending);
    format!("{} {} {}", shares.used, shares.unused, shares.remaining)
}

#[test]
fn policies_have_the_names_that_plans_use() {
    for name in ["second", "day", "day_fixed_30", "none", "lago", "killbill", "killbill_fixed30", "openmeter_seconds", "flexprice"] {
        assert_eq!(serde_json::to_value(policy(name)).unwrap(), name);
    }
}

#[test]
fn one_month_is_divided_in_nine_ways() {
    let march = period("2024-03-01T00:00:00Z", "2024-04-01T00:00:00Z");
    for (policy, change, termination) in [
        ("second", "29/62 33/62 33/62", "29/62 33/62 0"),
        ("day", "14/31 17/31 17/31", "14/31 17/31 0"),
        ("day_fixed_30", "13/30 17/30 17/30", "13/30 17/30 0"),
        ("none", "1 0 0", "1 0 0"),
        ("lago", "14/31 17/31 17/31", "15/31 16/31 0"),
        ("killbill", "451612903/1000000000 548387097/1000000000 548387097/1000000000", "451612903/1000000000 548387097/1000000000 0"),
        (
            "killbill_fixed30",
            "466666667/1000000000 533333333/1000000000 533333333/1000000000",
            "466666667/1000000000 533333333/1000000000 0",
        ),
        ("openmeter_seconds", "29/62 33/62 33/62", "29/62 33/62 0"),
        ("flexprice", "14/31 17/31 17/31", "14/31 17/31 0"),
    ] {
        assert_eq!(divided(policy, march, "2024-03-15T12:00:00Z", Tz::UTC, Ending::Change), change, "{policy}");
        assert_eq!(divided(policy, march, "2024-03-15T12:00:00Z", Tz::UTC, Ending::Termination), termination, "{policy}");
        let none = policy == "none";
        let before = divided(policy, march, "2024-02-29T23:59:59Z", Tz::UTC, Ending::Change);
        let after = divided(policy, march, "2024-04-01T00:00:00Z", Tz::UTC, Ending::Change);
        assert_eq!((before.as_str(), after.as_str()), (if none { "1 0 0" } else { "0 1 1" }, "1 0 0"), "{policy}");
    }
}

#[test]
fn lago_counts_the_days_of_the_customer_and_bills_the_day_of_the_end() {
    // Started and ended within an hour on February 7 in Los Angeles, which is the 8th in UTC.
    let los_angeles = parse_time_zone("America/Los_Angeles").unwrap();
    let february = period("2023-02-01T08:00:00Z", "2023-03-01T08:00:00Z");
    assert_eq!(divided("lago", february, "2023-02-08T00:00:00Z", los_angeles, Ending::Change), "3/14 11/14 11/14");
    assert_eq!(divided("lago", february, "2023-02-08T00:00:00Z", los_angeles, Ending::Termination), "1/4 3/4 0");
    // Ended at the very start, the first day was used; in the last hour, nothing is left.
    assert_eq!(divided("lago", february, "2023-02-01T08:00:00Z", los_angeles, Ending::Termination), "1/28 27/28 0");
    assert_eq!(divided("lago", february, "2023-03-01T07:59:59Z", los_angeles, Ending::Termination), "1 0 0");
}

#[test]
fn flexprice_counts_the_last_day_of_a_period_that_ends_at_noon() {
    let anniversary = period("2024-03-01T12:00:00Z", "2024-04-01T12:00:00Z");
    assert_eq!(divided("flexprice", anniversary, "2024-03-15T00:00:00Z", Tz::UTC, Ending::Change), "7/16 9/16 9/16");
    assert_eq!(divided("day", anniversary, "2024-03-15T00:00:00Z", Tz::UTC, Ending::Change), "14/31 17/31 17/31");
}

#[test]
fn a_clock_change_is_a_day_for_days_and_an_hour_for_seconds() {
    let vienna = parse_time_zone("Europe/Vienna").unwrap();
    let march = period("2026-02-28T23:00:00Z", "2026-03-31T22:00:00Z");
    let change = "2026-03-28T23:00:00Z";
    for policy in ["day", "lago", "flexprice"] {
        assert_eq!(divided(policy, march, change, vienna, Ending::Change), "28/31 3/31 3/31", "{policy}");
    }
    assert_eq!(divided("openmeter_seconds", march, change, vienna, Ending::Change), "672/743 71/743 71/743");
}

#[test]
fn killbill_counts_thirty_days_a_month_across_its_end() {
    let cycle = period("2023-05-23T00:00:00Z", "2023-06-23T00:00:00Z");
    let month = shares(cycle, at("2023-06-15T00:00:00Z"), Tz::UTC, policy("killbill_fixed30"), Ending::Change);
    assert_eq!((month.used.to_decimal_string(9), month.unused.to_decimal_string(9)), ("0.733333333".into(), "0.266666667".into()));
    let february = period("2023-02-23T00:00:00Z", "2023-03-23T00:00:00Z");
    let month = shares(february, at("2023-03-15T00:00:00Z"), Tz::UTC, policy("killbill_fixed30"), Ending::Change);
    assert_eq!(month.used.to_decimal_string(9), "0.733333333");
    // A part of a year is never more than the year.
    let year = period("2023-01-01T00:00:00Z", "2024-01-01T00:00:00Z");
    let part = shares(year, at("2023-02-01T00:00:00Z"), Tz::UTC, policy("killbill_fixed30"), Ending::Change);
    assert_eq!((part.used.to_decimal_string(9), part.unused.to_decimal_string(9)), ("0.083333333".into(), "0.916666667".into()));
}

#[test]
fn killbill_bills_a_leading_part_whole_cycles_and_a_trailing_part() {
    let date = |text: &str| text.parse::<NaiveDate>().unwrap();
    let cycles = Cycles {
        start: date("2026-01-25"),
        end: Some(date("2026-05-10")),
        target: date("2026-06-01"),
        cycle_day: 31,
        months: 1,
        fixed_30: false,
    };
    let terms: Vec<_> =
        cycles.terms().unwrap().iter().map(|term| format!("{} {} {}", term.start, term.end, term.cycles.to_decimal_string(9))).collect();
    assert_eq!(
        terms,
        [
            "2026-01-25 2026-01-31 0.193548387",
            "2026-01-31 2026-02-28 1.000000000",
            "2026-02-28 2026-03-31 1.000000000",
            "2026-03-31 2026-04-30 1.000000000",
            "2026-04-30 2026-05-10 0.333333333",
        ]
    );
    // Without an end, what has begun by the target is billed.
    let running = Cycles { end: None, target: date("2026-01-25"), ..cycles };
    assert_eq!(running.terms().unwrap().len(), 1);
    assert_eq!(Cycles { end: Some(cycles.start), ..cycles }.terms(), Ok(Vec::new()));
    for wrong in [
        Cycles { target: date("2026-01-24"), ..cycles },
        Cycles { end: Some(date("2026-01-24")), ..cycles },
        Cycles { cycle_day: 0, ..cycles },
        Cycles { cycle_day: 32, ..cycles },
        Cycles { months: 0, ..cycles },
    ] {
        assert_eq!(wrong.terms(), Err(CalendarError::EmptyPeriod), "{wrong:?}");
    }
    let endless = Cycles { end: None, target: date("2300-01-01"), ..cycles };
    assert_eq!(endless.terms(), Err(CalendarError::OutOfRange));
    let far = Cycles { months: u32::MAX, end: None, ..cycles };
    assert_eq!(far.terms(), Err(CalendarError::OutOfRange));
}

#[test]
fn parts_of_a_month_sum_to_it() {
    let usd = |minor| Money::new(minor, Currency::USD);
    let march = period("2024-03-01T00:00:00Z", "2024-04-01T00:00:00Z");
    let cuts = [at("2024-03-21T00:00:00Z"), at("2024-03-11T00:00:00Z")];
    let parts = split(usd(1000), march, &cuts, Tz::UTC, ProrationPolicy::Day).unwrap();
    assert_eq!(parts, [usd(323), usd(322), usd(355)]);
    assert_eq!(split(usd(1000), march, &cuts, Tz::UTC, ProrationPolicy::None).unwrap(), [usd(1000), usd(0), usd(0)]);
}

#[test]
fn a_change_credits_what_the_dialect_leaves_unused() {
    let usd = |text| Money::from_decimal_str(text, Currency::USD).unwrap();
    let march = period("2024-03-01T00:00:00Z", "2024-04-01T00:00:00Z");
    let lines =
        |name, paid| change_lines(usd("100"), usd("30"), march, at("2024-03-15T00:00:00Z"), Tz::UTC, policy(name), usd(paid)).unwrap();
    assert_eq!((lines("flexprice", "100").credit, lines("flexprice", "100").charge), (usd("-54.84"), usd("16.45")));
    assert_eq!(lines("flexprice", "20").net().unwrap(), usd("-3.55"));
    assert_eq!(lines("none", "100").fraction, Exact::zero());
}
