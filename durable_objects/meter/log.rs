//! The log: every counted event, commit by commit, chained by hashes. Replays, exports, roll-up and proofs read it.
//!
//! Words: a *commit* is what one group of requests counted, or one closing; its *body* is compact JSON; a *metric period* is a metric
//! in a period with the limit it had, written once a commit (`standings` in the body). `docs/PROOF.md` specifies a body.
//! Invariants:
//! - A commit is appended in the transaction that counts its events, and never changed.
//! - Its hash is of the hash before it and its body. The newest commit is kept, however old, so that the chain continues from it.
//! - A body is written once and read as it was written: what is hashed is the text itself.

use std::borrow::Cow;
use std::fmt::Write;

use rating::Quantity;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use super::lists::push_text;
use super::outcome::Mode;
use super::requests::Claim;
use super::rules::Period;
use super::schema;
use super::schema::number;
use crate::kernel::ids::OrganizationId;
use crate::kernel::sql::{LocalSql, SqlError, Value};
use crate::kernel::time::Timestamp;
use crate::meter::contract::ChainedCommit;
use crate::meter::vocabulary::{Aggregation, Enforcement, MetricKind};

/// Where the log ends.
pub(super) struct Log {
    /// Of the last commit; 0 before the first.
    pub number: u64,
    pub hash: String,
    /// Of the last event.
    pub sequence: u64,
}

/// A commit that is being written.
pub(super) struct Draft {
    pub number: u64,
    pub at: Timestamp,
    first: u64,
    count: u64,
    known: Vec<Known>,
    metric_periods: String,
    events: String,
    answers: String,
}

/// The identity of a metric period within a commit.
#[derive(PartialEq)]
struct Known {
    metric: String,
    starts_at: Timestamp,
    limit: Option<Quantity>,
    mode: Mode,
}

/// A metric in a period, as an event found it.
#[derive(Clone, Copy)]
pub(super) struct MetricPeriod<'a> {
    pub metric: &'a str,
    pub aggregation: Aggregation,
    pub kind: MetricKind,
    pub period: Period,
    pub limit: Option<Quantity>,
    pub enforcement: Enforcement,
    pub mode: Mode,
}

/// One event as it was counted.
#[derive(Clone, Copy)]
pub(super) struct Line<'a> {
    pub amount: Quantity,
    pub current: Quantity,
    pub key: Option<&'a str>,
    pub timestamp: Option<Timestamp>,
    /// Held by reservations of the metric when it was counted.
    pub reserved: Quantity,
    /// A JSON object.
    pub metadata: Option<&'a str>,
}

impl Log {
    pub fn new(organization: OrganizationId) -> Self {
        Self { number: 0, hash: genesis(organization), sequence: 0 }
    }

    pub fn load<S: LocalSql>(sql: &S, organization: OrganizationId) -> Result<Self, SqlError> {
        let rows = sql.run("SELECT number, first, count, hash FROM commits ORDER BY number DESC LIMIT 1", &[])?;
        let Some(row) = rows.first() else {
            // Events from before there was a log.
            let rows = sql.run("SELECT COALESCE(MAX(sequence), 0) AS sequence FROM counters", &[])?;
            let sequence = rows.first().and_then(|row| row.get("sequence")).and_then(serde_json::Value::as_u64).unwrap_or(0);
            return Ok(Self { sequence, ..Self::new(organization) });
        };
        let column = |name: &str| row.get(name).and_then(serde_json::Value::as_u64).unwrap_or(0);
        let hash = row.get("hash").and_then(serde_json::Value::as_str).unwrap_or_default().to_owned();
        let sequence = column("first").saturating_add(column("count")).saturating_sub(1);
        Ok(Self { number: column("number"), hash, sequence })
    }

    /// The next commit.
    pub fn draft(&self, at: Timestamp) -> Draft {
        Draft {
            number: self.number.saturating_add(1),
            at,
            first: self.sequence.saturating_add(1),
            count: 0,
            known: Vec::new(),
            metric_periods: String::new(),
            events: String::new(),
            answers: String::new(),
        }
    }

    /// Appends a commit, unless it holds nothing.
    pub fn append<S: LocalSql>(&mut self, sql: &S, draft: Draft) -> Result<(), SqlError> {
        if draft.events.is_empty() && draft.answers.is_empty() {
            return Ok(());
        }
        let (first, count) = (draft.first, draft.count);
        self.sequence = first.saturating_add(count).saturating_sub(1);
        self.insert(sql, draft.at, (first, count), draft.into_body())
    }

    /// Appends the closing of a period and gives its commit; `closing` is a JSON object.
    pub fn append_closing<S: LocalSql>(&mut self, sql: &S, at: Timestamp, closing: &str) -> Result<ChainedCommit, SqlError> {
        let number = self.number.saturating_add(1);
        let body = format!("{{\"number\":{number},\"at\":{},\"closing\":{closing}}}", at.as_millis());
        let previous = self.hash.clone();
        self.insert(sql, at, (self.sequence.saturating_add(1), 0), body.clone())?;
        Ok(ChainedCommit { number, previous, hash: self.hash.clone(), body })
    }

