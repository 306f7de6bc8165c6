//! Discounts, minimums, maximums, taxes and rounding.

use chrono::{DateTime, Utc};
use rating::{
    Currency, Decimal, Discount, DiscountDuration, Exact, Money, Off, PriceModel, Quantity, Redemptions, Scoped, TaxRate, TaxRounding,
    TaxableLine, Usage, discounted, maximum_discounts, price, price_part, prorate, tax_total, taxed, total, true_up,
};
use serde_json::{Value, json};

use super::case::{Case, cents, exact, text, usd};

pub fn check(case: &Case) -> bool {
    if case.has(&["lines", "percent"]) {
        line_discounts(case);
    } else if case.has(&["max_redemptions"]) {
        redemptions(case);
    } else if case.has(&["free_units", "pre_units"]) {
        free_units(case);
    } else if case.has(&["maximum", "previously_billed"]) || case.has(&["maximum", "pre_units"]) {
        maximum(case);
    } else if case.has(&["commitment_cents"]) {
        let share = case.share("days", "period_days");
        let billed = prorate(case.cents("plan_fee_cents"), &share).unwrap();
        case.expect_money("commitment_fee_cents", true_up(case.cents("commitment_cents"), &share, billed).unwrap());
    } else if case.has(&["minimum_cents", "usage_cents"]) {
        charge_minimum(case);
    } else if case.has(&["fees_precise_cents"]) {
        rounded_fees(case);
    } else if case.has(&["values"]) {
        let rounded = case.list("values").iter().map(|value| Money::round(&exact(value), Currency::USD).unwrap());
        case.expect_all("rounded", rounded);
    } else {
        return false;
    }
    true
}

/// Amounts with one tax each on top, rounded for the whole bill.
pub fn taxed_at(lines: &[(Money, &str)]) -> Money {
    let amounts = Money::sum(lines.iter().map(|(amount, _)| *amount), Currency::USD).unwrap();
    amounts.checked_add(tax_of(lines)).unwrap()
}

pub fn tax_of(lines: &[(Money, &str)]) -> Money {
    let rates: Vec<_> = lines.iter().map(|(_, rate)| [TaxRate { rate: rate.parse().unwrap(), inclusive: false }]).collect();
    let taxable: Vec<_> = lines.iter().zip(&rates).map(|((amount, _), rates)| TaxableLine { amount: *amount, rates }).collect();
    tax_total(&taxed(&taxable, TaxRounding::Bill, Currency::USD).unwrap(), Currency::USD).unwrap()
}

fn percent_off(rate: &Value) -> Discount {
    Discount {
        off: Off::Percentage(text(rate).parse().unwrap()),
        duration: DiscountDuration::Forever,
        valid_from: None,
        valid_through: None,
    }
}

fn off(lines: &[Money], discount: &Discount) -> Vec<Money> {
    discounted(lines, &[Scoped { discount, lines: None }]).unwrap().off.remove(0)
}

fn line_discounts(case: &Case) {
    let lines: Vec<_> = case.list("lines").iter().map(usd).collect();
    case.expect_all("discounts", off(&lines, &percent_off(case.input("percent"))));
}

fn redemptions(case: &Case) {
    let discount = percent_off(&json!("10"));
    let most = u32::try_from(case.int("max_redemptions")).ok();
    let mut redeemed = Redemptions::default();
    let bills: Vec<_> = (0..case.int("applications")).map(|n| format!("bill {n}")).collect();
    let mut redeem = |bill: &String| discount.redeem(&mut redeemed, bill, DateTime::<Utc>::UNIX_EPOCH, most);
    // Every draft is computed twice.
    let first: Vec<_> = bills.iter().map(|bill| [redeem(bill), redeem(bill)]).collect();
    assert!(first.iter().all(|[once, again]| once == again), "{}", case.id);
    case.expect("discounted", first.into_iter().map(|[once, _]| once).collect::<Vec<_>>());
    case.expect("total_redemptions", redeemed.count());
}

/// Units that are free in the period, some of which an earlier part used up.
fn free_units(case: &Case) {
    let model: PriceModel =
        serde_json::from_value(json!({"model": "per_unit", "unitAmount": "1", "freeUnits": text(case.input("free_units"))})).unwrap();
    let before = case.quantity("pre_units");
    let charged =
        |usage: Quantity| price(&model, &Usage::Total(usage), Currency::USD).unwrap().first().map_or(Quantity::ZERO, |line| line.quantity);
    let all = before.checked_add(case.quantity("units")).unwrap();
    let part = price_part(&model, Some(&Usage::Total(before)), &Usage::Total(all), true, Currency::USD).unwrap();
    case.expect_quantity("billable", part[0].quantity);
    case.expect_quantity("discounted_now", case.quantity("units").checked_sub(part[0].quantity).unwrap());
    case.expect_quantity("discounted_before", before.checked_sub(charged(before)).unwrap());
}

