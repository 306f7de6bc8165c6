//! Credit notes, credit caps, wallets and quota grants.

use chrono::{DateTime, TimeDelta, Utc};
use rating::{
    CreditNote, CreditableLine, Currency, Exact, Grant, Money, Quantity, Rollover, Tz, burn_down, change_lines, creditable, draw,
    effective_rate, rolled_over,
};
use serde_json::Value;

use super::bills::{tax_of, taxed_at};
use super::case::{Case, cents, date, midnight, quantity, text, usd};

pub fn check(case: &Case) -> bool {
    if case.has(&["potential", "paid", "previous_credits"]) {
        let credit = creditable(case.usd("potential"), case.usd("paid"), case.usd("previous_credits")).unwrap();
        case.expect_money("credit", credit);
    } else if case.has(&["old", "adjustment", "new"]) {
        repair(case);
    } else if case.has(&["fees", "credit_item_cents"]) {
        note_on_discounted_fee(case);
    } else if case.has(&["invoice_total_cents", "items_cents"]) {
        notes_that_sum(case);
    } else if case.topic == "credit_notes" {
        note_on_unused_days(case);
    } else if case.has(&["wallet", "amounts"]) {
        limited_wallet(case);
    } else if case.has(&["wallet_cents", "usage_cents"]) {
        ongoing(case);
    } else if case.has(&["pairs"]) {
        reservations(case);
    } else if case.has(&["grants"]) || case.has(&["balance", "concurrent"]) {
        grants(case);
    } else {
        return false;
    }
    true
}

fn nothing() -> Money {
    Money::zero(Currency::USD)
}

/// What was paid is the item less its adjustment, and no more goes back.
fn repair(case: &Case) {
    let paid = case.usd("old").checked_add(case.usd("adjustment")).unwrap();
    let change_at = midnight(case.date("change_on"));
    let lines = change_lines(case.usd("old"), case.usd("new"), case.period("period"), change_at, Tz::UTC, case.policy(), paid).unwrap();
    case.expect_money("new_item", lines.charge);
    case.expect_money("repair", lines.credit);
    case.expect_money("account_credit", lines.net().unwrap().checked_neg().unwrap());
}

fn note_on_discounted_fee(case: &Case) {
    let fees = case.list("fees");
    let rates: Vec<_> = fees.iter().map(|fee| text(&fee["tax_rate_percent"])).collect();
    let discount = |fee: &Value| fee.get("coupon_cents").map_or(nothing(), cents);
    let net = |fee: &Value| cents(&fee["amount_cents"]).checked_sub(discount(fee)).unwrap();
    let lines: Vec<_> = fees.iter().zip(&rates).map(|(fee, rate)| (net(fee), rate.as_str())).collect();
    let invoice = case.expected("invoice");
    let sum = |amounts: Vec<Money>| Money::sum(amounts, Currency::USD).unwrap();
    assert_eq!(sum(fees.iter().map(|fee| cents(&fee["amount_cents"])).collect()), cents(&invoice["fees_cents"]));
    assert_eq!(tax_of(&lines), cents(&invoice["taxes_cents"]));
    assert_eq!(taxed_at(&lines), cents(&invoice["total_cents"]));
    let rate = effective_rate(tax_of(&lines), sum(lines.iter().map(|(amount, _)| *amount).collect()));
    assert_eq!(rate.to_decimal_string(5), text(&invoice["taxes_rate_percent"]));

    let (fee, line) = (fees.last().unwrap(), *lines.last().unwrap());
    let mut creditable = CreditableLine::new(cents(&fee["amount_cents"]), discount(fee), tax_of(&[line])).unwrap();
    let note = creditable.credit_amount(case.cents("credit_item_cents")).unwrap();
    let expected = case.expected("credit_note");
    assert_eq!(note.discount, cents(&expected["coupons_adjustment_cents"]));
    assert_note(case, note, expected);
}

fn notes_that_sum(case: &Case) {
    let items: Vec<_> = case.list("items_cents").iter().map(cents).collect();
    let amount = Money::sum(items.iter().copied(), Currency::USD).unwrap();
    let tax = tax_of(&[(amount, &case.percent("tax_rate_percent").unwrap())]);
    assert_eq!(amount.checked_add(tax).unwrap(), case.cents("invoice_total_cents"));
    let mut line = CreditableLine::new(amount, nothing(), tax).unwrap();
    for (item, key) in items.iter().zip(["first", "second"]) {
        assert_note(case, line.credit_amount(*item).unwrap(), case.expected(key));
    }
    assert!(line.left().unwrap().is_zero());
}

