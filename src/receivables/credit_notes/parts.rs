//! The lines of a credit note: the credited part of each line of the invoice, with its discount and taxes. Pure.

use rating::{CreditNote as Share, CreditableLine, Money};
use serde::{Deserialize, Serialize};

use crate::billing::invoices::invoice::{Invoice, is_deferred};
use crate::billing::invoices::line::Line;
use crate::kernel::error::{OrInternal, Result};
use crate::kernel::problem::Problem;
use crate::kernel::time::Timestamp;

/// The part of an invoice to credit. Amounts are before discounts and taxes, like those of lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// The rest of the invoice.
    Rest,
    /// An amount, spread over the lines in proportion to the rest of each.
    Amount(Money),
    /// An amount of each of these lines, by position.
    Lines(Vec<(usize, Money)>),
}

/// A line of a credit note, as it is stored. All amounts are below zero where the line of the invoice is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NoteLine {
    /// The position of the line on the invoice, from 0.
    pub line: usize,
    pub item: String,
    pub description: String,
    /// Before discounts and taxes.
    pub amount_minor: i64,
    /// The share of the discount, which was never paid and is not returned.
    pub discount_minor: i64,
    /// In the order of the taxes of the invoice.
    pub taxes_minor: Vec<i64>,
    /// Whether the revenue was still deferred.
    pub deferred: bool,
}

impl NoteLine {
    /// After discounts, with inclusive taxes.
    pub fn subtotal_minor(&self) -> i64 {
        self.amount_minor.saturating_sub(self.discount_minor)
    }

    /// The exclusive or the inclusive taxes.
    pub fn tax_minor(&self, invoice: &Invoice, inclusive: bool) -> i64 {
        let taxes = invoice.taxes.iter().zip(&self.taxes_minor).filter(|(tax, _)| tax.rate.inclusive == inclusive);
        taxes.fold(0, |sum, (_, minor)| sum.saturating_add(*minor))
    }

    /// Without any tax.
    pub fn net_minor(&self, invoice: &Invoice) -> i64 {
        self.subtotal_minor().saturating_sub(self.tax_minor(invoice, true))
    }

    /// With all taxes.
    pub fn total_minor(&self, invoice: &Invoice) -> i64 {
        self.subtotal_minor().saturating_add(self.tax_minor(invoice, false))
    }
}

/// The rest of each line, before discounts and taxes, after earlier credit notes.
pub fn left(invoice: &Invoice, earlier: &[NoteLine]) -> Vec<i64> {
    let taken = |position: usize| {
        earlier.iter().filter(|note| note.line == position).fold(0_i64, |sum, note| sum.saturating_add(note.amount_minor))
    };
    invoice.lines.iter().enumerate().map(|(position, line)| line.amount_minor.saturating_sub(taken(position))).collect()
}

/// The lines of a credit note for a part of an invoice.
pub fn lines(invoice: &Invoice, earlier: &[NoteLine], part: &Part, now: Timestamp) -> Result<Vec<NoteLine>> {
    let left = left(invoice, earlier);
    let amounts = amounts(&left, part, invoice)?;
    let mut lines = Vec::new();
    for ((position, line), (amount, left)) in invoice.lines.iter().enumerate().zip(amounts.into_iter().zip(left)) {
        if amount != 0 {
            let before = line.amount_minor.saturating_sub(left);
            lines.push(note_line(line, position, (before, amount), invoice, now)?);
        }
    }
    Ok(lines)
}

/// The amount of each line.
fn amounts(left: &[i64], part: &Part, invoice: &Invoice) -> Result<Vec<i64>> {
    match part {
        Part::Rest => Ok(left.to_vec()),
        Part::Amount(amount) => {
            let weights: Vec<u64> = left.iter().map(|left| left.max(&0).unsigned_abs()).collect();
            let most = left.iter().fold(0_i64, |sum, left| sum.saturating_add(*left.max(&0)));
            if amount.minor() > most {
                return Err(more_than_left("/amount", invoice.money(most)).into());
            }
            let shares = amount.allocate(&weights).or_internal()?;
            Ok(shares.iter().map(|share| share.minor()).collect())
        }
        Part::Lines(parts) => {
            let mut amounts = vec![0; left.len()];
            for (index, (position, amount)) in parts.iter().enumerate() {
                let pointer = |member: &str| format!("/lines/{index}/{member}");
                let place = amounts.get_mut(*position).zip(left.get(*position)).ok_or_else(|| {
                    let last = left.len().saturating_sub(1);
                    Problem::invalid(
                        pointer("line"),
                        "invalid_value",
                        format!("Send the position of a line of the invoice, from 0 to {last}."),
                    )
                })?;
                let (taken, left) = place;
                if *taken != 0 {
                    return Err(Problem::invalid(pointer("line"), "invalid_value", "Send each line once.").into());
                }
                if amount.minor() > *left {
                    return Err(more_than_left(&pointer("amount"), invoice.money(*left.max(&0))).into());
                }
                *taken = amount.minor();
            }
            Ok(amounts)
        }
    }
}

