//! Money: a whole number of minor units in one currency.
//!
//! Fractions of a cent live in [`Exact`]; they become money by [`Money::round`], once per line. Money is divided
//! only by [`Money::allocate`], so that the parts always sum to what was divided.

mod division;

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::currency::Currency;
use crate::decimal::{Decimal, DecimalError, format_scaled, parse_scaled};
use crate::exact::Exact;
use crate::quantity::Quantity;

/// An amount of money. It has no order: two currencies can't be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Money {
    minor: i64,
    currency: Currency,
}

/// Why an amount can't be computed or read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum MoneyError {
    /// Two amounts in different currencies met.
    #[error("amounts in {left} and {right} can't be combined; convert one of them first")]
    CurrencyMismatch {
        /// The currency of the first amount.
        left: Currency,
        /// The currency of the second amount.
        right: Currency,
    },
    /// The amount does not fit 64 bits of minor units.
    #[error("the amount is too large to be billed; use a smaller price or quantity")]
    OutOfRange,
    /// The text is not an amount in this currency.
    #[error("{problem} (amounts in {currency} have {} decimals)", currency.exponent())]
    NotAnAmount {
        /// The currency that was expected.
        currency: Currency,
        /// What is wrong with the text.
        problem: DecimalError,
    },
    /// The weights give no proportion in which to divide.
    #[error("an amount can't be divided by these weights; give at least one that is above zero")]
    NoWeights,
}

impl Money {
    /// An amount of minor units: 19900 and USD is 199 dollars.
    #[must_use]
    pub const fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// Nothing, in the given currency.
    #[must_use]
    pub const fn zero(currency: Currency) -> Self {
        Self::new(0, currency)
    }

    /// Reads an amount in major units, such as `199.00`, exactly.
    ///
    /// # Errors
    /// The text is not a decimal or has more decimals than the currency.
    pub fn from_decimal_str(text: &str, currency: Currency) -> Result<Self, MoneyError> {
        let not_an_amount = |problem| MoneyError::NotAnAmount { currency, problem };
        let minor = parse_scaled(text, currency.exponent()).map_err(not_an_amount)?;
        i64::try_from(minor).map(|minor| Self::new(minor, currency)).map_err(|_| MoneyError::OutOfRange)
    }

    /// Rounds an exact amount of major units to the currency's minor unit, halves away from zero.
    ///
    /// # Errors
    /// The amount is out of range.
    pub fn round(exact: &Exact, currency: Currency) -> Result<Self, MoneyError> {
        exact
            .round_scaled(currency.exponent())
            .and_then(|minor| i64::try_from(minor).ok())
            .map(|minor| Self::new(minor, currency))
            .ok_or(MoneyError::OutOfRange)
    }

    /// Quantity times unit price, rounded once: 14.5 units at 0.015 dollars are 22 cents.
    ///
    /// # Errors
    /// The amount is out of range.
    pub fn of_units(quantity: Quantity, unit_price: Decimal, currency: Currency) -> Result<Self, MoneyError> {
        // Nearly every line fits 128 bits and needs no rational; what does not takes the long way.
        match quantity.nanos().checked_mul(unit_price.trillionths()) {
            Some(product) => round_quotient(product, UNITS_DECIMALS.saturating_sub(currency.exponent()))
                .and_then(|minor| i64::try_from(minor).ok())
                .map(|minor| Self::new(minor, currency))
                .ok_or(MoneyError::OutOfRange),
            None => Self::round(&quantity.to_exact().times(&unit_price.to_exact()), currency),
        }
    }

    /// The sum of the amounts, zero when there are none.
    ///
    /// # Errors
    /// An amount is in another currency, or the sum is out of range.
    pub fn sum(amounts: impl IntoIterator<Item = Self>, currency: Currency) -> Result<Self, MoneyError> {
        amounts.into_iter().try_fold(Self::zero(currency), Self::checked_add)
    }

    /// The amount in minor units, such as cents.
    #[must_use]
    pub const fn minor(self) -> i64 {
        self.minor
    }

    /// The currency.
    #[must_use]
    pub const fn currency(self) -> Currency {
        self.currency
    }

    /// Whether the amount is below zero.
    #[must_use]
    pub const fn is_negative(self) -> bool {
        self.minor < 0
    }

    /// Whether the amount is zero.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.minor == 0
    }

    /// The sum of two amounts.
    ///
    /// # Errors
    /// The currencies differ, or the sum is out of range.
    pub fn checked_add(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        self.with_minor(self.minor.checked_add(other.minor))
    }

    /// This amount less the other.
    ///
    /// # Errors
    /// The currencies differ, or the difference is out of range.
    pub fn checked_sub(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        self.with_minor(self.minor.checked_sub(other.minor))
    }

    /// The amount with the other sign.
    ///
    /// # Errors
    /// The amount is the one that has no counterpart (`i64::MIN`).
    pub fn checked_neg(self) -> Result<Self, MoneyError> {
        self.with_minor(self.minor.checked_neg())
    }

    /// The amount times an exact factor (a tax rate, a fraction of a period), rounded once.
    ///
    /// # Errors
    /// The product is out of range.
    pub fn scaled_by(self, factor: &Exact) -> Result<Self, MoneyError> {
        Self::round(&self.to_exact().times(factor), self.currency)
    }

    /// The smaller of two amounts.
    ///
    /// # Errors
    /// The currencies differ.
    pub fn checked_min(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        Ok(if other.minor < self.minor { other } else { self })
    }

    /// The amount, or zero when it is below zero.
    #[must_use]
    pub const fn at_least_zero(self) -> Self {
        if self.is_negative() { Self::zero(self.currency) } else { self }
    }

    /// The amount in major units, exactly.
    #[must_use]
    pub fn to_exact(self) -> Exact {
        Exact::from_scaled(i128::from(self.minor), self.currency.exponent())
    }

    /// The amount in major units as a decimal, exactly.
    #[must_use]
    pub fn to_decimal(self) -> Decimal {
        // No currency has more than four decimals, so at least eight digits are left and nothing saturates.
        let shift = Decimal::DECIMALS_MAX.saturating_sub(self.currency.exponent());
        let factor = 10_i128.saturating_pow(u32::from(shift));
        Decimal::from_trillionths(i128::from(self.minor).saturating_mul(factor))
    }

    /// The amount in major units with all decimals of its currency: `199.00`, `-0.05`, `500` for JPY.
    #[must_use]
    pub fn to_decimal_string(self) -> String {
        format_scaled(self.minor, self.currency.exponent())
    }

    fn same_currency(self, other: Self) -> Result<(), MoneyError> {
        if self.currency == other.currency {
            return Ok(());
        }
        Err(MoneyError::CurrencyMismatch { left: self.currency, right: other.currency })
    }

    fn with_minor(self, minor: Option<i64>) -> Result<Self, MoneyError> {
        minor.map(|minor| Self::new(minor, self.currency)).ok_or(MoneyError::OutOfRange)
    }
}

