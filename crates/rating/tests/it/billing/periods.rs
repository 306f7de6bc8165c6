//! Shares of periods, changes, billing cycles, days in time zones and trials.

use chrono::{DateTime, Datelike, Months, NaiveDate, TimeZone, Utc};
use rating::proration::killbill::{CycleTerm, Cycles};
use rating::{
    Alignment, BillingCalendar, BillingInterval, Ending, Exact, Money, Period, ProrationPolicy, Quantity, Shares, Tz, Usage, change_lines,
    parse_time_zone, prorate, shares, trial_end,
};
use serde_json::Value;

use super::case::{Case, date, midnight, text, usd};

pub fn check(case: &Case) -> bool {
    if case.has(&["period_start", "change_on"]) {
        flexprice_change(case);
    } else if case.has(&["bill_cycle_day"]) || case.has(&["fixed_days_in_month"]) || case.has(&["rates"]) || case.has(&["bcd"]) {
        killbill(case);
    } else if case.has(&["start_at", "ending_at"]) {
        termination(case);
    } else if case.has(&["service", "full"]) {
        service_period(case);
    } else if case.has(&["active_from", "terminated_on"]) {
        part_of_period(case);
    } else if case.has(&["new_trial_days"]) {
        trial(case);
    } else if case.has(&["tz", "from", "to"]) {
        days(case);
    } else if case.has(&["year"]) {
        to_yearly(case);
    } else if case.has(&["old_amount_cents", "upgrade_on"]) {
        used_until_upgrade(case);
    } else {
        return share_of_amount(case);
    }
    true
}

/// Cases that name the share itself.
fn share_of_amount(case: &Case) -> bool {
    if case.has(&["old", "new", "fraction_left"]) || case.has(&["old", "new", "days_left", "days"]) {
        let share = case.percent("fraction_left").map_or_else(|| case.share("days_left", "days"), |text| fraction(&text));
        let [credit, charge] = ["old", "new"].map(|price| prorate(case.usd(price), &share).unwrap());
        case.expect_money("net", charge.checked_sub(credit).unwrap());
        if case.expects("credit") {
            case.expect_money("credit", credit);
            case.expect_money("charge", charge);
        }
    } else if case.has(&["amount", "days", "of"]) {
        case.expect_money("amount", prorate(case.usd("amount"), &case.share("days", "of")).unwrap());
    } else if case.has(&["amount_cents", "days", "period_days"]) {
        case.expect_money("fee_cents", prorate(case.cents("amount_cents"), &case.share("days", "period_days")).unwrap());
    } else if case.has(&["already_paid_cents", "new_price_cents"]) {
        let part = |key| prorate(case.cents(key), &case.share("days_left", "month_days")).unwrap();
        case.expect_money("existing_addon_delta_cents", part("new_price_cents").checked_sub(part("already_paid_cents")).unwrap());
        case.expect_money("new_addon_cents", part("new_addon_cents"));
    } else if case.has(&["subscription_cents", "usage_cents"]) {
        // The usage was billed when it reached its threshold, and is taken off again.
        let subscription = prorate(case.cents("subscription_cents"), &case.share("days", "month_days")).unwrap();
        let fees = subscription.checked_add(case.cents("usage_cents")).unwrap();
        case.expect_money("fees_cents", fees);
        case.expect_money("total_cents", fees.checked_sub(case.cents("usage_cents")).unwrap());
    } else {
        return false;
    }
    true
}

fn shared(case: &Case, period: Period, at: NaiveDate, ending: Ending) -> Shares {
    shares(period, midnight(at), Tz::UTC, case.policy(), ending)
}

/// A period whose last day is given.
fn through([start, last]: [NaiveDate; 2]) -> Period {
    Period::new(midnight(start), midnight(last.succ_opt().unwrap())).unwrap()
}

/// The period ends with its last day; items are removed and added, and seats change.
fn flexprice_change(case: &Case) {
    let period = through([case.date("period_start"), case.date("period_end")]);
    let price = |key: &str, seats: usize| match case.inputs.get("seats") {
        Some(counts) => Money::new(case.usd("unit").minor() * counts[seats].as_i64().unwrap(), case.usd("unit").currency()),
        None => case.inputs.get(key).map_or(usd(&Value::from(0)), usd),
    };
    let (old, new) = (price("old", 0), price("new", 1));
    let lines = change_lines(old, new, period, midnight(case.date("change_on")), Tz::UTC, case.policy(), old).unwrap();
    for (key, amount) in [("credit", lines.credit), ("charge", lines.charge), ("net", lines.net().unwrap())] {
        if case.expects(key) {
            case.expect_money(key, amount);
        }
    }
}

