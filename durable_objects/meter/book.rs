//! The book: every counter of the organization, in memory as in SQL.
//!
//! Words: `used` is what a period is billed by. `level` is what a level ends its period with, and with that what the next period
//! starts at. An *entry* is an amount at an instant; the *moment* of a weighted sum is the sum of its amounts times their distance from the
//! period's start.
//! Invariants:
//! - An entry of a consumable metric changes its period only. An entry of a level changes its period and all later ones.
//! - The peak of a summed level never goes down: what was in use at some time stays used.
//! - The newest row of a level has its present value; a period without a row has no events.
//! - The order of entries does not matter, but for the latest of several at the same instant.

use std::collections::BTreeMap;

use rating::Quantity;
use serde::{Deserialize, Deserializer};

use super::rules::{Period, Rule, Rules};
use super::schema;
use crate::kernel::sql as columns;
use crate::kernel::sql::{LocalSql, SqlError, Value, decode};
use crate::kernel::time::Timestamp;
use crate::meter::vocabulary::{Aggregation, MetricKind};

#[derive(Default)]
pub(super) struct Book {
    accounts: BTreeMap<String, Account>,
    /// A fallback that the type system needs; nothing is ever counted here.
    nobody: Account,
}

/// The counters of one metric by the start of their period.
#[derive(Default)]
pub(super) struct Account {
    rows: BTreeMap<Timestamp, Counter>,
    /// Whether anything was ever recorded.
    is_started: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Counter {
    pub used: Quantity,
    pub level: Quantity,
    pub invoiced: Option<Quantity>,
    /// Bits of the thresholds whose facts were raised in this period.
    pub raised: u32,
    /// Of the last event that changed this counter.
    pub sequence: u64,
    /// Billionths of a unit times milliseconds.
    moment: i128,
    /// Of the entry that `used` of a latest amount comes from.
    latest_at: Option<Timestamp>,
    is_changed: bool,
}

/// An amount at an instant, to be counted in a period.
#[derive(Clone, Copy)]
pub(super) struct Entry {
    pub amount: Quantity,
    pub at: Timestamp,
    pub period: Period,
}

/// What the counters would be with an entry: nothing is written before the book takes it.
pub(super) struct Draft {
    starts_at: Timestamp,
    own: Counter,
    later: Vec<(Timestamp, Counter)>,
    /// The highest count that it leads to, in its period or, of a level, in one after it.
    pub highest: Quantity,
    /// The count of its own period with it.
    pub current: Quantity,
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
    #[serde(deserialize_with = "wide_integer")]
    moment: i128,
    #[serde(with = "columns::optional_millis")]
    latest_at: Option<Timestamp>,
}

pub(super) fn quantity<'de, D: Deserializer<'de>>(column: D) -> Result<Quantity, D::Error> {
    Quantity::parse(&String::deserialize(column)?).map_err(serde::de::Error::custom)
}

pub(super) fn optional_quantity<'de, D: Deserializer<'de>>(column: D) -> Result<Option<Quantity>, D::Error> {
    let text = Option::<String>::deserialize(column)?;
    text.map(|text| Quantity::parse(&text)).transpose().map_err(serde::de::Error::custom)
}

fn wide_integer<'de, D: Deserializer<'de>>(column: D) -> Result<i128, D::Error> {
    String::deserialize(column)?.parse().map_err(serde::de::Error::custom)
}

impl Book {
    pub fn load<S: LocalSql>(sql: &S) -> Result<Self, SqlError> {
        let mut book = Self::default();
        let text = "SELECT metric, period_starts_at, used, level, invoiced, raised, sequence, moment, latest_at
                    FROM counters";
        for row in sql.run(text, &[])? {
            let Row { metric, period_starts_at, used, level, invoiced, raised, sequence, moment, latest_at } = decode(row)?;
            let counter = Counter { used, level, invoiced, raised, sequence, moment, latest_at, is_changed: false };
            let account = book.accounts.entry(metric).or_default();
            account.is_started |= sequence > 0;
            account.rows.insert(period_starts_at, counter);
        }
        Ok(book)
    }

