//! From lines to a bill: discounts, then taxes, then credit. Every bill, committed or previewed, is composed here.
//!
//! A bill is never below zero: the amount below zero is *carried* and becomes credit of the customer.

use rating::{Currency, Discount, Money, Scoped, TaxRate, TaxRounding, TaxableLine};

use crate::billing::invoices::bill::{ChargedTax, Composed, DrawnCredit, TakenDiscount, Totals};
use crate::billing::invoices::line::{Line, LineKind};
pub use crate::billing::taxes::tax::NamedTax;
use crate::kernel::error::{OrInternal, Result};
use crate::kernel::ids::{CreditId, DiscountId};
use crate::kernel::time::Timestamp;

/// The discounts, taxes and credits of an organization.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Terms {
    /// In the order in which they were granted; `rating::discount` defines how they stack.
    pub discounts: Vec<GrantedDiscount>,
    pub taxes: Vec<NamedTax>,
    /// Open credits in the currency of the bill.
    pub credits: Vec<Credit>,
}

/// A discount that the next bill may redeem.
#[derive(Clone, Debug, PartialEq)]
pub struct GrantedDiscount {
    pub id: DiscountId,
    pub name: String,
    pub discount: Discount,
    /// The items that it applies to (plan keys, add-ons, metrics); None: all items.
    pub items: Option<Vec<String>>,
}

/// An open credit.
#[derive(Clone, Debug, PartialEq)]
pub struct Credit {
    pub id: CreditId,
    pub grant: rating::Grant<Money>,
    pub version: i64,
}

/// Composes a bill from lines, at `now`. Each line gets its share of discounts and taxes.
pub fn compose(mut lines: Vec<Line>, terms: &Terms, currency: Currency, now: Timestamp) -> Result<Composed> {
    let sum = |amounts: &mut dyn Iterator<Item = Money>| Money::sum(amounts, currency).or_internal();
    let subtotal = sum(&mut lines.iter().map(|line| line.amount(currency)))?;
    let (discounts, left) = discounted(&mut lines, &valid(&terms.discounts, now), currency)?;
    let discount = sum(&mut discounts.iter().map(|taken| Money::new(taken.amount_minor, currency)))?;
    let (taxes, gross) = taxed(&mut lines, &left, &terms.taxes, currency)?;
    let tax = sum(&mut taxes.iter().map(|tax| Money::new(tax.amount_minor, currency)))?;
    let nothing = Money::zero(currency);
    let (total, carried) = if gross.is_negative() { (nothing, gross.checked_neg().or_internal()?) } else { (gross, nothing) };
    let credits = drawn(&terms.credits, total, now)?;
    let credit = sum(&mut credits.iter().map(|drawn| Money::new(drawn.amount_minor, currency)))?;
    let due = total.checked_sub(credit).or_internal()?;
    Ok(Composed { lines, subtotal, discounts, taxes, credits, totals: Totals { discount, tax, total, carried, credit, due } })
}

/// The discounts that are valid at `now`.
fn valid(granted: &[GrantedDiscount], now: Timestamp) -> Vec<&GrantedDiscount> {
    granted.iter().filter(|granted| granted.discount.is_valid_at(now.to_chrono())).collect()
}

/// Applies the discounts and returns the rest of each line. Credits for unused time were discounted on their own bill.
fn discounted(lines: &mut [Line], granted: &[&GrantedDiscount], currency: Currency) -> Result<(Vec<TakenDiscount>, Vec<Money>)> {
    let amounts: Vec<Money> = lines.iter().map(|line| line.amount(currency)).collect();
    let meant: Vec<Vec<usize>> = granted.iter().map(|granted| positions(lines, granted)).collect();
    let scoped: Vec<Scoped<'_>> =
        granted.iter().zip(&meant).map(|(granted, lines)| Scoped { discount: &granted.discount, lines: Some(lines) }).collect();
    let discounted = rating::discounted(&amounts, &scoped).or_internal()?;
    let mut taken = Vec::new();
    for (granted, off) in granted.iter().zip(&discounted.off) {
        let amount = Money::sum(off.iter().copied(), currency).or_internal()?;
        if amount.is_zero() {
            continue;
        }
        for (line, off) in lines.iter_mut().zip(off) {
            line.discount_minor = line.discount_minor.saturating_add(off.minor());
        }
        let GrantedDiscount { id, name, discount, items } = granted;
        taken.push(TakenDiscount { id: *id, name: name.clone(), off: discount.off, amount_minor: amount.minor(), items: items.clone() });
    }
    Ok((taken, discounted.left))
}

fn positions(lines: &[Line], granted: &GrantedDiscount) -> Vec<usize> {
    let is_meant = |line: &Line| line.kind != LineKind::UnusedTime && granted.items.as_ref().is_none_or(|items| items.contains(&line.item));
    lines.iter().enumerate().filter(|(_, line)| is_meant(line)).map(|(position, _)| position).collect()
}

/// Taxes the rest of each line and returns the amount with all taxes.
fn taxed(lines: &mut [Line], left: &[Money], taxes: &[NamedTax], currency: Currency) -> Result<(Vec<ChargedTax>, Money)> {
    let rates: Vec<TaxRate> = taxes.iter().map(|tax| tax.rate).collect();
    let taxable: Vec<TaxableLine<'_>> = left.iter().map(|amount| TaxableLine { amount: *amount, rates: &rates }).collect();
    let taxed = rating::taxed(&taxable, TaxRounding::Line, currency).or_internal()?;
    let gross = Money::sum(taxed.iter().map(|line| line.gross), currency).or_internal()?;
    let mut charged: Vec<ChargedTax> =
        taxes.iter().map(|tax| ChargedTax { name: tax.name.clone(), rate: tax.rate, amount_minor: 0 }).collect();
    for (line, taxed) in lines.iter_mut().zip(taxed) {
        line.taxes_minor = taxed.taxes.iter().map(|tax| tax.minor()).collect();
        for (charged, tax) in charged.iter_mut().zip(&taxed.taxes) {
            charged.amount_minor = charged.amount_minor.checked_add(tax.minor()).ok_or(rating::MoneyError::OutOfRange).or_internal()?;
        }
    }
    Ok((charged, gross))
}

fn drawn(credits: &[Credit], total: Money, now: Timestamp) -> Result<Vec<DrawnCredit>> {
    let grants: Vec<_> = credits.iter().map(|credit| credit.grant).collect();
    let draw = rating::draw(&grants, total, now.to_chrono()).or_internal()?;
    let drawn = credits.iter().zip(draw.taken).filter(|(_, taken)| !taken.is_zero());
    Ok(drawn.map(|(credit, taken)| DrawnCredit { id: credit.id, amount_minor: taken.minor(), version: credit.version }).collect())
}