fn killbill(case: &Case) {
    if case.has(&["bill_cycle_day"]) {
        let months = match case.input("period").as_str().unwrap() {
            "MONTHLY" => 1,
            "QUARTERLY" => 3,
            "ANNUAL" => 12,
            other => panic!("{}: {other}", case.id),
        };
        let end = case.has(&["end"]).then(|| case.date("end"));
        let cycle_day = u32::try_from(case.int("bill_cycle_day")).unwrap();
        let cycles = Cycles { start: case.date("start"), end, target: case.date("target"), cycle_day, months, fixed_30: false };
        let sum = cycles.terms().unwrap().iter().fold(Exact::zero(), |sum, term| sum.plus(&term.cycles));
        case.expect("number_of_cycles", sum.to_decimal_string(9));
    } else if case.has(&["fixed_days_in_month"]) {
        let (from, to) = (case.date("from"), case.date("to"));
        let cycles = Cycles { start: from, end: None, target: from, cycle_day: to.day(), months: 1, fixed_30: true };
        let leading = &cycles.terms().unwrap()[0];
        assert_eq!(leading.end, to);
        case.expect("days", leading.end.signed_duration_since(leading.start).num_days());
        case.expect_money("amount", prorate(case.usd("monthly"), &leading.cycles).unwrap());
    } else if case.has(&["bcd"]) {
        let periods = case.expected("periods").as_array().unwrap();
        let target = date(&periods[periods.len() - 1][0]);
        let cycle_day = u32::try_from(case.int("bcd")).unwrap();
        let cycles = Cycles { start: case.date("trial_end"), end: None, target, cycle_day, months: 1, fixed_30: false };
        let terms = cycles.terms().unwrap();
        case.expect_money("first", prorate(case.usd("rate"), &terms[0].cycles).unwrap());
        let span = |term: &CycleTerm| Value::from(vec![term.start.to_string(), term.end.to_string()]);
        case.expect("periods", terms[1..].iter().map(span).collect::<Vec<_>>());
        assert!(terms[1..].iter().all(|term| prorate(case.usd("next_rate"), &term.cycles).unwrap() == usd(case.expected("each"))));
    } else {
        phases(case);
    }
}

/// Phases that change at the end of their term.
fn phases(case: &Case) {
    let starts: Vec<_> = case.list("starts").iter().map(date).collect();
    let mut items = Vec::new();
    for (position, rate) in case.list("rates").iter().enumerate() {
        let (start, end) = (starts[position], starts.get(position + 1).copied());
        let cycles = Cycles { start, end, target: case.date("target"), cycle_day: start.day(), months: 1, fixed_30: false };
        items.extend(cycles.terms().unwrap().iter().map(|term| prorate(usd(rate), &term.cycles).unwrap()));
    }
    case.expect("items", items.len());
    case.expect_money("balance", Money::sum(items, rating::Currency::USD).unwrap());
}

/// A plan in arrears that ends in its first period.
fn termination(case: &Case) {
    let zone = parse_time_zone(case.input("timezone").as_str().unwrap()).unwrap();
    let at = |key| case.input(key).as_str().unwrap().parse::<DateTime<Utc>>().unwrap();
    let start = rating::day_start(at("start_at"), zone).unwrap();
    let calendar = BillingCalendar::starting(start, BillingInterval::Month, zone, Alignment::Anniversary).unwrap();
    let period = calendar.period(0).unwrap();
    assert_eq!(period.calendar_days(zone), case.int("period_days"));
    let used = shares(period, at("ending_at"), zone, case.policy(), Ending::Termination).used;
    case.expect_money("total_cents", prorate(case.cents("plan_amount_cents"), &used).unwrap());
    case.expect("issuing_date", at("ending_at").with_timezone(&zone).date_naive().to_string());
}

/// What a service period, in full seconds, is of the full one.
fn service_period(case: &Case) {
    let instants = |key| case.list(key).iter().map(|at| at.as_str().unwrap().parse().unwrap()).collect::<Vec<DateTime<Utc>>>();
    let (service, full) = (instants("service"), instants("full"));
    let period = Period::new(full[0], full[1]).unwrap();
    let used_at = |at| shares(period, at, Tz::UTC, case.policy(), Ending::Change).used;
    let share = used_at(service[1]).minus(&used_at(service[0]));
    case.expect_money("amount", prorate(case.usd("amount"), &share).unwrap());
}