    /// Writes every counter that changed, in one statement.
    pub fn store<S: LocalSql>(&mut self, sql: &S) -> Result<(), SqlError> {
        let mut rows = Vec::new();
        for (metric, account) in &mut self.accounts {
            for (starts_at, counter) in account.rows.iter_mut().rev().filter(|(_, counter)| counter.is_changed) {
                counter.is_changed = false;
                let Counter { used, level, invoiced, raised, sequence, moment, latest_at, .. } = counter;
                let (invoiced, latest_at) = (invoiced.map(|invoiced| invoiced.to_string()), latest_at.map(Timestamp::as_millis));
                let texts = (used.to_string(), level.to_string(), moment.to_string());
                rows.push((metric, starts_at.as_millis(), texts.0, texts.1, invoiced, *raised, *sequence, texts.2, latest_at));
            }
        }
        if rows.is_empty() {
            return Ok(());
        }
        let text = "INSERT OR REPLACE INTO counters
                      (metric, period_starts_at, used, level, invoiced, raised, sequence, moment, latest_at)
                    SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6,
                      value ->> 7, value ->> 8
                    FROM json_each(?1)";
        sql.run(text, &[Value::Text(schema::json(&rows)?)])?;
        Ok(())
    }

    pub fn account_mut(&mut self, metric: &str) -> &mut Account {
        if !self.accounts.contains_key(metric) {
            self.accounts.insert(metric.to_owned(), Account::default());
        }
        self.accounts.get_mut(metric).unwrap_or(&mut self.nobody)
    }

    /// The count of a metric in a period.
    pub fn reading(&self, metric: &str, rule: &Rule, period: Period) -> Quantity {
        self.accounts.get(metric).map_or(Quantity::ZERO, |account| account.reading(rule, period))
    }

    /// What a period would be billed by: of a level its peak so far.
    pub fn billed(&self, metric: &str, rule: Option<&Rule>, period: Period) -> Quantity {
        let Some(account) = self.accounts.get(metric) else { return Quantity::ZERO };
        let kind = rule.map_or(MetricKind::Consumable, |rule| rule.kind);
        let mut counter = account.rows.get(&period.starts_at).cloned().unwrap_or_else(|| account.carried(kind, period.starts_at));
        if let Some(rule) = rule {
            counter.recompute(rule, period);
        }
        counter.used
    }

    /// Every counter: metric, start of its period, counter.
    pub fn counters(&self) -> impl Iterator<Item = (&str, Timestamp, &Counter)> {
        self.accounts
            .iter()
            .flat_map(|(metric, account)| account.rows.iter().map(move |(start, counter)| (metric.as_str(), *start, counter)))
    }

    /// Every counter of a period that was closed: `ends` has the closed periods by their start.
    pub fn closed(&mut self, ends: &BTreeMap<Timestamp, Timestamp>) -> impl Iterator<Item = (&str, Timestamp, &mut Counter)> {
        let rows = self
            .accounts
            .iter_mut()
            .flat_map(|(metric, account)| account.rows.iter_mut().map(move |(start, counter)| (metric.as_str(), *start, counter)));
        rows.filter(|(_, start, counter)| counter.invoiced.is_some() || ends.contains_key(start))
    }

    /// Metrics of which anything was counted in a period.
    pub fn metrics_in(&self, starts_at: Timestamp) -> impl Iterator<Item = &str> {
        self.accounts.iter().filter(move |(_, account)| account.rows.contains_key(&starts_at)).map(|(metric, _)| metric.as_str())
    }

    /// Metrics that changed after the event `since`, in any period.
    pub fn moved_since(&self, since: u64) -> impl Iterator<Item = &str> {
        let moved = self.accounts.iter().filter(move |(_, account)| account.rows.values().any(|counter| counter.sequence > since));
        moved.map(|(metric, _)| metric.as_str())
    }
}

impl Account {
    pub fn is_started(&self) -> bool {
        self.is_started
    }

    /// The count in a period: of a level its value at the period's end, or now.
    pub fn reading(&self, rule: &Rule, period: Period) -> Quantity {
        match (rule.kind, self.rows.get(&period.starts_at)) {
            (_, Some(counter)) => counter.reading(rule, period),
            (MetricKind::Consumable, None) => Quantity::ZERO,
            // Carried over, and unchanged so far: its average is its level, too.
            (MetricKind::Level, None) => self.carried(rule.kind, period.starts_at).level,
        }
    }

    /// What the counters would be with `entry`.
    pub fn draft(&self, rule: &Rule, entry: Entry, rules: &Rules) -> Result<Draft, Impossible> {
        let starts_at = entry.period.starts_at;
        let mut own = self.rows.get(&starts_at).cloned().unwrap_or_else(|| self.carried(rule.kind, starts_at));
        own.take(rule, entry, true)?;
        let mut later = Vec::new();
        let current = own.reading(rule, entry.period);
        let mut highest = current;
        if rule.kind == MetricKind::Level {
            for (start, counter) in self.rows.range(starts_at..).skip_while(|(start, _)| **start == starts_at) {
                let mut counter = counter.clone();
                let period = rules.period_of(*start);
                counter.take(rule, Entry { period, ..entry }, false)?;
                highest = highest.max(counter.reading(rule, period));
                later.push((*start, counter));
            }
        }
        Ok(Draft { starts_at, own, later, highest, current })
    }