/// The unused days of a plan that was paid in advance go back with their tax.
fn note_on_unused_days(case: &Case) {
    let amount = case.cents(if case.has(&["amount_cents"]) { "amount_cents" } else { "plan_amount_cents" });
    let days = case.int(if case.has(&["period_days"]) { "period_days" } else { "month_days" });
    let unused = case.int(if case.has(&["unused_days"]) { "unused_days" } else { "days" });
    let share = |part: i64| amount.to_exact().times(&Exact::ratio(part.into(), days.into()).unwrap());
    let billed = case.inputs.get("billed_days").map_or(days, |days| days.as_i64().unwrap());
    let billed = Money::round(&share(billed), Currency::USD).unwrap();
    let rate = case.percent("tax_rate_percent").unwrap();
    if case.expects("invoice_total_cents") {
        case.expect_money("invoice_total_cents", taxed_at(&[(billed, &rate)]));
    }
    let mut line = CreditableLine::new(billed, nothing(), tax_of(&[(billed, &rate)])).unwrap();
    let note = line.credit(&share(unused)).unwrap();
    if case.expects("credit_note_total_cents") {
        case.expect_money("credit_note_total_cents", note.total);
    } else {
        let parts = ["subtotal_cents", "tax_cents", "total_cents"];
        if case.expects("credit_note") {
            assert_note(case, note, case.expected("credit_note"));
        } else {
            assert_note(case, note, &Value::Object(parts.map(|key| (key.to_owned(), case.expected(key).clone())).into_iter().collect()));
        }
    }
}

fn assert_note(case: &Case, note: CreditNote, expected: &Value) {
    let figures = [note.subtotal, note.tax, note.total];
    assert_eq!(figures, ["subtotal_cents", "tax_cents", "total_cents"].map(|key| cents(&expected[key])), "{}", case.id);
}

/// A wallet pays the covered lines with their tax, as far as it goes.
fn limited_wallet(case: &Case) {
    let rate = case.percent("tax_percent").unwrap();
    let mut grant = Grant::new(case.usd("wallet"));
    let mut used = Vec::new();
    let mut balance = Vec::new();
    for amount in case.list("amounts") {
        let taken = draw(&[grant], taxed_at(&[(usd(amount), &rate)]), DateTime::<Utc>::UNIX_EPOCH).unwrap().taken[0];
        grant.left = grant.left.checked_sub(taken).unwrap();
        used.push(taken);
        balance.push(grant.left);
    }
    case.expect_all("credit_used", used);
    case.expect_all("balance", balance);
    // A line that is not covered is not drawn for.
    case.expect_money("non_covered_metric_credit", nothing());
}

/// Usage that is not billed yet leaves the balance alone and lowers what is left beside it.
fn ongoing(case: &Case) {
    let grant = Grant::new(case.cents("wallet_cents"));
    let usage = draw(&[grant], case.cents("usage_cents"), DateTime::<Utc>::UNIX_EPOCH).unwrap().taken[0];
    case.expect_money("balance_cents", grant.left);
    case.expect_money("ongoing_balance_cents", grant.left.checked_sub(usage).unwrap());
    case.expect_money("ongoing_usage_cents", usage);
}

fn grants(case: &Case) {
    let at = if case.has(&["at"]) { midnight(case.date("at")) } else { DateTime::<Utc>::UNIX_EPOCH };
    if case.has(&["balance", "concurrent"]) {
        let debits: Vec<_> = case.list("concurrent").iter().map(|debit| (at, quantity(debit))).collect();
        let balances = burn_down(&[Grant::new(case.quantity("balance"))], &debits, Quantity::ZERO).unwrap();
        case.expect_quantity("final_balance", balances.left[0].checked_sub(balances.overage).unwrap());
        return;
    }
    if let Some(count) = case.inputs.get("grants").and_then(Value::as_u64) {
        return many_grants(case, usize::try_from(count).unwrap());
    }
    let mut grants: Vec<_> = case.list("grants").iter().map(grant).collect();
    if case.has(&["debit"]) {
        return prioritized(case, &grants, at);
    }
    let later = at + TimeDelta::hours(2);
    let debits = if case.has(&["usage_before"]) {
        grants[0].voided_at = Some(at + TimeDelta::hours(1));
        vec![(at, case.quantity("usage_before")), (later, case.quantity("usage_after"))]
    } else {
        vec![(at, case.quantity("usage"))]
    };
    let balances = burn_down(&grants, &debits, Quantity::ZERO).unwrap();
    if case.expects("balances") {
        case.expect("balances", balances.left.iter().map(|left| left.to_integer().unwrap()).collect::<Vec<_>>());
    } else if case.expects("overage") {
        // What is left of a grant that was taken back is nobody's.
        let usable = grants.iter().zip(&balances.left).filter(|(grant, _)| grant.is_usable_at(later)).map(|(_, left)| *left);
        case.expect_quantity("balance", Quantity::sum(usable).unwrap());
        case.expect_quantity("overage", balances.overage);
    } else {
        case.expect_quantity("overage_before", balances.overage);
        let rollover = Rollover { min: case.quantity("min_rollover"), max: case.quantity("max_rollover") };
        let preserved = (case.input("preserve_overage") == true).then_some(balances.overage);
        case.expect_quantity("balance_after_reset", rolled_over(balances.left[0], rollover, preserved).unwrap());
    }
}

