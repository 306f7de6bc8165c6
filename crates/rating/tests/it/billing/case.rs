//! A case, and how its figures are read.

use std::cell::RefCell;
use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, Utc};
use rating::{Currency, Exact, Money, Period, ProrationPolicy, Quantity};
use serde::Deserialize;
use serde_json::{Map, Value};

#[derive(Deserialize)]
struct Cases {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
pub struct Case {
    pub id: String,
    pub topic: String,
    pub title: String,
    pub profile: String,
    pub inputs: Map<String, Value>,
    expected: Map<String, Value>,
    /// What was asserted of what is expected.
    #[serde(skip)]
    asserted: RefCell<BTreeSet<String>>,
}

#[derive(Deserialize)]
pub struct Notes {
    inputs: Vec<Addition>,
    unasserted: Vec<Unasserted>,
    pub refused: Vec<Refusal>,
}

#[derive(Deserialize)]
struct Addition {
    cases: String,
    inputs: Map<String, Value>,
}

#[derive(Deserialize)]
struct Unasserted {
    cases: String,
    expected: String,
    #[serde(rename = "reason")]
    _reason: String,
}

#[derive(Deserialize)]
pub struct Refusal {
    pub cases: String,
    pub reason: String,
}

pub fn cases() -> Vec<Case> {
    let cases: Cases = serde_json::from_str(include_str!("../../data/billing.json")).unwrap();
    cases.cases
}

pub fn notes() -> Notes {
    serde_json::from_str(include_str!("../../data/billing-notes.json")).unwrap()
}

impl Notes {
    pub fn refuses(&self, case: &Case) -> bool {
        self.refused.iter().any(|refusal| case.id.starts_with(&refusal.cases))
    }
}

impl Case {
    /// The case with what its title says.
    pub fn with(&self, notes: &Notes) -> Case {
        let mut inputs = self.inputs.clone();
        for addition in notes.inputs.iter().filter(|addition| self.id.starts_with(&addition.cases)) {
            for (key, value) in &addition.inputs {
                inputs.entry(key.clone()).or_insert_with(|| value.clone());
            }
        }
        let [id, topic, title, profile] = [&self.id, &self.topic, &self.title, &self.profile].map(Clone::clone);
        let expected: Map<_, _> = self.expected.clone();
        let left_out = notes.unasserted.iter().filter(|left_out| self.id == left_out.cases).map(|left_out| left_out.expected.clone());
        Case { id, topic, title, profile, inputs, expected, asserted: RefCell::new(left_out.collect()) }
    }

    /// What is expected and nothing asserted.
    pub fn forgotten(&self) -> Vec<String> {
        self.expected.keys().filter(|key| !self.asserted.borrow().contains(*key)).cloned().collect()
    }

    /// What is expected, to be asserted.
    pub fn expected(&self, key: &str) -> &Value {
        self.asserted.borrow_mut().insert(key.to_owned());
        self.expected.get(key).unwrap_or_else(|| panic!("{} expects no {key}", self.id))
    }

    pub fn has(&self, keys: &[&str]) -> bool {
        keys.iter().all(|key| self.inputs.get(*key).is_some_and(|value| !value.is_null()))
    }

    pub fn expects(&self, key: &str) -> bool {
        self.expected.contains_key(key)
    }

    pub fn input(&self, key: &str) -> &Value {
        self.inputs.get(key).unwrap_or_else(|| panic!("{} has no input {key}", self.id))
    }

    pub fn list(&self, key: &str) -> &[Value] {
        self.input(key).as_array().unwrap_or_else(|| panic!("{}: {key} is no list", self.id))
    }

    pub fn int(&self, key: &str) -> i64 {
        self.input(key).as_i64().unwrap_or_else(|| panic!("{}: {key} is no integer", self.id))
    }

    pub fn cents(&self, key: &str) -> Money {
        cents(self.input(key))
    }

    pub fn usd(&self, key: &str) -> Money {
        usd(self.input(key))
    }

    pub fn quantity(&self, key: &str) -> Quantity {
        quantity(self.input(key))
    }

    pub fn date(&self, key: &str) -> NaiveDate {
        date(self.input(key))
    }

    /// Percent, if there is any.
    pub fn percent(&self, key: &str) -> Option<String> {
        self.inputs.get(key).filter(|value| !value.is_null()).map(text)
    }

    /// A half-open span from two dates.
    pub fn period(&self, key: &str) -> Period {
        match self.list(key) {
            [start, end] => Period::new(midnight(date(start)), midnight(date(end))).unwrap(),
            _ => panic!("{}: {key} is no period", self.id),
        }
    }

    /// The policy that the case's profile is called after.
    pub fn policy(&self) -> ProrationPolicy {
        serde_json::from_value(Value::String(self.profile.clone()))
            .unwrap_or_else(|_| panic!("{} has no policy for {}", self.id, self.profile))
    }

    /// So many of so many days, as the profile counts them.
    pub fn share(&self, days: &str, of: &str) -> Exact {
        Exact::ratio(self.int(days).into(), self.int(of).into()).unwrap()
    }

    /// Asserts money that is expected in cents or in dollars.
    pub fn expect_money(&self, key: &str, amount: Money) {
        let expected = self.expected(key);
        let is_in_cents = key.ends_with("cents") && expected.is_i64();
        let expected = if is_in_cents { cents(expected) } else { usd(expected) };
        assert_eq!(amount, expected, "{} ({}), {key}", self.id, self.title);
    }

    pub fn expect_all(&self, key: &str, amounts: impl IntoIterator<Item = Money>) {
        let expected = self.expected(key).as_array().unwrap();
        let read = |value| if key.ends_with("cents") { cents(value) } else { usd(value) };
        let expected: Vec<_> = expected.iter().map(read).collect();
        assert_eq!(amounts.into_iter().collect::<Vec<_>>(), expected, "{} ({}), {key}", self.id, self.title);
    }

    pub fn expect(&self, key: &str, value: impl Into<Value>) {
        assert_eq!(&value.into(), self.expected(key), "{} ({}), {key}", self.id, self.title);
    }

    pub fn expect_quantity(&self, key: &str, value: Quantity) {
        assert_eq!(value, quantity(self.expected(key)), "{} ({}), {key}", self.id, self.title);
    }
}

/// A number or a text as text.
pub fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

pub fn exact(value: &Value) -> Exact {
    Exact::parse(&text(value)).unwrap()
}

pub fn cents(value: &Value) -> Money {
    Money::new(value.as_i64().unwrap(), Currency::USD)
}

pub fn usd(value: &Value) -> Money {
    Money::from_decimal_str(&text(value), Currency::USD).unwrap()
}

pub fn quantity(value: &Value) -> Quantity {
    Quantity::parse(&text(value)).unwrap()
}

pub fn date(value: &Value) -> NaiveDate {
    value.as_str().unwrap().parse().unwrap()
}

pub fn midnight(date: NaiveDate) -> DateTime<Utc> {
    date.and_time(chrono::NaiveTime::MIN).and_utc()
}
