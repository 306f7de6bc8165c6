//! All SQL of usage: the hourly buckets of the Meters.

use rating::Quantity;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::kernel::error::Result;
use crate::kernel::sql;
use crate::kernel::tenant::{Tenant, TenantStatement};
use crate::kernel::time::Timestamp;
use crate::meter::contract::Bucket;
use crate::tenant_sql;

/// A bucket as it is read for a chart.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct BucketRow {
    #[serde(deserialize_with = "sql::millis::deserialize")]
    pub hour: Timestamp,
    pub count: u64,
    pub sum: Quantity,
    pub max: Quantity,
    pub last: Quantity,
    #[serde(deserialize_with = "sql::millis::deserialize")]
    pub last_at: Timestamp,
    pub uniques: u64,
}

/// Stores buckets, each unless a later version of it is there. All of them are one parameter: a statement takes only a hundred.
pub fn put_buckets(buckets: &[Bucket]) -> TenantStatement {
    tenant_sql!(
        "INSERT INTO usage_buckets
           (organization_id, metric, period_starts_at, hour, count, sum, max, last, last_at, uniques, version)
         SELECT ?1, value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6,
           value ->> 7, value ->> 8, value ->> 9
         FROM json_each(?2)
         WHERE TRUE
         ON CONFLICT (organization_id, metric, hour, period_starts_at) DO UPDATE
         SET count = excluded.count, sum = excluded.sum, max = excluded.max, last = excluded.last,
           last_at = excluded.last_at, uniques = excluded.uniques, version = excluded.version
         WHERE excluded.version > usage_buckets.version",
        buckets.iter().map(columns).collect::<Value>().to_string()
    )
}

fn columns(bucket: &Bucket) -> Value {
    let Bucket { metric, period_starts_at, hour, count, sum, max, last, last_at, uniques, version } = bucket;
    let [sum, max, last] = [sum, max, last].map(Quantity::to_string);
    json!([metric, period_starts_at.as_millis(), hour.as_millis(), count, sum, max, last, last_at.as_millis(), uniques, version])
}

/// The buckets of a metric in [from, to), in time order.
pub async fn buckets(tenant: &Tenant, metric: &str, from: Timestamp, to: Timestamp) -> Result<Vec<BucketRow>> {
    let statement = tenant_sql!(
        "SELECT organization_id, hour, count, sum, max, last, last_at, uniques
         FROM usage_buckets
         WHERE organization_id = ?1 AND metric = ?2 AND hour >= ?3 AND hour < ?4
         ORDER BY hour, period_starts_at",
        metric,
        from,
        to
    );
    tenant.rows(statement).await
}
