//! From lines to a bill once more, from the definitions: discounts, taxes, credits and totals. Shares no code with what wrote the invoice,
//! nor with `rating`'s discounts and taxes.

use rating::{Decimal, Exact, Money, Off};

use super::checks::{Checks, is};
use super::document::{Document, Kind, Line};

/// Percent of so many minor units, halves away from zero.
fn percent(minor: i128, rate: Decimal) -> Option<i128> {
    Exact::from_integer(minor).times(&rate.to_exact()).divided_by(&Exact::from_integer(100))?.round_scaled(0)
}

/// Discounts, taxes, credits and totals.
pub(crate) fn check(document: &Document, checks: &mut Checks) {
    let invoice = &document.invoice;
    let amounts: Vec<i128> = invoice.references_order.iter().map(|line| minor(line.amount.0)).collect();
    is(checks, "subtotal", minor(invoice.subtotal.0), amounts.iter().sum());
    let Some(left) = discounted(document, amounts, checks) else { return checks.wrong("discounts are out of range") };
    let Some(gross) = taxed(document, &left, checks) else { return checks.wrong("taxes are out of range") };
    is(checks, "total", minor(invoice.total.0), gross.max(0));
    is(checks, "what is carried over as credit", i128::from(document.carried_minor), gross.saturating_neg().max(0));
    credited(document, checks);
}

fn minor(money: Money) -> i128 {
    i128::from(money.minor())
}

/// Takes the discounts off, percentages before fixed amounts, and gives what is left of each line.
fn discounted(document: &Document, amounts: Vec<i128>, checks: &mut Checks) -> Option<Vec<i128>> {
    let lines = &document.invoice.references_order;
    let mut left = amounts;
    let mut off = vec![vec![0_i128; lines.len()]; document.discounts.len()];
    for fixed in [false, true] {
        for (taken, off) in document.discounts.iter().zip(&mut off).filter(|(taken, _)| matches!(taken.off, Off::Fixed(_)) == fixed) {
            let weights: Vec<i128> = lines.iter().zip(&left).map(|(line, left)| weight(line, *left, taken.items.as_deref())).collect();
            let base: i128 = weights.iter().sum();
            let amount = match taken.off {
                Off::Percentage(rate) => percent(base, rate)?,
                Off::Fixed(amount) => minor(amount),
            };
            *off = divided(amount.min(base), &weights);
            left.iter_mut().zip(off.iter()).for_each(|(left, off)| *left = left.saturating_sub(*off));
        }
    }
    if document.discounts.len() != document.invoice.discount.len() {
        checks.wrong("the invoice shows another number of discounts than were taken off");
    }
    for ((taken, shown), off) in document.discounts.iter().zip(&document.invoice.discount).zip(&off) {
        let sum: i128 = off.iter().sum();
        is(checks, &format!("discount {}", taken.name), i128::from(taken.amount_minor), sum);
        is(checks, &format!("discount {} as shown", taken.name), minor(shown.amount.0), sum);
        let percentage = if let Off::Percentage(rate) = taken.off { Some(rate) } else { None };
        let is_in_currency = !matches!(taken.off, Off::Fixed(amount) if amount.currency() != checks.currency);
        if percentage != shown.percentage || taken.name != shown.name || !is_in_currency || sum <= 0 {
            checks.wrong(&format!("discount {} is not the one that is shown", taken.name));
        }
    }
    for (position, line) in lines.iter().enumerate() {
        let sum: i128 = off.iter().filter_map(|off| off.get(position)).sum();
        is(checks, &format!("discount of line {}", position.saturating_add(1)), minor(line.discount.0), sum);
    }
    Some(left)
}

/// What a line weighs when a discount is divided: nothing where it gives back, or is not meant.
fn weight(line: &Line, left: i128, items: Option<&[String]>) -> i128 {
    let is_meant = line.kind != Kind::UnusedTime && items.is_none_or(|items| items.contains(&line.order_item));
    if is_meant { left.max(0) } else { 0 }
}

