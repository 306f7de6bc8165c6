//! What the organization may use, and which period an instant belongs to.

use std::borrow::Cow;

use serde::Serialize;

use crate::kernel::problem::Problem;
use crate::kernel::sql::{LocalSql, SqlError};
use crate::kernel::time::{Timestamp, days, minutes};
use crate::usage::meter::{Entitlements, MetricRule};

use super::schema;

/// An event may be this far ahead: clocks of servers differ.
const AHEAD_MAX: std::time::Duration = minutes(5);
/// An event may be this old, because for so long a repeated one is recognised.
pub(super) const REMEMBERED: std::time::Duration = days(35);

const SETTING: &str = "entitlements";

pub(super) struct Plan {
    entitlements: Entitlements,
    /// The periods' bounds as they are written in answers, in the order of `boundaries`.
    texts: Vec<PeriodText>,
}

/// From `starts_at` up to, not including, `ends_at`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Period {
    pub starts_at: Timestamp,
    pub ends_at: Timestamp,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct PeriodText {
    start: String,
    end: String,
}

impl Plan {
    pub fn load<S: LocalSql>(sql: &S) -> Result<Option<Self>, SqlError> {
        let stored = schema::setting(sql, SETTING)?;
        stored.map(|text| schema::parse(SETTING, &text).map(Self::of)).transpose()
    }

    pub fn store<S: LocalSql>(&self, sql: &S) -> Result<(), SqlError> {
        schema::set(sql, SETTING, schema::json(&self.entitlements)?)
    }

    pub fn of(entitlements: Entitlements) -> Self {
        let starts = entitlements.boundaries.iter();
        let ends = entitlements.boundaries.iter().skip(1);
        let texts = starts.zip(ends).map(|(start, end)| PeriodText { start: start.to_string(), end: end.to_string() }).collect();
        Self { entitlements, texts }
    }

    /// Periods need two boundaries at least, each after the one before.
    pub fn is_sound(entitlements: &Entitlements) -> bool {
        let boundaries = &entitlements.boundaries;
        boundaries.len() >= 2 && boundaries.iter().zip(boundaries.iter().skip(1)).all(|(earlier, later)| earlier < later)
    }

    pub fn entitlements(&self) -> &Entitlements {
        &self.entitlements
    }

    /// The test clock's time where there is one.
    pub fn now(&self, wall: Timestamp) -> Timestamp {
        self.entitlements.clock.unwrap_or(wall)
    }

    pub fn rule(&self, metric: &str) -> Option<&MetricRule> {
        self.entitlements.metrics.get(metric)
    }

    /// The period of an instant. What lies before the first belongs to the first, what lies after the last to the last.
    pub fn period_of(&self, instant: Timestamp) -> Period {
        let boundaries = &self.entitlements.boundaries;
        let last = boundaries.len().saturating_sub(2);
        let index = boundaries.partition_point(|boundary| *boundary <= instant).saturating_sub(1).min(last);
        let bound = |index: usize| boundaries.get(index).copied().unwrap_or(instant);
        Period { starts_at: bound(index), ends_at: bound(index.saturating_add(1)) }
    }

    /// A period as answers write it; ready for those of the entitlements, made anew for one of an earlier answer.
    pub fn text_of(&self, period: Period) -> Cow<'_, PeriodText> {
        let boundaries = &self.entitlements.boundaries;
        let index = boundaries.partition_point(|boundary| *boundary <= period.starts_at).saturating_sub(1);
        let is_same = boundaries.get(index) == Some(&period.starts_at) && boundaries.get(index.saturating_add(1)) == Some(&period.ends_at);
        match self.texts.get(index) {
            Some(text) if is_same => Cow::Borrowed(text),
            _ => Cow::Owned(PeriodText { start: period.starts_at.to_string(), end: period.ends_at.to_string() }),
        }
    }

    /// The instant an event counts at: as sent where that is acceptable, else now.
    pub fn instant_of(&self, sent: Option<Timestamp>, now: Timestamp) -> Result<Timestamp, Problem> {
        let Some(instant) = sent else { return Ok(now) };
        let refused = |code, detail| Err(Problem::refused("/timestamp", code, detail));
        if instant > now.plus(AHEAD_MAX) {
            return refused(
                "timestamp_in_future",
                format!("The timestamp is more than 5 minutes ahead of {now}. Send when it happened, or leave it out."),
            );
        }
        if instant < now.minus(REMEMBERED) {
            let oldest = now.minus(REMEMBERED);
            return refused("timestamp_too_old", format!("The timestamp is older than 35 days. Send usage that happened since {oldest}."));
        }
        let began = self.entitlements.subscription_started_at;
        if instant < began {
            return refused(
                "timestamp_before_subscription",
                format!("The subscription began at {began}. Send usage that happened since then."),
            );
        }
        Ok(instant)
    }
}