/// The decimals of a quantity and those of a unit price together.
const UNITS_DECIMALS: u8 = Quantity::DECIMALS_MAX + Decimal::DECIMALS_MAX;

/// `number` / 10^`decimals`, halves away from zero. `None` when the power does not fit.
fn round_quotient(number: i128, decimals: u8) -> Option<i128> {
    let unit = 10_i128.checked_pow(u32::from(decimals))?;
    let (whole, rest) = (number.checked_div(unit)?, number.checked_rem(unit)?);
    let is_half_or_more = rest.unsigned_abs() >= unit.unsigned_abs().div_ceil(2);
    whole.checked_add(if is_half_or_more { number.signum() } else { 0 })
}

impl fmt::Display for Money {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.to_decimal_string(), self.currency)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn usd(text: &str) -> Money {
        Money::from_decimal_str(text, Currency::USD).unwrap()
    }

    #[test]
    fn amounts_are_read_and_written_with_the_decimals_of_their_currency() {
        let kwd = Currency::parse("KWD").unwrap();
        for (text, currency, minor, written) in [
            ("199.00", Currency::USD, 19_900, "199.00"),
            ("199", Currency::USD, 19_900, "199.00"),
            ("-0.05", Currency::USD, -5, "-0.05"),
            ("0.5", Currency::USD, 50, "0.50"),
            ("500", Currency::JPY, 500, "500"),
            ("1.234", kwd, 1234, "1.234"),
        ] {
            let money = Money::from_decimal_str(text, currency).unwrap();
            assert_eq!((money.minor(), money.to_decimal_string()), (minor, written.to_owned()));
        }
        assert_eq!(usd("199").to_string(), "199.00 USD");
    }

    #[test]
    fn more_decimals_than_the_currency_has_are_refused() {
        for (text, currency) in [("1.005", Currency::USD), ("1.5", Currency::JPY)] {
            let refusal = Money::from_decimal_str(text, currency).unwrap_err();
            assert!(refusal.to_string().contains("too many decimals"), "{refusal}");
        }
        assert_eq!(Money::from_decimal_str("92233720368547758.08", Currency::USD), Err(MoneyError::OutOfRange));
    }

    #[test]
    fn currencies_never_meet_and_nothing_overflows() {
        let euro = Money::new(1, Currency::EUR);
        let most = Money::new(i64::MAX, Currency::USD);
        assert!(matches!(usd("1").checked_add(euro), Err(MoneyError::CurrencyMismatch { .. })));
        assert!(matches!(Money::sum([euro], Currency::USD), Err(MoneyError::CurrencyMismatch { .. })));
        assert_eq!(most.checked_add(usd("0.01")), Err(MoneyError::OutOfRange));
        assert_eq!(Money::new(i64::MIN, Currency::USD).checked_neg(), Err(MoneyError::OutOfRange));
        assert_eq!(most.scaled_by(&Exact::from_integer(2)), Err(MoneyError::OutOfRange));
        assert_eq!(Money::sum([], Currency::USD), Ok(Money::zero(Currency::USD)));
    }

    #[test]
    fn json_is_minor_units_and_currency() {
        let json = r#"{"minor":-5,"currency":"USD"}"#;
        assert_eq!(serde_json::from_str::<Money>(json).unwrap(), usd("-0.05"));
        assert_eq!(serde_json::to_string(&usd("-0.05")).unwrap(), json);
        assert!(serde_json::from_str::<Money>(r#"{"minor":1.5,"currency":"USD"}"#).is_err());
    }

    fn any_currency() -> impl Strategy<Value = Currency> {
        proptest::sample::select(Currency::all().collect::<Vec<_>>())
    }

    proptest! {
        #[test]
        fn the_short_way_and_the_long_way_agree(nanos in any::<i64>(), trillionths in any::<i64>(), currency in any_currency()) {
            let (quantity, price) = (Quantity::from_nanos(nanos.into()).unwrap(), Decimal::from_trillionths(trillionths.into()));
            let exact = quantity.to_exact().times(&price.to_exact());
            prop_assert_eq!(Money::of_units(quantity, price, currency), Money::round(&exact, currency));
        }

        #[test]
        fn texts_round_trip(minor in any::<i64>(), currency in any_currency()) {
            let money = Money::new(minor, currency);
            prop_assert_eq!(Money::from_decimal_str(&money.to_decimal_string(), currency), Ok(money));
            prop_assert_eq!(Money::round(&money.to_exact(), currency), Ok(money));
            prop_assert_eq!(money.to_decimal().to_exact(), money.to_exact());
        }
    }
}
