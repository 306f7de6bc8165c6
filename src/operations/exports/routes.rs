//! The endpoints of exports.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::response::Response;
use futures::stream;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::export::{Export, Status};
use super::{rules, store};
use crate::http::reply::{Reply, once};
use crate::http::request::{Command, Filter, IdInPath, text_header};
use crate::identity::callers::actors::Authorized;
use crate::identity::permissions::needs;
use crate::kernel::error::Result;
use crate::kernel::ids::ExportId;
use crate::kernel::page;
use crate::kernel::page::{Page, PageQuery, Start};
use crate::kernel::problem::Problem;
use crate::kernel::tenant::Tenant;
use crate::kernel::time::Timestamp;
use crate::tenancy::onboarding::rules::progress;

/// The format of an export.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = ExportFormat)]
pub enum Format {
    /// One JSON object per line.
    #[default]
    Ndjson,
}

/// An export always contains all data of the organization.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewExport {
    /// The format of the content.
    #[serde(default)]
    #[schema(required = false)]
    pub format: Format,
}

/// An export of all data of an organization.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Export)]
pub struct ExportView {
    #[serde(rename = "$type")]
    pub type_name: &'static str,
    /// The id of the export.
    #[serde(rename = "$id")]
    pub id: ExportId,
    /// `queued`, `running`, `done` or `failed`.
    pub status: Status,
    /// The written rows in percent of all, from 0 to 100.
    #[schema(example = 42, maximum = 100)]
    pub progress: u8,
    /// The number of rows written so far, by table.
    #[schema(example = json!({"organizations": 1, "invoices": 12}))]
    pub rows: BTreeMap<String, u64>,
    /// The bytes written so far.
    #[schema(value_type = i64, minimum = 0, example = 48213)]
    pub bytes: u64,
    /// The SHA-256, in hex, of all bytes before the last line; null until the export is done.
    #[schema(example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    pub sha256: Option<String>,
    /// The time of the request.
    pub created_at: Timestamp,
    /// The time at which the export was done or failed.
    pub finished_at: Option<Timestamp>,
    /// The time at which the content is deleted.
    pub expires_at: Option<Timestamp>,
}

impl From<Export> for ExportView {
    fn from(export: Export) -> Self {
        let rows = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
        // The export is complete only with its summary, so the progress is below 100 until then.
        let all = rows(export.rows_expected).max(rows(export.rows_written)).saturating_add(1);
        let is_done = export.status == Status::Done;
        Self {
            type_name: "Export",
            id: export.id,
            status: export.status,
            progress: if is_done { progress(1, 1) } else { progress(rows(export.rows_written), all) },
            rows: export.counts,
            bytes: export.bytes,
            sha256: is_done.then_some(export.digest),
            created_at: export.created_at,
            finished_at: export.finished_at,
            expires_at: export.expires_at,
        }
    }
}

/// Create an export
///
/// Exports all rows and all usage events of the organization as NDJSON. The export runs in the background; `GET /v1/exports/{id}` returns
/// its progress. One export runs at a time: a request made meanwhile returns the unfinished export.
#[utoipa::path(post, path = "/v1/exports", operation_id = "createExport", request_body = NewExport,
    responses((status = 202, description = "The queued or running export", body = ExportView)))]
pub async fn create(caller: Authorized<needs::ExportsWrite>, command: Command<NewExport>) -> Result<Reply> {
    let (tenant, claim) = (&caller.tenant, command.claim.as_ref());
    let Format::Ndjson = command.body.format;
    once(tenant, claim, || async {
        if let Some(unfinished) = store::unfinished(tenant).await? {
            return Reply::json(202, &ExportView::from(unfinished));
        }
        let (export, decision) = rules::request(&tenant.actor().name(), tenant.app().moment());
        let reply = Reply::json(202, &ExportView::from(export))?;
        tenant.commit(decision, reply.stored(claim).as_ref()).await?;
        Ok(reply)
    })
    .await
}

/// List exports
///
/// Returns the organization's exports, newest first. Expired exports stay in the list without their content.
#[utoipa::path(get, path = "/v1/exports", operation_id = "listExports",
    params(PageQuery),
    responses((status = 200, description = "Newest first", body = Page<ExportView>)))]
pub async fn list(caller: Authorized<needs::ExportsRead>, Filter(query): Filter<PageQuery>) -> Result<Reply> {
    let tenant = &caller.tenant;
    let find = async |id| store::find(tenant, id).await;
    let list = async |from: Start<_>| store::list(tenant, &from.before, from.fetch).await;
    Reply::ok(&page::list(&query, find, list, |export| export.id, ExportView::from).await?)
}

