//! The counters of one metric: a row a period, and what carries over from one to the next.

use std::collections::BTreeMap;
use std::ops::Bound;

use rating::Quantity;

use crate::entry::{Entry, Instead};
use crate::lines::Kind;
use crate::state::{Rule, State};

#[derive(Default)]
pub(crate) struct Account {
    /// None before the first event.
    pub rule: Option<Rule>,
    /// By the start of the period.
    pub rows: BTreeMap<i64, Row>,
    /// The file holds every event of the metric.
    pub is_complete: bool,
}

#[derive(Default)]
pub(crate) struct Row {
    /// None while nothing is known: only a closing spoke of it.
    pub state: Option<State>,
    /// As the last closing that spoke of it billed it.
    pub invoiced: Option<Quantity>,
    pub events: u64,
    /// The count after the last event.
    pub told: Quantity,
    pub is_opened: bool,
}

impl Account {
    pub fn new(is_complete: bool) -> Self {
        Self { is_complete, ..Self::default() }
    }

    /// Takes the rule of the next event; gives the one before it if that was another, when everything has to be believed anew.
    pub fn learn(&mut self, rule: Rule) -> Option<Rule> {
        let before = self.rule.replace(rule);
        match before {
            None if self.is_complete => {
                // Periods that were closed before the metric was ever used stood at zero.
                for (start, row) in &mut self.rows {
                    row.state = Some(State::zero(rule, *start, *start));
                }
            }
            Some(other) if other != rule => {
                self.is_complete = false;
                self.rows.values_mut().for_each(|row| row.state = None);
                return Some(other);
            }
            _ => {}
        }
        None
    }

    /// Counts an entry, after which the count is told.
    pub fn count(&mut self, rule: Rule, entry: Entry, told: Quantity) -> Result<(), Instead> {
        let begun = self.begun(rule, entry.start, entry.end);
        let row = self.rows.entry(entry.start).or_default();
        row.events = row.events.saturating_add(1);
        row.told = told;
        match row.state.take().or(begun) {
            Some(mut state) => {
                state.count(rule, entry, told)?;
                row.state = Some(state);
            }
            None => {
                row.state = Some(State::opened(rule, entry, told)?);
                row.is_opened = true;
            }
        }
        if rule.kind == Kind::Level {
            let later = self.rows.range_mut((Bound::Excluded(entry.start), Bound::Unbounded));
            for state in later.filter_map(|(_, row)| row.state.as_mut()) {
                state.count_earlier(rule, entry.amount, entry.at)?;
            }
        }
        Ok(())
    }

    /// What a period without a row stands at, which is known of complete metrics only.
    pub fn begun(&self, rule: Rule, start: i64, end: i64) -> Option<State> {
        if !self.is_complete {
            return None;
        }
        let before = match rule.kind {
            Kind::Consumable => None,
            Kind::Level => self.rows.range(..start).filter_map(|(_, row)| row.state.as_ref()).next_back(),
        };
        before.map_or_else(|| Some(State::zero(rule, start, end)), |before| before.carried_over(start, end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lines::Aggregation;

    const LEVEL: Rule = Rule { aggregation: Aggregation::Sum, kind: Kind::Level };

    fn count(account: &mut Account, start: i64, amount: i64, told: i64) -> Result<(), Instead> {
        let quantity = |units: i64| Quantity::try_from(units).unwrap();
        account.learn(LEVEL);
        account.count(LEVEL, Entry { amount: quantity(amount), at: start, start, end: start + 10 }, quantity(told))
    }

    #[test]
    fn a_level_moves_its_period_and_all_later_ones() {
        let mut account = Account::new(true);
        assert_eq!(count(&mut account, 0, 5, 5), Ok(()));
        assert_eq!(count(&mut account, 20, 1, 6), Ok(()));
        assert_eq!(count(&mut account, 10, -2, 3), Ok(()));
        assert_eq!(count(&mut account, 20, 1, 5), Ok(()));
        assert_eq!(count(&mut account, 0, 1, 7), Err(Instead("6".to_owned())));
    }

    #[test]
    fn a_metric_that_changes_its_rule_is_believed_anew() {
        let mut account = Account::new(true);
        assert_eq!(count(&mut account, 0, 5, 5), Ok(()));
        let consumable = Rule { aggregation: Aggregation::Sum, kind: Kind::Consumable };
        assert_eq!(account.learn(consumable), Some(LEVEL));
        assert!(!account.is_complete && account.begun(consumable, 20, 30).is_none());
    }
}
