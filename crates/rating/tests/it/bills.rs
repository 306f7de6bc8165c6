//! What happens to the lines of a bill: discounts, taxes, commitments, credits. One row per rule and refusal.

use chrono::{DateTime, TimeDelta, Utc};
use rating::{
    CreditError, CreditableLine, Currency, Discount, DiscountDuration, DiscountError, Exact, Grant, Money, MoneyError, Off, Quantity,
    Redemptions, Rollover, Scoped, TaxError, TaxRate, TaxRounding, TaxableLine, WalletError, burn_down, discounted, draw, effective_rate,
    maximum_discounts, rolled_over, tax_total, taxed, true_up,
};

fn usd(text: &str) -> Money {
    Money::from_decimal_str(text, Currency::USD).unwrap()
}

fn all_usd<const N: usize>(texts: [&str; N]) -> Vec<Money> {
    texts.into_iter().map(usd).collect()
}

fn hour(n: i64) -> DateTime<Utc> {
    DateTime::<Utc>::UNIX_EPOCH + TimeDelta::hours(n)
}

fn percent(rate: &str) -> Discount {
    Discount { off: Off::Percentage(rate.parse().unwrap()), duration: DiscountDuration::Forever, valid_from: None, valid_through: None }
}

fn fixed(amount: &str) -> Discount {
    Discount { off: Off::Fixed(usd(amount)), ..percent("0") }
}

fn after(lines: &[Money], discounts: &[Discount]) -> Vec<Money> {
    let scoped: Vec<_> = discounts.iter().map(|discount| Scoped { discount, lines: None }).collect();
    discounted(lines, &scoped).unwrap().left
}

#[test]
fn percentages_come_before_fixed_amounts_and_each_looks_at_what_is_left() {
    for discounts in [[percent("10"), fixed("5")], [fixed("5"), percent("10")]] {
        assert_eq!(after(&all_usd(["100"]), &discounts), all_usd(["85"]));
    }
    assert_eq!(after(&all_usd(["100"]), &[percent("10"), percent("10")]), all_usd(["81"]));
}

#[test]
fn a_discount_is_rounded_once_and_divided_by_the_largest_remainder() {
    assert_eq!(after(&all_usd(["0.10", "0.10", "0.10"]), &[percent("5")]), all_usd(["0.09", "0.09", "0.10"]));
    assert_eq!(after(&all_usd(["10", "20"]), &[fixed("10")]), all_usd(["6.67", "13.33"]));
}

#[test]
fn nothing_falls_below_zero_and_credits_are_not_discounted() {
    assert_eq!(after(&all_usd(["10", "-3"]), &[fixed("50"), fixed("50")]), all_usd(["0", "-3"]));
    assert_eq!(after(&all_usd(["10", "-4"]), &[percent("50")]), all_usd(["5", "-4"]));
    assert_eq!(after(&[], &[percent("50")]), []);
}

#[test]
fn a_discount_may_be_for_some_lines() {
    let (half, five) = (percent("50"), fixed("5"));
    let scoped = [Scoped { discount: &half, lines: Some(&[1, 7]) }, Scoped { discount: &five, lines: None }];
    let bill = discounted(&all_usd(["10", "20"]), &scoped).unwrap();
    assert_eq!(bill.off, [all_usd(["0", "10"]), all_usd(["2.50", "2.50"])]);
    assert_eq!(bill.left, all_usd(["7.50", "7.50"]));
}

#[test]
fn discounts_that_make_no_sense_are_refused() {
    let euro = Discount { off: Off::Fixed(Money::new(1, Currency::EUR)), ..percent("0") };
    let backwards = Discount { valid_from: Some(hour(2)), valid_through: Some(hour(1)), ..percent("10") };
    for (discount, refusal) in [
        (percent("-1"), DiscountError::PercentageOutOfRange),
        (percent("100.01"), DiscountError::PercentageOutOfRange),
        (fixed("-1"), DiscountError::Negative),
        (backwards, DiscountError::EndsBeforeItBegins),
        (euro, DiscountError::Money(MoneyError::CurrencyMismatch { left: Currency::EUR, right: Currency::USD })),
    ] {
        assert_eq!(discounted(&all_usd(["1"]), &[Scoped { discount: &discount, lines: None }]), Err(refusal));
    }
}

