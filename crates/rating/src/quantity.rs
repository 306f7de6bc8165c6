//! Quantities: how much was used, bought or is left, in billionths of a unit.
//!
//! Nine decimals are enough for seconds of a compute hour and bytes of a gigabyte, and make addition exact and
//! cheap. A float is never accepted: `0.1` three times must be `0.3`.

use std::fmt;
use std::ops::Neg;
use std::str::FromStr;

use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::ser::{Serialize, Serializer};
use thiserror::Error;

use crate::decimal::{DecimalError, format_scaled, parse_scaled, without_trailing_zeros};
use crate::exact::Exact;

/// A number of units with up to nine decimals and a magnitude of at most 9 × 10^15.
///
/// In JSON it is an integer when it is whole and any JSON reader keeps it exact (up to 2^53 − 1), otherwise a
/// decimal string. Both forms are read; a JSON float is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Quantity {
    nanos: i128,
}

/// Why a quantity can't be read or computed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum QuantityError {
    /// The text is not a decimal with up to nine places.
    #[error(transparent)]
    NotAQuantity(#[from] DecimalError),
    /// The magnitude is above 9 × 10^15 units.
    #[error("out of range; quantities lie between -{max} and {max}", max = Quantity::UNITS_MAX)]
    OutOfRange,
}

impl Quantity {
    /// How many decimals are kept.
    pub const DECIMALS_MAX: u8 = 9;
    /// The largest magnitude in units. Below 2^53, so that whole quantities survive any JSON reader.
    pub const UNITS_MAX: u64 = 9_000_000_000_000_000;
    /// No unit.
    pub const ZERO: Self = Self { nanos: 0 };
    /// One unit.
    pub const ONE: Self = Self { nanos: NANOS_PER_UNIT };

    /// Reads a decimal with up to nine places, such as `4.5`.
    ///
    /// # Errors
    /// The text is not a decimal, has more than nine decimals or is out of range.
    pub fn parse(text: &str) -> Result<Self, QuantityError> {
        Self::from_nanos(parse_scaled(text, Self::DECIMALS_MAX)?)
    }

    /// A quantity from billionths of a unit.
    ///
    /// # Errors
    /// The magnitude is above [`Quantity::UNITS_MAX`] units.
    pub fn from_nanos(nanos: i128) -> Result<Self, QuantityError> {
        if nanos.unsigned_abs() > NANOS_MAX {
            return Err(QuantityError::OutOfRange);
        }
        Ok(Self { nanos })
    }

    /// The quantity in billionths of a unit.
    #[must_use]
    pub const fn nanos(self) -> i128 {
        self.nanos
    }

    /// The whole number of units, or `None` when there is a fraction.
    #[must_use]
    pub fn to_integer(self) -> Option<i64> {
        if self.nanos.checked_rem(NANOS_PER_UNIT)? != 0 {
            return None;
        }
        i64::try_from(self.nanos.checked_div(NANOS_PER_UNIT)?).ok()
    }

    /// The quantity as a rational.
    #[must_use]
    pub fn to_exact(self) -> Exact {
        Exact::from_scaled(self.nanos, Self::DECIMALS_MAX)
    }

    /// Whether the quantity is below zero.
    #[must_use]
    pub const fn is_negative(self) -> bool {
        self.nanos < 0
    }

    /// Whether the quantity is zero.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.nanos == 0
    }

    /// The sum.
    ///
    /// # Errors
    /// The sum is out of range.
    pub fn checked_add(self, other: Self) -> Result<Self, QuantityError> {
        // Both operands are far below the limit of 128 bits, so saturation can't be reached.
        Self::from_nanos(self.nanos.saturating_add(other.nanos))
    }

    /// This quantity less the other.
    ///
    /// # Errors
    /// The difference is out of range.
    pub fn checked_sub(self, other: Self) -> Result<Self, QuantityError> {
        Self::from_nanos(self.nanos.saturating_sub(other.nanos))
    }

    /// The sum of the quantities, zero when there are none.
    ///
    /// # Errors
    /// The sum, or the sum of the first few, is out of range.
    pub fn sum(quantities: impl IntoIterator<Item = Self>) -> Result<Self, QuantityError> {
        quantities.into_iter().try_fold(Self::ZERO, Self::checked_add)
    }

    /// What this quantity has above `floor`, never below zero: usage beyond what is included.
    ///
    /// # Errors
    /// The difference is out of range, which takes a negative floor.
    pub fn above(self, floor: Self) -> Result<Self, QuantityError> {
        Ok(self.checked_sub(floor)?.max(Self::ZERO))
    }
}

const NANOS_PER_UNIT: i128 = 1_000_000_000;
const NANOS_MAX: u128 = 9_000_000_000_000_000_000_000_000;
/// 2^53 − 1, the largest integer that every JSON reader keeps exact.
const JSON_INTEGER_MAX: u64 = 9_007_199_254_740_991;

impl Neg for Quantity {
    type Output = Self;

    /// The range is symmetric, so every quantity has its counterpart.
    fn neg(self) -> Self {
        Self { nanos: self.nanos.saturating_neg() }
    }
}

impl fmt::Display for Quantity {
    /// The shortest text that reads back as the same quantity: `1`, `4.5`, `-0.000000001`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Most quantities are whole, and every line of a bill names some: they take the short way.
        if let Some(integer) = self.to_integer() {
            return write!(formatter, "{integer}");
        }
        let text = format_scaled(self.nanos, Self::DECIMALS_MAX);
        formatter.write_str(without_trailing_zeros(&text))
    }
}

