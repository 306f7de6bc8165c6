//! The counting rules: what one metric's count in one period is after each event.
//!
//! Words: an *entry* is an amount at an instant; the *told* count is the one that the commit holds; a state is *opened* when its first
//! event in the file is believed, because earlier ones are not in it.
//! Invariant: a state that began at zero or was carried over from such a one admits exactly one count; an opened one admits every count
//! that some history could have led to, and each further event leaves fewer.

use rating::Quantity;

use crate::entry::{Entry, Instead, agree, length, plus};
use crate::lines::{Aggregation, Kind};
use crate::weighted::Weighted;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    pub aggregation: Aggregation,
    pub kind: Kind,
}

#[derive(Clone, Debug)]
pub(crate) enum State {
    /// Sums of consumables, and the highest amount.
    Count(Quantity),
    /// Sums that carry over. `peak` is at least the highest level, and exactly that when the whole period is known.
    Level {
        level: Quantity,
        peak: Quantity,
        is_peak_known: bool,
    },
    /// The latest amount, and when it came (None before the first); only the earliest possible time when that is not known.
    Latest {
        amount: Quantity,
        at: Option<i64>,
        is_known: bool,
    },
    Weighted(Weighted),
}

impl State {
    /// Before any event.
    pub fn zero(rule: Rule, start: i64, end: i64) -> Self {
        let zero = Quantity::ZERO;
        match (rule.aggregation, rule.kind) {
            (Aggregation::Max, _) | (Aggregation::Sum | Aggregation::Count | Aggregation::Unique, Kind::Consumable) => Self::Count(zero),
            (Aggregation::Sum | Aggregation::Count | Aggregation::Unique, Kind::Level) => {
                Self::Level { level: zero, peak: zero, is_peak_known: true }
            }
            (Aggregation::Latest, _) => Self::Latest { amount: zero, at: None, is_known: true },
            (Aggregation::WeightedSum, _) => Self::Weighted(Weighted::Exact { level: zero, moment: 0, length: length(start, end) }),
        }
    }

    /// The state of a level in a later period in which nothing happened yet.
    pub fn carried_over(&self, start: i64, end: i64) -> Option<Self> {
        match self {
            Self::Count(_) | Self::Latest { .. } => Some(self.clone()),
            Self::Level { level, .. } => Some(Self::Level { level: *level, peak: *level, is_peak_known: true }),
            Self::Weighted(weighted) => {
                let level = weighted.level()?;
                Some(Self::Weighted(Weighted::Exact { level, moment: 0, length: length(start, end) }))
            }
        }
    }

    /// After an entry that is the first in the file, when the count after it is told.
    pub fn opened(rule: Rule, entry: Entry, told: Quantity) -> Result<Self, Instead> {
        let Entry { amount, at, .. } = entry;
        let at_least = |least: Quantity| if told < least { Err(Instead(format!("at least {least}"))) } else { Ok(()) };
        at_least(Quantity::ZERO)?;
        Ok(match Self::zero(rule, entry.start, entry.end) {
            // What was counted before is not below zero.
            Self::Count(_) => at_least(amount).map(|()| Self::Count(told))?,
            Self::Level { .. } => {
                at_least(amount)?;
                let before = told.checked_sub(amount).map_err(|_| Instead::out_of_range())?;
                Self::Level { level: told, peak: told.max(before), is_peak_known: false }
            }
            Self::Latest { .. } if told == amount => Self::Latest { amount: told, at: Some(at), is_known: false },
            // An earlier event of the file's past has a later instant.
            Self::Latest { .. } => Self::Latest { amount: told, at: Some(at.saturating_add(1)), is_known: false },
            Self::Weighted(_) => Self::Weighted(Weighted::told(told, length(entry.start, entry.end))),
        })
    }

