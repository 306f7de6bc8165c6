//! The counts of a metric by definition: computed from the list of all events, each time.

use std::collections::BTreeSet;

use rating::Quantity;
use serde_json::{Map, Value};
use tenantry::kernel::time::Timestamp;
use tenantry::meter::vocabulary::{Aggregation, MetricKind, MetricRule};

/// Index of a period in the list of its bounds.
pub type Period = usize;

/// All events, in order.
#[derive(Clone, Debug)]
pub enum Entry {
    Counted(Counted),
    /// A closing looked at a metric's period, which from then on exists.
    Opened {
        metric: String,
        period: Period,
    },
}

/// An event that was counted.
#[derive(Clone, Debug)]
pub struct Counted {
    pub sequence: u64,
    pub metric: String,
    pub mode: &'static str,
    /// As it was counted: of a unique metric 1 for a new value, else 0.
    pub amount: Quantity,
    /// The value that a unique metric counts.
    pub value: Option<String>,
    pub at: Timestamp,
    pub period: Period,
    pub recorded_at: Timestamp,
    pub key: Option<String>,
    pub metadata: Option<Map<String, Value>>,
}

/// Where a metric stands in a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    /// The count that clients read.
    pub count: Quantity,
    /// The billed count of the period.
    pub billed: Quantity,
    /// The level at the period's end.
    pub level: Quantity,
}

pub struct History {
    pub entries: Vec<Entry>,
    /// Starts of the periods; the last entry only ends one.
    pub bounds: Vec<Timestamp>,
}

impl History {
    pub fn period_of(&self, instant: Timestamp) -> Period {
        self.bounds.iter().rposition(|bound| *bound <= instant).unwrap().min(self.bounds.len() - 2)
    }

    pub fn counted(&self) -> impl Iterator<Item = &Counted> {
        self.entries.iter().filter_map(|entry| match entry {
            Entry::Counted(counted) => Some(counted),
            Entry::Opened { .. } => None,
        })
    }

    fn of<'a>(&'a self, metric: &'a str) -> impl Iterator<Item = &'a Counted> {
        self.counted().filter(move |counted| counted.metric == metric)
    }

    /// The periods of a metric in which there was something, or that were closed.
    pub fn periods(&self, metric: &str) -> BTreeSet<Period> {
        let period = |entry: &Entry| match entry {
            Entry::Counted(counted) => (counted.metric == metric).then_some(counted.period),
            Entry::Opened { metric: opened, period } => (opened == metric).then_some(*period),
        };
        self.entries.iter().filter_map(period).collect()
    }

    pub fn is_started(&self, metric: &str) -> bool {
        self.of(metric).next().is_some()
    }

    pub fn has_value(&self, metric: &str, period: Period, value: &str) -> bool {
        self.of(metric).any(|counted| counted.period == period && counted.value.as_deref() == Some(value))
    }

    pub fn counts(&self, metric: &str, rule: &MetricRule, period: Period) -> Counts {
        // A level is what all events up to the period's end come to.
        let is_level = rule.kind == MetricKind::Level;
        let counts = |counted: &&Counted| if is_level { counted.period <= period } else { counted.period == period };
        let events: Vec<&Counted> = self.of(metric).filter(counts).collect();
        let sum = || events.iter().fold(Quantity::ZERO, |sum, counted| plus(sum, counted.amount));
        let same = |count| Counts { count, billed: count, level: count };
        match rule.aggregation {
            Aggregation::Sum | Aggregation::Count if is_level => Counts { billed: self.peak(metric, period), ..same(sum()) },
            Aggregation::Sum | Aggregation::Count => same(sum()),
            Aggregation::Unique => {
                let values: BTreeSet<_> = events.iter().map(|counted| &counted.value).collect();
                same(Quantity::from(values.len() as u32))
            }
            Aggregation::Max => same(events.iter().map(|counted| counted.amount).fold(Quantity::ZERO, Quantity::max)),
            // Of several at the same instant, the one that arrived last.
            Aggregation::Latest => same(events.iter().max_by_key(|counted| counted.at).map_or(Quantity::ZERO, |latest| latest.amount)),
            Aggregation::WeightedSum => {
                let average = self.average(metric, period, sum());
                Counts { count: average, billed: average, level: sum() }
            }
        }
    }

    /// The highest level since the period came to be, with the one that it began with.
    fn peak(&self, metric: &str, period: Period) -> Quantity {
        let (mut level, mut peak) = (Quantity::ZERO, None);
        for entry in &self.entries {
            match entry {
                Entry::Opened { metric: opened, period: of } if opened == metric && *of == period => peak = peak.max(Some(level)),
                Entry::Counted(counted) if counted.metric == metric && counted.period <= period => {
                    if counted.period == period {
                        peak = peak.max(Some(level));
                    }
                    level = plus(level, counted.amount);
                    peak = peak.map(|peak: Quantity| peak.max(level));
                }
                _ => {}
            }
        }
        peak.unwrap_or(level)
    }

    /// The time-weighted average of a level: each amount counts for the share of the period that was left.
    fn average(&self, metric: &str, period: Period, level: Quantity) -> Quantity {
        let (start, end) = (self.bounds[period].as_millis(), self.bounds[period + 1].as_millis());
        let length = i128::from(end - start);
        let missed = |counted: &Counted| counted.amount.nanos() * i128::from(counted.at.as_millis().clamp(start, end) - start);
        let missed: i128 = self.of(metric).filter(|counted| counted.period == period).map(missed).sum();
        let area = (level.nanos() * length - missed).max(0);
        Quantity::from_nanos((2 * area + length) / (2 * length)).unwrap()
    }
}

pub fn plus(one: Quantity, other: Quantity) -> Quantity {
    one.checked_add(other).unwrap()
}
