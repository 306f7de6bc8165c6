//! History: usage by the hour or the day, from buckets that the Meter rolls up.
//!
//! Invariant: what was recorded before a history is asked for is in it.

use std::time::Duration;

use rating::Quantity;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::store;
use super::store::BucketRow;
use crate::catalog::metrics;
use crate::http::quantity::QuantityDocument;
use crate::http::reply::Reply;
use crate::http::request::Filter;
use crate::identity::callers::actors::Authorized;
use crate::identity::permissions::needs;
use crate::kernel::error::{Error, Result};
use crate::kernel::problem::Problem;
use crate::kernel::tenant::Tenant;
use crate::kernel::time::{Timestamp, days, hours};
use crate::meter::client;
use crate::meter::contract::Bucket;

/// How long one entry of a history is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum Granularity {
    #[default]
    Hour,
    /// Days are UTC's.
    Day,
}

impl Granularity {
    fn span(self) -> Duration {
        match self {
            Self::Hour => hours(1),
            Self::Day => days(1),
        }
    }

    /// How far back a history goes that doesn't say.
    fn usual(self) -> Duration {
        match self {
            Self::Hour => hours(24),
            Self::Day => days(30),
        }
    }

    /// The start of the entry in which an instant lies.
    fn start_of(self, instant: Timestamp) -> Timestamp {
        let into = instant.as_millis().checked_rem(millis(self.span())).unwrap_or(0);
        Timestamp::from_millis(instant.as_millis().saturating_sub(into))
    }

    /// The first start of an entry that is not before an instant.
    fn end_of(self, instant: Timestamp) -> Timestamp {
        let start = self.start_of(instant);
        if start == instant { start } else { start.plus(self.span()) }
    }
}

fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HistoryQuery {
    metric: String,
    #[serde(default)]
    granularity: Granularity,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
}

/// What was recorded of one metric, entry by entry.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct UsageHistory {
    #[serde(rename = "$type")]
    pub type_name: &'static str,
    pub metric: String,
    #[schema(value_type = String, example = "hour")]
    pub granularity: Granularity,
    /// The start of the first hour or day.
    pub from: Timestamp,
    /// The end of the last one.
    pub to: Timestamp,
    /// In time order; those without usage are left out.
    pub data: Vec<HistoryEntry>,
}

/// What was recorded with timestamps in one hour or day.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HistoryEntry {
    pub start: Timestamp,
    pub end: Timestamp,
    /// How many events.
    pub count: u64,
    /// Of their amounts.
    #[schema(value_type = QuantityDocument)]
    pub sum: Quantity,
    #[schema(value_type = QuantityDocument)]
    pub max: Quantity,
    /// The amount of the event with the latest timestamp.
    #[schema(value_type = QuantityDocument)]
    pub last: Quantity,
    /// Values that a unique metric saw for the first time in their period; 0 for others.
    pub uniques: u64,
}

/// Read usage over time
///
/// By the hour or by the day (UTC), up to 1,000 entries. What was recorded before is in it.
#[utoipa::path(get, path = "/v1/usage/history", tag = "usage", operation_id = "getUsageHistory",
    params(("metric" = String, Query, description = "`apiCalls`"), ("granularity" = Option<String>, Query, description = "`hour` (the default) or `day`"),
        ("from" = Option<String>, Query, format = DateTime, description = "An instant (RFC 3339); 24 hours or 30 days before `to` when absent"),
        ("to" = Option<String>, Query, format = DateTime, description = "An instant (RFC 3339); now when absent")),
    responses((status = 200, description = "Usage by the hour or day", body = UsageHistory)), security(("organizationKey" = ["usage.read"]), ("platformKey" = [])))]
pub async fn history(caller: Authorized<needs::UsageRead>, Filter(query): Filter<HistoryQuery>) -> Result<Reply> {
    let tenant = caller.tenant;
    let HistoryQuery { metric, granularity, .. } = query;
    let (from, to) = range(granularity, query.from, query.to, tenant.moment().now)?;
    roll_up(&tenant).await?;
    let data = entries(&tenant, &metric, granularity, from, to).await?;
    if data.is_empty() {
        check_is_known(&tenant, &metric).await?;
    }
    Reply::ok(&UsageHistory { type_name: "UsageHistory", metric, granularity, from, to, data })
}

/// Entries in one history.
const ENTRIES_MAX: i64 = 1_000;

/// Whole entries from the one that `from` lies in to the one that `to` ends in.
fn range(
    granularity: Granularity,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
    now: Timestamp,
) -> std::result::Result<(Timestamp, Timestamp), Problem> {
    let to = to.unwrap_or(now);
    let from = from.unwrap_or_else(|| to.minus(granularity.usual()));
    if from >= to {
        return Err(Problem::invalid_range());
    }
    let (from, to) = (granularity.start_of(from), granularity.end_of(to));
    let entries = millis(from.until(to)).checked_div(millis(granularity.span())).unwrap_or(i64::MAX);
    if entries > ENTRIES_MAX {
        let detail = format!("This is {entries} entries, and {ENTRIES_MAX} are the most. Ask for a shorter range, or by the day.");
        return Err(Problem::refused("from", "range_too_large", detail));
    }
    Ok((from, to))
}

