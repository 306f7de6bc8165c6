//! Instants: milliseconds since 1970 in bodies, RFC 3339 in UTC for people and in closings.

use serde::{Deserialize, Deserializer, de};

const DAY_MILLIS: i64 = 86_400_000;
/// The years that RFC 3339 can write, from where instants begin.
const YEARS: std::ops::RangeInclusive<i64> = 1970..=9999;

/// `2026-01-31T10:00:00Z`, with milliseconds where there are any.
pub(crate) fn text(millis: i64) -> String {
    let (days, rest) = (millis.div_euclid(DAY_MILLIS), millis.rem_euclid(DAY_MILLIS));
    let Some((year, month, day)) = date(days) else { return format!("{millis} ms") };
    let (seconds, fraction) = (rest / 1_000, rest % 1_000);
    let fraction = if fraction == 0 { String::new() } else { format!(".{fraction:03}") };
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}{fraction}Z", seconds / 3_600, seconds / 60 % 60, seconds % 60)
}

/// Reads what [`text`] writes; what is finer than a millisecond is cut off.
pub(crate) fn parse(text: &str) -> Option<i64> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let (whole, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    let [hour, minute, second] = numbers(whole, ':', [2, 2, 2])?;
    if !YEARS.contains(&year) || !(1..=12).contains(&month) || !(1..=month_days(year, month)).contains(&day) {
        return None;
    }
    if hour > 23 || minute > 59 || second > 59 || fraction.is_empty() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let millis: i64 = fraction.chars().chain("000".chars()).take(3).collect::<String>().parse().ok()?;
    let days_before = (1970..year).map(year_days).chain((1..month).map(|month| month_days(year, month))).sum::<i64>();
    let days = days_before.saturating_add(day).saturating_sub(1);
    let minutes = hour.saturating_mul(60).saturating_add(minute);
    let seconds = minutes.saturating_mul(60).saturating_add(second);
    Some(days.saturating_mul(DAY_MILLIS).saturating_add(seconds.saturating_mul(1_000)).saturating_add(millis))
}

/// Milliseconds as a number, or RFC 3339.
pub(crate) fn either<'de, D: Deserializer<'de>>(value: D) -> Result<i64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        Millis(i64),
        Text(String),
    }
    match Either::deserialize(value)? {
        Either::Millis(millis) => Ok(millis),
        Either::Text(text) => parse(&text).ok_or_else(|| de::Error::custom("not an instant in UTC such as 2026-11-22T10:00:00Z")),
    }
}

fn numbers<const COUNT: usize>(text: &str, separator: char, lengths: [usize; COUNT]) -> Option<[i64; COUNT]> {
    let parts: Vec<&str> = text.split(separator).collect();
    let is_sound = parts.len() == COUNT
        && parts.iter().zip(lengths).all(|(part, length)| part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit()));
    let numbers: Vec<i64> = parts.iter().filter_map(|part| part.parse().ok()).collect();
    if is_sound { numbers.try_into().ok() } else { None }
}

fn date(days: i64) -> Option<(i64, i64, i64)> {
    let mut left = days;
    for year in YEARS {
        for month in 1..=12 {
            let length = month_days(year, month);
            if (0..length).contains(&left) {
                return Some((year, month, left.saturating_add(1)));
            }
            left = left.saturating_sub(length);
        }
    }
    None
}

fn year_days(year: i64) -> i64 {
    if is_leap(year) { 366 } else { 365 }
}

fn month_days(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap(year) => 29,
        2 => 28,
        _ => 31,
    }
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_written_as_they_are_read() {
        for (millis, written) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400_000, "2000-02-29T00:00:00Z"),
            (1_767_225_599_999, "2025-12-31T23:59:59.999Z"),
            (1_767_225_600_000, "2026-01-01T00:00:00Z"),
            (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(text(millis), written);
            assert_eq!(parse(written), Some(millis));
        }
        assert_eq!(parse("2026-01-01T00:00:00.1239Z"), Some(1_767_225_600_123));
        assert_eq!(text(-1), "-1 ms");
    }

    #[test]
    fn what_is_no_instant_is_not_read() {
        for text in [
            "",
            "2026-01-01",
            "2026-02-29T00:00:00Z",
            "2026-01-01T24:00:00Z",
            "2026-1-01T00:00:00Z",
            "2026-01-01T00:00:00.Z",
            "+026-01-01T00:00:00Z",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