fn grant(written: &Value) -> Grant<Quantity> {
    let priority = written.get("priority").map(|priority| u32::try_from(priority.as_u64().unwrap()).unwrap());
    let expires_at = written.get("expires").map(|expires| midnight(date(expires)));
    Grant { priority, expires_at, ..Grant::new(quantity(&written["amount"])) }
}

fn many_grants(case: &Case, count: usize) {
    let expires_at = Some(midnight("2026-07-02".parse().unwrap()));
    let mut grants = vec![Grant { expires_at, ..Grant::new(case_amount(case)) }; count];
    let first = count / 2;
    grants[first].expires_at = Some(midnight("2026-07-01".parse().unwrap()));
    let debits = [(midnight("2026-06-01".parse().unwrap()), case.quantity("usage"))];
    let balances = burn_down(&grants, &debits, Quantity::ZERO).unwrap();
    case.expect_quantity("first_to_expire", balances.left[first]);
    let others = quantity(case.expected("others"));
    assert!(balances.left.iter().enumerate().all(|(position, left)| position == first || *left == others), "{}", case.id);
}

/// What the others still have is what each was granted.
fn case_amount(case: &Case) -> Quantity {
    quantity(case.expected("others"))
}

/// The balance after the debit, and the order in which further ones would empty the grants.
fn prioritized(case: &Case, grants: &[Grant<Quantity>], at: DateTime<Utc>) {
    let taken = draw(grants, case.quantity("debit"), at).unwrap().taken;
    let left = grants.iter().zip(&taken).map(|(grant, taken)| grant.left.checked_sub(*taken).unwrap());
    case.expect_quantity("balance", Quantity::sum(left).unwrap());
    let mut order: Vec<String> = Vec::new();
    let all = Quantity::sum(grants.iter().map(|grant| grant.left)).unwrap().to_integer().unwrap();
    for debit in 1..=all {
        let taken = draw(grants, Quantity::try_from(debit).unwrap(), at).unwrap().taken;
        for (grant, _) in grants.iter().zip(&taken).filter(|(_, taken)| !taken.is_zero()) {
            let name = grant.priority.map_or("no priority".to_owned(), |priority| format!("priority {priority}"));
            if !order.contains(&name) {
                order.push(name);
            }
        }
    }
    case.expect("burn_order", order);
}

/// Settlements of many reservations, in any order: first units, then credits at a price, both to the last decimal.
fn reservations(case: &Case) {
    let settled = |n: i64| Quantity::from_nanos(i128::from(100 + (n * 7919) % 341) * 10_000_000).unwrap();
    let at = DateTime::<Utc>::UNIX_EPOCH;
    let debits: Vec<_> = (0..case.int("pairs")).map(|n| (at + TimeDelta::seconds((n * 31) % 500), settled(n))).collect();
    let sum = Quantity::sum(debits.iter().map(|(_, amount)| *amount)).unwrap();
    let units = burn_down(&[Grant::new(case.quantity("action1"))], &debits, Quantity::ZERO).unwrap();
    let over = sum.above(case.quantity("action1")).unwrap();
    assert_eq!(units.left[0], case.quantity("action1").above(sum).unwrap());
    assert_eq!(units.overage, over);
    let cost = Quantity::from_nanos(units.overage.nanos() * case.quantity("credit_cost").nanos() / 1_000_000_000).unwrap();
    let credits = burn_down(&[Grant::new(case.quantity("credits"))], &[(at, cost)], Quantity::ZERO).unwrap();
    assert_eq!(case.expected("action1_remaining"), "max(0,1000-sum(override))");
    assert_eq!(case.expected("credits_remaining"), "2000-0.2*max(0,sum(override)-1000)");
    let expected = case.quantity("credits").to_exact().minus(&over.to_exact().times(&case.quantity("credit_cost").to_exact()));
    assert_eq!(credits.left[0].to_exact(), expected);
}
