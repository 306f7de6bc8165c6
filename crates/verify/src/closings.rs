//! Closings: what a period is billed by, and what came late for periods that were billed before.
//!
//! Invariant: every unit is billed once, in the closing of its period or as late usage in a later one.

use std::collections::BTreeMap;

use rating::Quantity;

use crate::counters::{Counters, differs};
use crate::instant;
use crate::lines::{Closing, Late};

impl Counters {
    pub fn close(&mut self, closing: &Closing) -> Result<(), String> {
        let Closing { start, end, used, late } = closing;
        if start >= end {
            return Err("the period ends before it starts".to_owned());
        }
        if self.closed.contains_key(start) {
            return Err(format!("the period from {} is closed a second time", instant::text(*start)));
        }
        // Late usage first: what this closing bills is not late.
        self.take_late(late)?;
        self.bill(*start, *end, used)?;
        self.closed.insert(*start, *end);
        Ok(())
    }

    fn take_late(&mut self, late: &[Late]) -> Result<(), String> {
        let mut told = BTreeMap::new();
        for late in late {
            let what = named(&late.metric, late.period_starts_at);
            if told.insert((late.metric.as_str(), late.period_starts_at), late).is_some() {
                return Err(format!("{what} comes twice"));
            }
            if self.closed.get(&late.period_starts_at).is_some_and(|end| *end != late.period_ends_at) {
                return Err(format!("{what} has another end than the period had when it was closed"));
            }
            if late.before == late.after {
                return Err(format!("{what} is no difference"));
            }
        }
        let Self { accounts, closed, .. } = self;
        for (metric, account) in accounts {
            for (start, row) in &mut account.rows {
                // A closing that did not know the metric billed nothing of it.
                let unknown = closed.contains_key(start).then_some(Quantity::ZERO);
                let Some(before) = row.invoiced.or(unknown) else { continue };
                let what = named(metric, *start);
                let after = told.remove(&(metric.as_str(), *start)).map_or(Ok(before), |late| late.after_what(before))?;
                if let Some(state) = &mut row.state {
                    state.is_billed(after).map_err(|instead| differs(&what, after, &instead))?;
                }
                row.invoiced = Some(after);
            }
        }
        let of_unknown: Vec<&Late> = told.into_values().collect();
        of_unknown.into_iter().try_for_each(|late| self.take_late_of_unknown(late))
    }

    /// What no closing in the file has billed, an earlier one may have.
    fn take_late_of_unknown(&mut self, late: &Late) -> Result<(), String> {
        let what = named(&late.metric, late.period_starts_at);
        let account = self.account(&late.metric);
        if account.is_complete {
            return Err(format!("{what} has no closing before it"));
        }
        let row = account.rows.entry(late.period_starts_at).or_default();
        row.invoiced = Some(late.after);
        let Some(state) = &mut row.state else { return Ok(()) };
        state.is_billed(late.after).map_err(|instead| differs(&what, late.after, &instead))
    }

    fn bill(&mut self, start: i64, end: i64, used: &BTreeMap<String, Quantity>) -> Result<(), String> {
        for (metric, used) in used {
            let account = self.account(metric);
            let begun = account.rule.and_then(|rule| account.begun(rule, start, end));
            if account.rule.is_none() && account.is_complete && !used.is_zero() {
                return Err(format!("{metric} is billed by {used}, and the file has no event of it"));
            }
            let row = account.rows.entry(start).or_default();
            row.invoiced = Some(*used);
            row.state = row.state.take().or(begun);
            if let Some(state) = &mut row.state {
                state.end(start, end);
                state.is_billed(*used).map_err(|instead| differs(&format!("what {metric} is billed by"), *used, &instead))?;
            }
        }
        for (metric, account) in self.accounts.iter_mut().filter(|(metric, _)| !used.contains_key(*metric)) {
            let state = account.rows.get_mut(&start).and_then(|row| row.state.as_mut());
            if state.is_some_and(|state| state.is_billed(Quantity::ZERO).is_err()) {
                return Err(format!("{metric} is left out of the closing"));
            }
        }
        Ok(())
    }
}

impl Late {
    /// The count that it leads to from the one that was billed before.
    fn after_what(&self, before: Quantity) -> Result<Quantity, String> {
        let Self { metric, period_starts_at, before: told, after, .. } = self;
        if *told == before {
            return Ok(*after);
        }
        Err(format!("{} begins at {told}, and what was billed before is {before}", named(metric, *period_starts_at)))
    }
}

fn named(metric: &str, start: i64) -> String {
    format!("late usage of {metric} from {}", instant::text(start))
}
