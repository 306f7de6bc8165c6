//! The time-weighted average of a level: exact where the whole period is known, bounds where it is not.

use rating::Quantity;

use crate::entry::{Entry, Instead, agree, length, plus};

/// A time-weighted average: an area (billionths of a unit times milliseconds) by the length of the period.
#[derive(Clone, Debug)]
pub(crate) enum Weighted {
    /// The moment is the sum of the amounts times how long after the period's start they came.
    Exact { level: Quantity, moment: i128, length: i128 },
    /// Twice the area lies within these bounds; None is far below zero.
    Within { low: Option<i128>, high: i128, length: i128 },
}

impl Weighted {
    /// Every area whose average, rounded half away from zero at a billionth and at least zero, is what is told.
    pub fn told(told: Quantity, length: i128) -> Self {
        let twice = told.nanos().saturating_mul(2);
        let low = (twice > 0).then(|| twice.saturating_sub(1).saturating_mul(length));
        let high = twice.saturating_add(1).saturating_mul(length).saturating_sub(1);
        Self::Within { low, high, length }
    }

    pub fn count(&mut self, entry: Entry, told: Quantity) -> Result<(), Instead> {
        let period = length(entry.start, entry.end);
        let since = i128::from(entry.at.clamp(entry.start, entry.end.max(entry.start)).saturating_sub(entry.start));
        match self {
            Self::Exact { level, moment, length } => {
                *level = plus(*level, entry.amount)?;
                *moment = moment.saturating_add(entry.amount.nanos().saturating_mul(since));
                *length = period;
            }
            // The period has another end now, so nothing is known of the area any more.
            Self::Within { length, .. } if *length != period => *self = Self::told(told, period),
            Self::Within { length, .. } => {
                let left = length.saturating_sub(since);
                self.shift(entry.amount.nanos().saturating_mul(2).saturating_mul(left));
            }
        }
        self.agrees(told)
    }

    pub fn count_earlier(&mut self, amount: Quantity) -> Result<(), Instead> {
        match self {
            Self::Exact { level, .. } => *level = plus(*level, amount)?,
            Self::Within { length, .. } => {
                let by = amount.nanos().saturating_mul(2).saturating_mul(*length);
                self.shift(by);
            }
        }
        Ok(())
    }

    fn shift(&mut self, by: i128) {
        if let Self::Within { low, high, .. } = self {
            *low = low.map(|low| low.saturating_add(by));
            *high = high.saturating_add(by);
        }
    }

    /// Whether the average can be what is told; if so, it is.
    pub fn agrees(&mut self, told: Quantity) -> Result<(), Instead> {
        let (low, high, length) = match self {
            Self::Exact { .. } => return agree(self.average().ok_or_else(Instead::out_of_range)?, told),
            Self::Within { low, high, length } => (*low, *high, *length),
        };
        let Self::Within { low: told_low, high: told_high, .. } = Self::told(told, length) else { return Ok(()) };
        let (low, high) = (low.max(told_low), high.min(told_high));
        if low.is_some_and(|low| low > high) {
            return Err(Instead("another one by the counts before it".to_owned()));
        }
        *self = Self::Within { low, high, length };
        Ok(())
    }

    pub fn level(&self) -> Option<Quantity> {
        match self {
            Self::Exact { level, .. } => Some(*level),
            Self::Within { .. } => None,
        }
    }

    pub fn average(&self) -> Option<Quantity> {
        let Self::Exact { level, moment, length } = self else { return None };
        let area = level.nanos().saturating_mul(*length).saturating_sub(*moment).max(0);
        // Half away from zero; the area is not negative.
        let twice = length.saturating_mul(2);
        Quantity::from_nanos(area.saturating_mul(2).saturating_add(*length).checked_div(twice)?).ok()
    }
}
