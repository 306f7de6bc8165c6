//! Closing a period: the count as it is billed, frozen, and what arrived late for periods that were billed before.
//!
//! Each closing is a commit of the log as well, so that a proof holds what was billed.
//! Invariants:
//! - A period is closed once. Closing it again gives the stored closing, byte for byte.
//! - Every unit is on one closing: in `used` of its period's, or as late usage in that of a later one.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::book::Book;
use super::log::Log;
use super::replies::{refused, reply};
use super::rules::{Period, Rules};
use super::schema;
use crate::kernel::sql::{LocalSql, SqlError};
use crate::kernel::time::Timestamp;
use crate::meter::contract::{ChainedCommit, ClosedPeriod, Closing, ClosingCommit, Closings, LateUsage};
use crate::meter::vocabulary::MetricKind;

pub(super) fn close<S: LocalSql>(
    sql: &S,
    rules: &Rules,
    (book, log): (&mut Book, &mut Log),
    period: Period,
    now: Timestamp,
) -> Result<Value, SqlError> {
    let Period { starts_at, ends_at } = period;
    let ends = ends(sql)?;
    if ends.contains_key(&starts_at) {
        return stored(sql, starts_at);
    }
    if ends.keys().next_back().is_some_and(|latest| *latest > starts_at) {
        return refused(
            "later_period_closed",
            "A later period is closed already. What this one counted cannot be billed by a closing of its own any more.",
        );
    }
    // Late usage first: the usage that this closing freezes is not late.
    let late = take_late(book, &ends);
    let used = freeze(rules, book, period);
    book.store(sql)?;
    let closing = Closing { used, late };
    let text = "INSERT INTO closings (period_starts_at, period_ends_at, reply) VALUES (?1, ?2, ?3)";
    sql.run(text, &[starts_at.into(), ends_at.into(), schema::json(&closing)?.into()])?;
    let commit = log.append_closing(sql, now, &logged(period, &closing)?)?;
    keep(sql, starts_at, commit)?;
    stored(sql, starts_at)
}

fn keep<S: LocalSql>(sql: &S, starts_at: Timestamp, commit: ChainedCommit) -> Result<(), SqlError> {
    let text = "INSERT INTO closing_commits (period_starts_at, number, previous, hash, body)
                VALUES (?1, ?2, ?3, ?4, ?5)";
    let ChainedCommit { number, previous, hash, body } = commit;
    sql.run(text, &[starts_at.into(), schema::number(number), previous.into(), hash.into(), body.into()])?;
    Ok(())
}

/// The commit that closed the period which starts there. Those of before version 4 of the tables are not kept.
pub(super) fn commit<S: LocalSql>(sql: &S, starts_at: Timestamp) -> Result<ClosingCommit, SqlError> {
    let text = "SELECT number, previous, hash, body FROM closing_commits WHERE period_starts_at = ?1";
    let commit = sql.run(text, &[starts_at.into()])?.into_iter().next().map(crate::kernel::sql::decode).transpose()?;
    Ok(ClosingCommit { commit })
}

/// What closing the period would give now. A period that is closed already gives its stored closing.
pub(super) fn peek<S: LocalSql>(sql: &S, rules: &Rules, book: &Book, period: Period) -> Result<Value, SqlError> {
    let ends = ends(sql)?;
    if ends.contains_key(&period.starts_at) {
        return stored(sql, period.starts_at);
    }
    let mut used = BTreeMap::new();
    for metric in metrics(rules, book, period) {
        let billed = book.billed(&metric, rules.rule(&metric), period);
        used.insert(metric, billed);
    }
    reply(&Closing { used, late: late(book, &ends) })
}

/// The closings of periods that start in [from, to), oldest first.
pub(super) fn between<S: LocalSql>(sql: &S, from: Timestamp, to: Timestamp) -> Result<Closings, SqlError> {
    let text = "SELECT period_starts_at, period_ends_at, reply
                FROM closings
                WHERE period_starts_at >= ?1 AND period_starts_at < ?2
                ORDER BY period_starts_at
                LIMIT 400";
    let mut closings = Vec::new();
    for row in sql.run(text, &[from.into(), to.into()])? {
        let column = |name| row.get(name).and_then(Value::as_i64).map(Timestamp::from_millis);
        let reply = row.get("reply").and_then(Value::as_str).unwrap_or_default();
        if let (Some(starts_at), Some(ends_at)) = (column("period_starts_at"), column("period_ends_at")) {
            closings.push(ClosedPeriod { starts_at, ends_at, closing: schema::parse("closing", reply)? });
        }
    }
    Ok(Closings { closings })
}

