//! What the organization may use, and which period an instant belongs to.
//!
//! Owns: everything the Meter was told: entitlements of the subscription, metrics of the platform, limits and grants of the
//! organization, and the rules that follow from them. Each comes with a version of its own and never goes back to a lower one.
//! Words: a *rule* is what holds for a metric now: its definition, and its limit with the grants that are active.

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
/// An event may be this old, because for so long a repeated one is recognised.
pub(super) const REMEMBERED: std::time::Duration = days(35);

const ENTITLEMENTS: &str = "entitlements";
const METRICS: &str = "metrics";
const LIMITS: &str = "limits";

pub(super) struct Plan {
    entitlements: Entitlements,
    metrics: Metrics,
    limits: Limits,
    rules: BTreeMap<String, Rule>,
    counts_values: bool,
    /// Whether `users` is the number of members, and moves with them only.
    counts_members: bool,
    /// When a grant begins or ends, and the rules have to be made anew.
    rules_until: Option<Timestamp>,
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

/// What holds for a metric now.
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
    /// Counted here: nobody may record it.
    pub is_counted_here: bool,
}

/// Where a limit comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Source {
    Plan,
    Override,
    /// Neither the plan nor an override says anything.
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

impl Plan {
    pub fn load<S: LocalSql>(sql: &S, wall: Timestamp) -> Result<Option<Self>, SqlError> {
        let Some(text) = schema::setting(sql, ENTITLEMENTS)? else { return Ok(None) };
        let plan = Self::of(schema::parse(ENTITLEMENTS, &text)?, Metrics::load(sql)?, Limits::load(sql)?, wall);
        Ok(Some(plan.counting_members(Seats::load(sql)?.is_counted, wall)))
    }

    pub fn of(entitlements: Entitlements, metrics: Metrics, limits: Limits, wall: Timestamp) -> Self {
        let starts = entitlements.boundaries.iter();
        let ends = entitlements.boundaries.iter().skip(1);
        let texts = starts.zip(ends).map(|(start, end)| PeriodText { start: start.to_string(), end: end.to_string() }).collect();
        let mut plan = Self {
            entitlements,
            metrics,
            limits,
            rules: BTreeMap::new(),
            counts_values: false,
            counts_members: false,
            rules_until: None,
            texts,
        };
        plan.make_rules(plan.now(wall));
        plan
    }

    /// Makes the rules anew when a grant has begun or ended since they were made.
    pub fn refresh(&mut self, wall: Timestamp) {
        let now = self.now(wall);
        if self.rules_until.is_some_and(|until| until <= now) {
            self.make_rules(now);
        }
    }

    fn make_rules(&mut self, now: Timestamp) {
        let defined = self.metrics.metrics.iter().map(|(metric, rule)| (metric, rule, Source::Unlimited));
        let planned = self.entitlements.metrics.iter().map(|(metric, rule)| (metric, rule, Source::Plan));
        self.rules =
            defined.chain(planned).map(|(metric, rule, source)| (metric.clone(), self.rule_of(metric, rule, source, now))).collect();
        self.counts_values = self.rules.values().any(|rule| rule.unique_property.is_some());
        let turns = self.limits.grants.iter().flat_map(|grant| [Some(grant.starts_at), grant.ends_at]).flatten();
        self.rules_until = turns.filter(|turn| *turn > now).min();
    }

    fn rule_of(&self, metric: &str, rule: &MetricRule, source: Source, now: Timestamp) -> Rule {
        // People are no consumption: somebody has to be there who pays what is open, or goes on.
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

    /// Whether `users` is counted by what the Worker says of members.
    pub fn count_members(&mut self, is_counted: bool, wall: Timestamp) {
        if self.counts_members != is_counted {
            self.counts_members = is_counted;
            self.make_rules(self.now(wall));
        }
    }

    pub fn counting_members(mut self, is_counted: bool, wall: Timestamp) -> Self {
        self.count_members(is_counted, wall);
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
        self.rules.get(metric)
    }

    /// Every metric there is, with what holds for it.
    pub fn rules(&self) -> impl Iterator<Item = (&str, &Rule)> {
        self.rules.iter().map(|(metric, rule)| (metric.as_str(), rule))
    }

    /// Whether there is any metric that counts different values.
    pub fn counts_values(&self) -> bool {
        self.counts_values
    }

    /// The metric that a CloudEvents `type` counts as.
    pub fn metric_of<'a>(&'a self, event_type: &'a str) -> &'a str {
        self.metrics.event_types.get(event_type).map_or(event_type, String::as_str)
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

impl Rule {
    /// Whether what is asked for comes on top of what is used.
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
