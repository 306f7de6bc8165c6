//! Currencies of ISO 4217 and how many decimals each has.
//!
//! The exponents are those of ISO 4217 list one. Payment providers deviate for a few (Stripe treats ISK and UGX
//! as if they had two decimals); that is theirs to translate at their edge.

use std::fmt;
use std::str::FromStr;

use serde::de::{self, Deserialize, Deserializer};
use serde::ser::{Serialize, Serializer};
use thiserror::Error;

/// A currency in which money can be owed, such as `USD`. In JSON it is its three-letter code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency {
    code: &'static str,
    exponent: u8,
}

/// The text is not the code of a currency that we can bill in.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{code}` is not a currency we know; send an ISO 4217 code in capital letters, such as \"USD\"")]
pub struct UnknownCurrency {
    /// What was sent, cut to the length of a sensible message.
    pub code: String,
}

impl Currency {
    /// The euro.
    pub const EUR: Self = Self::known("EUR", 2);
    /// The Japanese yen, which has no minor unit.
    pub const JPY: Self = Self::known("JPY", 0);
    /// The dollar of the United States, in which the built-in plans are priced.
    pub const USD: Self = Self::known("USD", 2);

    const fn known(code: &'static str, exponent: u8) -> Self {
        Self { code, exponent }
    }

    /// Finds a currency by its code.
    ///
    /// # Errors
    /// The code is not in the table; lower case is not accepted, so that one currency has one spelling.
    pub fn parse(code: &str) -> Result<Self, UnknownCurrency> {
        CODES_BY_EXPONENT
            .iter()
            .find_map(|(exponent, codes)| {
                let known = codes.iter().find(|known| **known == code)?;
                Some(Self::known(known, *exponent))
            })
            .ok_or_else(|| UnknownCurrency { code: code.chars().take(CODE_SHOWN_CHARS_MAX).collect() })
    }

    /// The code, such as `USD`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        self.code
    }

    /// How many decimals an amount has: 2 for USD (a cent is 10^-2), 0 for JPY, 3 for KWD.
    #[must_use]
    pub const fn exponent(self) -> u8 {
        self.exponent
    }

    /// Every currency in the table, with the fewest decimals first.
    pub fn all() -> impl Iterator<Item = Self> {
        CODES_BY_EXPONENT.iter().flat_map(|(exponent, codes)| codes.iter().map(|code| Self::known(code, *exponent)))
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.code)
    }
}

impl FromStr for Currency {
    type Err = UnknownCurrency;

    fn from_str(code: &str) -> Result<Self, Self::Err> {
        Self::parse(code)
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code)
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = String::deserialize(deserializer)?;
        Self::parse(&code).map_err(de::Error::custom)
    }
}

/// Long enough to recognise a mistake, short enough not to echo a body.
const CODE_SHOWN_CHARS_MAX: usize = 12;

/// ISO 4217 list one without metals, funds codes that nobody is billed in, and test codes.
const CODES_BY_EXPONENT: &[(u8, &[&str])] = &[
    (0, &["BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"]),
    (
        2,
        &[
            "AED", "AFN", "ALL", "AMD", "AOA", "ARS", "AUD", "AWG", "AZN", "BAM", "BBD", "BDT", "BMD", "BND", "BOB", "BRL", "BSD", "BTN",
            "BWP", "BYN", "BZD", "CAD", "CDF", "CHF", "CNY", "COP", "CRC", "CUP", "CVE", "CZK", "DKK", "DOP", "DZD", "EGP", "ERN", "ETB",
            "EUR", "FJD", "FKP", "GBP", "GEL", "GHS", "GIP", "GMD", "GTQ", "GYD", "HKD", "HNL", "HTG", "HUF", "IDR", "ILS", "INR", "IRR",
            "JMD", "KES", "KGS", "KHR", "KPW", "KYD", "KZT", "LAK", "LBP", "LKR", "LRD", "LSL", "MAD", "MDL", "MGA", "MKD", "MMK", "MNT",
            "MOP", "MRU", "MUR", "MVR", "MWK", "MXN", "MYR", "MZN", "NAD", "NGN", "NIO", "NOK", "NPR", "NZD", "PAB", "PEN", "PGK", "PHP",
            "PKR", "PLN", "QAR", "RON", "RSD", "RUB", "SAR", "SBD", "SCR", "SDG", "SEK", "SGD", "SHP", "SLE", "SOS", "SRD", "SSP", "STN",
            "SVC", "SYP", "SZL", "THB", "TJS", "TMT", "TOP", "TRY", "TTD", "TWD", "TZS", "UAH", "USD", "UYU", "UZS", "VED", "VES", "WST",
            "XCD", "XCG", "YER", "ZAR", "ZMW", "ZWG",
        ],
    ),
    (3, &["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"]),
    (4, &["CLF", "UYW"]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponents_follow_iso_4217() {
        for (code, exponent) in [("USD", 2), ("JPY", 0), ("KWD", 3), ("CLF", 4), ("ISK", 0)] {
            assert_eq!(Currency::parse(code).unwrap().exponent(), exponent, "{code}");
        }
    }

    #[test]
    fn every_code_is_three_capitals_and_stands_once() {
        let mut codes: Vec<_> = Currency::all().map(Currency::code).collect();
        let count = codes.len();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), count);
        assert!(codes.iter().all(|code| code.len() == 3 && code.bytes().all(|b| b.is_ascii_uppercase())));
    }

    #[test]
    fn unknown_codes_are_refused_with_advice() {
        for code in ["", "usd", "US", "XXX", "USDX", "a very long text that is not a code"] {
            let refusal = Currency::parse(code).unwrap_err();
            assert!(refusal.code.len() <= CODE_SHOWN_CHARS_MAX);
            assert!(refusal.to_string().contains("ISO 4217"));
        }
    }

    #[test]
    fn json_is_the_code() {
        let json = serde_json::to_string(&Currency::EUR).unwrap();
        assert_eq!(json, "\"EUR\"");
        assert_eq!(serde_json::from_str::<Currency>(&json).unwrap(), Currency::EUR);
        assert!(serde_json::from_str::<Currency>("\"eur\"").is_err());
    }
}
