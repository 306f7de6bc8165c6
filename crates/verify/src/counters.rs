//! All counters: what each event makes of them, and whether they are those that the Meter holds.

use std::collections::{BTreeMap, HashSet};

use rating::Quantity;

use crate::account::Account;
use crate::entry::{Entry, Instead};
use crate::instant;
use crate::lines::{Aggregation, Counter, Enforcement, Event, Kind, Mode, Standing};
use crate::state::{Rule, State};
use crate::summary::Row;

pub(crate) struct Counters {
    pub accounts: BTreeMap<String, Account>,
    /// Ends of the periods that were closed, by their starts.
    pub closed: BTreeMap<i64, i64>,
    /// The file holds every event there is.
    is_complete: bool,
}

impl Counters {
    pub fn new(is_complete: bool) -> Self {
        Self { accounts: BTreeMap::new(), closed: BTreeMap::new(), is_complete }
    }

    pub fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// There were events before those of the file.
    pub fn is_not_complete(&mut self) {
        self.is_complete = false;
        self.accounts.values_mut().for_each(|account| account.is_complete = false);
    }

    pub fn account(&mut self, metric: &str) -> &mut Account {
        let is_complete = self.is_complete;
        if !self.accounts.contains_key(metric) {
            self.accounts.insert(metric.to_owned(), Account::new(is_complete));
        }
        self.accounts.entry(metric.to_owned()).or_default()
    }

    /// Counts an event that was recorded at `at`. Gives what the reader has to know of it.
    pub fn count(&mut self, standing: &Standing, event: &Event, at: i64) -> Result<Option<String>, String> {
        let Standing(metric, aggregation, kind, start, end, ..) = standing;
        let Event(_, amount, told, _, timestamp, ..) = event;
        if start >= end {
            return Err("its period ends before it starts".to_owned());
        }
        check_amount(standing, *amount)?;
        check_limit(standing, event)?;
        let rule = Rule { aggregation: *aggregation, kind: *kind };
        let account = self.account(metric);
        let note = account.learn(rule).map(|before| {
            let (before, now) = (format!("{} {}", before.aggregation, before.kind), format!("{aggregation} {kind}"));
            format!("{metric} was a {before} and became a {now}: its counts from then on begin with their first events")
        });
        let entry = Entry { amount: *amount, at: timestamp.unwrap_or(at), start: *start, end: *end };
        account.count(rule, entry, *told).map_err(|instead| differs("the count after it", *told, &instead))?;
        Ok(note)
    }

    /// Whether the Meter's counters are those that the file leads to.
    pub fn compare(&mut self, told: &[Counter]) -> Result<(), String> {
        let mut named = HashSet::new();
        for counter in told {
            named.insert((counter.metric.as_str(), counter.start));
            let from = format!("the counter {} from {}", counter.metric, instant::text(counter.start));
            let is_zero = counter.used.is_zero() && counter.level.is_zero();
            let Some(account) = self.accounts.get_mut(&counter.metric) else {
                if self.is_complete && !is_zero {
                    return Err(format!("{from} is not zero, and the file has no event of it"));
                }
                continue;
            };
            let Some(rule) = account.rule else {
                if account.is_complete && !is_zero {
                    return Err(format!("{from} is not zero, and the file has no event of it"));
                }
                continue;
            };
            let begun = account.begun(rule, counter.start, counter.start);
            let Some(mut state) = account.rows.get(&counter.start).and_then(|row| row.state.clone()).or(begun) else { continue };
            state.is_billed(counter.used).map_err(|instead| differs(&format!("{from}: used"), counter.used, &instead))?;
            if rule.kind == Kind::Level {
                state.ends_with(counter.level).map_err(|instead| differs(&format!("{from}: level"), counter.level, &instead))?;
            }
        }
        for (metric, account) in &self.accounts {
            // A row without an event of its own only carries over.
            let rows = account.rows.iter().filter(|(_, row)| row.events > 0);
            let rows = rows.filter_map(|(start, row)| row.state.as_ref().map(|state| (start, state)));
            let missing = rows.filter(|(start, state)| !is_zero(state) && !named.contains(&(metric.as_str(), **start)));
            if let Some((start, _)) = missing.into_iter().next() {
                return Err(format!("the counter {metric} from {} is missing", instant::text(*start)));
            }
        }
        Ok(())
    }

    pub fn rows(&self) -> Vec<Row> {
        let mut rows = Vec::new();
        for (metric, account) in &self.accounts {
            let Some(rule) = account.rule else { continue };
            for (start, row) in &account.rows {
                let Some(state) = &row.state else { continue };
                let (count, is_opened) = (state.reading().unwrap_or(row.told), row.is_opened);
                let billed = state.billed().filter(|billed| *billed != count);
                rows.push(Row { metric: metric.clone(), rule, start: *start, events: row.events, count, billed, is_opened });
            }
        }
        rows
    }
}

/// Whether leaving the row out tells nothing else.
pub(crate) fn is_zero(state: &State) -> bool {
    state.clone().is_billed(Quantity::ZERO).is_ok() && state.ends_with(Quantity::ZERO).is_ok()
}

pub(crate) fn differs(what: &str, told: Quantity, instead: &Instead) -> String {
    format!("{what} is told as {told}, and the rules give {}", instead.0)
}

/// An event of a count is one, of unique values it is a new one or none.
fn check_amount(standing: &Standing, amount: Quantity) -> Result<(), String> {
    let Standing(_, aggregation, _, _, _, _, mode, _) = standing;
    let is_sound = match aggregation {
        Aggregation::Count => amount == Quantity::ONE || *mode == Mode::Settlement,
        Aggregation::Unique => amount == Quantity::ONE || amount.is_zero(),
        _ => true,
    };
    if is_sound { Ok(()) } else { Err(format!("its amount is {amount}, which is no amount of a {aggregation}")) }
}

/// What `POST /v1/usage/consumption` admits leaves room for what is reserved.
fn check_limit(standing: &Standing, event: &Event) -> Result<(), String> {
    let Standing(_, aggregation, _, _, _, limit, mode, enforcement) = standing;
    let Event(_, amount, told, _, _, reserved, _) = event;
    let is_stopped = *mode == Mode::Consumption
        && *enforcement != Some(Enforcement::Soft)
        && matches!(aggregation, Aggregation::Sum | Aggregation::Count)
        && *amount > Quantity::ZERO;
    let Some(limit) = limit.filter(|_| is_stopped) else { return Ok(()) };
    let taken = told.checked_add(reserved.unwrap_or_default()).map_err(|error| error.to_string())?;
    if taken <= limit {
        return Ok(());
    }
    let held = reserved.filter(|reserved| !reserved.is_zero()).map(|reserved| format!(" with {reserved} reserved")).unwrap_or_default();
    Err(format!("it was admitted to {told}{held}, past the limit of {limit}"))
}
