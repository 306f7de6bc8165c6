//! All SQL of the audit log: reads only.

use serde::Deserialize;

use super::rules::{Range, Search};
use crate::kernel::audit::{Head, PLATFORM};
use crate::kernel::error::Result;
use crate::kernel::platform::Platform;
use crate::kernel::sql::INTEGER_MAX;
use crate::kernel::tenant::Tenant;
use crate::{platform_sql, tenant_sql};

/// The log of an organization or of the platform. Both tables have the same columns.
#[derive(Clone)]
pub enum Log {
    Organization(Tenant),
    Platform(Platform),
}

/// An entry as it is stored: the text that was hashed, and its hash.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Row {
    pub sequence: i64,
    pub entry: String,
    pub hash: String,
}

/// Numbers of the first and the last entry of a range; an empty one ends before it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub first: i64,
    pub last: i64,
}

#[derive(Deserialize)]
struct SpanRow {
    first: Option<i64>,
    last: Option<i64>,
}

/// Reads the log: `?1` is the organization, or `platform`.
macro_rules! read {
    ($log:expr, $text:literal $(, $param:expr)* $(,)?) => {
        match $log {
            Log::Organization(tenant) => tenant.rows(tenant_sql!($text $(, $param)*)).await,
            Log::Platform(platform) => platform.directory_rows(platform_sql!($text, PLATFORM $(, $param)*)).await,
        }
    };
}

impl Log {
    /// The name of the log, with which its chain begins.
    pub fn name(&self) -> String {
        match self {
            Self::Organization(tenant) => tenant.organization().to_string(),
            Self::Platform(_) => PLATFORM.to_owned(),
        }
    }
}

/// The newest entry's number and hash; those before the first entry when there is none.
pub async fn head(log: &Log) -> Result<Head> {
    let rows: Vec<Head> = read!(
        log,
        "SELECT organization_id, sequence, hash, at
         FROM audit_log
         WHERE organization_id = ?1
         ORDER BY sequence DESC
         LIMIT 1"
    )?;
    Ok(rows.into_iter().next().unwrap_or_else(|| Head::genesis(&log.name())))
}

/// One entry.
pub async fn find(log: &Log, sequence: i64) -> Result<Option<Row>> {
    let rows: Vec<Row> = read!(
        log,
        "SELECT organization_id, sequence, entry, hash
         FROM audit_log
         WHERE organization_id = ?1 AND sequence = ?2",
        sequence.min(INTEGER_MAX)
    )?;
    Ok(rows.into_iter().next())
}

/// The numbers of a range of time: entries are numbered in the order of their times.
pub async fn span(log: &Log, range: Range) -> Result<Span> {
    let rows: Vec<SpanRow> = read!(
        log,
        "SELECT ?1 AS organization_id,
           (
             SELECT sequence
             FROM audit_log
             WHERE organization_id = ?1 AND at >= ?2
             ORDER BY at, sequence
             LIMIT 1
           ) AS first,
           (
             SELECT sequence
             FROM audit_log
             WHERE organization_id = ?1 AND at < ?3
             ORDER BY at DESC, sequence DESC
             LIMIT 1
           ) AS last",
        range.from,
        range.to
    )?;
    let row = rows.into_iter().next();
    let (first, last) = row.map_or((None, None), |row| (row.first, row.last));
    let last = last.unwrap_or(0);
    Ok(Span { first: first.unwrap_or(INTEGER_MAX), last })
}

/// Entries of a span in the order of the chain.
pub async fn chain(log: &Log, span: Span, limit: u32) -> Result<Vec<Row>> {
    read!(
        log,
        "SELECT organization_id, sequence, entry, hash
         FROM audit_log
         WHERE organization_id = ?1 AND sequence BETWEEN ?2 AND ?3
         ORDER BY sequence
         LIMIT ?4",
        span.first,
        span.last,
        limit
    )
}

/// Entries of a span that are sought, newest first. The most telling of what is asked for chooses the index; the rest is compared.
pub async fn search(log: &Log, search: &Search, span: Span, limit: u32) -> Result<Vec<Row>> {
    match search {
        Search { target: Some(_), .. } => by_target(log, search, span, limit).await,
        Search { actor: Some(_), .. } => by_actor(log, search, span, limit).await,
        Search { resource: Some(_), .. } => by_resource(log, search, span, limit).await,
        Search { .. } => by_sequence(log, span, limit).await,
    }
}

async fn by_target(log: &Log, search: &Search, span: Span, limit: u32) -> Result<Vec<Row>> {
    read!(
        log,
        "SELECT organization_id, sequence, entry, hash
         FROM audit_log
         WHERE organization_id = ?1
           AND target = ?2
           AND sequence BETWEEN ?6 AND ?7
           AND (?3 IS NULL OR actor = ?3)
           AND (?4 IS NULL OR resource = ?4)
           AND (?5 IS NULL OR action = ?5)
         ORDER BY sequence DESC
         LIMIT ?8",
        search.target.as_deref(),
        search.actor.as_deref(),
        search.resource.as_deref(),
        search.action.as_deref(),
        span.first,
        span.last,
        limit
    )
}

async fn by_actor(log: &Log, search: &Search, span: Span, limit: u32) -> Result<Vec<Row>> {
    read!(
        log,
        "SELECT organization_id, sequence, entry, hash
         FROM audit_log
         WHERE organization_id = ?1
           AND actor = ?2
           AND sequence BETWEEN ?5 AND ?6
           AND (?3 IS NULL OR resource = ?3)
           AND (?4 IS NULL OR action = ?4)
         ORDER BY sequence DESC
         LIMIT ?7",
        search.actor.as_deref(),
        search.resource.as_deref(),
        search.action.as_deref(),
        span.first,
        span.last,
        limit
    )
}

async fn by_resource(log: &Log, search: &Search, span: Span, limit: u32) -> Result<Vec<Row>> {
    read!(
        log,
        "SELECT organization_id, sequence, entry, hash
         FROM audit_log
         WHERE organization_id = ?1
           AND resource = ?2
           AND sequence BETWEEN ?4 AND ?5
           AND (?3 IS NULL OR action = ?3)
         ORDER BY sequence DESC
         LIMIT ?6",
        search.resource.as_deref(),
        search.action.as_deref(),
        span.first,
        span.last,
        limit
    )
}

async fn by_sequence(log: &Log, span: Span, limit: u32) -> Result<Vec<Row>> {
    read!(
        log,
        "SELECT organization_id, sequence, entry, hash
         FROM audit_log
         WHERE organization_id = ?1 AND sequence BETWEEN ?2 AND ?3
         ORDER BY sequence DESC
         LIMIT ?4",
        span.first,
        span.last,
        limit
    )
}