    /// Writes a draft down as the event `sequence`, and gives the counter of its period.
    pub fn accept(&mut self, draft: Draft, sequence: u64) -> &mut Counter {
        self.is_started = true;
        for (start, counter) in draft.later {
            self.rows.insert(start, Counter { is_changed: true, ..counter });
        }
        let counter = self.rows.entry(draft.starts_at).or_default();
        *counter = Counter { sequence, is_changed: true, ..draft.own };
        counter
    }

    /// The counter of a period, to be written to; a new one begins with the carried-over level.
    pub fn open(&mut self, kind: MetricKind, starts_at: Timestamp) -> &mut Counter {
        let carried = self.carried(kind, starts_at);
        let counter = self.rows.entry(starts_at).or_insert(carried);
        counter.is_changed = true;
        counter
    }

    /// The first counter of a period without a row.
    fn carried(&self, kind: MetricKind, starts_at: Timestamp) -> Counter {
        let before = match kind {
            MetricKind::Consumable => None,
            MetricKind::Level => self.rows.range(..starts_at).next_back(),
        };
        let Some((_, Counter { level, latest_at, .. })) = before else { return Counter::default() };
        Counter { used: *level, level: *level, latest_at: *latest_at, ..Counter::default() }
    }
}

impl Counter {
    /// Computes a weighted sum again: it depends on the period's end, which a change of the subscription may have moved.
    pub fn recompute(&mut self, rule: &Rule, period: Period) {
        if rule.aggregation == Aggregation::WeightedSum {
            self.used = weighted(self.level, self.moment, period);
        }
    }

    pub fn mark_invoiced(&mut self) {
        self.invoiced = Some(self.used);
        self.is_changed = true;
    }

    pub fn mark_raised(&mut self, bit: u32) {
        self.raised |= bit;
        self.is_changed = true;
    }

    /// The count that clients read: the peak of a level is for its bill only.
    fn reading(&self, rule: &Rule, period: Period) -> Quantity {
        match (rule.kind, rule.aggregation) {
            (MetricKind::Level, Aggregation::Sum | Aggregation::Count | Aggregation::Unique) => self.level,
            (_, Aggregation::WeightedSum) => weighted(self.level, self.moment, period),
            _ => self.used,
        }
    }

    /// Counts an entry of this period (`is_own`), or of one before it.
    fn take(&mut self, rule: &Rule, entry: Entry, is_own: bool) -> Result<(), Impossible> {
        let Entry { amount, at, period } = entry;
        let plus = |count: Quantity| count.checked_add(amount).map_err(|_| Impossible::TooLarge);
        match (rule.aggregation, rule.kind) {
            (Aggregation::Sum | Aggregation::Count | Aggregation::Unique, MetricKind::Consumable) => self.used = plus(self.used)?,
            (Aggregation::Sum | Aggregation::Count | Aggregation::Unique, MetricKind::Level) => {
                self.level = plus(self.level)?;
                self.used = self.used.max(self.level);
            }
            (Aggregation::Max, _) => {
                self.level = self.level.max(amount);
                self.used = self.level;
            }
            (Aggregation::Latest, _) => {
                if self.latest_at.is_none_or(|latest| latest <= at) {
                    (self.level, self.used, self.latest_at) = (amount, amount, Some(at));
                }
            }
            (Aggregation::WeightedSum, _) => {
                self.level = plus(self.level)?;
                if is_own {
                    let since = period.starts_at.until(at.min(period.ends_at)).as_millis();
                    let moment = amount.nanos().saturating_mul(i128::try_from(since).unwrap_or(i128::MAX));
                    self.moment = self.moment.saturating_add(moment);
                }
                self.used = weighted(self.level, self.moment, period);
            }
        }
        if self.level.is_negative() { Err(Impossible::BelowZero) } else { Ok(()) }
    }
}

/// The time-weighted average over the whole period if the level stays: level - moment / (end - start), rounded half away from zero
/// at a billionth. An amount counts for the share of the period that was left at its instant. It never falls below 0, also where a
/// decrease has an earlier timestamp than the increase that it reverses.
fn weighted(level: Quantity, moment: i128, period: Period) -> Quantity {
    let length = i128::try_from(period.starts_at.until(period.ends_at).as_millis()).unwrap_or(i128::MAX).max(1);
    let area = level.nanos().saturating_mul(length).saturating_sub(moment).max(0);
    // Half away from zero; the area is not negative.
    let nanos = area.saturating_mul(2).saturating_add(length).checked_div(length.saturating_mul(2)).unwrap_or(0);
    Quantity::from_nanos(nanos).unwrap_or(level)
}
