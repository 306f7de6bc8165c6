//! Exports: raw events and the proof of them, streamed page by page from the Meter.

use axum::body::Body;
use axum::response::Response;
use futures::{TryStreamExt, future, stream};
use http::{HeaderValue, header};
use serde::Deserialize;

use crate::http::request::Filter;
use crate::identity::callers::actors::Authorized;
use crate::identity::permissions::needs;
use crate::kernel::error::Result;
use crate::kernel::problem::Problem;
use crate::kernel::tenant::Tenant;
use crate::kernel::time::Timestamp;
use crate::meter::client;
use crate::meter::contract::Call;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExportQuery {
    from: Option<Timestamp>,
    to: Option<Timestamp>,
}

impl ExportQuery {
    /// The requested range; everything that is kept when none is given.
    fn range(&self) -> std::result::Result<(Timestamp, Timestamp), Problem> {
        let from = self.from.unwrap_or(Timestamp::from_millis(0));
        // Not now: usage that is recorded while the export runs is in a proof's end as well.
        let to = self.to.unwrap_or(Timestamp::from_millis(i64::MAX));
        if from < to { Ok((from, to)) } else { Err(Problem::invalid_range()) }
    }
}

/// Export raw events
///
/// One JSON object per line, in the order in which the events were recorded. The log keeps events for at least 35 days.
#[utoipa::path(get, path = "/v1/usage/events", operation_id = "exportUsageEvents",
    params(("from" = Option<String>, Query, format = DateTime, description = "The earliest timestamp, an RFC 3339 instant, inclusive"),
        ("to" = Option<String>, Query, format = DateTime, description = "The end of the range, an RFC 3339 instant, exclusive")),
    responses((status = 200, description = "One event per line", body = String, content_type = "application/x-ndjson")))]
pub async fn export_events(caller: Authorized<needs::UsageRead>, Filter(query): Filter<ExportQuery>) -> Result<Response> {
    let (from, to) = query.range()?;
    lines(caller.tenant, move |after| Call::ExportEvents { from, to, after }).await
}

/// Export the proof of usage
///
/// The chained commits of the usage log, from which billed usage can be recomputed independently; see docs/PROOF.md.
#[utoipa::path(get, path = "/v1/usage/proof", operation_id = "exportUsageProof",
    params(("from" = Option<String>, Query, format = DateTime, description = "The earliest time of recording (RFC 3339), inclusive"),
        ("to" = Option<String>, Query, format = DateTime, description = "The end of the range, an RFC 3339 instant, exclusive")),
    responses((status = 200, description = "A head, one commit per line, an end", body = String, content_type = "application/x-ndjson")))]
pub async fn proof(caller: Authorized<needs::UsageRead>, Filter(query): Filter<ExportQuery>) -> Result<Response> {
    let (from, to) = query.range()?;
    lines(caller.tenant, move |after| Call::ExportProof { from, to, after }).await
}

/// Lines of all pages, each fetched when the one before is being sent. The first is fetched before the answer begins, so that a
/// failure of the first page is a problem document; a later failure interrupts the answer.
async fn lines(tenant: Tenant, call: impl Fn(u64) -> Call + Send + 'static) -> Result<Response> {
    let first = client::export(&tenant, call(0)).await?;
    let pages = stream::try_unfold((tenant, call, Some(first)), |(tenant, call, page)| async move {
        let Some(page) = page else { return Ok(None) };
        let next = match page.next {
            Some(after) => Some(client::export(&tenant, call(after)).await.map_err(|error| std::io::Error::other(format!("{error:?}")))?),
            None => None,
        };
        Ok::<_, std::io::Error>(Some((page.lines, (tenant, call, next))))
    });
    let mut response = Response::new(Body::from_stream(pages.try_filter(|lines| future::ready(!lines.is_empty()))));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson"));
    Ok(response)
}