/// Hours that are read at once: a database's answer is one text in memory.
const HOURS_READ_AT_ONCE: u64 = 2_400;

async fn entries(tenant: &Tenant, metric: &str, granularity: Granularity, from: Timestamp, to: Timestamp) -> Result<Vec<HistoryEntry>> {
    let mut entries = Vec::new();
    let mut start = from;
    while start < to {
        let end = start.plus(hours(HOURS_READ_AT_ONCE)).min(to);
        // A day may begin in one part and go on in the next.
        for row in store::buckets(tenant, metric, start, end).await? {
            add(&mut entries, granularity, &row)?;
        }
        start = end;
    }
    Ok(entries)
}

/// Adds an hour to the entry it lies in; hours come in time order.
fn add(entries: &mut Vec<HistoryEntry>, granularity: Granularity, row: &BucketRow) -> Result<()> {
    let start = granularity.start_of(row.hour);
    match entries.last_mut() {
        Some(entry) if entry.start == start => {
            entry.count = entry.count.saturating_add(row.count);
            entry.sum = entry.sum.checked_add(row.sum).map_err(|error| Error::internal(format!("a sum of buckets: {error}")))?;
            entry.max = entry.max.max(row.max);
            entry.last = row.last;
            entry.uniques = entry.uniques.saturating_add(row.uniques);
        }
        _ => entries.push(HistoryEntry {
            start,
            end: start.plus(granularity.span()),
            count: row.count,
            sum: row.sum,
            max: row.max,
            last: row.last,
            uniques: row.uniques,
        }),
    }
    Ok(())
}

/// The Meter knows its plan's metrics, and of the vendor's those it was asked for.
async fn check_is_known(tenant: &Tenant, metric: &str) -> Result<()> {
    let counted = client::current_usage(tenant).await?.metrics;
    if counted.contains_key(metric) || metrics::store::defined(tenant.app()).await?.iter().any(|defined| defined.key == metric) {
        return Ok(());
    }
    let names: Vec<&str> = counted.keys().map(String::as_str).collect();
    let detail = format!("There is no such metric here. Use one of: {}.", names.join(", "));
    Err(Problem::refused("metric", "unknown_metric", detail).into())
}

/// Pages of buckets that one request waits for.
const ROUNDS_MAX: usize = 100;

/// Brings all that the Meter has recorded into the buckets.
pub async fn roll_up(tenant: &Tenant) -> Result<()> {
    for _ in 0..ROUNDS_MAX {
        let rolled = client::roll_up(tenant).await?;
        if let Some(last) = rolled.buckets.last() {
            match store_buckets(tenant, &rolled.buckets).await {
                // Nothing can be stored for a moment; reading goes on with what is.
                Err(Error::Refused(problem)) if problem.code == "organization_moving" => return Ok(()),
                stored => stored?,
            }
            client::acknowledge_buckets(tenant, last.version).await?;
        }
        if !rolled.has_more {
            return Ok(());
        }
    }
    Err(Problem::unavailable("So much was recorded that it is still being counted. Retry in a moment.").into())
}

/// Stores buckets of this organization's Meter. What comes twice, late or in the wrong order changes nothing.
pub async fn store_buckets(tenant: &Tenant, buckets: &[Bucket]) -> Result<()> {
    if !buckets.is_empty() {
        tenant.run(vec![store::put_buckets(buckets)]).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn a_range_is_whole_entries_and_bounded() {
        let now = at("2026-03-10T12:30:00Z");
        let hour = range(Granularity::Hour, None, None, now).unwrap();
        assert_eq!(hour, (at("2026-03-09T12:00:00Z"), at("2026-03-10T13:00:00Z")));
        let day = range(Granularity::Day, None, None, now).unwrap();
        assert_eq!(day, (at("2026-02-08T00:00:00Z"), at("2026-03-11T00:00:00Z")));
        let exact = range(Granularity::Hour, Some(at("2026-03-01T00:00:00Z")), Some(at("2026-03-02T00:00:00Z")), now).unwrap();
        assert_eq!(exact, (at("2026-03-01T00:00:00Z"), at("2026-03-02T00:00:00Z")));
        let code =
            |granularity, from: &str, to: &str| range(granularity, Some(at(from)), Some(at(to)), now).map_err(|problem| problem.code).err();
        assert_eq!(code(Granularity::Hour, "2026-01-01T00:00:00Z", "2026-02-11T16:00:00Z"), None);
        assert_eq!(code(Granularity::Hour, "2026-01-01T00:00:00Z", "2026-02-11T16:00:01Z"), Some("range_too_large"));
        assert_eq!(code(Granularity::Day, "2020-01-01T00:00:00Z", "2026-01-01T00:00:00Z"), Some("range_too_large"));
        assert_eq!(code(Granularity::Day, "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"), Some("invalid_range"));
        assert_eq!(range(Granularity::Hour, Some(now), None, now).map_err(|problem| problem.code), Err("invalid_range"));
    }
}
