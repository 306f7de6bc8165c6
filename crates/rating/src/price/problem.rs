//! What can be wrong with a price, and what to do about it.

use thiserror::Error;

use super::validation::TIERS_MAX;
use crate::money::MoneyError;
use crate::quantity::QuantityError;

/// Why a usage could not be priced.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PriceError {
    /// The price model makes no sense.
    #[error("{pointer}: {problem}")]
    Invalid {
        /// Where, as a JSON pointer into the price model: `/tiers/1/upTo`.
        pointer: String,
        /// What is wrong there.
        problem: PriceProblem,
    },
    /// A percentage was asked to price a total.
    #[error("a percentage price looks at each event; send `events` instead of `quantity`")]
    EventsRequired,
    /// There is less than no usage.
    #[error("usage below zero can't be priced; price the corrected total and bill the difference")]
    NegativeUsage,
    /// A sum of quantities left the range.
    #[error("the usage is {0}")]
    Quantity(#[from] QuantityError),
    /// An amount left the range.
    #[error(transparent)]
    Money(#[from] MoneyError),
}

/// What is wrong with one field of a price model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PriceProblem {
    /// A tiered price has no tier.
    #[error("no tier; add at least one, the last with `upTo` null")]
    NoTiers,
    /// A tiered price has too many tiers.
    #[error("too many tiers; use at most {TIERS_MAX}")]
    TooManyTiers,
    /// A bound is not above the one before it.
    #[error("bounds must ascend; make it larger than the bound before it and than zero")]
    BoundsNotAscending,
    /// A tier that is not the last has no bound.
    #[error("only the last tier has no bound; give this one an `upTo`")]
    BoundMissing,
    /// The last tier has a bound, so larger usage would have no price.
    #[error("the last tier must have `upTo` null, so that every quantity has a price")]
    LastTierBounded,
    /// A package holds nothing.
    #[error("a package must hold more than zero units")]
    PackageSizeNotPositive,
    /// A number is below zero.
    #[error("must not be below zero")]
    Negative,
    /// A rate has too many decimals.
    #[error("too many decimals; a rate in percent has at most ten")]
    RateTooPrecise,
    /// The currency of the price is not in ISO 4217.
    #[error("not a currency we know; send an ISO 4217 code in capital letters, such as USD")]
    UnknownCurrency,
    /// A minimum is above its maximum.
    #[error("the minimum is above the maximum; lower it")]
    MinimumAboveMaximum,
}
