//! What was found: everything that is wrong, and what the reader has to know.

use rating::{Currency, Money};

pub(crate) struct Checks {
    pub currency: Currency,
    pub wrong: Vec<String>,
    pub notes: Vec<String>,
}

impl Checks {
    pub fn new(currency: Currency) -> Self {
        Self { currency, wrong: Vec::new(), notes: Vec::new() }
    }

    pub fn wrong(&mut self, what: &str) {
        self.wrong.push(what.to_owned());
    }

    /// Said once.
    pub fn note(&mut self, what: &str) {
        if !self.notes.iter().any(|note| note == what) {
            self.notes.push(what.to_owned());
        }
    }
}

/// An amount that is told must be the one that follows.
pub(crate) fn is(checks: &mut Checks, what: &str, told: i128, due: i128) {
    if told != due {
        let shown =
            |minor: i128| i64::try_from(minor).map_or_else(|_| minor.to_string(), |minor| Money::new(minor, checks.currency).to_string());
        let text = format!("{what} is {}, and {} follows", shown(told), shown(due));
        checks.wrong.push(text);
    }
}
