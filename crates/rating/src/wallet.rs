//! Credits that were granted or paid before: which of them a debit takes, and what is left.
//!
//! A grant is money (a wallet) or units (a quota), so the module is generic over [`Money`] and [`Quantity`].
//!
//! Order, always the same: the lower priority number first, grants without one last; of equals the one that expires
//! first, those that never do last; of equals the one that became effective first; of equals the earlier in the list.
//! Sources: OpenMeter (`openmeter/credit/engine`: priority, then expiry) and Flexprice (`DebitWithPrioritizedCredits`).
//!
//! A grant can be used from `effective_at` to just before `expires_at` or `voided_at`. What a debit finds no grant for
//! is the overage: a later grant pays it off first, as OpenMeter's engine carries it from phase to phase.

use chrono::{DateTime, Utc};
use thiserror::Error;

use crate::money::{Money, MoneyError};
use crate::quantity::{Quantity, QuantityError};

/// Money or units.
pub trait Amount: Copy + private::Sealed {
    /// The amount in its smallest unit.
    fn smallest(self) -> i128;
    /// An amount of the same kind (and currency).
    ///
    /// # Errors
    /// It is out of range.
    fn like(self, smallest: i128) -> Result<Self, WalletError>;
    /// Whether both can be added.
    fn is_like(self, other: Self) -> bool;
}

mod private {
    pub trait Sealed {}
    impl Sealed for crate::money::Money {}
    impl Sealed for crate::quantity::Quantity {}
}

/// Credit that can be drawn on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grant<A> {
    /// How much is left of it.
    pub left: A,
    /// Lower numbers are drawn on first.
    pub priority: Option<u32>,
    /// When it can be used first; `None` is since ever.
    pub effective_at: Option<DateTime<Utc>>,
    /// When it can no longer be used; `None` is never.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was taken back.
    pub voided_at: Option<DateTime<Utc>>,
}

/// What a debit took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draw<A> {
    /// From each grant, in the order of the list.
    pub taken: Vec<A>,
    /// What no grant was left for.
    pub missing: A,
}

/// Grants after a series of debits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Balances<A> {
    /// What is left of each grant, in the order of the list, usable or not.
    pub left: Vec<A>,
    /// What was used without a grant.
    pub overage: A,
}

/// How much of a grant a reset leaves: at least `min` and at most `max` of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rollover<A> {
    /// What it is filled up to at least.
    pub min: A,
    /// What is kept at most.
    pub max: A,
}

