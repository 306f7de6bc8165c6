//! Taxes on the lines of a bill: several rates per line, on top of the amount or contained in it.
//!
//! net = amount / (1 + the sum of the line's inclusive rates); each tax is net × rate. Rates don't compound. A rate
//! is data that somebody else decided on: this module neither knows countries nor exemptions.
//!
//! | rounding | tax of a line at a rate | total |
//! |---|---|---|
//! | `line` | rounded by itself | the sum of those |
//! | `bill` | its share of the total, by the largest remainder | the sum of all unrounded taxes, rounded once |
//!
//! `bill` is what Lago does (`Invoices::ApplyTaxesService`: the sum over the rates of fee × rate / 100, then `round`);
//! here the parts sum to the total, too. Taxes are computed on lines that are rounded and discounted already, and are
//! never rounded together with them: 1161 and 25 % are 1161 + 290 = 1451, not 1451.6 rounded up.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::currency::Currency;
use crate::decimal::Decimal;
use crate::exact::Exact;
use crate::money::{Money, MoneyError};

/// A tax of so many percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TaxRate {
    /// Percent of the net amount, from 0 to 1000.
    pub rate: Decimal,
    /// Whether amounts contain the tax already.
    #[serde(default)]
    pub inclusive: bool,
}

/// A line and the taxes on it.
#[derive(Debug, Clone, Copy)]
pub struct TaxableLine<'a> {
    /// The line's amount after discounts.
    pub amount: Money,
    /// The rates that apply to it.
    pub rates: &'a [TaxRate],
}

/// Where taxes are rounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaxRounding {
    /// Each rate on each line by itself.
    #[default]
    Line,
    /// All taxes of the bill together.
    Bill,
}

/// A line with its taxes. Net plus taxes is gross.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaxedLine {
    /// The amount without any tax.
    pub net: Money,
    /// The tax at each of the line's rates, in their order.
    pub taxes: Vec<Money>,
    /// The amount with all taxes.
    pub gross: Money,
}

/// Why taxes can't be computed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TaxError {
    /// A rate is below zero or above 1000 percent.
    #[error("a tax rate lies between 0 and 1000 percent")]
    RateOutOfRange,
    /// Amounts can't be combined.
    #[error(transparent)]
    Money(#[from] MoneyError),
}

/// The lines with their taxes, in the same order.
///
/// # Errors
/// A rate is out of range, a line is in another currency, or an amount is out of range.
pub fn taxed(lines: &[TaxableLine<'_>], rounding: TaxRounding, currency: Currency) -> Result<Vec<TaxedLine>, TaxError> {
    // Proves that the lines are in the currency of the bill.
    Money::sum(lines.iter().map(|line| line.amount), currency)?;
    let mut exact = Vec::with_capacity(lines.len());
    for line in lines {
        exact.push(exact_taxes(line)?);
    }
    let flat: Vec<Exact> = exact.iter().flatten().cloned().collect();
    let rounded = match rounding {
        TaxRounding::Line => flat.iter().map(|tax| Money::round(tax, currency)).collect::<Result<Vec<_>, _>>()?,
        TaxRounding::Bill => Money::round_all(&flat, currency)?,
    };
    let mut rounded = rounded.into_iter();
    lines.iter().map(|line| taxed_line(line, rounded.by_ref().take(line.rates.len()).collect())).collect()
}

/// The sum of all taxes of the lines.
///
/// # Errors
/// The sum is out of range.
pub fn tax_total(lines: &[TaxedLine], currency: Currency) -> Result<Money, MoneyError> {
    Money::sum(lines.iter().flat_map(|line| line.taxes.iter().copied()), currency)
}

/// The effective rate in percent: tax / net × 100, rounded to five decimals as Lago shows it; zero when net is zero.
#[must_use]
pub fn effective_rate(tax: Money, net: Money) -> Exact {
    let rate = tax.to_exact().divided_by(&net.to_exact()).unwrap_or_else(Exact::zero);
    rate.times(&Exact::from_integer(100)).rounded_to(5)
}

fn exact_taxes(line: &TaxableLine<'_>) -> Result<Vec<Exact>, TaxError> {
    let most = Exact::from_integer(10);
    let mut divisor = Exact::one();
    for rate in line.rates {
        let share = rate.share();
        if share.is_negative() || share > most {
            return Err(TaxError::RateOutOfRange);
        }
        if rate.inclusive {
            divisor = divisor.plus(&share);
        }
    }
    // The divisor is at least one.
    let net = line.amount.to_exact().divided_by(&divisor).unwrap_or_else(Exact::zero);
    Ok(line.rates.iter().map(|rate| net.times(&rate.share())).collect())
}

fn taxed_line(line: &TaxableLine<'_>, taxes: Vec<Money>) -> Result<TaxedLine, TaxError> {
    let (mut net, mut gross) = (line.amount, line.amount);
    for (rate, tax) in line.rates.iter().zip(&taxes) {
        if rate.inclusive {
            net = net.checked_sub(*tax)?;
        } else {
            gross = gross.checked_add(*tax)?;
        }
    }
    Ok(TaxedLine { net, taxes, gross })
}

impl TaxRate {
    /// The rate as a factor: 0.2 for 20 percent.
    fn share(&self) -> Exact {
        Exact::from_scaled(self.rate.trillionths(), Decimal::DECIMALS_MAX.saturating_add(2))
    }
}