    /// Counts an entry of this period, after which the count is told.
    pub fn count(&mut self, rule: Rule, entry: Entry, told: Quantity) -> Result<(), Instead> {
        let Entry { amount, at, .. } = entry;
        match self {
            Self::Count(count) => {
                *count = if rule.aggregation == Aggregation::Max { amount.max(*count) } else { plus(*count, amount)? };
                agree(*count, told)
            }
            Self::Level { level, peak, .. } => {
                *level = plus(*level, amount)?;
                *peak = (*peak).max(*level);
                agree(*level, told)
            }
            Self::Latest { amount: latest, at: latest_at, is_known: true } => {
                if latest_at.is_none_or(|latest_at| latest_at <= at) {
                    (*latest, *latest_at) = (amount, Some(at));
                }
                agree(*latest, told)
            }
            Self::Latest { .. } => self.count_latest_of_unknown(amount, at, told),
            Self::Weighted(weighted) => weighted.count(entry, told),
        }
    }

    /// The instant of the latest amount is not known, only that it is not before `earliest`.
    fn count_latest_of_unknown(&mut self, amount: Quantity, at: i64, told: Quantity) -> Result<(), Instead> {
        let Self::Latest { amount: latest, at: earliest, is_known } = self else { return Ok(()) };
        if earliest.is_some_and(|earliest| at < earliest) {
            return agree(*latest, told);
        }
        match (told == amount, told == *latest) {
            (true, true) => *earliest = Some(at),
            (true, false) => (*latest, *earliest, *is_known) = (amount, Some(at), true),
            (false, true) => *earliest = Some(at.saturating_add(1)),
            (false, false) => return Err(Instead(format!("{latest} or {amount}"))),
        }
        Ok(())
    }

    /// Counts an entry of a level's earlier period.
    pub fn count_earlier(&mut self, rule: Rule, amount: Quantity, at: i64) -> Result<(), Instead> {
        match self {
            Self::Count(count) if rule.aggregation == Aggregation::Max => *count = amount.max(*count),
            Self::Count(_) => {}
            Self::Level { level, peak, .. } => {
                *level = plus(*level, amount)?;
                *peak = (*peak).max(*level);
            }
            Self::Latest { amount: latest, at: latest_at, is_known: true } => {
                if latest_at.is_none_or(|latest_at| latest_at <= at) {
                    (*latest, *latest_at) = (amount, Some(at));
                }
            }
            // It has an event of its own period, which is later.
            Self::Latest { is_known: false, .. } => {}
            Self::Weighted(weighted) => weighted.count_earlier(amount)?,
        }
        Ok(())
    }

    /// The period ends here, which may be elsewhere than when its last event came.
    pub fn end(&mut self, start: i64, end: i64) {
        let Self::Weighted(weighted) = self else { return };
        match weighted {
            Weighted::Exact { length: known, .. } => *known = length(start, end),
            Weighted::Within { length: known, .. } if *known == length(start, end) => {}
            // Of the area under another end nothing is known: every average is possible.
            Weighted::Within { .. } => *weighted = Weighted::Within { low: None, high: i128::MAX, length: length(start, end) },
        }
    }

    /// Whether a period is billed by `told`. An opened state takes what is told for true from then on.
    pub fn is_billed(&mut self, told: Quantity) -> Result<(), Instead> {
        match self {
            Self::Count(count) => agree(*count, told),
            Self::Level { peak, is_peak_known: true, .. } => agree(*peak, told),
            Self::Level { peak, .. } if told < *peak => Err(Instead(format!("at least {peak}"))),
            Self::Level { peak, is_peak_known, .. } => {
                (*peak, *is_peak_known) = (told, true);
                Ok(())
            }
            Self::Latest { amount, .. } => agree(*amount, told),
            Self::Weighted(weighted) => weighted.agrees(told),
        }
    }

    /// Whether a level's period ends with `told`.
    pub fn ends_with(&self, told: Quantity) -> Result<(), Instead> {
        match self {
            Self::Count(level) | Self::Level { level, .. } | Self::Latest { amount: level, .. } => agree(*level, told),
            Self::Weighted(weighted) => weighted.level().map_or(Ok(()), |level| agree(level, told)),
        }
    }

    /// The count, where only one is possible.
    pub fn reading(&self) -> Option<Quantity> {
        match self {
            Self::Count(count) => Some(*count),
            Self::Level { level, .. } => Some(*level),
            Self::Latest { amount, .. } => Some(*amount),
            Self::Weighted(weighted) => weighted.average(),
        }
    }

