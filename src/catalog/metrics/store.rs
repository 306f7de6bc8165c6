//! All SQL of metrics.

use serde::Deserialize;
use serde_json::json;

use super::built_in::built_in_metrics;
use super::metric::Metric;
use crate::kernel::audit::Audit;
use crate::kernel::error::Result;
use crate::kernel::idempotency::Answer;
use crate::kernel::platform::{Platform, common_rows};
use crate::kernel::ports::App;
use crate::kernel::sql;
use crate::kernel::time::Timestamp;
use crate::meter::vocabulary::{Aggregation, MetricKind};
use crate::{platform_sql, stale_if};

#[derive(Deserialize)]
struct MetricRow {
    key: String,
    name: Option<String>,
    description: Option<String>,
    aggregation: Aggregation,
    kind: MetricKind,
    unique_property: Option<String>,
    unit: Option<String>,
    event_type: Option<String>,
    #[serde(deserialize_with = "sql::optional_millis::deserialize")]
    created_at: Option<Timestamp>,
}

impl From<MetricRow> for Metric {
    fn from(row: MetricRow) -> Self {
        Self {
            key: row.key,
            name: row.name,
            description: row.description,
            aggregation: row.aggregation,
            kind: row.kind,
            unique_property: row.unique_property,
            unit: row.unit,
            event_type: row.event_type,
            created_at: row.created_at,
        }
    }
}

/// What the vendor has defined, newest first. Their number is the version of the whole.
pub async fn defined(app: &App) -> Result<Vec<Metric>> {
    let statement = platform_sql!(
        "SELECT key, name, description, aggregation, kind, unique_property, unit, event_type, created_at
         FROM metrics
         ORDER BY number DESC"
    );
    Ok(common_rows::<MetricRow>(app, statement).await?.into_iter().map(Metric::from).collect())
}

/// A metric by its key, built in or defined.
pub async fn find(app: &App, key: &str) -> Result<Option<Metric>> {
    if let Some(metric) = built_in_metrics().into_iter().find(|metric| metric.key == key) {
        return Ok(Some(metric));
    }
    let statement = platform_sql!(
        "SELECT key, name, description, aggregation, kind, unique_property, unit, event_type, created_at
         FROM metrics
         WHERE key = ?1",
        key
    );
    Ok(common_rows::<MetricRow>(app, statement).await?.into_iter().next().map(Metric::from))
}

fn created(metric: &Metric) -> Audit {
    let after = json!({
        "name": metric.name,
        "aggregation": sql::word(&metric.aggregation),
        "kind": sql::word(&metric.kind),
        "uniqueProperty": metric.unique_property,
        "unit": metric.unit,
        "eventType": metric.event_type,
    });
    Audit { action: "metric.created", target: metric.key.clone(), before: None, after: Some(after) }
}

/// Adds a definition, together with the answer to the request for it. Stale when there are no longer `known` definitions.
pub async fn insert(platform: &Platform, metric: &Metric, known: usize, answer: Option<&Answer>) -> Result<()> {
    let known = u32::try_from(known).unwrap_or(u32::MAX);
    let guard = stale_if!(directory, "(SELECT count(*) FROM metrics) <> ?1", known);
    let insert = platform_sql!(
        "INSERT INTO metrics
           (number, key, name, description, aggregation, kind, unique_property, unit, event_type, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        known.saturating_add(1),
        metric.key.as_str(),
        metric.name.as_deref(),
        metric.description.as_deref(),
        sql::word(&metric.aggregation),
        sql::word(&metric.kind),
        metric.unique_property.as_deref(),
        metric.unit.as_deref(),
        metric.event_type.as_deref(),
        metric.created_at
    );
    let answer = answer.into_iter().flat_map(|answer| answer.record_for_vendor(platform.app().moment().now));
    // The answer first: of two requests with one key the second finds that it is answered, not that its reads are stale.
    platform.commit(answer.chain([guard, insert]).collect(), vec![created(metric)]).await
}
