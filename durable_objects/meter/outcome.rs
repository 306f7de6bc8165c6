//! Outcomes: how an event was counted, and the states of a reservation.

use rating::Quantity;
use serde::{Deserialize, Serialize};

use super::rules::Period;
use crate::kernel::time::Timestamp;

/// The result of counting an event: enough to give the same receipt again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Outcome {
    pub sequence: u64,
    pub current: Quantity,
    pub limit: Option<Quantity>,
    /// Held by reservations of the metric.
    pub reserved: Quantity,
    pub period: Period,
}

impl Outcome {
    /// Words: sequence, current, limit (`-` when unlimited), reserved, start and end of the period.
    pub fn to_record(self) -> String {
        let limit = self.limit.map_or_else(|| "-".to_owned(), |limit| limit.to_string());
        let Period { starts_at, ends_at } = self.period;
        format!("{} {} {limit} {} {} {}", self.sequence, self.current, self.reserved, starts_at.as_millis(), ends_at.as_millis())
    }

    pub fn from_record(record: &str) -> Option<Self> {
        let mut words = record.split(' ');
        let sequence = words.next()?.parse().ok()?;
        let current = Quantity::parse(words.next()?).ok()?;
        let limit = match words.next()? {
            "-" => None,
            limit => Some(Quantity::parse(limit).ok()?),
        };
        let reserved = Quantity::parse(words.next()?).ok()?;
        let mut instant = || words.next()?.parse().ok().map(Timestamp::from_millis);
        Some(Self { sequence, current, limit, reserved, period: Period { starts_at: instant()?, ends_at: instant()? } })
    }
}

/// Why an event was counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Mode {
    /// Always recorded, also past the limit.
    Usage,
    /// Recorded within a hard limit only.
    Consumption,
    /// The settled amount of a reservation.
    Settlement,
}

impl Mode {
    pub fn name(self) -> &'static str {
        match self {
            Self::Usage => "usage",
            Self::Consumption => "consumption",
            Self::Settlement => "settlement",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Status {
    Active,
    Settled,
    Released,
    Expired,
}
