//! Decimals as people and JSON write them: `49`, `0.005`, `-12.5`.
//!
//! One grammar for every decimal that enters the crate: an optional minus sign, digits, and optionally a point
//! followed by digits. No exponent, no plus sign, no blanks, no `NaN`: what can't be read twice the same way is
//! refused. The length is bounded before anything is computed.

use std::fmt;
use std::str::FromStr;

use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::ser::{Serialize, Serializer};
use thiserror::Error;

use crate::exact::Exact;

/// No meaningful amount or quantity needs more characters than this.
pub const TEXT_BYTES_MAX: usize = 48;

/// A unit price, a fee or a percentage: a decimal with up to twelve places, in JSON always a string.
///
/// Its unit is that of its field: major units of a currency for amounts, percent for rates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Decimal {
    trillionths: i128,
}

/// A text that is not a decimal which we accept.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DecimalError {
    /// The text does not follow the grammar of this module.
    #[error("not a decimal; send digits with at most one point, such as \"0.005\" or \"-12.5\"")]
    NotADecimal,
    /// The text has more decimals than can be kept.
    #[error("too many decimals; send at most {decimals_max}")]
    TooManyDecimals {
        /// How many decimals would have been accepted.
        decimals_max: u8,
    },
    /// The number is larger than anything that can be billed.
    #[error("out of range; send a number closer to zero")]
    OutOfRange,
    /// The text is longer than any number that we accept.
    #[error("too long; send at most {TEXT_BYTES_MAX} characters")]
    TooLong,
}

impl Decimal {
    /// How many decimals are kept: what Stripe's `unit_amount_decimal` and our API promise.
    pub const DECIMALS_MAX: u8 = 12;
    /// Zero.
    pub const ZERO: Self = Self { trillionths: 0 };
    /// One.
    pub const ONE: Self = Self { trillionths: 1_000_000_000_000 };
    /// The largest magnitude that is read from a text: 10^15 units.
    const TRILLIONTHS_READ_MAX: u128 = 1_000_000_000_000_000_000_000_000_000;

    /// Reads a decimal such as `0.005`.
    ///
    /// # Errors
    /// The text is not a decimal, has more than twelve decimals, or is beyond 10^15.
    pub fn parse(text: &str) -> Result<Self, DecimalError> {
        let trillionths = parse_scaled(text, Self::DECIMALS_MAX)?;
        if trillionths.unsigned_abs() > Self::TRILLIONTHS_READ_MAX {
            return Err(DecimalError::OutOfRange);
        }
        Ok(Self { trillionths })
    }

    /// Whether the decimal is one.
    pub(crate) const fn is_one(&self) -> bool {
        self.trillionths == Self::ONE.trillionths
    }

    /// A decimal from its trillionths, for amounts that were computed rather than read.
    pub(crate) const fn from_trillionths(trillionths: i128) -> Self {
        Self { trillionths }
    }

    /// The decimal of so many millionths: `5_000` is 0.005.
    #[must_use]
    pub const fn from_millionths(millionths: u32) -> Self {
        Self { trillionths: (millionths as i128).saturating_mul(1_000_000) }
    }

    /// The decimal in trillionths (10^-12), exactly.
    #[must_use]
    pub const fn trillionths(self) -> i128 {
        self.trillionths
    }

    /// The decimal as a rational.
    #[must_use]
    pub fn to_exact(self) -> Exact {
        Exact::from_scaled(self.trillionths, Self::DECIMALS_MAX)
    }

    /// Whether the decimal is below zero.
    #[must_use]
    pub const fn is_negative(self) -> bool {
        self.trillionths < 0
    }

    /// Whether the decimal is zero.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.trillionths == 0
    }
}

impl fmt::Display for Decimal {
    /// The shortest text that reads back as the same decimal: `49`, `0.005`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Rates and prices are mostly whole or short, and lines name them: whole ones take the short way.
        if let (Some(whole), Some(0)) =
            (self.trillionths.checked_div(Self::ONE.trillionths), self.trillionths.checked_rem(Self::ONE.trillionths))
        {
            return write!(formatter, "{whole}");
        }
        let text = format_scaled(self.trillionths, Self::DECIMALS_MAX);
        formatter.write_str(without_trailing_zeros(&text))
    }
}

impl FromStr for Decimal {
    type Err = DecimalError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(DecimalVisitor)
    }
}

/// Reads strings only, and answers a number with the advice to quote it.
struct DecimalVisitor;

impl Visitor<'_> for DecimalVisitor {
    type Value = Decimal;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a decimal in a string, such as \"0.005\"")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Decimal, E> {
        Decimal::parse(text).map_err(E::custom)
    }
}