impl FromStr for Quantity {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl From<i32> for Quantity {
    fn from(units: i32) -> Self {
        Self { nanos: i128::from(units).saturating_mul(NANOS_PER_UNIT) }
    }
}

impl From<u32> for Quantity {
    fn from(units: u32) -> Self {
        Self { nanos: i128::from(units).saturating_mul(NANOS_PER_UNIT) }
    }
}

impl TryFrom<i64> for Quantity {
    type Error = QuantityError;

    fn try_from(units: i64) -> Result<Self, Self::Error> {
        Self::from_nanos(i128::from(units).saturating_mul(NANOS_PER_UNIT))
    }
}

impl TryFrom<u64> for Quantity {
    type Error = QuantityError;

    fn try_from(units: u64) -> Result<Self, Self::Error> {
        Self::from_nanos(i128::from(units).saturating_mul(NANOS_PER_UNIT))
    }
}

impl Serialize for Quantity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.to_integer() {
            Some(integer) if integer.unsigned_abs() <= JSON_INTEGER_MAX => serializer.serialize_i64(integer),
            _ => serializer.collect_str(self),
        }
    }
}

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(QuantityVisitor)
    }
}

/// Reads integers and decimal strings, and answers a float with the advice to quote it.
struct QuantityVisitor;

impl Visitor<'_> for QuantityVisitor {
    type Value = Quantity;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an integer, or a decimal in a string such as \"4.5\"")
    }

    fn visit_i64<E: de::Error>(self, units: i64) -> Result<Quantity, E> {
        Quantity::try_from(units).map_err(E::custom)
    }

    fn visit_u64<E: de::Error>(self, units: u64) -> Result<Quantity, E> {
        Quantity::try_from(units).map_err(E::custom)
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<Quantity, E> {
        Err(E::custom("a JSON number with a point or an exponent is not exact; send decimals as a string, such as \"4.5\""))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Quantity, E> {
        Quantity::parse(text).map_err(E::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn quantities_are_read_and_written_in_their_shortest_form() {
        for (text, shortest) in
            [("1", "1"), ("4.50", "4.5"), ("-0.000000001", "-0.000000001"), ("-0", "0"), ("9000000000000000", "9000000000000000")]
        {
            assert_eq!(Quantity::parse(text).unwrap().to_string(), shortest);
        }
    }

    #[test]
    fn the_bounds_hold_for_every_way_in() {
        assert_eq!(Quantity::parse("9000000000000000.000000001"), Err(QuantityError::OutOfRange));
        assert_eq!(Quantity::try_from(i64::MIN), Err(QuantityError::OutOfRange));
        assert_eq!(Quantity::try_from(u64::MAX), Err(QuantityError::OutOfRange));
        assert_eq!(Quantity::from_nanos(i128::MIN), Err(QuantityError::OutOfRange));
        let most = Quantity::try_from(Quantity::UNITS_MAX).unwrap();
        assert_eq!(most.checked_add(Quantity::from_nanos(1).unwrap()), Err(QuantityError::OutOfRange));
        assert_eq!(most.checked_sub(-Quantity::ONE), Err(QuantityError::OutOfRange));
        assert!(Quantity::parse("0.0000000001").is_err());
    }

    #[test]
    fn json_is_an_integer_where_that_is_exact_and_a_string_elsewhere() {
        for (text, json) in [("15000", "15000"), ("-3", "-3"), ("4.5", "\"4.5\""), ("9000000000000000", "9000000000000000")] {
            let quantity = Quantity::parse(text).unwrap();
            assert_eq!(serde_json::to_string(&quantity).unwrap(), json);
            assert_eq!(serde_json::from_str::<Quantity>(json).unwrap(), quantity);
        }
    }

    #[test]
    fn json_floats_are_answered_with_advice() {
        for float in ["1.5", "1.0", "1e3", "123456789012345678901234567890"] {
            let refusal = serde_json::from_str::<Quantity>(float).unwrap_err();
            assert!(refusal.to_string().contains("send decimals as a string"), "{refusal}");
        }
        for other in ["null", "true", "\"\"", "\"1e3\"", "[]", "9000000000000001"] {
            assert!(serde_json::from_str::<Quantity>(other).is_err(), "{other}");
        }
    }

    #[test]
    fn usage_above_what_is_included_is_never_negative() {
        let ten = Quantity::from(10);
        assert_eq!(Quantity::from(12).above(ten), Ok(Quantity::from(2)));
        assert_eq!(Quantity::from(3).above(ten), Ok(Quantity::ZERO));
    }

    fn any_quantity() -> impl Strategy<Value = Quantity> {
        let most = i128::try_from(NANOS_MAX).unwrap();
        (-most..=most).prop_map(|nanos| Quantity::from_nanos(nanos).unwrap())
    }

    proptest! {
        #[test]
        fn texts_and_json_round_trip(quantity in any_quantity()) {
            prop_assert_eq!(Quantity::parse(&quantity.to_string()), Ok(quantity));
            let json = serde_json::to_string(&quantity).unwrap();
            prop_assert_eq!(serde_json::from_str::<Quantity>(&json).unwrap(), quantity);
        }

        #[test]
        fn any_text_is_read_or_refused_without_a_panic(text in ".{0,60}") {
            if let Ok(quantity) = Quantity::parse(&text) {
                prop_assert_eq!(Quantity::parse(&quantity.to_string()), Ok(quantity));
            }
        }

        #[test]
        fn what_is_added_can_be_taken_away(a in any_quantity(), b in any_quantity()) {
            if let Ok(sum) = a.checked_add(b) {
                prop_assert_eq!(sum.checked_sub(b), Ok(a));
                prop_assert_eq!(sum.to_exact(), a.to_exact().plus(&b.to_exact()));
            }
        }
    }
}