/// When the closed periods end, by their start.
fn ends<S: LocalSql>(sql: &S) -> Result<BTreeMap<Timestamp, Timestamp>, SqlError> {
    let mut ends = BTreeMap::new();
    for row in sql.run("SELECT period_starts_at, period_ends_at FROM closings", &[])? {
        let column = |name| row.get(name).and_then(Value::as_i64).map(Timestamp::from_millis);
        if let (Some(start), Some(end)) = (column("period_starts_at"), column("period_ends_at")) {
            ends.insert(start, end);
        }
    }
    Ok(ends)
}

/// Those of the plan, and those of which something was counted.
fn metrics(rules: &Rules, book: &Book, period: Period) -> BTreeSet<String> {
    let of_plan = rules.iter().map(|(metric, _)| metric.to_owned());
    of_plan.chain(book.metrics_in(period.starts_at).map(str::to_owned)).collect()
}

/// A closing as the log keeps it: times in milliseconds, like everything there.
fn logged(period: Period, closing: &Closing) -> Result<String, SqlError> {
    let late = closing.late.iter().map(|late| {
        let LateUsage { metric, period_starts_at, period_ends_at, before, after } = late;
        let (starts_at, ends_at) = (period_starts_at.as_millis(), period_ends_at.as_millis());
        json!({"metric": metric, "periodStartsAt": starts_at, "periodEndsAt": ends_at, "before": before, "after": after})
    });
    let late: Vec<Value> = late.collect();
    let (start, end) = (period.starts_at.as_millis(), period.ends_at.as_millis());
    schema::json(&json!({"start": start, "end": end, "used": closing.used, "late": late}))
}

fn stored<S: LocalSql>(sql: &S, starts_at: Timestamp) -> Result<Value, SqlError> {
    let rows = sql.run("SELECT reply FROM closings WHERE period_starts_at = ?1", &[starts_at.into()])?;
    let text = rows.first().and_then(|row| row.get("reply")).and_then(Value::as_str).unwrap_or_default();
    schema::parse("closing", text)
}

/// Takes the usage that changed since it was invoiced; its new count is the invoiced one from now on. A metric that a closing did not
/// know was invoiced at zero.
fn take_late(book: &mut Book, ends: &BTreeMap<Timestamp, Timestamp>) -> Vec<LateUsage> {
    let late = late(book, ends);
    for (_, _, counter) in book.closed(ends) {
        if counter.invoiced.unwrap_or_default() != counter.used {
            counter.mark_invoiced();
        }
    }
    late
}

fn late(book: &Book, ends: &BTreeMap<Timestamp, Timestamp>) -> Vec<LateUsage> {
    let mut late = Vec::new();
    for (metric, period_starts_at, counter) in book.counters() {
        let before = counter.invoiced.unwrap_or_default();
        let is_closed = counter.invoiced.is_some() || ends.contains_key(&period_starts_at);
        if is_closed && before != counter.used {
            let period_ends_at = ends.get(&period_starts_at).copied().unwrap_or(period_starts_at);
            late.push(LateUsage { metric: metric.to_owned(), period_starts_at, period_ends_at, before, after: counter.used });
        }
    }
    late
}

/// Marks each metric's count of the period as invoiced, also one of zero, so that whatever comes later is late.
fn freeze(rules: &Rules, book: &mut Book, period: Period) -> BTreeMap<String, rating::Quantity> {
    let mut used = BTreeMap::new();
    for metric in metrics(rules, book, period) {
        // A metric that left the plan has its row, so its kind plays no part.
        let kind = rules.rule(&metric).map_or(MetricKind::Consumable, |rule| rule.kind);
        let counter = book.account_mut(&metric).open(kind, period.starts_at);
        if let Some(rule) = rules.rule(&metric) {
            counter.recompute(rule, period);
        }
        counter.mark_invoiced();
        used.insert(metric, counter.used);
    }
    used
}