#[test]
fn a_discount_is_redeemed_as_often_as_it_lasts_and_once_a_bill() {
    let redeemed = |duration, most| {
        let discount = Discount { duration, valid_from: Some(hour(1)), valid_through: Some(hour(5)), ..percent("10") };
        let mut redemptions = Redemptions::default();
        let bills = [("too early", 0), ("first", 1), ("first", 1), ("second", 2), ("third", 5), ("late", 6), ("first", 9)];
        bills.map(|(bill, at)| discount.redeem(&mut redemptions, bill, hour(at), most))
    };
    assert_eq!(redeemed(DiscountDuration::Once, None), [false, true, true, false, false, false, true]);
    assert_eq!(redeemed(DiscountDuration::Repeating(2), None), [false, true, true, true, false, false, true]);
    assert_eq!(redeemed(DiscountDuration::Forever, None), [false, true, true, true, true, false, true]);
    assert_eq!(redeemed(DiscountDuration::Forever, Some(1)), [false, true, true, false, false, false, true]);
}

fn rate(percent: &str, inclusive: bool) -> TaxRate {
    TaxRate { rate: percent.parse().unwrap(), inclusive }
}

/// Net, taxes and gross of each line.
fn with_taxes(lines: &[(&str, &[TaxRate])], rounding: TaxRounding) -> Vec<String> {
    let lines: Vec<_> = lines.iter().map(|(amount, rates)| TaxableLine { amount: usd(amount), rates }).collect();
    let texts = |amounts: &[Money]| amounts.iter().map(|amount| amount.to_decimal_string()).collect::<Vec<_>>().join(" + ");
    let taxed = taxed(&lines, rounding, Currency::USD).unwrap();
    taxed
        .iter()
        .map(|line| format!("{} + {} = {}", line.net.to_decimal_string(), texts(&line.taxes), line.gross.to_decimal_string()))
        .collect()
}

#[test]
fn taxes_are_on_top_or_contained() {
    let (top, contained) = (rate("20", false), rate("20", true));
    assert_eq!(with_taxes(&[("11.61", &[rate("25", false)])], TaxRounding::Line), ["11.61 + 2.90 = 14.51"]);
    assert_eq!(with_taxes(&[("120", &[contained])], TaxRounding::Line), ["100.00 + 20.00 = 120.00"]);
    assert_eq!(with_taxes(&[("9.99", &[contained])], TaxRounding::Line), ["8.32 + 1.67 = 9.99"]);
    let two = [rate("20", true), rate("10", true)];
    assert_eq!(with_taxes(&[("130", &two)], TaxRounding::Line), ["100.00 + 20.00 + 10.00 = 130.00"]);
    // Several rates don't compound, and a tax on top is on the net of those contained.
    assert_eq!(with_taxes(&[("100", &[rate("5", false), rate("9.975", false)])], TaxRounding::Line), ["100.00 + 5.00 + 9.98 = 114.98"]);
    assert_eq!(with_taxes(&[("120", &[contained, top])], TaxRounding::Line), ["100.00 + 20.00 + 20.00 = 140.00"]);
    assert_eq!(with_taxes(&[("-120", &[contained])], TaxRounding::Line), ["-100.00 + -20.00 = -120.00"]);
}

#[test]
fn taxes_round_by_line_or_for_the_bill() {
    let tax = [rate("10", false)];
    let lines: [(&str, &[TaxRate]); 3] = [("0.14", &tax), ("0.14", &tax), ("0.14", &tax)];
    assert_eq!(with_taxes(&lines, TaxRounding::Line), ["0.14 + 0.01 = 0.15"; 3]);
    assert_eq!(with_taxes(&lines, TaxRounding::Bill), ["0.14 + 0.02 = 0.16", "0.14 + 0.01 = 0.15", "0.14 + 0.01 = 0.15"]);
    assert_eq!(effective_rate(usd("47.70"), usd("328")).to_decimal_string(5), "14.54268");
    assert!(effective_rate(usd("1"), usd("0")).is_zero());
}

#[test]
fn rates_that_make_no_sense_are_refused() {
    for percent in ["-1", "1000.1"] {
        let rates = [rate(percent, false)];
        assert_eq!(
            taxed(&[TaxableLine { amount: usd("1"), rates: &rates }], TaxRounding::Line, Currency::USD),
            Err(TaxError::RateOutOfRange)
        );
    }
    let euro = TaxableLine { amount: Money::new(1, Currency::EUR), rates: &[] };
    assert!(matches!(taxed(&[euro], TaxRounding::Bill, Currency::USD), Err(TaxError::Money(_))));
    assert_eq!(tax_total(&[], Currency::USD), Ok(usd("0")));
}

#[test]
fn a_minimum_is_trued_up_and_a_maximum_discounted() {
    let share = Exact::ratio(334, 365).unwrap();
    assert_eq!(true_up(usd("10000"), &share, usd("915.07")), Ok(usd("8235.61")));
    assert_eq!(true_up(usd("10"), &Exact::one(), usd("11")), Ok(usd("0")));
    assert_eq!(maximum_discounts(&all_usd(["15", "7"]), usd("160"), usd("170")), Ok(all_usd(["5", "7"])));
    assert_eq!(maximum_discounts(&all_usd(["15", "7", "-2"]), usd("160"), usd("170")), Ok(all_usd(["3", "7", "0"])));
    assert_eq!(maximum_discounts(&all_usd(["15"]), usd("180"), usd("170")), Ok(all_usd(["15"])));
    assert!(maximum_discounts(&all_usd(["15"]), Money::new(0, Currency::EUR), usd("170")).is_err());
}

