//! The endpoints of the audit log.

use axum::response::Response;
use serde::Deserialize;
use utoipa::IntoParams;

use super::export::ExportQuery;
use super::rules::Sought;
use super::store::{Log, Span};
use super::wire::{EntryView, HeadView};
use super::{export, store};
use crate::http::reply::Reply;
use crate::http::request::{Filter, NoParameters};
use crate::identity::callers::actors::{Authorized, Vendor};
use crate::identity::permissions::needs;
use crate::kernel::error::Result;
use crate::kernel::page;
use crate::kernel::page::{Page, PageQuery, Start};
use crate::kernel::time::Timestamp;

/// The filter of an audit log.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AuditQuery {
    /// Entries of this actor: the id of a person, key or client, the name of a step, or `platform`
    actor: Option<String>,
    /// Entries of this action, such as `apiKey.created`, or of all actions of a resource: `apiKey.*`
    action: Option<String>,
    /// Entries about this target: the id of the changed resource
    target: Option<String>,
    /// Entries from this time on (RFC 3339)
    #[param(value_type = Option<String>)]
    from: Option<Timestamp>,
    /// Entries before this time (RFC 3339)
    #[param(value_type = Option<String>)]
    to: Option<Timestamp>,
    /// 1 to 100, 20 when absent
    limit: Option<String>,
    /// nextCursor of the page before
    cursor: Option<String>,
}

/// List audit log entries
///
/// Returns the entries of the organization's audit log, newest first: actor, action, target, changes, time and origin of each commit.
#[utoipa::path(get, path = "/v1/audit-log", operation_id = "listAuditLog",
    params(AuditQuery),
    responses((status = 200, description = "Newest first", body = Page<EntryView>)))]
pub async fn list(caller: Authorized<needs::AuditLogRead>, Filter(query): Filter<AuditQuery>) -> Result<Reply> {
    search(&Log::Organization(caller.tenant), query).await
}

/// Export the audit log
///
/// Streams the log or a range of it, oldest entry first. The NDJSON format contains the hashes: `cargo run -p verify -- audit.ndjson`
/// checks them, see docs/AUDIT.md. A response without the last line was interrupted.
#[utoipa::path(get, path = "/v1/audit-log/export", operation_id = "exportAuditLog",
    params(ExportQuery),
    responses((status = 200, description = "One line per entry", content((String = "application/x-ndjson"), (String = "text/csv")))))]
pub async fn export(caller: Authorized<needs::AuditLogRead>, Filter(query): Filter<ExportQuery>) -> Result<Response> {
    export::answer(Log::Organization(caller.tenant), &query).await
}

/// Get the head of the audit log
///
/// Returns the sequence number and the hash of the newest entry. Store them elsewhere: they prove that a later export is neither shortened
/// nor changed.
#[utoipa::path(get, path = "/v1/audit-log/head", operation_id = "getAuditLogHead",
    responses((status = 200, description = "The head", body = HeadView)))]
pub async fn head(caller: Authorized<needs::AuditLogRead>, _: Filter<NoParameters>) -> Result<Reply> {
    view_head(&Log::Organization(caller.tenant)).await
}

/// List platform audit log entries
///
/// Returns the entries of the platform's audit log, newest first: what the vendor did outside of any organization. What the vendor did for
/// an organization is in that organization's log.
#[utoipa::path(get, path = "/v1/platform-audit-log", operation_id = "listPlatformAuditLog",
    params(AuditQuery),
    responses((status = 200, description = "Newest first", body = Page<EntryView>)))]
pub async fn list_platform(vendor: Vendor, Filter(query): Filter<AuditQuery>) -> Result<Reply> {
    search(&Log::Platform(vendor.platform), query).await
}

/// Export the platform's audit log
///
/// Streams the platform's log or a range of it, oldest entry first, in the formats of an organization's log.
#[utoipa::path(get, path = "/v1/platform-audit-log/export", operation_id = "exportPlatformAuditLog",
    params(ExportQuery),
    responses((status = 200, description = "One line per entry", content((String = "application/x-ndjson"), (String = "text/csv")))))]
pub async fn export_platform(vendor: Vendor, Filter(query): Filter<ExportQuery>) -> Result<Response> {
    export::answer(Log::Platform(vendor.platform), &query).await
}

/// Get the head of the platform's audit log
///
/// Returns the sequence number and the hash of the newest entry of the platform's log.
#[utoipa::path(get, path = "/v1/platform-audit-log/head", operation_id = "getPlatformAuditLogHead",
    responses((status = 200, description = "The head", body = HeadView)))]
pub async fn head_platform(vendor: Vendor, _: Filter<NoParameters>) -> Result<Reply> {
    view_head(&Log::Platform(vendor.platform)).await
}

async fn search(log: &Log, query: AuditQuery) -> Result<Reply> {
    let AuditQuery { actor, action, target, from, to, limit, cursor } = query;
    let search = Sought { actor, action, target, from, to }.check()?;
    let span = store::span(log, search.range).await?;
    // A cursor is an entry's sequence number.
    let find = async |number: u32| Ok(store::find(log, i64::from(number)).await?.map(|_| i64::from(number)));
    let list = async |from: Start<i64>| {
        let last = from.found.map_or(span.last, |before| span.last.min(before.saturating_sub(1)));
        let rows = store::search(log, &search, Span { last, ..span }, from.fetch).await?;
        rows.iter().map(EntryView::read).collect::<Result<Vec<_>>>()
    };
    let number = |entry: &EntryView| u32::try_from(entry.sequence).unwrap_or(u32::MAX);
    Reply::ok(&page::list(&PageQuery { limit, cursor }, find, list, number, |entry| entry).await?)
}

async fn view_head(log: &Log) -> Result<Reply> {
    Reply::ok(&HeadView::new(log.name(), store::head(log).await?))
}
