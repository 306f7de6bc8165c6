//! The lines of a credit note: which part of each line of the invoice is taken back, with its discount and its taxes. Pure.

use rating::{CreditError, CreditNote as Share, CreditableLine, Money};
use serde::{Deserialize, Serialize};

use crate::invoices::lines::Line;
use crate::invoices::rules::{Invoice, is_deferred};
use crate::kernel::error::{Error, Result};
use crate::kernel::problem::Problem;
use crate::kernel::time::Timestamp;

/// Which part of an invoice is taken back. Amounts are before discounts and taxes, as those of lines are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// All that is left of it.
    Rest,
    /// So much, over the lines in proportion to what is left of each.
    Amount(Money),
    /// So much of these lines, by their positions.
    Lines(Vec<(usize, Money)>),
}

/// One line of a credit note, as it is stored. All amounts are below zero where the invoice's line is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NoteLine {
    /// The position of the line on the invoice, from 0.
    pub line: usize,
    pub item: String,
    pub description: String,
    /// Before discount and tax.
    pub amount_minor: i64,
    /// Of the discount, which was never paid and is not given back.
    pub discount_minor: i64,
    /// In the order of the invoice's taxes.
    pub taxes_minor: Vec<i64>,
    /// It was not earned yet.
    pub deferred: bool,
}

impl NoteLine {
    /// After discount; contains the inclusive taxes.
    pub fn subtotal_minor(&self) -> i64 {
        self.amount_minor.saturating_sub(self.discount_minor)
    }

    /// The taxes on top of the line, or contained in it.
    pub fn tax_minor(&self, invoice: &Invoice, inclusive: bool) -> i64 {
        let taxes = invoice.taxes.iter().zip(&self.taxes_minor).filter(|(tax, _)| tax.rate.inclusive == inclusive);
        taxes.fold(0, |sum, (_, minor)| sum.saturating_add(*minor))
    }

    /// With all taxes.
    pub fn total_minor(&self, invoice: &Invoice) -> i64 {
        self.subtotal_minor().saturating_add(self.tax_minor(invoice, false))
    }
}

/// What is left of each line, before discount and tax, after what earlier notes took.
pub fn left(invoice: &Invoice, earlier: &[NoteLine]) -> Vec<i64> {
    let taken = |position: usize| {
        earlier.iter().filter(|note| note.line == position).fold(0_i64, |sum, note| sum.saturating_add(note.amount_minor))
    };
    invoice.lines.iter().enumerate().map(|(position, line)| line.amount_minor.saturating_sub(taken(position))).collect()
}

/// The lines of a note for a part of an invoice.
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

/// How much of each line.
fn amounts(left: &[i64], part: &Part, invoice: &Invoice) -> Result<Vec<i64>> {
    match part {
        Part::Rest => Ok(left.to_vec()),
        Part::Amount(amount) => {
            let weights: Vec<u64> = left.iter().map(|left| left.max(&0).unsigned_abs()).collect();
            let most = left.iter().fold(0_i64, |sum, left| sum.saturating_add(*left.max(&0)));
            if amount.minor() > most {
                return Err(more_than_left("/amount", invoice.money(most)).into());
            }
            let shares = amount.allocate(&weights).map_err(|error| Error::internal(error.to_string()))?;
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
    Problem::refused(pointer, "more_than_left", format!("Only {left} is left to be credited. Send at most that."))
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

/// What crediting `amount` more gives back of a line with this tax. A line below zero is credited as its opposite.
fn shared(line: &Line, tax: i64, (before, amount): (i64, i64), invoice: &Invoice) -> Result<Share> {
    let internal = |error: CreditError| Error::internal(error.to_string());
    let money = |minor: i64| invoice.money(signed(line, minor));
    let mut creditable = CreditableLine::new(money(line.amount_minor), money(line.discount_minor), money(tax)).map_err(internal)?;
    creditable.credit_amount(money(before)).map_err(internal)?;
    creditable.credit_amount(money(amount)).map_err(internal)
}

fn signed(line: &Line, minor: i64) -> i64 {
    if line.amount_minor < 0 { minor.saturating_neg() } else { minor }
}