/// Percentage first, then the maximum spend.
fn maximum(case: &Case) {
    let lines: Vec<_> = match (case.inputs.get("lines"), case.inputs.get("line")) {
        (Some(lines), _) => lines.as_array().unwrap().iter().map(usd).collect(),
        (_, Some(line)) => vec![usd(line)],
        _ => {
            let unit: Decimal = text(case.input("unit")).parse().unwrap();
            vec![Money::of_units(case.quantity("units"), unit, Currency::USD).unwrap()]
        }
    };
    let billed = if case.has(&["previously_billed"]) {
        case.usd("previously_billed")
    } else {
        Money::of_units(case.quantity("pre_units"), text(case.input("unit")).parse().unwrap(), Currency::USD).unwrap()
    };
    let percentage = case.inputs.get("percent_discount").map(|rate| off(&lines, &percent_off(rate)));
    let less =
        |lines: &[Money], off: &[Money]| lines.iter().zip(off).map(|(line, off)| line.checked_sub(*off).unwrap()).collect::<Vec<_>>();
    let after = percentage.as_ref().map_or(lines.clone(), |off| less(&lines, off));
    let over = maximum_discounts(&after, billed, case.usd("maximum")).unwrap();
    let totals = less(&after, &over);
    let sum = |amounts: &[Money]| Money::sum(amounts.iter().copied(), Currency::USD).unwrap();
    for (key, amount) in [("amount", sum(&lines)), ("discount", sum(&over)), ("total", sum(&totals))] {
        if case.expects(key) {
            case.expect_money(key, amount);
        }
    }
    if case.expects("discounts") {
        case.expect_all("discounts", percentage.into_iter().flatten().chain(over));
    }
    if case.expects("line_totals") {
        case.expect_all("line_totals", totals);
    }
}

/// A minimum over the filtered charges of one metric; the unused days of the plan, paid in advance, go back.
fn charge_minimum(case: &Case) {
    let share = case.share("active_days", "month_days");
    let rate = case.percent("tax_rate_percent").unwrap();
    let used = Money::sum(case.list("usage_cents").iter().map(cents), Currency::USD).unwrap();
    let up = true_up(case.cents("minimum_cents"), &share, used).unwrap();
    let fees = used.checked_add(up).unwrap();
    let tax = tax_of(&[(fees, &rate)]);
    case.expect_money("true_up_cents", up);
    case.expect_money("true_up_tax_cents", tax_of(&[(up, &rate)]));
    case.expect_money("fees_cents", fees);
    case.expect_money("taxes_cents", tax);
    let plan = case.cents("plan_amount_cents");
    let unused = plan.to_exact().times(&Exact::one().minus(&share));
    let mut line = rating::CreditableLine::new(plan, Money::zero(plan.currency()), tax_of(&[(plan, &rate)])).unwrap();
    let note = line.credit(&unused).unwrap().total;
    case.expect_money("credit_note_cents", note);
    case.expect_money("total_cents", fees.checked_add(tax).unwrap().checked_sub(note).unwrap());
}

/// Fees round one by one, the tax on the rounded ones, and credit never exceeds the bill.
fn rounded_fees(case: &Case) {
    let round = |fee: &Value| Money::round(&exact(fee).divided_by(&Exact::from_integer(100)).unwrap(), Currency::USD).unwrap();
    let fees: Vec<_> = case.list("fees_precise_cents").iter().map(round).collect();
    let rate = case.percent("tax_percent").unwrap();
    let lines: Vec<_> = fees.iter().map(|fee| (*fee, rate.as_str())).collect();
    let due = taxed_at(&lines);
    case.expect_money("fees_cents", Money::sum(fees.iter().copied(), Currency::USD).unwrap());
    case.expect_money("taxes_cents", tax_of(&lines));
    let drawn = rating::draw(&[rating::Grant::new(case.cents("wallet_cents"))], due, DateTime::<Utc>::UNIX_EPOCH).unwrap();
    case.expect_money("prepaid_used_cents", drawn.taken[0]);
    case.expect_money("total_cents", drawn.missing);
    case.expect_money("wallet_left_cents", case.cents("wallet_cents").checked_sub(drawn.taken[0]).unwrap());
}

#[test]
fn a_bill_without_lines_costs_nothing() {
    assert!(total(&[], Currency::USD).unwrap().is_zero() && taxed_at(&[]).is_zero());
}
