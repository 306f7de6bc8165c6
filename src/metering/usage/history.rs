//! History: usage by the hour or the day. Pure.

use std::time::Duration;

use rating::Quantity;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::store::BucketRow;
use crate::http::quantity::QuantityDocument;
use crate::kernel::error::{Error, Result};
use crate::kernel::problem::Problem;
use crate::kernel::time::{Timestamp, days, hours};

/// The length of one entry of a history.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = "hour")]
pub enum Granularity {
    /// One hour.
    #[default]
    Hour,
    /// One day in UTC.
    Day,
}

impl Granularity {
    fn span(self) -> Duration {
        match self {
            Self::Hour => hours(1),
            Self::Day => days(1),
        }
    }

    /// The default length of a history.
    fn usual(self) -> Duration {
        match self {
            Self::Hour => hours(24),
            Self::Day => days(30),
        }
    }

    /// The start of the entry in which an instant lies.
    fn start_of(self, instant: Timestamp) -> Timestamp {
        let into = instant.as_millis().checked_rem(millis(self.span())).unwrap_or(0);
        Timestamp::from_millis(instant.as_millis().saturating_sub(into))
    }

    /// The first start of an entry that is not before an instant.
    fn end_of(self, instant: Timestamp) -> Timestamp {
        let start = self.start_of(instant);
        if start == instant { start } else { start.plus(self.span()) }
    }
}

fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

/// The usage with timestamps in one hour or day.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HistoryEntry {
    /// The start of the hour or day, inclusive.
    pub start: Timestamp,
    /// The end of the hour or day, exclusive.
    pub end: Timestamp,
    /// The number of events.
    #[schema(example = 12)]
    pub count: u64,
    /// The sum of the amounts, in units of the metric.
    #[schema(value_type = QuantityDocument)]
    pub sum: Quantity,
    /// The highest amount, in units of the metric.
    #[schema(value_type = QuantityDocument)]
    pub max: Quantity,
    /// The amount of the event with the latest timestamp, in units of the metric.
    #[schema(value_type = QuantityDocument)]
    pub last: Quantity,
    /// The number of values that a unique metric counted for the first time in their period; 0 for other metrics.
    #[schema(example = 0)]
    pub uniques: u64,
}

/// Entries in one history.
const ENTRIES_MAX: i64 = 1_000;

/// Whole entries from the one that `from` lies in to the one that `to` ends in; without `to`, to the one that `now` lies in, which begins
/// with `now` where that is a full hour.
pub fn range(
    granularity: Granularity,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
    now: Timestamp,
) -> std::result::Result<(Timestamp, Timestamp), Problem> {
    let until = to.unwrap_or(now);
    let from = from.unwrap_or_else(|| until.minus(granularity.usual()));
    if from >= until {
        return Err(Problem::invalid_range());
    }
    let past_now = now.plus(Duration::from_millis(1));
    let (from, to) = (granularity.start_of(from), granularity.end_of(to.unwrap_or(past_now)));
    let entries = millis(from.until(to)).checked_div(millis(granularity.span())).unwrap_or(i64::MAX);
    if entries > ENTRIES_MAX {
        let detail = format!(
            "The range has {entries} entries, more than the maximum of {ENTRIES_MAX}. Choose a shorter range, or the granularity `day`."
        );
        return Err(Problem::refused("from", "range_too_large", detail));
    }
    Ok((from, to))
}

/// Adds an hour to the entry it lies in; hours come in time order.
pub fn add(entries: &mut Vec<HistoryEntry>, granularity: Granularity, row: &BucketRow) -> Result<()> {
    let start = granularity.start_of(row.hour);
    match entries.last_mut() {
        Some(entry) if entry.start == start => {
            entry.count = entry.count.saturating_add(row.count);
            entry.sum = entry.sum.checked_add(row.sum).map_err(|error| Error::internal(format!("a sum of buckets: {error}")))?;
            entry.max = entry.max.max(row.max);
            entry.last = row.last;
            entry.uniques = entry.uniques.saturating_add(row.uniques);
        }
        _ => entries.push(HistoryEntry {
            start,
            end: start.plus(granularity.span()),
            count: row.count,
            sum: row.sum,
            max: row.max,
            last: row.last,
            uniques: row.uniques,
        }),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn a_range_is_whole_entries_and_bounded() {
        let now = at("2026-03-10T12:30:00Z");
        let hour = range(Granularity::Hour, None, None, now).unwrap();
        assert_eq!(hour, (at("2026-03-09T12:00:00Z"), at("2026-03-10T13:00:00Z")));
        let day = range(Granularity::Day, None, None, now).unwrap();
        assert_eq!(day, (at("2026-02-08T00:00:00Z"), at("2026-03-11T00:00:00Z")));
        let full = range(Granularity::Day, None, None, at("2026-03-10T00:00:00Z")).unwrap();
        assert_eq!(full, (at("2026-02-08T00:00:00Z"), at("2026-03-11T00:00:00Z")), "an event of this very moment is in it");
        let exact = range(Granularity::Hour, Some(at("2026-03-01T00:00:00Z")), Some(at("2026-03-02T00:00:00Z")), now).unwrap();
        assert_eq!(exact, (at("2026-03-01T00:00:00Z"), at("2026-03-02T00:00:00Z")));
        let code =
            |granularity, from: &str, to: &str| range(granularity, Some(at(from)), Some(at(to)), now).map_err(|problem| problem.code).err();
        assert_eq!(code(Granularity::Hour, "2026-01-01T00:00:00Z", "2026-02-11T16:00:00Z"), None);
        assert_eq!(code(Granularity::Hour, "2026-01-01T00:00:00Z", "2026-02-11T16:00:01Z"), Some("range_too_large"));
        assert_eq!(code(Granularity::Day, "2020-01-01T00:00:00Z", "2026-01-01T00:00:00Z"), Some("range_too_large"));
        assert_eq!(code(Granularity::Day, "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"), Some("invalid_range"));
        assert_eq!(range(Granularity::Hour, Some(now), None, now).map_err(|problem| problem.code), Err("invalid_range"));
    }
}