/// Reads a decimal as a whole number of 10^-`decimals_max`.
///
/// # Errors
/// See [`DecimalError`].
pub(crate) fn parse_scaled(text: &str, decimals_max: u8) -> Result<i128, DecimalError> {
    if text.len() > TEXT_BYTES_MAX {
        return Err(DecimalError::TooLong);
    }
    let (negative, magnitude) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = match magnitude.split_once('.') {
        Some((_, "")) => return Err(DecimalError::NotADecimal),
        Some(parts) => parts,
        None => (magnitude, ""),
    };
    if whole.is_empty() {
        return Err(DecimalError::NotADecimal);
    }
    let mut scaled: i128 = 0;
    for character in whole.chars().chain(fraction.chars()) {
        let digit = character.to_digit(10).ok_or(DecimalError::NotADecimal)?;
        scaled = append_digit(scaled, digit)?;
    }
    let decimals = fraction.chars().count();
    let missing = usize::from(decimals_max).checked_sub(decimals).ok_or(DecimalError::TooManyDecimals { decimals_max })?;
    for _ in 0..missing {
        scaled = append_digit(scaled, 0)?;
    }
    if negative {
        return scaled.checked_neg().ok_or(DecimalError::OutOfRange);
    }
    Ok(scaled)
}

fn append_digit(scaled: i128, digit: u32) -> Result<i128, DecimalError> {
    scaled.checked_mul(10).and_then(|shifted| shifted.checked_add(i128::from(digit))).ok_or(DecimalError::OutOfRange)
}

/// Writes a whole number of 10^-`decimals` with exactly `decimals` places: `(-5, 2)` is `-0.05`.
pub(crate) fn format_scaled(scaled: impl fmt::Display, decimals: u8) -> String {
    let text = scaled.to_string();
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text.as_str()),
    };
    let decimals = usize::from(decimals);
    let padding = decimals.saturating_add(1).saturating_sub(digits.len());
    let padded = format!("{}{digits}", "0".repeat(padding));
    match padded.split_at_checked(padded.len().saturating_sub(decimals)) {
        Some((whole, fraction)) if !fraction.is_empty() => format!("{sign}{whole}.{fraction}"),
        _ => format!("{sign}{padded}"),
    }
}

/// Cuts zeros that say nothing: `4.500` becomes `4.5`, `1.000` becomes `1`, `100` stays.
pub(crate) fn without_trailing_zeros(text: &str) -> &str {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_read_and_written_in_their_shortest_form() {
        for (text, shortest) in [
            ("0", "0"),
            ("-0", "0"),
            ("49", "49"),
            ("100", "100"),
            ("007", "7"),
            ("0.005", "0.005"),
            ("-12.50", "-12.5"),
            ("0.000000000001", "0.000000000001"),
            ("1000000000000000", "1000000000000000"),
        ] {
            assert_eq!(Decimal::parse(text).unwrap().to_string(), shortest, "{text}");
        }
    }

    #[test]
    fn everything_else_is_refused() {
        use DecimalError::{NotADecimal, OutOfRange, TooLong, TooManyDecimals};
        let long = "1".repeat(TEXT_BYTES_MAX + 1);
        for (text, refusal) in [
            ("", NotADecimal),
            ("-", NotADecimal),
            (".", NotADecimal),
            (".5", NotADecimal),
            ("5.", NotADecimal),
            ("--5", NotADecimal),
            ("+5", NotADecimal),
            (" 5", NotADecimal),
            ("5 ", NotADecimal),
            ("1e3", NotADecimal),
            ("1.5.5", NotADecimal),
            ("1,5", NotADecimal),
            ("NaN", NotADecimal),
            ("inf", NotADecimal),
            ("٣", NotADecimal),
            ("0.0000000000001", TooManyDecimals { decimals_max: 12 }),
            ("1000000000000000.1", OutOfRange),
            ("999999999999999999999999999999999999999999", OutOfRange),
            (long.as_str(), TooLong),
        ] {
            assert_eq!(Decimal::parse(text), Err(refusal), "{text}");
        }
    }

    #[test]
    fn json_is_a_string_and_a_number_is_answered_with_advice() {
        let amount: Decimal = serde_json::from_str("\"0.0050\"").unwrap();
        assert_eq!(serde_json::to_string(&amount).unwrap(), "\"0.005\"");
        for number in ["49", "0.5", "1e3", "null"] {
            let refusal = serde_json::from_str::<Decimal>(number).unwrap_err();
            assert!(refusal.to_string().contains("a decimal in a string"), "{refusal}");
        }
    }
}
