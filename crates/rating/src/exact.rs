//! Rational numbers: the form that every amount has between what was read and what is billed.
//!
//! A third of a month has no decimal form, so nothing is rounded until a line is made. Sums and products of
//! bounded inputs stay small: the callers bound their inputs, so no number here grows without limit.

use std::fmt;

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{One, Signed, ToPrimitive, Zero};

use crate::decimal::{DecimalError, format_scaled, parse_scaled};

/// An exact number. It is compared by value and never rounded by itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Exact(BigRational);

impl Exact {
    /// How many decimals [`Exact::parse`] reads.
    pub const DECIMALS_MAX: u8 = 18;

    /// Zero.
    #[must_use]
    pub fn zero() -> Self {
        Self(BigRational::zero())
    }

    /// One.
    #[must_use]
    pub fn one() -> Self {
        Self(BigRational::one())
    }

    /// Reads a decimal such as `-12.5`, with up to 18 decimals.
    ///
    /// # Errors
    /// The text is not a decimal (no exponent, sign `+`, blank, `NaN`), is too long or out of range.
    pub fn parse(text: &str) -> Result<Self, DecimalError> {
        parse_scaled(text, Self::DECIMALS_MAX).map(|scaled| Self::from_scaled(scaled, Self::DECIMALS_MAX))
    }

    /// A whole number.
    #[must_use]
    pub fn from_integer(integer: i128) -> Self {
        Self(BigRational::from_integer(BigInt::from(integer)))
    }

    /// `numerator / denominator`, or `None` when the denominator is zero.
    #[must_use]
    pub fn ratio(numerator: i128, denominator: i128) -> Option<Self> {
        Self::from_integer(numerator).divided_by(&Self::from_integer(denominator))
    }

    /// `scaled` × 10^-`decimals`: 19900 with two decimals is 199.
    #[must_use]
    pub fn from_scaled(scaled: i128, decimals: u8) -> Self {
        Self(BigRational::new_raw(BigInt::from(scaled), power_of_ten(decimals)).reduced())
    }

    /// Whether the number is below zero.
    #[must_use]
    pub fn is_negative(&self) -> bool {
        self.0.is_negative()
    }

    /// Whether the number is zero.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        self.0.is_zero()
    }

    /// The nearest multiple of 10^-`decimals`, halves away from zero, counted in that unit: 0.335 with two
    /// decimals is 34. `None` when it does not fit.
    #[must_use]
    pub fn round_scaled(&self, decimals: u8) -> Option<i128> {
        self.rounded(decimals).to_i128()
    }

    /// The smallest whole number that is not below this one, or `None` when it does not fit.
    #[must_use]
    pub fn ceil(&self) -> Option<i128> {
        self.0.ceil().to_integer().to_i128()
    }

    /// The largest whole number that is not above this one, or `None` when it does not fit.
    #[must_use]
    pub fn floor(&self) -> Option<i128> {
        self.0.floor().to_integer().to_i128()
    }

    /// The number rounded to `decimals` places, halves away from zero: 29/31 with nine is 0.935483871.
    #[must_use]
    pub fn rounded_to(&self, decimals: u8) -> Self {
        Self(BigRational::new_raw(self.rounded(decimals), power_of_ten(decimals)).reduced())
    }

    /// The number with exactly `decimals` places, halves away from zero: 1/3 with two decimals is `0.33`.
    #[must_use]
    pub fn to_decimal_string(&self, decimals: u8) -> String {
        format_scaled(self.rounded(decimals), decimals)
    }
}

/// Arithmetic by words instead of operators: it borrows, so sums read without clones.
#[expect(clippy::arithmetic_side_effects, reason = "rational numbers of unbounded size can't overflow, and the divisor is checked")]
impl Exact {
    /// The sum.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        Self(&self.0 + &other.0)
    }

    /// The difference.
    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        Self(&self.0 - &other.0)
    }

    /// The product.
    #[must_use]
    pub fn times(&self, other: &Self) -> Self {
        Self(&self.0 * &other.0)
    }

    /// The quotient, or `None` when `other` is zero.
    #[must_use]
    pub fn divided_by(&self, other: &Self) -> Option<Self> {
        (!other.is_zero()).then(|| Self(&self.0 / &other.0))
    }

    /// The number with the other sign.
    #[must_use]
    pub fn negated(&self) -> Self {
        Self(-&self.0)
    }

    fn rounded(&self, decimals: u8) -> BigInt {
        // `Ratio::round` rounds halves away from zero, which is the rule of every amount here.
        (&self.0 * power_of_ten(decimals)).round().to_integer()
    }
}

impl fmt::Display for Exact {
    /// A whole number, or a fraction in lowest terms: `3`, `17/31`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

fn power_of_ten(exponent: u8) -> BigInt {
    BigInt::from(10).pow(u32::from(exponent))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn exact(text: &str) -> Exact {
        Exact::parse(text).unwrap()
    }

    #[test]
    fn halves_round_away_from_zero() {
        for (number, cents) in [("0.335", 34), ("0.334999999999999999", 33), ("-0.335", -34), ("0.005", 1), ("-0.005", -1), ("-0.004", 0)] {
            assert_eq!(exact(number).round_scaled(2), Some(cents), "{number}");
        }
    }

    #[test]
    fn a_third_three_times_is_one() {
        let third = Exact::ratio(1, 3).unwrap();
        assert_eq!(third.plus(&third).plus(&third), Exact::one());
        assert_eq!(third.to_string(), "1/3");
        assert_eq!(third.to_decimal_string(4), "0.3333");
        assert_eq!(Exact::ratio(2, -3).unwrap().to_decimal_string(0), "-1");
        assert_eq!(Exact::ratio(29, 31).unwrap().rounded_to(9), exact("0.935483871"));
        assert_eq!((exact("-1.5").floor(), exact("-1.5").ceil()), (Some(-2), Some(-1)));
    }

    #[test]
    fn nothing_divides_by_zero() {
        assert_eq!(Exact::ratio(1, 0), None);
        assert_eq!(Exact::one().divided_by(&Exact::zero()), None);
    }

    #[test]
    fn what_does_not_fit_is_none() {
        let large = Exact::from_integer(i128::MAX);
        assert_eq!(large.times(&large).round_scaled(2), None);
        assert_eq!(large.plus(&Exact::one()).ceil(), None);
        assert!(large.times(&large).to_decimal_string(2).ends_with(".00"));
    }

    #[test]
    fn decimals_are_bounded() {
        assert!(Exact::parse("0.0000000000000000001").is_err());
        assert!(Exact::parse("1e5").is_err());
    }

    proptest! {
        #[test]
        fn decimal_strings_round_trip(scaled in any::<i64>(), decimals in 0u8..=18) {
            let number = Exact::from_scaled(i128::from(scaled), decimals);
            prop_assert_eq!(&Exact::parse(&number.to_decimal_string(decimals)).unwrap(), &number);
            prop_assert_eq!(number.round_scaled(decimals), Some(i128::from(scaled)));
        }

        #[test]
        fn rounding_is_symmetric_and_moves_at_most_half_a_unit(n in any::<i64>(), d in 1i64..1_000_000) {
            let number = Exact::ratio(n.into(), d.into()).unwrap();
            let rounded = number.round_scaled(2).unwrap();
            prop_assert_eq!(number.negated().round_scaled(2).unwrap(), -rounded);
            let moved = Exact::from_scaled(rounded, 2).minus(&number);
            prop_assert!(moved <= Exact::from_scaled(5, 3) && moved >= Exact::from_scaled(-5, 3));
        }
    }
}
