//! The reference: the expected answers of the Meter, computed in the plainest way. One list of everything that happened, one request after the
//! other, no groups, no storage and no cache; each question is answered by counting the list again.

use std::collections::{BTreeMap, BTreeSet};

use rating::Quantity;
use serde_json::{Value, json};
use tenantry::kernel::time::{Timestamp, days, minutes};
use tenantry::meter::vocabulary::{Aggregation, MetricKind};

use super::asks::{Ask, Event, Sent, Way};
use super::history::{Counted, Counts, Entry, History, Period, plus};
use super::reservations::Reservation;
use super::rules::{Rule, Rules, limit_or_minus_one};
use crate::meter::world::Answer;

pub struct Reference {
    pub now: Timestamp,
    pub rules: Rules,
    pub history: History,
    pub reservations: BTreeMap<String, Reservation>,
    /// Name, data and instant of each, in order.
    pub facts: Vec<Value>,
    raised: BTreeSet<(String, Period, i64)>,
    keys: BTreeMap<String, Remembered>,
}

/// The request that an idempotency key belongs to.
struct Remembered {
    since: Timestamp,
    /// The operation.
    asked: String,
    was: Was,
}

enum Was {
    Event(Outcome),
    /// The whole answer.
    Answer {
        status: u16,
        text: String,
    },
}

/// The outcome of an event when it was counted.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub sequence: u64,
    pub current: Quantity,
    pub limit: Option<Quantity>,
    pub reserved: Quantity,
    pub period: Period,
}