fn more_than_left(pointer: &str, left: Money) -> Problem {
    Problem::refused(pointer, "more_than_left", format!("Only {left} can still be credited. Send at most that amount."))
}

fn note_line(line: &Line, position: usize, (before, amount): (i64, i64), invoice: &Invoice, now: Timestamp) -> Result<NoteLine> {
    let share = |tax: i64| shared(line, tax, (before, amount), invoice);
    let taxes_minor: Vec<i64> = line.taxes_minor.iter().map(|tax| Ok(signed(line, share(*tax)?.tax.minor()))).collect::<Result<_>>()?;
    let discount_minor = signed(line, share(0)?.discount.minor());
    Ok(NoteLine {
        line: position,
        item: line.item.clone(),
        description: line.description.clone(),
        amount_minor: amount,
        discount_minor,
        taxes_minor,
        deferred: is_deferred(line, invoice.created_at) && line.period_ends_at > now,
    })
}

/// The discount and tax that crediting `amount` more returns. A line below zero is credited as its opposite.
fn shared(line: &Line, tax: i64, (before, amount): (i64, i64), invoice: &Invoice) -> Result<Share> {
    let money = |minor: i64| invoice.money(signed(line, minor));
    let mut creditable = CreditableLine::new(money(line.amount_minor), money(line.discount_minor), money(tax)).or_internal()?;
    creditable.credit_amount(money(before)).or_internal()?;
    creditable.credit_amount(money(amount)).or_internal()
}

