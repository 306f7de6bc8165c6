//! Credit notes: what goes back of a billed line, with its share of discount and tax.
//!
//! A line was billed with an amount, a discount on it and a tax on the rest. Crediting a part of the amount gives
//! back the same parts of discount and tax. However a line is credited in parts, the parts sum to what was billed:
//! each note is what all notes so far come to less what the earlier ones came to, each rounded once
//! (round(amount × c) for the share c that is credited so far). The last note takes the remainder by construction.
//!
//! The first note of a line is what Lago computes (`CreditNotes::ApplyTaxesService` and
//! `AdjustAmountsWithRoundingService`): subtotal and tax are rounded apart, and the total is their sum.

use thiserror::Error;

use crate::exact::Exact;
use crate::money::{Money, MoneyError};

/// A billed line and how much of it has been credited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreditableLine {
    amount: Money,
    net: Money,
    tax: Money,
    credited: Exact,
}

/// What one credit note gives back of a line. Nothing in it is below zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CreditNote {
    /// The part of the line's amount, before its discount.
    pub item: Money,
    /// The part of the discount, which was never paid and is not given back: item − subtotal.
    pub discount: Money,
    /// What goes back before tax.
    pub subtotal: Money,
    /// The tax that goes back.
    pub tax: Money,
    /// What goes back: subtotal plus tax.
    pub total: Money,
}

/// Why a line can't be credited.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CreditError {
    /// The credit is below zero.
    #[error("a credit is not below zero; bill a line instead")]
    Negative,
    /// More would be credited than was billed.
    #[error("more than what is left of the line ({left}) can't be credited; lower the amount")]
    MoreThanBilled {
        /// What can still be credited, before discount and tax.
        left: Money,
    },
    /// The line's own figures contradict each other.
    #[error("a line is billed with a discount from zero to its amount and a tax not below zero")]
    NotALine,
    /// Amounts can't be combined.
    #[error(transparent)]
    Money(#[from] MoneyError),
}

impl CreditableLine {
    /// A line that was billed, of which nothing is credited yet.
    ///
    /// # Errors
    /// The discount is not between zero and the amount, the tax is below zero, or a currency differs.
    pub fn new(amount: Money, discount: Money, tax: Money) -> Result<Self, CreditError> {
        let net = amount.checked_sub(discount)?;
        net.checked_add(tax)?;
        if discount.is_negative() || net.is_negative() || tax.is_negative() {
            return Err(CreditError::NotALine);
        }
        Ok(Self { amount, net, tax, credited: Exact::zero() })
    }

    /// What can still be credited, before discount and tax.
    ///
    /// # Errors
    /// Never for a line that [`CreditableLine::new`] accepted.
    pub fn left(&self) -> Result<Money, MoneyError> {
        Money::round(&self.left_exact(), self.amount.currency())
    }

    /// What can still be credited, in major units and not rounded: crediting it gives back the rest of the line.
    #[must_use]
    pub fn left_exact(&self) -> Exact {
        self.amount.to_exact().minus(&self.credited)
    }

    /// Credits a part of the amount, in major units and not rounded yet, such as 29/30 of 160.00.
    ///
    /// # Errors
    /// The part is below zero or more than what is left. The line is unchanged then.
    pub fn credit(&mut self, item: &Exact) -> Result<CreditNote, CreditError> {
        if item.is_negative() {
            return Err(CreditError::Negative);
        }
        let credited = self.credited.plus(item);
        if credited > self.amount.to_exact() {
            return Err(CreditError::MoreThanBilled { left: self.left()? });
        }
        let grown = |of: Money| self.share(of, &credited)?.checked_sub(self.share(of, &self.credited)?);
        let (item, subtotal, tax) = (grown(self.amount)?, grown(self.net)?, grown(self.tax)?);
        let note = CreditNote { item, discount: item.checked_sub(subtotal)?, subtotal, tax, total: subtotal.checked_add(tax)? };
        self.credited = credited;
        Ok(note)
    }

    /// Credits a rounded part of the amount.
    ///
    /// # Errors
    /// As for [`CreditableLine::credit`], or the currency differs.
    pub fn credit_amount(&mut self, item: Money) -> Result<CreditNote, CreditError> {
        self.amount.checked_sub(item)?;
        self.credit(&item.to_exact())
    }

    /// The share of a figure of the line when so much of its amount is credited.
    fn share(&self, of: Money, credited: &Exact) -> Result<Money, MoneyError> {
        let share = credited.divided_by(&self.amount.to_exact()).unwrap_or_else(Exact::zero);
        of.scaled_by(&share)
    }
}