/// By the largest remainder: cut off, and one more for those that lost most, the earlier of equals.
fn divided(amount: i128, weights: &[i128]) -> Vec<i128> {
    let whole: i128 = weights.iter().sum();
    if whole <= 0 {
        return vec![0; weights.len()];
    }
    // Both are minor units of 64 bits and a sum of few of them, so a product fits.
    let exact = weights.iter().map(|weight| amount.saturating_mul(*weight));
    let mut parts: Vec<(i128, i128)> = exact.map(|exact| (exact.div_euclid(whole), exact.rem_euclid(whole))).collect();
    let given: i128 = parts.iter().map(|(part, _)| *part).sum();
    let missing = usize::try_from(amount.saturating_sub(given)).unwrap_or(0);
    let mut order: Vec<usize> = (0..parts.len()).collect();
    order.sort_by_key(|position| std::cmp::Reverse(parts.get(*position).map(|(_, rest)| *rest)));
    for position in order.into_iter().take(missing) {
        if let Some((part, _)) = parts.get_mut(position) {
            *part = part.saturating_add(1);
        }
    }
    parts.into_iter().map(|(part, _)| part).collect()
}

/// Each tax on what is left of each line, rounded by itself; gives the bill with all that comes on top.
fn taxed(document: &Document, left: &[i128], checks: &mut Checks) -> Option<i128> {
    let taxes = &document.invoice.taxes;
    let share = |rate: Decimal| rate.to_exact().divided_by(&Exact::from_integer(100));
    let mut divisor = Exact::one();
    for tax in taxes {
        if tax.rate.is_negative() {
            checks.wrong(&format!("tax {} is below zero", tax.name));
        }
        if tax.inclusive {
            divisor = divisor.plus(&share(tax.rate)?);
        }
    }
    let mut gross: i128 = left.iter().sum();
    let mut sums = vec![0_i128; taxes.len()];
    for (position, (line, left)) in document.invoice.references_order.iter().zip(left).enumerate() {
        let what = format!("line {}", position.saturating_add(1));
        if line.taxes.len() != taxes.len() {
            checks.wrong(&format!("{what} has {} taxes, and the invoice has {}", line.taxes.len(), taxes.len()));
        }
        let net = Exact::from_integer(*left).divided_by(&divisor)?;
        for ((tax, told), sum) in taxes.iter().zip(&line.taxes).zip(&mut sums) {
            let due = net.times(&share(tax.rate)?).round_scaled(0)?;
            is(checks, &format!("{} on {what}", tax.name), minor(told.0), due);
            *sum = sum.saturating_add(due);
            if !tax.inclusive {
                gross = gross.saturating_add(due);
            }
        }
    }
    for (tax, sum) in taxes.iter().zip(sums) {
        is(checks, &tax.name, minor(tax.amount.0), sum);
    }
    Some(gross)
}

fn credited(document: &Document, checks: &mut Checks) {
    let invoice = &document.invoice;
    let (total, credit) = (minor(invoice.total.0), minor(invoice.credit_applied.0));
    is(checks, "what credits pay", credit, document.credits.iter().map(|drawn| i128::from(drawn.amount_minor)).sum());
    is(checks, "payment due", minor(invoice.total_payment_due.0), total.saturating_sub(credit));
    for (position, drawn) in document.credits.iter().enumerate() {
        let is_again = document.credits.iter().take(position).any(|earlier| earlier.id == drawn.id);
        if drawn.amount_minor <= 0 || is_again {
            checks.wrong(&format!("credit {} is drawn twice, or pays nothing", drawn.id));
        }
    }
    if credit > total {
        checks.wrong("credits pay more than the total");
    }
    let remaining = minor(invoice.amount_remaining.0);
    if remaining < 0 || remaining > minor(invoice.total_payment_due.0) {
        checks.wrong("more remains to be paid than was due");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_sum_to_the_whole() {
        for (amount, weights, parts) in [
            (100, vec![1, 1, 1], vec![34, 33, 33]),
            (10, vec![1, 2, 4], vec![1, 3, 6]),
            (5, vec![0, 1, 1], vec![0, 3, 2]),
            (1, vec![3, 7], vec![0, 1]),
            (7, vec![], vec![]),
            (7, vec![0, 0], vec![0, 0]),
        ] {
            assert_eq!(divided(amount, &weights), parts, "{amount} by {weights:?}");
        }
    }

    #[test]
    fn halves_go_away_from_zero() {
        let rate: Decimal = "12.5".parse().unwrap();
        assert_eq!([percent(100, rate), percent(-100, rate), percent(99, rate)], [Some(13), Some(-13), Some(12)]);
    }
}