/// Get an export
///
/// Returns the status and the progress of an export.
#[utoipa::path(get, path = "/v1/exports/{id}", operation_id = "getExport",
    params(("id" = String, Path, description = "`export_...`")),
    responses((status = 200, description = "The export", body = ExportView)))]
pub async fn get(caller: Authorized<needs::ExportsRead>, IdInPath(id): IdInPath<ExportId>) -> Result<Reply> {
    Reply::ok(&ExportView::from(find(&caller.tenant, id).await?))
}

/// Download an export
///
/// Returns one line `{"table":"...","row":{...}}` per row: referenced tables first, rows by their key, secrets masked; then all usage
/// events as rows of `usageEvents`; at last `{"summary":{...}}` with the number of rows of each table and the SHA-256 of all bytes before.
/// Continue an interrupted download with `Range: bytes=N-`. The content is deleted 7 days after the export was done.
#[utoipa::path(get, path = "/v1/exports/{id}/content", operation_id = "getExportContent",
    params(("id" = String, Path, description = "`export_...`")),
    responses((status = 200, description = "One row per line", body = String, content_type = "application/x-ndjson")))]
pub async fn content(caller: Authorized<needs::ExportsRead>, IdInPath(id): IdInPath<ExportId>, headers: HeaderMap) -> Result<Response> {
    let tenant = caller.tenant;
    let export = find(&tenant, id).await?;
    export.check_is_done(tenant.app().moment().now)?;
    let start = match requested_start(&text_header(&headers, "range")) {
        Some(start) if start >= export.bytes => return Err(beyond_the_end(&export).into()),
        Some(start) => start,
        None => 0,
    };
    let (number, skipped) = place_of(&store::chunk_sizes(&tenant, id).await?, start);
    let mut response = Response::new(Body::from_stream(chunks(tenant, id, number, skipped)));
    let answer = response.headers_mut();
    answer.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson"));
    answer.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    if start > 0 {
        let range = format!("bytes {start}-{}/{}", export.bytes.saturating_sub(1), export.bytes);
        if let Ok(range) = HeaderValue::from_str(&range) {
            answer.insert(header::CONTENT_RANGE, range);
        }
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    Ok(response)
}

async fn find(tenant: &Tenant, id: ExportId) -> Result<Export> {
    store::find(tenant, id).await?.ok_or_else(|| Problem::not_found("export").into())
}

/// The `N` of `bytes=N-`. Other ranges are not supported: then the whole content is sent.
fn requested_start(range: &str) -> Option<u64> {
    range.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok()
}

fn beyond_the_end(export: &Export) -> Problem {
    let detail = format!("The export has {} bytes. Request a range that begins before its end.", export.bytes);
    Problem::new(416, "range_not_satisfiable", "The range is not satisfiable", detail)
        .with_header("Content-Range", format!("bytes */{}", export.bytes))
}

/// The chunk that contains a byte, and the number of bytes before it in the chunk.
fn place_of(sizes: &[store::ChunkSize], start: u64) -> (u32, usize) {
    let mut before = 0_u64;
    for size in sizes {
        let end = before.saturating_add(size.bytes);
        if start < end {
            return (size.number, usize::try_from(start.saturating_sub(before)).unwrap_or(0));
        }
        before = end;
    }
    (u32::MAX, 0)
}

/// The text from a byte on, as a stream: each chunk is read while the one before is sent.
fn chunks(
    tenant: Tenant,
    id: ExportId,
    number: u32,
    skipped: usize,
) -> impl stream::Stream<Item = std::result::Result<Vec<u8>, std::io::Error>> {
    stream::try_unfold((tenant, number, skipped), move |(tenant, number, skipped)| async move {
        let found = store::chunk(&tenant, id, number).await.map_err(|error| std::io::Error::other(format!("{error:?}")))?;
        let Some(chunk) = found else { return Ok(None) };
        let text = chunk.text.into_bytes().into_iter().skip(skipped).collect();
        Ok(Some((text, (tenant, chunk.number.saturating_add(1), 0))))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_is_found_in_its_chunk() {
        let sizes: Vec<store::ChunkSize> = [(0, 10), (1, 5)].map(|(number, bytes)| store::ChunkSize { number, bytes }).into();
        assert_eq!([0, 9, 10, 14].map(|start| place_of(&sizes, start)), [(0, 0), (0, 9), (1, 0), (1, 4)]);
        assert_eq!([requested_start("bytes=7-"), requested_start("bytes=7-9"), requested_start("")], [Some(7), None, None]);
    }
}
