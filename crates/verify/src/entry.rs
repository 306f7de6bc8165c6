//! What is counted: an amount at an instant, and what the rules expected where a told count is wrong.

use rating::Quantity;

/// An amount at an instant, in a period from `start` to `end`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub amount: Quantity,
    pub at: i64,
    pub start: i64,
    pub end: i64,
}

/// What the rules give instead of what is told, in words.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Instead(pub String);

impl Instead {
    pub fn of(quantity: Quantity) -> Self {
        Self(quantity.to_string())
    }

    pub fn out_of_range() -> Self {
        Self("a number that is out of range".to_owned())
    }
}

pub(crate) fn plus(count: Quantity, amount: Quantity) -> Result<Quantity, Instead> {
    count.checked_add(amount).map_err(|_| Instead::out_of_range())
}

pub(crate) fn agree(expected: Quantity, told: Quantity) -> Result<(), Instead> {
    if expected == told { Ok(()) } else { Err(Instead::of(expected)) }
}

pub(crate) fn length(start: i64, end: i64) -> i128 {
    i128::from(end.saturating_sub(start).max(1))
}
