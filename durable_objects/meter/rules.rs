//! The rules of an organization: its metrics and limits, and its periods.
//!
//! Owns: the configuration that the Worker sent: entitlements of the subscription, metrics of the platform, limits and grants of the
//! organization, and the rules that follow from them. Each has a version of its own and is never replaced by a lower one.
//! Words: a *rule* is a metric's definition and its present limit, with the grants that are active.

use std::borrow::Cow;
use std::collections::BTreeMap;

use rating::Quantity;
use serde::{Deserialize, Serialize};

use super::schema;
use super::seat_state::Seats;
use crate::catalog::metrics::keys::USERS;
use crate::kernel::problem::Problem;
use crate::kernel::sql::{LocalSql, SqlError};
use crate::kernel::time::{Timestamp, days, minutes};
use crate::meter::vocabulary::{Aggregation, Enforcement, Entitlements, Grant, LimitOverride, MetricKind, MetricRule};

/// An event may be this far ahead: clocks of servers differ.
const AHEAD_MAX: std::time::Duration = minutes(5);
/// An event may be this old: a repeated event is recognised for as long.
pub(super) const REMEMBERED: std::time::Duration = days(35);

const ENTITLEMENTS: &str = "entitlements";
const METRICS: &str = "metrics";
const LIMITS: &str = "limits";

pub(super) struct Rules {
    entitlements: Entitlements,
    metrics: Metrics,
    limits: Limits,
    by_metric: BTreeMap<String, Rule>,
    counts_values: bool,
    /// Whether `users` is the number of members, and changes with them only.
    counts_members: bool,
    /// The next instant at which a grant begins or ends, and the rules have to be rebuilt.
    valid_until: Option<Timestamp>,
    /// The periods' bounds as they are written in answers, in the order of `boundaries`.
    texts: Vec<PeriodText>,
}

/// The metrics that the platform has defined.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Metrics {
    pub version: i64,
    pub metrics: BTreeMap<String, MetricRule>,
    pub event_types: BTreeMap<String, String>,
}

/// The limits that are the organization's own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Limits {
    pub version: i64,
    pub overrides: BTreeMap<String, LimitOverride>,
    pub grants: Vec<Grant>,
}

/// A metric's definition and its present limit.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    pub kind: MetricKind,
    pub aggregation: Aggregation,
    pub unique_property: Option<String>,
    pub enforcement: Enforcement,
    /// With the grants that are active; None when unlimited.
    pub limit: Option<Quantity>,
    /// Without them.
    pub base: Option<Quantity>,
    pub source: Source,
    /// Counted by the Meter: it can't be recorded.
    pub is_counted_here: bool,
}

/// Where a limit comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Source {
    Plan,
    Override,
    /// Neither the plan nor an override has one.
    Unlimited,
}

/// From `starts_at` up to, not including, `ends_at`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Period {
    pub starts_at: Timestamp,
    pub ends_at: Timestamp,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct PeriodText {
    pub start: String,
    pub end: String,
}

impl Rules {
    pub fn load<S: LocalSql>(sql: &S, wall: Timestamp) -> Result<Option<Self>, SqlError> {
        let Some(text) = schema::setting(sql, ENTITLEMENTS)? else { return Ok(None) };
        let rules = Self::of(schema::parse(ENTITLEMENTS, &text)?, Metrics::load(sql)?, Limits::load(sql)?, wall);
        Ok(Some(rules.with_members_counted(Seats::load(sql)?.is_counted, wall)))
    }

    pub fn of(entitlements: Entitlements, metrics: Metrics, limits: Limits, wall: Timestamp) -> Self {
        let starts = entitlements.boundaries.iter();
        let ends = entitlements.boundaries.iter().skip(1);
        let texts = starts.zip(ends).map(|(start, end)| PeriodText { start: start.to_string(), end: end.to_string() }).collect();
        let mut rules = Self {
            entitlements,
            metrics,
            limits,
            by_metric: BTreeMap::new(),
            counts_values: false,
            counts_members: false,
            valid_until: None,
            texts,
        };
        rules.rebuild(rules.now(wall));
        rules
    }

    /// Rebuilds the rules when a grant has begun or ended since they were built.
    pub fn refresh(&mut self, wall: Timestamp) {
        let now = self.now(wall);
        if self.valid_until.is_some_and(|until| until <= now) {
            self.rebuild(now);
        }
    }

    fn rebuild(&mut self, now: Timestamp) {
        let defined = self.metrics.metrics.iter().map(|(metric, rule)| (metric, rule, Source::Unlimited));
        let planned = self.entitlements.metrics.iter().map(|(metric, rule)| (metric, rule, Source::Plan));
        self.by_metric =
            defined.chain(planned).map(|(metric, rule, source)| (metric.clone(), self.rule_of(metric, rule, source, now))).collect();
        self.counts_values = self.by_metric.values().any(|rule| rule.unique_property.is_some());
        let turns = self.limits.grants.iter().flat_map(|grant| [Some(grant.starts_at), grant.ends_at]).flatten();
        self.valid_until = turns.filter(|turn| *turn > now).min();
    }

