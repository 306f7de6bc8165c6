//! Exports of the log: raw events, and proofs that can be verified independently. `docs/PROOF.md` describes a proof.
//!
//! Owns: the lines of both, in pages, so that a long export delays no request.

use serde_json::json;
use serde_json::value::RawValue;

use super::book::Book;
use super::log::{Body, EventRow, Log, MetricPeriodRow, Stored, genesis, name_of};
use super::outcome::Mode;
use super::rules::Rules;
use super::schema;
use crate::kernel::ids::OrganizationId;
use crate::kernel::sql::{LocalSql, SqlError};
use crate::kernel::time::{Timestamp, minutes};
use crate::meter::contract::ExportPage;
use crate::meter::vocabulary::MetricKind;

/// A page ends after the commit that fills it.
const PAGE_BYTES: usize = 256 * 1024;
const PAGE_COMMITS: usize = 1_000;

/// What a proof contains beside the commits.
pub(super) struct Source<'a> {
    pub organization: OrganizationId,
    pub log: &'a Log,
    pub book: &'a Book,
    pub rules: Option<&'a Rules>,
}

/// Events whose timestamp lies in [from, to).
pub(super) fn events<S: LocalSql>(sql: &S, from: Timestamp, to: Timestamp, after: u64) -> Result<ExportPage, SqlError> {
    let mut lines = String::new();
    let mut at = after;
    for _ in 0..PAGE_COMMITS {
        let Some(stored) = Stored::next(sql, at)? else { return Ok(ExportPage { lines, next: None }) };
        at = stored.number;
        // A timestamp is at most five minutes ahead of its commit.
        if stored.at < from.minus(minutes(5)) {
            continue;
        }
        let body = Body::read(&stored.body)?;
        for (index, event) in (0_u64..).zip(&body.events) {
            let timestamp = event.4.map_or(stored.at, Timestamp::from_millis);
            if timestamp < from || timestamp >= to {
                continue;
            }
            let metric_period =
                body.metric_periods.get(event.0).ok_or_else(|| SqlError::Broken("a stored event has no standing".to_owned()))?;
            lines.push_str(&event_line(&stored, body.first.saturating_add(index), event, metric_period)?);
        }
        if lines.len() >= PAGE_BYTES {
            break;
        }
    }
    Ok(ExportPage { lines, next: Some(at) })
}

#[derive(serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct EventLine<'a> {
    sequence: u64,
    commit: u64,
    metric: &'a str,
    amount: rating::Quantity,
    timestamp: Timestamp,
    recorded_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    idempotency_key: Option<&'a str>,
    mode: Mode,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<&'a RawValue>,
}

fn event_line(stored: &Stored, sequence: u64, event: &EventRow<'_>, metric_period: &MetricPeriodRow) -> Result<String, SqlError> {
    let line = EventLine {
        sequence,
        commit: stored.number,
        metric: &metric_period.0,
        amount: event.1,
        timestamp: event.4.map_or(stored.at, Timestamp::from_millis),
        recorded_at: stored.at,
        idempotency_key: event.3.as_deref(),
        mode: metric_period.6,
        metadata: event.6,
    };
    Ok(schema::json(&line)? + "\n")
}

/// The commits that were recorded in [from, to), with what they are chained to and what they lead to.
pub(super) fn proof<S: LocalSql>(sql: &S, source: &Source<'_>, from: Timestamp, to: Timestamp, after: u64) -> Result<ExportPage, SqlError> {
    let mut lines = String::new();
    let mut at = after;
    if after == 0 {
        let first = first_since(sql, from)?.unwrap_or(source.log.number.saturating_add(1));
        lines.push_str(&head(sql, source, (from, to), first)?);
        at = first.saturating_sub(1);
    }
    for _ in 0..PAGE_COMMITS {
        let Some(stored) = Stored::next(sql, at)?.filter(|stored| stored.at < to) else {
            lines.push_str(&end(source)?);
            return Ok(ExportPage { lines, next: None });
        };
        at = stored.number;
        lines.push_str(&schema::json(&json!({"number": stored.number, "hash": stored.hash, "body": stored.body}))?);
        lines.push('\n');
        if lines.len() >= PAGE_BYTES {
            break;
        }
    }
    Ok(ExportPage { lines, next: Some(at) })
}

/// The number of the first commit that was recorded since `from`.
fn first_since<S: LocalSql>(sql: &S, from: Timestamp) -> Result<Option<u64>, SqlError> {
    let rows = sql.run("SELECT MIN(number) AS first FROM commits WHERE at >= ?1", &[from.into()])?;
    Ok(rows.first().and_then(|row| row.get("first")).and_then(serde_json::Value::as_u64))
}

/// The first line; `first` is the number of the first commit that follows.
fn head<S: LocalSql>(sql: &S, source: &Source<'_>, (from, to): (Timestamp, Timestamp), first: u64) -> Result<String, SqlError> {
    let organization = source.organization;
    let previous = Stored::hash_before(sql, first)?.unwrap_or_else(|| genesis(organization));
    let head = json!({"$type": "UsageProof", "version": 1, "organization": organization.to_string(), "from": from, "to": to,
        "previous": previous, "isGenesis": first == 1});
    Ok(head.to_string() + "\n")
}

/// The last line: where the log ends, and every counter it leads to.
fn end(source: &Source<'_>) -> Result<String, SqlError> {
    let counters = source.book.counters().filter(|(_, _, counter)| counter.sequence > 0).map(|(metric, start, counter)| {
        let rule = source.rules.and_then(|rules| rules.rule(metric));
        let kind = if rule.is_some_and(|rule| rule.kind == MetricKind::Level) { "level" } else { "consumable" };
        let aggregation = rule.map_or("sum", |rule| name_of(rule.aggregation));
        json!({"metric": metric, "aggregation": aggregation, "kind": kind, "start": start.as_millis(), "used": counter.used, "level": counter.level})
    });
    let counters: Vec<_> = counters.collect();
    let end = json!({"$type": "UsageProofEnd", "number": source.log.number, "hash": source.log.hash, "counters": counters});
    Ok(end.to_string() + "\n")
}