fn signed(line: &Line, minor: i64) -> i64 {
    if line.amount_minor < 0 { minor.saturating_neg() } else { minor }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rating::{Currency, Decimal, Discount, DiscountDuration, Off, Quantity, TaxRate};

    use super::*;
    use crate::billing::charging::compose::{GrantedDiscount, NamedTax, Terms, compose};
    use crate::billing::invoices::invoice::BillingReason;
    use crate::billing::invoices::line::LineKind;
    use crate::billing::invoices::rules::{Occasion, draft};
    use crate::billing::subscriptions::rules::tests::trial;
    use crate::kernel::error::Error;
    use crate::kernel::ids::{DiscountId, Fixed, Moment};

    fn line(amount_minor: i64) -> Line {
        let subscription = trial("2026-01-15T00:00:00Z", "UTC");
        Line {
            kind: if amount_minor < 0 { LineKind::UnusedTime } else { LineKind::BasePrice },
            item: "professional".into(),
            description: "Professional Plan".into(),
            quantity: Quantity::ONE,
            unit_price: "1".into(),
            amount_minor,
            period_starts_at: subscription.period.starts_at,
            period_ends_at: subscription.period.ends_at,
            counted: None,
            billed_before: None,
            plan: "professional".into(),
            plan_version: 1,
            discount_minor: 0,
            taxes_minor: Vec::new(),
            proration: None,
            shape: None,
        }
    }

    /// An invoice of these lines, less a percentage and with two taxes.
    fn invoice(amounts: &[i64], percentage: u32, taxes: [(u32, bool); 2]) -> Invoice {
        let percent = |millionths| Decimal::from_millionths(millionths);
        let off = Off::Percentage(percent(percentage));
        let discount = Discount { off, duration: DiscountDuration::Forever, valid_from: None, valid_through: None };
        let granted = GrantedDiscount { id: DiscountId::from_bytes([1; 16]), name: "Off".into(), discount, items: None };
        let tax = |(rate, inclusive)| NamedTax { name: format!("{rate}"), rate: TaxRate { rate: percent(rate), inclusive } };
        let terms = Terms { discounts: vec![granted], taxes: taxes.map(tax).into(), credits: Vec::new() };
        let subscription = trial("2026-01-15T00:00:00Z", "UTC");
        let moment = Moment { now: subscription.period.starts_at, entropy: &Fixed };
        let lines = amounts.iter().map(|amount| line(*amount)).collect();
        let composed = compose(lines, &terms, Currency::USD, moment.now).unwrap();
        let period = subscription.period;
        let occasion = Occasion {
            subscription: &subscription,
            reason: BillingReason::SubscriptionCycle,
            reason_key: "k".into(),
            period,
            usage: Vec::new(),
        };
        draft(occasion, composed, moment)
    }

    fn total(invoice: &Invoice, notes: &[NoteLine]) -> i64 {
        notes.iter().map(|note| note.total_minor(invoice)).sum()
    }

    proptest! {
        /// However an invoice is credited in parts, the parts sum to it: the amount, discount and taxes of each line, and the total.
        #[test]
        fn parts_sum_back_to_the_invoice(
            amounts in prop::collection::vec(0_i64..100_000, 1..6),
            back in 0_i64..1_000,
            percentage in 0_u32..100_000_000,
            rates in [(0_u32..40_000_000, any::<bool>()), (0_u32..40_000_000, any::<bool>())],
            steps in prop::collection::vec((0_usize..6, 0_i64..60_000), 0..8),
        ) {
            let mut amounts = amounts;
            amounts.push(-back);
            let invoice = invoice(&amounts, percentage, rates);
            let now = invoice.created_at;
            let mut taken: Vec<NoteLine> = Vec::new();
            for (position, amount) in steps {
                let left = left(&invoice, &taken);
                if left.iter().all(|left| *left <= 0) {
                    break;
                }
                let part = match left.get(position) {
                    Some(left) if *left > 0 => Part::Lines(vec![(position, invoice.money(amount.min(*left)))]),
                    _ => Part::Amount(invoice.money(amount.min(left.iter().filter(|left| **left > 0).sum()))),
                };
                taken.extend(lines(&invoice, &taken.clone(), &part, now).unwrap());
            }
            taken.extend(lines(&invoice, &taken.clone(), &Part::Rest, now).unwrap());
            prop_assert!(left(&invoice, &taken).iter().all(|left| *left == 0));
            prop_assert_eq!(total(&invoice, &taken), invoice.total_minor - invoice.carried_minor);
            for (position, line) in invoice.lines.iter().enumerate() {
                let notes: Vec<&NoteLine> = taken.iter().filter(|note| note.line == position).collect();
                prop_assert_eq!(notes.iter().map(|note| note.amount_minor).sum::<i64>(), line.amount_minor);
                prop_assert_eq!(notes.iter().map(|note| note.discount_minor).sum::<i64>(), line.discount_minor);
                for (tax, billed) in line.taxes_minor.iter().enumerate() {
                    let back: i64 = notes.iter().map(|note| note.taxes_minor[tax]).sum();
                    prop_assert!(back == *billed, "{} of {}", back, billed);
                }
                if line.amount_minor > 0 {
                    prop_assert!(notes.iter().all(|note| note.amount_minor > 0 && note.discount_minor >= 0 && note.subtotal_minor() >= 0));
                }
            }
        }

        /// Totals are those of the lines, credit is never more than there is nor than what it pays, and what is deferred, earned and taxed
        /// is what the bill comes to.
        #[test]
        fn bills_add_up(
            amounts in prop::collection::vec(-5_000_i64..100_000, 0..6),
            percentage in 0_u32..100_000_000,
            rates in [(0_u32..40_000_000, any::<bool>()), (0_u32..40_000_000, any::<bool>())],
        ) {
            let invoice = invoice(&amounts, percentage, rates);
            let gross: i64 = invoice.lines.iter().map(|line| {
                let on_top = invoice.taxes.iter().zip(&line.taxes_minor).filter(|(tax, _)| !tax.rate.inclusive);
                line.amount_minor - line.discount_minor + on_top.map(|(_, minor)| minor).sum::<i64>()
            }).sum();
            prop_assert_eq!(gross, invoice.total_minor - invoice.carried_minor);
            prop_assert!(invoice.total_minor >= 0 && invoice.carried_minor >= 0);
            prop_assert!(invoice.total_minor == 0 || invoice.carried_minor == 0);
            let moment = Moment { now: invoice.created_at, entropy: &Fixed };
            prop_assert!(crate::billing::invoices::journal::finalized(&invoice, moment).is_ok(), "it balances");
        }
    }

    #[test]
    fn more_than_is_left_is_refused_where_it_is_asked_for() {
        let invoice = invoice(&[1_000, 500], 0, [(0, false), (0, false)]);
        let now = invoice.created_at;
        let usd = |minor| invoice.money(minor);
        let code = |part: &Part| match lines(&invoice, &[], part, now).unwrap_err() {
            Error::Refused(problem) => (problem.errors[0].code.clone(), problem.errors[0].pointer.clone()),
            other => panic!("{other:?}"),
        };
        assert_eq!(code(&Part::Amount(usd(1_501))), ("more_than_left".into(), "/amount".into()));
        assert_eq!(code(&Part::Lines(vec![(0, usd(1)), (1, usd(501))])), ("more_than_left".into(), "/lines/1/amount".into()));
        assert_eq!(code(&Part::Lines(vec![(2, usd(1))])), ("invalid_value".into(), "/lines/0/line".into()));
        assert_eq!(code(&Part::Lines(vec![(0, usd(1)), (0, usd(1))])), ("invalid_value".into(), "/lines/1/line".into()));
        let spread = lines(&invoice, &[], &Part::Amount(usd(100)), now).unwrap();
        assert_eq!(spread.iter().map(|note| note.amount_minor).collect::<Vec<_>>(), [67, 33], "in proportion, to the cent");
    }
}
