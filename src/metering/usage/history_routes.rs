//! The endpoint of usage over time.
//!
//! Invariant: a history contains all usage that was recorded before its request.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::history::{Granularity, HistoryEntry, add, range};
use super::{buckets, store};
use crate::catalog::metrics;
use crate::http::reply::Reply;
use crate::http::request::Filter;
use crate::identity::callers::actors::Authorized;
use crate::identity::permissions::needs;
use crate::kernel::error::Result;
use crate::kernel::problem::Problem;
use crate::kernel::tenant::Tenant;
use crate::kernel::time::{Timestamp, hours};
use crate::meter::client;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HistoryQuery {
    metric: String,
    #[serde(default)]
    granularity: Granularity,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
}

/// The usage of one metric over time.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct UsageHistory {
    /// The type of the resource.
    #[serde(rename = "$type")]
    #[schema(example = "UsageHistory")]
    pub type_name: &'static str,
    /// The key of the metric.
    #[schema(example = "apiCalls")]
    pub metric: String,
    /// The length of each entry: `hour` or `day`.
    #[schema(value_type = String, example = "hour")]
    pub granularity: Granularity,
    /// The start of the first hour or day.
    pub from: Timestamp,
    /// The end of the last hour or day.
    pub to: Timestamp,
    /// The entries in time order, without those that have no usage.
    pub data: Vec<HistoryEntry>,
}

/// Get usage over time
///
/// By the hour or by the day (UTC), up to 1,000 entries. Every event that was recorded before the request is included.
#[utoipa::path(get, path = "/v1/usage/history", operation_id = "getUsageHistory",
    params(("metric" = String, Query, description = "The key of a metric", example = "apiCalls"),
        ("granularity" = Option<String>, Query, description = "`hour` or `day`. Default: `hour`"),
        ("from" = Option<String>, Query, format = DateTime, description = "The start (RFC 3339). Default: 24 hours or 30 days before `to`"),
        ("to" = Option<String>, Query, format = DateTime, description = "The end, an RFC 3339 instant. Default: now")),
    responses((status = 200, description = "Usage by the hour or day", body = UsageHistory)))]
pub async fn history(caller: Authorized<needs::UsageRead>, Filter(query): Filter<HistoryQuery>) -> Result<Reply> {
    let tenant = caller.tenant;
    let HistoryQuery { metric, granularity, .. } = query;
    let (from, to) = range(granularity, query.from, query.to, tenant.moment().now)?;
    buckets::roll_up(&tenant).await?;
    let data = entries(&tenant, &metric, granularity, from, to).await?;
    if data.is_empty() {
        check_is_known(&tenant, &metric).await?;
    }
    Reply::ok(&UsageHistory { type_name: "UsageHistory", metric, granularity, from, to, data })
}

/// Hours that are read at once: a database's answer is one text in memory.
const HOURS_READ_AT_ONCE: u64 = 2_400;

async fn entries(tenant: &Tenant, metric: &str, granularity: Granularity, from: Timestamp, to: Timestamp) -> Result<Vec<HistoryEntry>> {
    let mut entries = Vec::new();
    let mut start = from;
    while start < to {
        let end = start.plus(hours(HOURS_READ_AT_ONCE)).min(to);
        // A day may begin in one part and end in the next.
        for row in store::buckets(tenant, metric, start, end).await? {
            add(&mut entries, granularity, &row)?;
        }
        start = end;
    }
    Ok(entries)
}

/// The Meter knows the metrics of its plan, and those of the vendor that a request named.
async fn check_is_known(tenant: &Tenant, metric: &str) -> Result<()> {
    let counted = client::current_usage(tenant).await?.metrics;
    if counted.contains_key(metric) || metrics::store::defined(tenant.app()).await?.iter().any(|defined| defined.key == metric) {
        return Ok(());
    }
    let names: Vec<&str> = counted.keys().map(String::as_str).collect();
    let detail = format!("There is no such metric here. Use one of: {}.", names.join(", "));
    Err(Problem::refused("metric", "unknown_metric", detail).into())
}