#[test]
fn credit_notes_give_back_the_parts_of_discount_and_tax() {
    let mut line = CreditableLine::new(usd("399"), usd("250"), usd("29.80")).unwrap();
    let note = line.credit_amount(usd("262.60")).unwrap();
    assert_eq!([note.item, note.discount, note.subtotal, note.tax, note.total], *all_usd(["262.60", "164.54", "98.06", "19.61", "117.67"]));
    let rest = line.credit_amount(line.left().unwrap()).unwrap();
    assert_eq!(note.total.checked_add(rest.total), Ok(usd("178.80")));
    assert_eq!(line.credit_amount(usd("0.01")), Err(CreditError::MoreThanBilled { left: usd("0") }));
}

#[test]
fn credits_that_make_no_sense_are_refused_and_change_nothing() {
    let mut line = CreditableLine::new(usd("10"), usd("0"), usd("2")).unwrap();
    let untouched = line.clone();
    assert_eq!(line.credit_amount(usd("-1")), Err(CreditError::Negative));
    assert_eq!(line.credit_amount(usd("10.01")), Err(CreditError::MoreThanBilled { left: usd("10") }));
    assert!(matches!(line.credit_amount(Money::new(1, Currency::EUR)), Err(CreditError::Money(_))));
    assert_eq!(line, untouched);
    for (amount, discount, tax) in [("10", "11", "0"), ("10", "-1", "0"), ("10", "0", "-1"), ("-1", "0", "0")] {
        assert_eq!(CreditableLine::new(usd(amount), usd(discount), usd(tax)), Err(CreditError::NotALine), "{amount} {discount} {tax}");
    }
}

#[test]
fn grants_are_drawn_on_in_their_order() {
    let grant = |left, priority, expires: Option<i64>| Grant { priority, expires_at: expires.map(hour), ..Grant::new(usd(left)) };
    let early = |left, effective| Grant { effective_at: Some(hour(effective)), ..grant(left, None, None) };
    let taken = |grants: &[Grant<Money>], amount| draw(grants, usd(amount), hour(5)).unwrap();
    let all = [
        grant("1", None, None),
        grant("1", None, Some(9)),
        grant("1", Some(2), None),
        grant("1", Some(1), None),
        grant("1", Some(1), Some(8)),
    ];
    assert_eq!(taken(&all, "3.50").taken, all_usd(["0", "0.50", "1", "1", "1"]));
    assert_eq!(taken(&[early("1", 4), early("1", 3)], "1").taken, all_usd(["0", "1"]));
    // Not yet usable, expired at that very instant, taken back.
    let voided = Grant { voided_at: Some(hour(5)), ..grant("1", None, None) };
    let none = taken(&[early("1", 6), grant("1", None, Some(5)), voided], "1");
    assert_eq!((none.taken, none.missing), (all_usd(["0", "0", "0"]), usd("1")));
}

#[test]
fn an_overage_is_paid_by_the_next_grant() {
    let units = Quantity::from;
    let later = Grant { effective_at: Some(hour(2)), ..Grant::new(units(100)) };
    let balances = burn_down(&[Grant::new(units(10)), later], &[(hour(3), units(0)), (hour(1), units(15))], units(0)).unwrap();
    assert_eq!((balances.left, balances.overage), (vec![units(0), units(95)], units(0)));
    let rollover = Rollover { min: units(20), max: units(50) };
    for (left, overage, kept) in [(0, None, 20), (30, None, 30), (80, None, 50), (0, Some(5), 15), (0, Some(50), 0)] {
        assert_eq!(rolled_over(units(left), rollover, overage.map(units)), Ok(units(kept)));
    }
}

#[test]
fn amounts_that_can_not_be_drawn_are_refused() {
    let euro = Grant::new(Money::new(1, Currency::EUR));
    assert_eq!(draw(&[euro], usd("1"), hour(0)), Err(WalletError::CurrencyMismatch));
    assert_eq!(draw(&[Grant::new(usd("1"))], usd("-1"), hour(0)), Err(WalletError::Negative));
    assert_eq!(draw(&[Grant::new(usd("-1"))], usd("1"), hour(0)), Err(WalletError::Negative));
    let rollover = Rollover { min: euro.left, max: usd("1") };
    assert_eq!(rolled_over(usd("1"), rollover, None), Err(WalletError::CurrencyMismatch));
}
