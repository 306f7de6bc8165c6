//! The endpoints of the audit log.

use axum::response::Response;
use serde::Deserialize;

use super::export::ExportQuery;
use super::rules::Sought;
use super::store::{Log, Span};
use super::wire::{EntryView, HeadView};
use super::{export, store};
use crate::http::reply::Reply;
use crate::http::request::Filter;
use crate::identity::callers::actors::{Authorized, Vendor};
use crate::identity::permissions::needs;
use crate::kernel::error::Result;
use crate::kernel::page;
use crate::kernel::page::{Page, PageQuery, Start};
use crate::kernel::time::Timestamp;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditQuery {
    actor: Option<String>,
    action: Option<String>,
    target: Option<String>,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
    limit: Option<String>,
    cursor: Option<String>,
}

/// Search the audit log
///
/// Who did what, when and from where. Newest first.
#[utoipa::path(get, path = "/v1/audit-log", tag = "audit log", operation_id = "listAuditLog",
    params(("actor" = Option<String>, Query, description = "Id of a person, key or client, name of a step, or `platform`"),
        ("action" = Option<String>, Query, description = "`apiKey.created`, or all of a resource: `apiKey.*`"),
        ("target" = Option<String>, Query, description = "Id of what was changed"),
        ("from" = Option<String>, Query, description = "Entries from this instant on (RFC 3339)"), ("to" = Option<String>, Query, description = "and before this one"),
        PageQuery),
    responses((status = 200, description = "Newest first", body = Page<EntryView>)))]
pub async fn list(caller: Authorized<needs::AuditLogRead>, Filter(query): Filter<AuditQuery>) -> Result<Reply> {
    search(&Log::Organization(caller.tenant), query).await
}

/// Export the audit log
///
/// In the order in which it was written. NDJSON has the hashes: `cargo run -p verify -- audit.ndjson` checks them, see docs/AUDIT.md.
#[utoipa::path(get, path = "/v1/audit-log/export", tag = "audit log", operation_id = "exportAuditLog",
    params(("from" = Option<String>, Query, description = "Entries from this instant on (RFC 3339)"), ("to" = Option<String>, Query, description = "and before this one"),
        ("format" = Option<String>, Query, description = "`ndjson`, or `csv` for spreadsheets; `ndjson` when absent")),
    responses((status = 200, description = "A line each", content((String = "application/x-ndjson"), (String = "text/csv")))))]
pub async fn export(caller: Authorized<needs::AuditLogRead>, Filter(query): Filter<ExportQuery>) -> Result<Response> {
    export::answer(Log::Organization(caller.tenant), &query).await
}

/// Read the head of the audit log
///
/// The newest entry's number and hash. Keep it elsewhere: an export that leads to it was not shortened, and nothing in it was changed.
#[utoipa::path(get, path = "/v1/audit-log/head", tag = "audit log", operation_id = "getAuditLogHead",
    responses((status = 200, description = "The head", body = HeadView)))]
pub async fn head(caller: Authorized<needs::AuditLogRead>) -> Result<Reply> {
    view_head(&Log::Organization(caller.tenant)).await
}

/// Search the platform's audit log
///
/// What the vendor did that is no organization's. What it did for an organization is in that one's log.
#[utoipa::path(get, path = "/v1/platform-audit-log", tag = "audit log", operation_id = "listPlatformAuditLog",
    params(("actor" = Option<String>, Query, description = "Id of a platform key, or `platform`"),
        ("action" = Option<String>, Query, description = "`metric.created`, or all of a resource: `testClock.*`"),
        ("target" = Option<String>, Query, description = "Id of what was changed"),
        ("from" = Option<String>, Query, description = "Entries from this instant on (RFC 3339)"), ("to" = Option<String>, Query, description = "and before this one"),
        PageQuery),
    responses((status = 200, description = "Newest first", body = Page<EntryView>)))]
pub async fn list_platform(vendor: Vendor, Filter(query): Filter<AuditQuery>) -> Result<Reply> {
    search(&Log::Platform(vendor.platform), query).await
}

/// Export the platform's audit log
#[utoipa::path(get, path = "/v1/platform-audit-log/export", tag = "audit log", operation_id = "exportPlatformAuditLog",
    params(("from" = Option<String>, Query, description = "Entries from this instant on (RFC 3339)"), ("to" = Option<String>, Query, description = "and before this one"),
        ("format" = Option<String>, Query, description = "`ndjson`, or `csv` for spreadsheets; `ndjson` when absent")),
    responses((status = 200, description = "A line each", content((String = "application/x-ndjson"), (String = "text/csv")))))]
pub async fn export_platform(vendor: Vendor, Filter(query): Filter<ExportQuery>) -> Result<Response> {
    export::answer(Log::Platform(vendor.platform), &query).await
}

/// Read the head of the platform's audit log
#[utoipa::path(get, path = "/v1/platform-audit-log/head", tag = "audit log", operation_id = "getPlatformAuditLogHead",
    responses((status = 200, description = "The head", body = HeadView)))]
pub async fn head_platform(vendor: Vendor) -> Result<Reply> {
    view_head(&Log::Platform(vendor.platform)).await
}

async fn search(log: &Log, query: AuditQuery) -> Result<Reply> {
    let AuditQuery { actor, action, target, from, to, limit, cursor } = query;
    let search = Sought { actor, action, target, from, to }.check()?;
    let span = store::span(log, search.range).await?;
    // A cursor is an entry's number.
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
