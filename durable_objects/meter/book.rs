//! The book: every counter of the organization, in memory as in SQL.
//!
//! Words: `used` is what a period is billed by: the sum of a consumable metric, the peak of a level. `level` is what a level ends its
//! period with, and with that what the next period starts at.
//! Invariants:
//! - A consumable event moves its period only. A level event moves its period and all that come after it.
//! - A peak never goes down: what was in use at some time stays used.
//! - The newest row of a level tells its present value; a period without a row is one in which nothing happened.

use std::collections::BTreeMap;

use rating::Quantity;
use serde::{Deserialize, Deserializer};

use crate::kernel::sql as columns;
use crate::kernel::sql::{LocalSql, SqlError, Value, decode};
use crate::kernel::time::Timestamp;
use crate::usage::meter::MetricKind;

use super::schema;

#[derive(Default)]
pub(super) struct Book {
    metrics: BTreeMap<String, Rows>,
    /// Events recorded so far.
    pub sequence: u64,
}

type Rows = BTreeMap<Timestamp, Counter>;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Counter {
    pub used: Quantity,
    level: Quantity,
    pub invoiced: Option<Quantity>,
    /// Bits of the thresholds that were told in this period.
    pub raised: u32,
    /// Of the last event that moved this counter.
    sequence: u64,
    is_changed: bool,
}

/// Why an amount cannot be counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Impossible {
    TooLarge,
    BelowZero,
}

#[derive(Deserialize)]
struct Row {
    metric: String,
    #[serde(with = "columns::millis")]
    period_starts_at: Timestamp,
    #[serde(deserialize_with = "quantity")]
    used: Quantity,
    #[serde(deserialize_with = "quantity")]
    level: Quantity,
    #[serde(deserialize_with = "optional_quantity")]
    invoiced: Option<Quantity>,
    raised: u32,
    sequence: u64,
}

fn quantity<'de, D: Deserializer<'de>>(column: D) -> Result<Quantity, D::Error> {
    Quantity::parse(&String::deserialize(column)?).map_err(serde::de::Error::custom)
}

fn optional_quantity<'de, D: Deserializer<'de>>(column: D) -> Result<Option<Quantity>, D::Error> {
    let text = Option::<String>::deserialize(column)?;
    text.map(|text| Quantity::parse(&text)).transpose().map_err(serde::de::Error::custom)
}

impl Book {
    pub fn load<S: LocalSql>(sql: &S) -> Result<Self, SqlError> {
        let mut book = Self::default();
        for row in sql.run("SELECT metric, period_starts_at, used, level, invoiced, raised, sequence FROM counters", &[])? {
            let Row { metric, period_starts_at, used, level, invoiced, raised, sequence } = decode(row)?;
            let counter = Counter { used, level, invoiced, raised, sequence, is_changed: false };
            book.sequence = book.sequence.max(sequence);
            book.metrics.entry(metric).or_default().insert(period_starts_at, counter);
        }
        Ok(book)
    }

    /// Writes every counter that changed, in one statement.
    pub fn store<S: LocalSql>(&mut self, sql: &S) -> Result<(), SqlError> {
        let mut rows = Vec::new();
        for (metric, counters) in &mut self.metrics {
            for (starts_at, counter) in counters.iter_mut().filter(|(_, counter)| counter.is_changed) {
                counter.is_changed = false;
                let Counter { used, level, invoiced, raised, sequence, .. } = counter;
                let invoiced = invoiced.map(|invoiced| invoiced.to_string());
                rows.push((metric, starts_at.as_millis(), used.to_string(), level.to_string(), invoiced, *raised, *sequence));
            }
        }
        if rows.is_empty() {
            return Ok(());
        }
        let text = "INSERT OR REPLACE INTO counters (metric, period_starts_at, used, level, invoiced, raised, sequence) \
                    SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6 FROM json_each(?1)";
        sql.run(text, &[Value::Text(schema::json(&rows)?)])?;
        Ok(())
    }

    /// The count of a metric in a period: of a level its value at the period's end, or now.
    pub fn reading(&self, metric: &str, kind: MetricKind, starts_at: Timestamp) -> Quantity {
        let Some(rows) = self.metrics.get(metric) else { return Quantity::ZERO };
        match kind {
            MetricKind::Consumable => rows.get(&starts_at).map_or(Quantity::ZERO, |counter| counter.used),
            MetricKind::Level => level_at(rows, starts_at),
        }
    }