    fn insert<S: LocalSql>(&mut self, sql: &S, at: Timestamp, (first, count): (u64, u64), body: String) -> Result<(), SqlError> {
        self.number = self.number.saturating_add(1);
        self.hash = chained(&self.hash, &body);
        let text = "INSERT INTO commits (number, at, first, count, hash, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        let hash = Value::Text(self.hash.clone());
        sql.run(text, &[number(self.number), at.into(), number(first), number(count), hash, Value::Text(body)])?;
        Ok(())
    }
}

impl Draft {
    /// The sequence of the event that comes next.
    pub fn next_sequence(&self) -> u64 {
        self.first.saturating_add(self.count)
    }

    pub fn event(&mut self, metric_period: MetricPeriod<'_>, line: Line<'_>) {
        let index = self.metric_period(metric_period);
        if self.count > 0 {
            self.events.push(',');
        }
        self.count = self.count.saturating_add(1);
        let out = &mut self.events;
        out.push('[');
        push_integer(out, index);
        out.push(',');
        push_quantity(out, line.amount);
        out.push(',');
        push_quantity(out, line.current);
        let is_short = line.metadata.is_none() && line.reserved.is_zero();
        if line.key.is_some() || line.timestamp.is_some() || !is_short {
            out.push(',');
            match line.key {
                Some(key) => push_text(out, key),
                None => out.push_str("null"),
            }
        }
        if line.timestamp.is_some() || !is_short {
            out.push(',');
            match line.timestamp {
                Some(timestamp) => push_integer(out, timestamp.as_millis()),
                None => out.push_str("null"),
            }
        }
        if !is_short {
            out.push(',');
            push_quantity(out, line.reserved);
        }
        if let Some(metadata) = line.metadata {
            out.push(',');
            out.push_str(metadata);
        }
        out.push(']');
    }

    /// Keeps the answer that was given under a key; `body` is JSON, empty where there was none.
    pub fn answer(&mut self, claim: &Claim<'_>, status: u16, body: &str) {
        let out = &mut self.answers;
        out.push_str(if out.is_empty() { "[" } else { ",[" });
        push_text(out, &claim.key);
        out.push(',');
        push_text(out, &claim.fingerprint);
        let _ = write!(out, ",{status},{}]", if body.is_empty() { "null" } else { body });
    }

    fn metric_period(&mut self, metric_period: MetricPeriod<'_>) -> usize {
        let MetricPeriod { metric, aggregation, kind, period, limit, enforcement, mode } = metric_period;
        let is_this =
            |known: &Known| known.starts_at == period.starts_at && known.mode == mode && known.limit == limit && known.metric == metric;
        if let Some(index) = self.known.iter().position(is_this) {
            return index;
        }
        self.known.push(Known { metric: metric.to_owned(), starts_at: period.starts_at, limit, mode });
        let out = &mut self.metric_periods;
        out.push_str(if out.is_empty() { "[" } else { ",[" });
        push_text(out, metric);
        let (starts_at, ends_at) = (period.starts_at.as_millis(), period.ends_at.as_millis());
        let _ = write!(
            out,
            ",\"{}\",\"{}\",{starts_at},{ends_at},",
            name_of(aggregation),
            if kind == MetricKind::Level { "level" } else { "consumable" }
        );
        match limit {
            Some(limit) => push_quantity(out, limit),
            None => out.push_str("null"),
        }
        // Written where the limit is soft, so that a count past it is not taken for a mistake.
        let _ = write!(out, ",\"{}\"{}]", mode.name(), if enforcement == Enforcement::Soft { ",\"soft\"" } else { "" });
        self.known.len().saturating_sub(1)
    }

    fn into_body(self) -> String {
        let Self { number, at, first, metric_periods, events, answers, .. } = self;
        let mut body =
            String::with_capacity(events.len().saturating_add(metric_periods.len()).saturating_add(answers.len()).saturating_add(96));
        let _ =
            write!(body, "{{\"number\":{number},\"at\":{},\"first\":{first},\"standings\":[{metric_periods}],\"events\":[", at.as_millis());
        body.push_str(&events);
        body.push(']');
        if !answers.is_empty() {
            body.push_str(",\"answers\":[");
            body.push_str(&answers);
            body.push(']');
        }
        body.push('}');
        body
    }
}

/// A quantity as its JSON is: an integer, or a decimal in a text.
pub(super) fn push_quantity(out: &mut String, quantity: Quantity) {
    match quantity.to_integer() {
        Some(integer) if integer.unsigned_abs() <= Quantity::UNITS_MAX => push_integer(out, integer),
        // Writing into a text cannot fail.
        _ => {
            let _ = write!(out, "\"{quantity}\"");
        }
    }
}

