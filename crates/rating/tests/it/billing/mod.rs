//! The worked cases of other billing systems: what their own tests and documents assert, each under its profile.
//!
//! `data/billing.json` holds the cases with their sources, `data/billing-notes.json` what it says only in titles and
//! which few cases are refused. Cases are told by the shape of their inputs, not by name, so that further ones of the
//! same kind need no code; a case that nothing here can read fails the test, so none is skipped in silence.

mod bills;
mod case;
mod credits;
mod periods;
mod prices;

use std::panic::{AssertUnwindSafe, catch_unwind};

use case::{Case, Notes};

#[test]
fn every_case_is_what_its_system_asserts() {
    let (cases, notes) = (case::cases(), case::notes());
    assert!(cases.len() >= 111, "only {} cases were read", cases.len());
    let answered = cases.iter().filter(|case| !notes.refuses(case)).map(|case| case.with(&notes));
    // All that fail are named, not only the first.
    let failed: Vec<_> = answered.filter(|case| catch_unwind(AssertUnwindSafe(|| check(case))).is_err()).map(|case| case.id).collect();
    assert!(failed.is_empty(), "{} cases fail: {failed:?}", failed.len());
}

#[test]
fn few_cases_are_refused_and_each_for_a_reason() {
    let (cases, notes): (Vec<Case>, Notes) = (case::cases(), case::notes());
    let refused = cases.iter().filter(|case| notes.refuses(case)).count();
    assert!(refused <= 5, "{refused} cases are refused");
    for refusal in &notes.refused {
        assert!(refusal.reason.len() > 20 && cases.iter().any(|case| case.id.starts_with(&refusal.cases)), "{}", refusal.cases);
    }
}

fn check(case: &Case) {
    let is_read = match case.topic.as_str() {
        "aggregation" | "pricing" | "pay_in_advance" | "late_events" | "split_periods" => prices::check(case),
        "proration" | "periods" | "timezones" | "trials" | "thresholds" => periods::check(case),
        "discounts" | "minimums" | "rounding" => bills::check(case),
        "credit_notes" | "quota" | "wallets" => credits::check(case),
        _ => false,
    };
    assert!(is_read, "{} ({}): no check reads a case of this shape", case.id, case.title);
    assert_eq!(case.forgotten(), Vec::<String>::new(), "{} ({}): what is expected and not asserted", case.id, case.title);
}