/// Why credits can't be drawn on.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum WalletError {
    /// A debit or a grant is below zero.
    #[error("an amount below zero can't be granted or drawn; use the opposite operation")]
    Negative,
    /// Money of another currency.
    #[error("grants and debits must be in one currency; convert the amount first")]
    CurrencyMismatch,
    /// An amount of money is out of range.
    #[error(transparent)]
    Money(#[from] MoneyError),
    /// A quantity is out of range.
    #[error(transparent)]
    Quantity(#[from] QuantityError),
}

/// Draws an amount on the grants that can be used at the instant. Nothing is changed: subtract what was taken.
///
/// # Errors
/// An amount is below zero, or a currency differs.
pub fn draw<A: Amount>(grants: &[Grant<A>], amount: A, at: DateTime<Utc>) -> Result<Draw<A>, WalletError> {
    check(grants, amount)?;
    let mut missing = amount.smallest();
    let mut taken = vec![0_i128; grants.len()];
    let mut order: Vec<_> = grants.iter().zip(&mut taken).filter(|(grant, _)| grant.is_usable_at(at)).collect();
    order.sort_by_key(|(grant, _)| grant.rank());
    for (grant, taken) in order {
        *taken = grant.left.smallest().min(missing);
        missing = missing.saturating_sub(*taken);
    }
    let taken = taken.into_iter().map(|taken| amount.like(taken)).collect::<Result<_, _>>()?;
    Ok(Draw { taken, missing: amount.like(missing)? })
}

/// Draws a series of debits, each at its instant; they are taken in the order of time, however they are listed. A
/// debit may be zero: then it only lets a grant that has become usable pay the overage.
///
/// # Errors
/// An amount is below zero, a currency differs, or the overage is out of range.
pub fn burn_down<A: Amount>(grants: &[Grant<A>], debits: &[(DateTime<Utc>, A)], nothing: A) -> Result<Balances<A>, WalletError> {
    let mut grants = grants.to_vec();
    let mut overage = nothing.like(0)?;
    let mut debits: Vec<_> = debits.iter().collect();
    debits.sort_by_key(|(at, _)| *at);
    for (at, debit) in debits {
        check(&grants, *debit)?;
        let due = overage.like(overage.smallest().saturating_add(debit.smallest()))?;
        let drawn = draw(&grants, due, *at)?;
        for (grant, taken) in grants.iter_mut().zip(&drawn.taken) {
            grant.left = grant.left.like(grant.left.smallest().saturating_sub(taken.smallest()))?;
        }
        overage = drawn.missing;
    }
    Ok(Balances { left: grants.into_iter().map(|grant| grant.left).collect(), overage })
}

/// What a reset leaves of a balance: min(max, max(min, left)), less the overage when that is preserved (never below
/// zero). Source: OpenMeter, `openmeter/credit/grant` (rollover) and `engine/reset_test.go` (`preserve overage`).
///
/// # Errors
/// A currency differs.
pub fn rolled_over<A: Amount>(left: A, rollover: Rollover<A>, preserved_overage: Option<A>) -> Result<A, WalletError> {
    let Rollover { min, max } = rollover;
    if !left.is_like(min) || !left.is_like(max) || preserved_overage.is_some_and(|overage| !left.is_like(overage)) {
        return Err(WalletError::CurrencyMismatch);
    }
    let kept = left.smallest().max(min.smallest()).min(max.smallest());
    left.like(kept.saturating_sub(preserved_overage.map_or(0, A::smallest)).max(0))
}

fn check<A: Amount>(grants: &[Grant<A>], amount: A) -> Result<(), WalletError> {
    let amounts = || grants.iter().map(|grant| grant.left).chain([amount]);
    if amounts().any(|other| other.smallest() < 0) {
        return Err(WalletError::Negative);
    }
    if amounts().any(|other| !other.is_like(amount)) {
        return Err(WalletError::CurrencyMismatch);
    }
    Ok(())
}

impl<A: Amount> Grant<A> {
    /// A grant that is effective since ever, never expires and has no priority.
    #[must_use]
    pub const fn new(left: A) -> Self {
        Self { left, priority: None, effective_at: None, expires_at: None, voided_at: None }
    }

    /// Whether the grant can be drawn on.
    #[must_use]
    pub fn is_usable_at(&self, at: DateTime<Utc>) -> bool {
        let is_over = |end: Option<DateTime<Utc>>| end.is_some_and(|end| end <= at);
        self.effective_at.is_none_or(|from| from <= at) && !is_over(self.expires_at) && !is_over(self.voided_at)
    }

    /// Smaller ranks are drawn on first. `None` is last for priority and expiry, and first for the beginning.
    fn rank(&self) -> impl Ord + use<A> {
        (self.priority.is_none(), self.priority, self.expires_at.is_none(), self.expires_at, self.effective_at)
    }
}

impl Amount for Money {
    fn smallest(self) -> i128 {
        i128::from(self.minor())
    }

    fn like(self, smallest: i128) -> Result<Self, WalletError> {
        let minor = i64::try_from(smallest).map_err(|_| MoneyError::OutOfRange)?;
        Ok(Self::new(minor, self.currency()))
    }

    fn is_like(self, other: Self) -> bool {
        self.currency() == other.currency()
    }
}

impl Amount for Quantity {
    fn smallest(self) -> i128 {
        self.nanos()
    }

    fn like(self, smallest: i128) -> Result<Self, WalletError> {
        Ok(Self::from_nanos(smallest)?)
    }

    fn is_like(self, _: Self) -> bool {
        true
    }
}