fn push_integer(out: &mut String, integer: impl itoa::Integer) {
    out.push_str(itoa::Buffer::new().format(integer));
}

pub(super) fn name_of(aggregation: Aggregation) -> &'static str {
    match aggregation {
        Aggregation::Count => "count",
        Aggregation::Sum => "sum",
        Aggregation::Max => "max",
        Aggregation::Latest => "latest",
        Aggregation::Unique => "unique",
        Aggregation::WeightedSum => "weighted_sum",
    }
}

/// What the first commit of an organization is chained to.
pub(super) fn genesis(organization: OrganizationId) -> String {
    hex(Sha256::digest(format!("tenantry-usage-chain-v1\n{organization}").as_bytes()).as_slice())
}

fn chained(previous: &str, body: &str) -> String {
    let mut hasher = Sha256::new();
    hasher.update(previous.as_bytes());
    hasher.update(b"\n");
    hasher.update(body.as_bytes());
    hex(hasher.finalize().as_slice())
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(64);
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// A body, read.
#[derive(Deserialize)]
pub(super) struct Body<'a> {
    #[serde(default)]
    pub first: u64,
    #[serde(default, rename = "standings")]
    pub metric_periods: Vec<MetricPeriodRow>,
    #[serde(borrow, default)]
    pub events: Vec<EventRow<'a>>,
    #[serde(borrow, default)]
    pub answers: Vec<AnswerRow<'a>>,
}

/// Metric, aggregation, kind, start and end of the period, limit, mode, enforcement where it is soft.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct MetricPeriodRow(
    pub String,
    pub Aggregation,
    pub IgnoredAny,
    pub i64,
    pub i64,
    pub Option<Quantity>,
    pub Mode,
    #[serde(default)] pub IgnoredAny,
);

/// Index of the metric period, amount, count after it, key, timestamp, reserved, metadata.
#[derive(Deserialize)]
pub(super) struct EventRow<'a>(
    pub usize,
    pub Quantity,
    pub Quantity,
    #[serde(borrow, default)] pub Option<Cow<'a, str>>,
    #[serde(default)] pub Option<i64>,
    #[serde(default)] pub Option<Quantity>,
    #[serde(borrow, default)] pub Option<&'a RawValue>,
);

/// Key, fingerprint, status, body.
#[derive(Deserialize)]
pub(super) struct AnswerRow<'a>(
    #[serde(borrow)] pub Cow<'a, str>,
    #[serde(borrow)] pub Cow<'a, str>,
    pub u16,
    #[serde(borrow, default)] pub Option<&'a RawValue>,
);

impl MetricPeriodRow {
    pub fn period(&self) -> Period {
        Period { starts_at: Timestamp::from_millis(self.3), ends_at: Timestamp::from_millis(self.4) }
    }
}

impl<'a> Body<'a> {
    pub fn read(text: &'a str) -> Result<Self, SqlError> {
        serde_json::from_str(text).map_err(|error| SqlError::Broken(format!("a stored commit cannot be read: {error}")))
    }
}

/// A commit as it is stored.
#[derive(Deserialize)]
pub(super) struct Stored {
    pub number: u64,
    #[serde(with = "crate::kernel::sql::millis")]
    pub at: Timestamp,
    pub hash: String,
    pub body: String,
}

impl Stored {
    /// The first commit after `after`, in which at most `bound` has passed.
    pub fn next<S: LocalSql>(sql: &S, after: u64) -> Result<Option<Self>, SqlError> {
        let text = "SELECT number, at, hash, body FROM commits WHERE number > ?1 ORDER BY number LIMIT 1";
        sql.run(text, &[number(after)])?.into_iter().next().map(crate::kernel::sql::decode).transpose()
    }

    pub fn find<S: LocalSql>(sql: &S, wanted: u64) -> Result<Option<Self>, SqlError> {
        let text = "SELECT number, at, hash, body FROM commits WHERE number = ?1";
        sql.run(text, &[number(wanted)])?.into_iter().next().map(crate::kernel::sql::decode).transpose()
    }

    /// The hash of the commit before `before`; None when it was forgotten or there is none.
    pub fn hash_before<S: LocalSql>(sql: &S, before: u64) -> Result<Option<String>, SqlError> {
        let wanted = before.saturating_sub(1);
        let rows = sql.run("SELECT hash FROM commits WHERE number = ?1", &[number(wanted)])?;
        let hash = rows.first().and_then(|row| row.get("hash")).and_then(serde_json::Value::as_str);
        Ok(hash.map(str::to_owned).or(schema::setting(sql, FORGOTTEN_HASH)?.filter(|_| wanted > 0)))
    }
}

/// The hash of the newest commit that was forgotten: what the oldest one still kept is chained to.
pub(super) const FORGOTTEN_HASH: &str = "forgottenHash";