    /// Whether anything was ever recorded of a metric.
    pub fn is_started(&self, metric: &str) -> bool {
        self.metrics.get(metric).is_some_and(|rows| rows.values().any(|counter| counter.sequence > 0))
    }

    /// The highest count that `amount` would lead to, in its period or, of a level, in one after it.
    pub fn highest_after(&self, metric: &str, kind: MetricKind, starts_at: Timestamp, amount: Quantity) -> Result<Quantity, Impossible> {
        let plus = |count: Quantity| count.checked_add(amount).map_err(|_| Impossible::TooLarge);
        let mut highest = plus(self.reading(metric, kind, starts_at))?;
        let mut lowest = highest;
        if let (MetricKind::Level, Some(rows)) = (kind, self.metrics.get(metric)) {
            for (_, counter) in rows.range(starts_at..) {
                let after = plus(counter.level)?;
                highest = highest.max(after);
                lowest = lowest.min(after);
            }
        }
        if lowest.is_negative() { Err(Impossible::BelowZero) } else { Ok(highest) }
    }

    /// Counts `amount`, once `highest_after` has found it possible, as the next event.
    pub fn record(&mut self, metric: &str, kind: MetricKind, starts_at: Timestamp, amount: Quantity) {
        self.sequence = self.sequence.saturating_add(1);
        let sequence = self.sequence;
        let plus = |count: Quantity| count.checked_add(amount).unwrap_or(count);
        let rows = self.rows(metric);
        let counter = opened(rows, kind, starts_at);
        match kind {
            MetricKind::Consumable => counter.used = plus(counter.used),
            MetricKind::Level => {
                for (_, later) in rows.range_mut(starts_at..) {
                    later.level = plus(later.level);
                    later.used = later.used.max(later.level);
                    later.is_changed = true;
                }
            }
        }
        if let Some(counter) = rows.get_mut(&starts_at) {
            counter.sequence = sequence;
            counter.is_changed = true;
        }
    }

    /// The counter of a period to be written to; it comes into being with what is carried over.
    pub fn open(&mut self, metric: &str, kind: MetricKind, starts_at: Timestamp) -> &mut Counter {
        let counter = opened(self.rows(metric), kind, starts_at);
        counter.is_changed = true;
        counter
    }

    /// Every counter that was invoiced: metric, start of its period, counter.
    pub fn invoiced(&mut self) -> impl Iterator<Item = (&str, Timestamp, &mut Counter)> {
        let rows = self
            .metrics
            .iter_mut()
            .flat_map(|(metric, rows)| rows.iter_mut().map(move |(start, counter)| (metric.as_str(), *start, counter)));
        rows.filter(|(_, _, counter)| counter.invoiced.is_some())
    }

    /// Metrics of which anything was counted in a period.
    pub fn metrics_in(&self, starts_at: Timestamp) -> impl Iterator<Item = &str> {
        self.metrics.iter().filter(move |(_, rows)| rows.contains_key(&starts_at)).map(|(metric, _)| metric.as_str())
    }

    fn rows(&mut self, metric: &str) -> &mut Rows {
        if !self.metrics.contains_key(metric) {
            self.metrics.insert(metric.to_owned(), Rows::new());
        }
        self.metrics.entry(metric.to_owned()).or_default()
    }
}

impl Counter {
    pub fn mark_invoiced(&mut self) {
        self.invoiced = Some(self.used);
        self.is_changed = true;
    }
}

fn level_at(rows: &Rows, starts_at: Timestamp) -> Quantity {
    rows.range(..=starts_at).next_back().map_or(Quantity::ZERO, |(_, counter)| counter.level)
}

fn opened(rows: &mut Rows, kind: MetricKind, starts_at: Timestamp) -> &mut Counter {
    let carried = match kind {
        MetricKind::Consumable => Quantity::ZERO,
        MetricKind::Level => level_at(rows, starts_at),
    };
    rows.entry(starts_at).or_insert_with(|| Counter { used: carried, level: carried, ..Counter::default() })
}