/// The expected answer of the Meter.
#[derive(Debug, PartialEq)]
pub enum Expected {
    Told {
        status: u16,
        body: Value,
        replayed: bool,
    },
    /// The same text as before.
    Again {
        status: u16,
        text: String,
    },
    Refused(u16, &'static str),
    NeedsMetrics,
}

impl Expected {
    /// In few words: a replay, a refusal's code, or the status.
    pub fn name(&self) -> String {
        match self {
            Self::Again { .. } => "the same text".to_owned(),
            Self::Told { replayed: true, .. } => "the same receipt".to_owned(),
            Self::Told { status, .. } => status.to_string(),
            Self::Refused(_, code) => (*code).to_owned(),
            Self::NeedsMetrics => "metrics needed".to_owned(),
        }
    }
}

pub type Refusal = (u16, &'static str);

const MISMATCH: Refusal = (422, "idempotency_mismatch");

impl Reference {
    pub fn new(rules: Rules, now: Timestamp) -> Self {
        let history = History { entries: Vec::new(), bounds: rules.entitlements.boundaries.clone() };
        let (reservations, keys) = (BTreeMap::new(), BTreeMap::new());
        Self { now, rules, history, reservations, facts: Vec::new(), raised: BTreeSet::new(), keys }
    }

    /// The expected answer. `answer` is the actual one: the id of a reservation is drawn by the Meter, and taken over from it.
    pub fn expect(&mut self, sent: &Sent, answer: Option<&Answer>) -> Expected {
        if !sent.has_all_metrics && self.names_unknown(&sent.ask) {
            return Expected::NeedsMetrics;
        }
        let expected = match &sent.ask {
            Ask::Event(event, way) => self.event(event, *way).map(|(outcome, replayed)| {
                let metric = self.rules.metric_of(&event.metric, way.is_cloud());
                let body = self.receipt(mode_of(*way), &metric, &outcome, replayed);
                Expected::Told { status: 200, body, replayed }
            }),
            Ask::Batch { events, key, is_cloud } => self.once(sent, key, answer, |it| Ok(it.batch(events, key, *is_cloud))),
            Ask::Quota { metric, amount, explain } => self.quota(metric, *amount, *explain),
            Ask::Summary => Ok(Expected::Told { status: 200, body: self.summary(), replayed: false }),
            Ask::Reserve { metric, amount, ttl, key } => {
                self.once(sent, key, answer, |it| it.reserve(metric, *amount, *ttl, answer.and_then(|answer| answer.body["$id"].as_str())))
            }
            Ask::Settle { id, amount, allow_overage, key } => self.once(sent, key, answer, |it| it.settle(id, *amount, *allow_overage)),
            Ask::Release(id) => self.release(id),
            Ask::Reservation(id) => self.reservation(id),
        };
        expected.unwrap_or_else(|(status, code)| Expected::Refused(status, code))
    }

    fn names_unknown(&self, ask: &Ask) -> bool {
        let is_unknown = |name: &str, is_cloud| self.rules.rule(&self.rules.metric_of(name, is_cloud), self.now).is_none();
        match ask {
            // A request that is refused while it is read is never decided.
            Ask::Event(event, way) => is_unknown(&event.metric, way.is_cloud()),
            Ask::Batch { events, is_cloud, .. } => events.iter().any(|event| is_unknown(&event.metric, *is_cloud)),
            Ask::Quota { metric, .. } | Ask::Reserve { metric, .. } => is_unknown(metric, false),
            _ => false,
        }
    }

    /// A key counts for 35 days.
    fn remembered(&self, key: &str) -> Option<&Remembered> {
        self.keys.get(key).filter(|remembered| remembered.since > self.now.minus(days(35)))
    }

    /// Decides what is remembered as a whole, unless it was answered before.
    fn once(
        &mut self,
        sent: &Sent,
        key: &Option<String>,
        answer: Option<&Answer>,
        decide: impl FnOnce(&mut Self) -> Result<Expected, Refusal>,
    ) -> Result<Expected, Refusal> {
        let Some(key) = key else { return decide(self) };
        let request = sent.request();
        let asked = format!("{} {} {}", request.method, request.target, request.body);
        match self.remembered(key) {
            Some(Remembered { asked: known, was: Was::Answer { status, text }, .. }) if *known == asked => {
                return Ok(Expected::Again { status: *status, text: text.clone() });
            }
            Some(_) => return Err(MISMATCH),
            None => {}
        }
        let expected = decide(self)?;
        if let (Expected::Told { status, .. }, Some(answer)) = (&expected, answer) {
            let was = Was::Answer { status: *status, text: answer.text.clone() };
            self.keys.insert(key.clone(), Remembered { since: self.now, asked, was });
        }
        Ok(expected)
    }

    /// Counts an event, or finds its first outcome.
    fn event(&mut self, event: &Event, way: Way) -> Result<(Outcome, bool), Refusal> {
        let (key, metric) = (event.identity(way.is_cloud()), self.rules.metric_of(&event.metric, way.is_cloud()));
        let is_latest = self.rules.rule(&metric, self.now).is_some_and(|rule| rule.metric.aggregation == Aggregation::Latest);
        if event.amount.is_zero() && !is_latest {
            return Err((400, "amount_zero"));
        }
        let asked = format!("{} {metric} {} {:?} {:?}", mode_of(way), event.amount, event.timestamp, event.metadata);
        match key.as_ref().and_then(|key| self.remembered(key)) {
            Some(Remembered { asked: known, was: Was::Event(outcome), .. }) if *known == asked => return Ok((outcome.clone(), true)),
            Some(_) => return Err(MISMATCH),
            None => {}
        }
        let outcome = self.count(&Event { metric, key: key.clone(), ..event.clone() }, mode_of(way))?;
        if let Some(key) = key {
            self.keys.insert(key, Remembered { since: self.now, asked, was: Was::Event(outcome.clone()) });
        }
        Ok((outcome, false))
    }

    /// Counts an event that is new.
    pub fn count(&mut self, event: &Event, mode: &'static str) -> Result<Outcome, Refusal> {
        let metric = event.metric.as_str();
        let rule = self.rules.rule(metric, self.now).ok_or((400, "unknown_metric"))?;
        let at = self.instant_of(event.timestamp)?;
        let (period, today) = (self.history.period_of(at), self.history.period_of(self.now));
        self.check_amount(&rule, event, mode)?;
        let value = unique_value(&rule, event)?;
        let is_known = value.as_ref().is_some_and(|value| self.history.has_value(metric, period, value));
        let amount = if is_known { Quantity::ZERO } else { event.amount };
        // What is held counts against the period in which it will be used, and a level goes on through all later ones.
        let is_held = period == today || rule.metric.kind == MetricKind::Level;
        let reserved = if is_held { self.held(metric) } else { Quantity::ZERO };
        let is_started = self.history.is_started(metric);
        // It is written down to see what it would come to, and struck out again if that may not be.
        let sequence = self.history.counted().count() as u64 + 1;
        let counted = Counted {
            sequence,
            metric: metric.to_owned(),
            mode,
            amount,
            value,
            at,
            period,
            recorded_at: self.now,
            key: event.key.clone(),
            metadata: event.metadata.clone(),
        };
        self.history.entries.push(Entry::Counted(counted));
        let refusal = self.refusal(metric, &rule, period, (mode == "consumption" && !amount.is_negative()).then_some(reserved));
        if let Some(refusal) = refusal {
            self.history.entries.pop();
            return Err(refusal);
        }
        let current = self.history.counts(metric, &rule.metric, period).count;
        if !is_started {
            self.raise("Usage.started", json!({"metric": metric}));
        }
        if period == today && !amount.is_negative() {
            self.raise_thresholds(metric, &rule, period, current);
        }
        Ok(Outcome { sequence, current, limit: rule.limit, reserved, period })
    }

    /// Why the newest event may not be: it takes a level below zero, or, where it must fit (`held` is what has to fit beside it), past
    /// a hard limit, in its period or in one after it.
    fn refusal(&self, metric: &str, rule: &Rule, period: Period, held: Option<Quantity>) -> Option<Refusal> {
        let is_level = rule.metric.kind == MetricKind::Level;
        let moved = self.history.periods(metric).into_iter().filter(|of| *of == period || is_level && *of > period);
        let all: Vec<Counts> = moved.map(|period| self.history.counts(metric, &rule.metric, period)).collect();
        if is_level && all.iter().any(|counts| counts.level.is_negative()) {
            return Some((400, "level_below_zero"));
        }
        let limit = rule.limit.filter(|_| rule.is_hard())?;
        let is_past = all.iter().any(|counts| plus(counts.count, held.unwrap_or_default()) > limit);
        held.filter(|_| is_past).map(|_| self.exceeded(rule))
    }

    pub fn exceeded(&self, rule: &Rule) -> Refusal {
        (if rule.metric.kind == MetricKind::Level { 403 } else { 429 }, "quota_exceeded")
    }

    fn instant_of(&self, sent: Option<Timestamp>) -> Result<Timestamp, Refusal> {
        match sent {
            None => Ok(self.now),
            Some(sent) if sent > self.now.plus(minutes(5)) => Err((400, "timestamp_in_future")),
            Some(sent) if sent < self.now.minus(days(35)) => Err((400, "timestamp_too_old")),
            Some(sent) if sent < self.rules.entitlements.subscription_started_at => Err((400, "timestamp_before_subscription")),
            Some(sent) => Ok(sent),
        }
    }

    fn check_amount(&self, rule: &Rule, event: &Event, mode: &str) -> Result<(), Refusal> {
        let is_one = event.amount == Quantity::ONE || mode == "settlement";
        if matches!(rule.metric.aggregation, Aggregation::Count | Aggregation::Unique) && !is_one {
            return Err((400, "amount_not_counted"));
        }
        if event.amount.is_negative() && rule.metric.kind == MetricKind::Consumable {
            return Err((400, "amount_negative"));
        }
        Ok(())
    }

    fn raise(&mut self, name: &str, data: Value) {
        self.facts.push(json!({"name": name, "data": data, "occurredAt": self.now}));
    }

    /// Each threshold is raised once in a period.
    fn raise_thresholds(&mut self, metric: &str, rule: &Rule, period: Period, current: Quantity) {
        let Some(limit) = rule.limit else { return };
        for (tenths, name) in [(8, "Usage.approaching"), (9, "Usage.warning"), (10, "Usage.exceeded")] {
            let is_reached = current.nanos() * 10 >= limit.nanos() * i128::from(tenths);
            if is_reached && self.raised.insert((metric.to_owned(), period, tenths)) {
                let starts_at = self.history.bounds[period];
                let mut data = json!({"metric": metric, "current": current, "limit": limit, "periodStartsAt": starts_at});
                if tenths == 10 {
                    data["isHard"] = json!(rule.is_hard());
                }
                self.raise(name, data);
            }
        }
    }

    fn batch(&mut self, events: &[Event], key: &Option<String>, is_cloud: bool) -> Expected {
        let (mut accepted, mut replayed, mut rejected, mut touched) = (0, 0, Vec::new(), BTreeSet::new());
        let way = if is_cloud { Way::Structured } else { Way::Usage };
        for (index, event) in events.iter().enumerate() {
            let is_of_batch = key.is_some() && event.identity(is_cloud) == *key;
            match if is_of_batch { Err(MISMATCH) } else { self.event(event, way) } {
                Ok((_, was_there)) => {
                    *(if was_there { &mut replayed } else { &mut accepted }) += 1;
                    touched.insert(self.rules.metric_of(&event.metric, is_cloud));
                }
                Err((_, code)) => rejected.push(json!({"index": index, "code": code})),
            }
        }
        let current: BTreeMap<String, Quantity> = touched.into_iter().map(|metric| (metric.clone(), self.current(&metric))).collect();
        let body = json!({"accepted": accepted, "replayed": replayed, "rejected": rejected, "current": current});
        Expected::Told { status: 200, body, replayed: false }
    }

    /// The count in the current period.
    pub fn current(&self, metric: &str) -> Quantity {
        let period = self.history.period_of(self.now);
        let rule = self.rules.rule(metric, self.now);
        rule.map_or(Quantity::ZERO, |rule| self.history.counts(metric, &rule.metric, period).count)
    }

    fn quota(&self, metric: &str, amount: Quantity, explain: bool) -> Result<Expected, Refusal> {
        let rule = self.rules.rule(metric, self.now).ok_or((404, "unknown_metric"))?;
        let (current, reserved) = (self.current(metric), self.held(metric));
        let after = match rule.metric.aggregation {
            Aggregation::Max => current.max(amount),
            Aggregation::Latest => amount,
            Aggregation::Sum | Aggregation::Count => plus(plus(current, reserved), amount),
            Aggregation::Unique | Aggregation::WeightedSum => plus(current, amount),
        };
        let mut body = json!({
            "$type": "QuotaCheck", "allowed": !rule.is_hard() || rule.limit.is_none_or(|limit| after <= limit), "metric": metric,
            "current": current, "limit": limit_or_minus_one(rule.limit), "remaining": remaining(current, rule.limit, reserved),
            "reserved": reserved, "period": self.period_text(self.history.period_of(self.now)),
        });
        if explain {
            body["explanation"] = rule.explanation(&self.rules.entitlements, amount);
        }
        Ok(Expected::Told { status: 200, body, replayed: false })
    }

    pub fn summary(&self) -> Value {
        let of = |metric: String| {
            let rule = self.rules.rule(&metric, self.now).unwrap();
            let mut usage = usage_of(self.current(&metric), rule.limit, self.held(&metric));
            usage["reserved"] = json!(self.held(&metric));
            (metric, usage)
        };
        let metrics: BTreeMap<String, Value> = self.rules.known().into_iter().map(of).collect();
        json!({"$type": "UsageSummary", "period": self.period_text(self.history.period_of(self.now)), "metrics": metrics})
    }

    pub fn receipt(&self, mode: &str, metric: &str, outcome: &Outcome, replayed: bool) -> Value {
        let mut receipt = usage_of(outcome.current, outcome.limit, outcome.reserved);
        receipt["$type"] = json!("UsageReceipt");
        receipt["metric"] = json!(metric);
        receipt["period"] = self.period_text(outcome.period);
        receipt["sequence"] = json!(outcome.sequence);
        receipt["replayed"] = json!(replayed);
        if mode == "consumption" {
            receipt["allowed"] = json!(true);
        }
        receipt
    }

    fn period_text(&self, period: Period) -> Value {
        json!({"start": self.history.bounds[period], "end": self.history.bounds[period + 1]})
    }
}

fn mode_of(way: Way) -> &'static str {
    if way == Way::Consumption { "consumption" } else { "usage" }
}

fn unique_value(rule: &Rule, event: &Event) -> Result<Option<String>, Refusal> {
    let Some(property) = &rule.metric.unique_property else { return Ok(None) };
    let value = event.metadata.as_ref().and_then(|metadata| metadata.get(property));
    let value = value.filter(|value| value.is_string() || value.is_number() || value.is_boolean());
    value.map(|value| Some(value.to_string())).ok_or((400, "unique_property_missing"))
}

pub fn remaining(current: Quantity, limit: Option<Quantity>, reserved: Quantity) -> Option<Quantity> {
    limit.map(|limit| limit.checked_sub(plus(current, reserved)).unwrap().max(Quantity::ZERO))
}

fn usage_of(current: Quantity, limit: Option<Quantity>, reserved: Quantity) -> Value {
    json!({
        "current": current, "limit": limit_or_minus_one(limit), "remaining": remaining(current, limit, reserved),
        "percentage": limit.map(|limit| percentage(current, limit)),
    })
}

/// How much of the limit is used in percent, cut off after two decimals; of a limit of 0 all is.
fn percentage(current: Quantity, limit: Quantity) -> Value {
    let hundredths = if limit.is_zero() { 10_000 } else { current.nanos() * 10_000 / limit.nanos() };
    json!((hundredths as f64 / 100.0).to_string())
}