    /// What the period is billed by, where only one amount is possible.
    pub fn billed(&self) -> Option<Quantity> {
        match self {
            Self::Level { peak, is_peak_known, .. } => is_peak_known.then_some(*peak),
            other => other.reading(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quantity(text: &str) -> Quantity {
        Quantity::parse(text).unwrap()
    }

    fn entry(amount: &str, at: i64) -> Entry {
        Entry { amount: quantity(amount), at, start: 0, end: 1_000 }
    }

    /// Counts events of `amount at told` from zero, and gives the first that is wrong with what it should be.
    fn counted(aggregation: Aggregation, kind: Kind, events: &[(&str, i64, &str)]) -> (State, Result<(), (usize, String)>) {
        let rule = Rule { aggregation, kind };
        let mut state = State::zero(rule, 0, 1_000);
        for (index, (amount, at, told)) in events.iter().enumerate() {
            if let Err(Instead(instead)) = state.count(rule, entry(amount, *at), quantity(told)) {
                return (state, Err((index, instead)));
            }
        }
        (state, Ok(()))
    }

    #[test]
    fn each_aggregation_counts_by_its_rule() {
        use Aggregation::{Count, Latest, Max, Sum, Unique, WeightedSum};
        for (aggregation, kind, events) in [
            (Sum, Kind::Consumable, [("1", 0, "1"), ("0.5", 9, "1.5"), ("2", 3, "3.5")]),
            (Count, Kind::Consumable, [("1", 0, "1"), ("1", 9, "2"), ("1", 3, "3")]),
            (Unique, Kind::Consumable, [("1", 0, "1"), ("0", 9, "1"), ("1", 3, "2")]),
            (Sum, Kind::Level, [("5", 0, "5"), ("-3", 9, "2"), ("1", 3, "3")]),
            (Max, Kind::Consumable, [("5", 0, "5"), ("3", 9, "5"), ("7", 3, "7")]),
            (Max, Kind::Level, [("-5", 0, "0"), ("3", 9, "3"), ("2", 3, "3")]),
            (Latest, Kind::Consumable, [("5", 5, "5"), ("3", 3, "5"), ("7", 5, "7")]),
            (Latest, Kind::Level, [("5", 5, "5"), ("0", 6, "0"), ("7", 5, "0")]),
            // 10 from the start; a third of the period, and rounded; taken back as if it had never been.
            (WeightedSum, Kind::Level, [("10", 0, "10"), ("1", 667, "10.333"), ("-20", 0, "0")]),
            (
                WeightedSum,
                Kind::Level,
                [("0.000000001", 500, "0.000000001"), ("0.000000001", 501, "0.000000001"), ("1", 999, "0.001000001")],
            ),
        ] {
            assert_eq!(counted(aggregation, kind, &events).1, Ok(()), "{aggregation} {kind}");
            let (_, _, last) = events[2];
            let wrong = plus(quantity(last), Quantity::ONE).unwrap().to_string();
            let (_, told) = counted(aggregation, kind, &[events[0], events[1], (events[2].0, events[2].1, &wrong)]);
            assert_eq!(told, Err((2, last.to_owned())), "{aggregation} {kind}");
        }
    }

    #[test]
    fn a_level_is_billed_by_its_peak_and_carries_its_level() {
        let (mut state, _) = counted(Aggregation::Sum, Kind::Level, &[("5", 0, "5"), ("-3", 9, "2")]);
        assert_eq!(state.is_billed(quantity("2")), Err(Instead("5".to_owned())));
        assert_eq!(state.is_billed(quantity("5")), Ok(()));
        let mut next = state.carried_over(1_000, 2_000).unwrap();
        assert_eq!((next.reading(), next.billed()), (Some(quantity("2")), Some(quantity("2"))));
        let rule = Rule { aggregation: Aggregation::Sum, kind: Kind::Level };
        next.count_earlier(rule, quantity("4"), 9).unwrap();
        next.count_earlier(rule, quantity("-1"), 9).unwrap();
        assert_eq!((next.reading(), next.billed()), (Some(quantity("5")), Some(quantity("6"))));
    }

    #[test]
    fn a_weighted_level_carries_its_level_and_not_its_moment() {
        let (state, _) = counted(Aggregation::WeightedSum, Kind::Level, &[("10", 500, "5")]);
        let mut next = state.carried_over(1_000, 2_000).unwrap();
        assert_eq!(next.reading(), Some(quantity("10")));
        next.count_earlier(Rule { aggregation: Aggregation::WeightedSum, kind: Kind::Level }, quantity("-4"), 700).unwrap();
        assert_eq!((next.reading(), next.ends_with(quantity("6"))), (Some(quantity("6")), Ok(())));
    }

    /// Opens with the first of `amount at told`, and counts the others.
    fn opened(aggregation: Aggregation, kind: Kind, events: &[(&str, i64, &str)]) -> Result<State, (usize, String)> {
        let rule = Rule { aggregation, kind };
        let mut state: Option<State> = None;
        for (index, (amount, at, told)) in events.iter().enumerate() {
            let (entry, told) = (entry(amount, *at), quantity(told));
            let counted = match &mut state {
                Some(state) => state.count(rule, entry, told),
                None => State::opened(rule, entry, told).map(|opened| state = Some(opened)),
            };
            counted.map_err(|Instead(instead)| (index, instead))?;
        }
        Ok(state.unwrap())
    }

    #[test]
    fn an_opened_count_is_held_to_from_its_second_event_on() {
        use Aggregation::{Latest, Max, Sum};
        assert!(opened(Sum, Kind::Consumable, &[("1", 0, "801"), ("1", 1, "802")]).is_ok());
        assert_eq!(opened(Sum, Kind::Consumable, &[("1", 0, "801"), ("1", 1, "803")]).unwrap_err(), (1, "802".to_owned()));
        assert_eq!(opened(Sum, Kind::Consumable, &[("2", 0, "1")]).unwrap_err(), (0, "at least 2".to_owned()));
        assert_eq!(opened(Max, Kind::Consumable, &[("2", 0, "9"), ("10", 1, "9")]).unwrap_err(), (1, "10".to_owned()));
        // 9 is from an instant after 5, which a later event may or may not be past.
        assert!(opened(Latest, Kind::Level, &[("2", 5, "9"), ("3", 6, "9"), ("4", 8, "4"), ("5", 7, "4"), ("6", 8, "6")]).is_ok());
        assert_eq!(opened(Latest, Kind::Level, &[("2", 5, "9"), ("3", 5, "3")]).unwrap_err(), (1, "9".to_owned()));
        assert_eq!(opened(Latest, Kind::Level, &[("2", 5, "9"), ("3", 6, "4")]).unwrap_err(), (1, "9 or 3".to_owned()));
        assert_eq!(opened(Latest, Kind::Level, &[("2", 5, "9"), ("4", 8, "4"), ("5", 7, "5")]).unwrap_err(), (2, "4".to_owned()));
    }

    #[test]
    fn an_average_is_billed_over_the_period_as_it_ended() {
        let (mut state, _) = counted(Aggregation::WeightedSum, Kind::Level, &[("10", 500, "5")]);
        state.end(0, 2_000);
        assert_eq!((state.is_billed(quantity("5")), state.is_billed(quantity("7.5"))), (Err(Instead("7.5".to_owned())), Ok(())));
        let mut state = opened(Aggregation::WeightedSum, Kind::Level, &[("10", 500, "5")]).unwrap();
        state.end(0, 2_000);
        assert_eq!((state.is_billed(quantity("7.5")), state.is_billed(quantity("5")).is_err()), (Ok(()), true));
    }

    #[test]
    fn an_opened_average_stays_within_what_its_rounding_leaves_open() {
        let average = |events: &[(&str, i64, &str)]| opened(Aggregation::WeightedSum, Kind::Level, events);
        assert!(average(&[("1", 0, "7.25"), ("1", 500, "7.75"), ("-1", 750, "7.5")]).is_ok());
        assert!(average(&[("1", 0, "7.25"), ("1", 500, "7.751")]).is_err());
        // 0 says little: what lies below it is not known.
        assert!(average(&[("-1", 0, "0"), ("5", 0, "3")]).is_ok());
        assert!(average(&[("-1", 0, "0"), ("5", 0, "5.1")]).is_err());
        let mut state = average(&[("1", 0, "7.25")]).unwrap();
        assert!(state.is_billed(quantity("7.3")).is_err() && state.is_billed(quantity("7.25")).is_ok());
    }
}
