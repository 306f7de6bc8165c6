//! The endpoints of metrics: the vendor creates them, every credential may read them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::built_in::built_in_metrics;
use super::metric::Metric;
use super::rules::check_new;
use super::store;
use crate::http::reply::{Reply, once_for_vendor};
use crate::http::request::{Command, Filter, NameInPath};
use crate::identity::callers::actors::{Caller, Vendor};
use crate::kernel::error::Result;
use crate::kernel::page;
use crate::kernel::page::{Page, PageQuery, Start};
use crate::kernel::problem::Problem;
use crate::kernel::tenant::until_fresh;
use crate::kernel::time::Timestamp;
use crate::meter::vocabulary::{Aggregation, MetricKind};

/// A metric to create.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewMetric {
    /// The key by which events name the metric.
    #[schema(example = "tokens", min_length = 1, max_length = 64, pattern = "^[a-zA-Z][a-zA-Z0-9_.-]{0,63}$")]
    pub key: String,
    /// The display name.
    #[schema(example = "Tokens", min_length = 1, max_length = 200)]
    pub name: Option<String>,
    /// A description, in free text.
    #[schema(example = "Tokens of the language model, input and output together.", min_length = 1, max_length = 2000)]
    pub description: Option<String>,
    /// How the count is computed from events: their number (`count`), the `sum`, `max` or `latest` of their amounts, the number of
    /// distinct values of `uniqueProperty` (`unique`), or the time-weighted average of a level (`weighted_sum`).
    pub aggregation: Aggregation,
    /// `consumable` starts at 0 each period, `level` is carried over. `unique` requires `consumable`, `weighted_sum` requires `level`.
    pub kind: MetricKind,
    /// The member of `metadata` whose distinct values are counted; required with `unique`, and only allowed with it.
    #[schema(example = "userId", min_length = 1, max_length = 255)]
    pub unique_property: Option<String>,
    /// The name of one unit, used on invoices.
    #[schema(example = "tokens", min_length = 1, max_length = 60)]
    pub unit: Option<String>,
    /// The CloudEvents `type` that is counted as this metric, beside its key.
    #[schema(example = "com.example.tokens.used", min_length = 1, max_length = 255)]
    pub event_type: Option<String>,
}

impl NewMetric {
    fn into_metric(self, now: Timestamp) -> Metric {
        Metric {
            key: self.key,
            name: self.name,
            description: self.description,
            aggregation: self.aggregation,
            kind: self.kind,
            unique_property: self.unique_property,
            unit: self.unit,
            event_type: self.event_type,
            created_at: Some(now),
        }
    }
}

/// A metric.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Metric)]
pub struct MetricView {
    /// The type of the resource.
    #[serde(rename = "$type")]
    #[schema(example = "Metric")]
    pub type_name: &'static str,
    /// The key by which events name the metric.
    #[schema(example = "tokens")]
    pub key: String,
    /// The display name; null when there is none.
    #[schema(example = "Tokens")]
    pub name: Option<String>,
    /// A description, in free text; null when there is none.
    #[schema(example = "Tokens of the language model, input and output together.")]
    pub description: Option<String>,
    /// How the count is computed from events.
    pub aggregation: Aggregation,
    /// Whether the count starts at 0 each period.
    pub kind: MetricKind,
    /// The member of `metadata` whose distinct values are counted; null unless the aggregation is `unique`.
    #[schema(example = "userId")]
    pub unique_property: Option<String>,
    /// The name of one unit; null when there is none.
    #[schema(example = "tokens")]
    pub unit: Option<String>,
    /// The CloudEvents `type` that is counted as this metric; null when there is none.
    #[schema(example = "com.example.tokens.used")]
    pub event_type: Option<String>,
    /// Whether the metric comes with the product.
    #[schema(example = false)]
    pub built_in: bool,
    /// When the metric was created; null when it is built in.
    pub created_at: Option<Timestamp>,
}

impl From<Metric> for MetricView {
    fn from(metric: Metric) -> Self {
        Self {
            type_name: "Metric",
            key: metric.key,
            name: metric.name,
            description: metric.description,
            aggregation: metric.aggregation,
            kind: metric.kind,
            unique_property: metric.unique_property,
            unit: metric.unit,
            event_type: metric.event_type,
            built_in: metric.created_at.is_none(),
            created_at: metric.created_at,
        }
    }
}

/// Create a metric
///
/// A metric can be neither changed nor deleted, because events are counted by it. It is unlimited until a plan or an organization has a
/// limit for it, and can be used at once. A platform has at most 500 metrics of its own.
#[utoipa::path(post, path = "/v1/metrics", operation_id = "createMetric", request_body = NewMetric,
    responses((status = 201, description = "The metric", body = MetricView)))]
pub async fn create(vendor: Vendor, command: Command<NewMetric>) -> Result<Reply> {
    let (platform, claim) = (&vendor.platform, command.claim.as_ref());
    once_for_vendor(platform, claim, || {
        until_fresh(|| async {
            let defined = store::defined(platform.app()).await?;
            let metric = command.body.clone().into_metric(platform.app().moment().now);
            check_new(&metric, &defined)?;
            let reply = Reply::created(&MetricView::from(metric.clone()))?;
            store::insert(platform, &metric, defined.len(), reply.stored(claim).as_ref()).await?;
            Ok(reply)
        })
    })
    .await
}

/// List metrics
///
/// The vendor's own metrics and the built-in ones.
#[utoipa::path(get, path = "/v1/metrics", operation_id = "listMetrics",
    params(PageQuery),
    responses((status = 200, description = "Newest first, built-in metrics last", body = Page<MetricView>)))]
pub async fn list(caller: Caller, Filter(query): Filter<PageQuery>) -> Result<Reply> {
    let metrics: Vec<Metric> = store::defined(&caller.app).await?.into_iter().chain(built_in_metrics()).collect();
    let find = async |key: String| Ok(metrics.iter().position(|metric| metric.key == key));
    let list = async |from: Start<usize>| Ok(from.of(&metrics));
    Reply::ok(&page::list(&query, find, list, |metric: &Metric| metric.key.clone(), MetricView::from).await?)
}

/// Get a metric
///
/// Its aggregation, kind and unit.
#[utoipa::path(get, path = "/v1/metrics/{key}", operation_id = "getMetric",
    params(("key" = String, Path, description = "The key of a metric", example = "apiCalls")),
    responses((status = 200, description = "The metric", body = MetricView)))]
pub async fn get(caller: Caller, NameInPath(key): NameInPath) -> Result<Reply> {
    let metric = store::find(&caller.app, &key).await?.ok_or_else(|| Problem::not_found("metric"))?;
    Reply::ok(&MetricView::from(metric))
}
