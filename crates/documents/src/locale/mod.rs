//! How a language writes numbers, money and days, and what it calls the parts of an invoice.
//!
//! Five languages, each with the ways of the Unicode locale data. Everything else reads English.

mod language;
mod languages;

use chrono::{DateTime, Datelike, TimeDelta, Utc};
use rating::{Currency, Decimal, Money, Quantity, Tz};

pub use self::language::{Labels, Locale};
use self::languages::LOCALES;
use crate::document::Span;

/// A space that no line is broken at.
const NO_BREAK: &str = "\u{a0}";
const MINUS: &str = "\u{2212}";

/// Symbols that mean the same everywhere; a currency without one is named by its code.
const SYMBOLS: [(&str, &str); 8] =
    [("USD", "$"), ("EUR", "€"), ("GBP", "£"), ("INR", "₹"), ("KRW", "₩"), ("ILS", "₪"), ("VND", "₫"), ("BRL", "R$")];

impl Locale {
    /// The language of a tag, English for one that we do not speak. `de-AT` and `de_AT` read German.
    #[must_use]
    pub fn of(tag: &str) -> &'static Self {
        let language = tag.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase();
        let [english, ..] = &LOCALES;
        LOCALES.iter().find(|locale| locale.tag == language).unwrap_or(english)
    }

    /// An amount with its currency: `$1,234.50`, `1.234,50 €`.
    #[must_use]
    pub fn money(&self, money: Money) -> String {
        self.priced(&money.to_decimal_string(), money.currency())
    }

    /// What one unit costs, with as many decimals as it has, and no fewer than the currency.
    #[must_use]
    pub fn unit_price(&self, price: Decimal, currency: Currency) -> String {
        let text = price.to_string();
        let decimals = text.split_once('.').map_or(0, |(_, decimals)| decimals.len());
        let missing = usize::from(currency.exponent()).saturating_sub(decimals);
        let point = if decimals == 0 && missing > 0 { "." } else { "" };
        self.priced(&format!("{text}{point}{}", "0".repeat(missing)), currency)
    }

    /// How much of something.
    #[must_use]
    pub fn quantity(&self, quantity: Quantity) -> String {
        self.number(&quantity.to_string())
    }

    /// A rate in percent: `20%` in English and Japanese, `20 %` elsewhere.
    #[must_use]
    pub fn percent(&self, rate: Decimal) -> String {
        let gap = if self.is_symbol_first { "" } else { NO_BREAK };
        format!("{}{gap}%", self.number(&rate.to_string()))
    }

    /// `November 29, 2026`
    #[must_use]
    pub fn day(&self, at: DateTime<Utc>, zone: Tz) -> String {
        self.written(self.long_day, at, zone)
    }

    /// The first and the last day of a stretch of time, in short.
    #[must_use]
    pub fn span(&self, span: Span, zone: Tz) -> String {
        let last = span.end.checked_sub_signed(TimeDelta::milliseconds(1)).unwrap_or(span.end).max(span.start);
        let [start, end] = [span.start, last].map(|at| self.written(self.short_day, at, zone));
        if start == end { start } else { format!("{start} – {end}") }
    }

    fn priced(&self, decimal: &str, currency: Currency) -> String {
        let (sign, digits) = decimal.strip_prefix('-').map_or(("", decimal), |digits| (MINUS, digits));
        let number = self.number(digits);
        let symbol = self.symbol(currency);
        let gap = if self.is_symbol_first && !symbol.ends_with(|last: char| last.is_ascii_alphabetic()) { "" } else { NO_BREAK };
        if self.is_symbol_first { format!("{sign}{symbol}{gap}{number}") } else { format!("{sign}{number}{gap}{symbol}") }
    }

    fn symbol(&self, currency: Currency) -> &'static str {
        let code = currency.code();
        self.symbols.iter().chain(&SYMBOLS).find(|(known, _)| *known == code).map_or(code, |(_, symbol)| symbol)
    }

    /// A decimal with our separators.
    fn number(&self, decimal: &str) -> String {
        let (sign, decimal) = decimal.strip_prefix('-').map_or(("", decimal), |decimal| (MINUS, decimal));
        let (whole, fraction) = decimal.split_once('.').unwrap_or((decimal, ""));
        let mut grouped = String::from(sign);
        for (index, digit) in whole.chars().enumerate() {
            let left = whole.len().saturating_sub(index);
            if index > 0 && left % 3 == 0 && whole.len() >= self.group_from {
                grouped.push_str(self.group);
            }
            grouped.push(digit);
        }
        if !fraction.is_empty() {
            grouped.push_str(self.decimal);
            grouped.push_str(fraction);
        }
        grouped
    }

    fn written(&self, pattern: &str, at: DateTime<Utc>, zone: Tz) -> String {
        let day = at.with_timezone(&zone).date_naive();
        let month = usize::try_from(day.month0()).ok().and_then(|index| self.months.get(index)).copied().unwrap_or_default();
        let short: String = month.chars().take(3).collect();
        let first = if self.tag == "fr" && day.day() == 1 { "1er".to_owned() } else { day.day().to_string() };
        pattern
            .replace("{dd}", &format!("{:02}", day.day()))
            .replace("{d}", &first)
            .replace("{mm}", &format!("{:02}", day.month()))
            .replace("{m}", &day.month().to_string())
            .replace("{month}", month)
            .replace("{mon}", &short)
            .replace("{y}", &day.year().to_string())
    }
}