    fn rule_of(&self, metric: &str, rule: &MetricRule, source: Source, now: Timestamp) -> Rule {
        // Members are not refused: they have to be able to pay open invoices, or to resume the subscription.
        let admits_nothing = self.entitlements.admits_nothing && metric != USERS;
        let (base, enforcement, source) = match self.limits.overrides.get(metric) {
            _ if admits_nothing => (Some(Quantity::ZERO), Enforcement::Hard, Source::Plan),
            Some(own) => (own.limit, own.enforcement, Source::Override),
            None => (rule.limit, rule.enforcement, source),
        };
        let granted = Quantity::sum(self.grants_of(metric, now).map(|grant| grant.amount)).unwrap_or_default();
        let granted = if admits_nothing { Quantity::ZERO } else { granted };
        let limit = base.map(|base| base.checked_add(granted).unwrap_or(base));
        let MetricRule { kind, aggregation, unique_property, .. } = rule.clone();
        Rule {
            kind,
            aggregation,
            unique_property,
            enforcement,
            limit,
            base,
            source,
            is_counted_here: self.counts_members && metric == USERS,
        }
    }

    /// Sets whether `users` is the number of members that the Worker sends.
    pub fn set_counts_members(&mut self, is_counted: bool, wall: Timestamp) {
        if self.counts_members != is_counted {
            self.counts_members = is_counted;
            self.rebuild(self.now(wall));
        }
    }

    pub fn with_members_counted(mut self, is_counted: bool, wall: Timestamp) -> Self {
        self.set_counts_members(is_counted, wall);
        self
    }

    /// The grants that raise the limit of a metric now.
    pub fn grants_of(&self, metric: &str, now: Timestamp) -> impl Iterator<Item = &Grant> {
        let is_active = move |grant: &&Grant| grant.starts_at <= now && grant.ends_at.is_none_or(|end| now < end);
        self.limits.grants.iter().filter(move |grant| grant.metric == metric).filter(is_active)
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

    pub fn rule(&self, metric: &str) -> Option<&Rule> {
        self.by_metric.get(metric)
    }

    /// Every metric with its rule.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Rule)> {
        self.by_metric.iter().map(|(metric, rule)| (metric.as_str(), rule))
    }

    /// Whether there is any metric that counts different values.
    pub fn counts_values(&self) -> bool {
        self.counts_values
    }

    /// The metric that a CloudEvents `type` counts as.
    pub fn metric_of<'a>(&'a self, event_type: &'a str) -> &'a str {
        self.metrics.event_types.get(event_type).map_or(event_type, String::as_str)
    }

    /// The period of an instant. An instant before the first belongs to the first, one after the last to the last.
    pub fn period_of(&self, instant: Timestamp) -> Period {
        let boundaries = &self.entitlements.boundaries;
        let last = boundaries.len().saturating_sub(2);
        let index = boundaries.partition_point(|boundary| *boundary <= instant).saturating_sub(1).min(last);
        let bound = |index: usize| boundaries.get(index).copied().unwrap_or(instant);
        Period { starts_at: bound(index), ends_at: bound(index.saturating_add(1)) }
    }

    /// A period as answers write it; ready for those of the entitlements, formatted for one of an earlier answer.
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

impl Rule {
    /// Whether an amount adds to the used one.
    pub fn is_additive(&self) -> bool {
        matches!(self.aggregation, Aggregation::Sum | Aggregation::Count)
    }
}

impl Metrics {
    pub fn load<S: LocalSql>(sql: &S) -> Result<Self, SqlError> {
        schema::setting(sql, METRICS)?.map_or(Ok(Self::default()), |text| schema::parse(METRICS, &text))
    }

    pub fn store<S: LocalSql>(&self, sql: &S) -> Result<(), SqlError> {
        schema::set(sql, METRICS, schema::json(self)?)
    }
}

impl Limits {
    pub fn load<S: LocalSql>(sql: &S) -> Result<Self, SqlError> {
        schema::setting(sql, LIMITS)?.map_or(Ok(Self::default()), |text| schema::parse(LIMITS, &text))
    }

    pub fn store<S: LocalSql>(&self, sql: &S) -> Result<(), SqlError> {
        schema::set(sql, LIMITS, schema::json(self)?)
    }
}

pub(super) fn store_entitlements<S: LocalSql>(sql: &S, entitlements: &Entitlements) -> Result<(), SqlError> {
    schema::set(sql, ENTITLEMENTS, schema::json(entitlements)?)
}