/// A plan that began and ended within one period.
fn part_of_period(case: &Case) {
    let [start, last] = case.list("period") else { panic!("{}: no period", case.id) };
    let period = through([date(start), date(last)]);
    let before = shared(case, period, case.date("active_from"), Ending::Change).used;
    let share = shared(case, period, case.date("terminated_on"), Ending::Termination).used.minus(&before);
    case.expect_money("fee_cents", prorate(case.cents("plan_amount_cents"), &share).unwrap());
    if case.expects("billed_days") {
        let days = share.times(&Exact::from_integer(period.calendar_days(Tz::UTC).into()));
        case.expect("billed_days", i64::try_from(days.floor().unwrap()).unwrap());
    }
}

/// The trial counts from the first start, whatever plan follows. What the old plan's usage cost is not in the inputs.
fn trial(case: &Case) {
    let end = trial_end(midnight(case.date("start")), u32::try_from(case.int("new_trial_days")).unwrap(), Tz::UTC).unwrap();
    case.expect("trial_ends", end.date_naive().to_string());
    let share = shares(case.period("period"), end, Tz::UTC, case.policy(), Ending::Change).remaining;
    case.expect_money("fee_cents", prorate(case.cents("new_amount_cents"), &share).unwrap());
}

fn days(case: &Case) {
    let zone = parse_time_zone(case.input("tz").as_str().unwrap()).unwrap();
    let local = |key| zone.from_local_datetime(&midnight(case.date(key)).naive_utc()).earliest().unwrap().with_timezone(&Utc);
    case.expect("days", Period::new(local("from"), local("to")).unwrap().calendar_days(zone));
}

/// A change to a yearly plan: it is billed to its anniversary, and the rest of the month goes back.
fn to_yearly(case: &Case) {
    let year = case.period("year");
    let change = date(case.inputs.get("upgrade_on").or(case.inputs.get("effective")).unwrap());
    let share = shared(case, year, change, Ending::Change).remaining;
    let new = case.inputs.get("new").map_or_else(|| case.cents("new_amount_cents"), |new| super::case::cents(&new["amount_cents"]));
    case.expect_money("new_invoice_fees_cents", prorate(new, &share).unwrap());
    let days = Period::new(midnight(change), year.end()).unwrap().calendar_days(Tz::UTC);
    if case.expects("days_billed_new") {
        case.expect("days_billed_new", days);
        let old = case.input("old");
        let month = through([date(&old["period"][0]), date(&old["period"][1])]);
        let unused = shared(case, month, change, Ending::Change).unused;
        case.expect_money("credit_note_cents", prorate(super::case::cents(&old["amount_cents"]), &unused).unwrap());
    } else {
        assert_eq!(days, case.int("days"));
    }
}

/// A plan in arrears is billed for the days before the upgrade.
fn used_until_upgrade(case: &Case) {
    let first = case.date("upgrade_on").with_day(1).unwrap();
    let month = Period::new(midnight(first), midnight(first + Months::new(1))).unwrap();
    let used = shared(case, month, case.date("upgrade_on"), Ending::Change).used;
    case.expect_money("old_fee_cents", prorate(case.cents("old_amount_cents"), &used).unwrap());
}

/// A seat that is paid in advance from the day on which it was added; removing it gives nothing back.
pub fn seat(case: &Case) {
    let share = shared(case, case.period("period"), case.date("seat_added"), Ending::Change).remaining;
    let amount = prorate(case.usd("unit"), &share).unwrap();
    case.expect_money("amount_cents", amount);
    case.expect_money("amount_after_removal_cents", amount);
    let seats = Usage::Events(vec![Quantity::ONE, -Quantity::ONE]).total().unwrap();
    case.expect_quantity("units_after_removal", seats);
    assert_eq!(case.policy(), ProrationPolicy::Lago);
}

fn fraction(text: &str) -> Exact {
    let (part, whole) = text.split_once('/').unwrap();
    Exact::ratio(part.parse().unwrap(), whole.parse().unwrap()).unwrap()
}

#[test]
fn shares_are_read() {
    assert_eq!(fraction("1/2").to_string(), text(&Value::from("1/2")));
}
