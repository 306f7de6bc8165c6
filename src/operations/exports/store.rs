//! All SQL of exports.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::export::{Export, Position, Status};
use crate::kernel::error::Result;
use crate::kernel::ids::{ExportId, OrganizationId};
use crate::kernel::platform::Platform;
use crate::kernel::retry::Failure;
use crate::kernel::sql;
use crate::kernel::sql::Value;
use crate::kernel::tenant::{Tenant, TenantStatement};
use crate::kernel::time::Timestamp;
use crate::{stale_if, tenant_sql, unchanged};

#[derive(Deserialize)]
struct ExportRow {
    id: ExportId,
    status: Status,
    #[serde(deserialize_with = "sql::millis::deserialize")]
    created_at: Timestamp,
    #[serde(deserialize_with = "sql::optional_millis::deserialize")]
    finished_at: Option<Timestamp>,
    #[serde(deserialize_with = "sql::optional_millis::deserialize")]
    expires_at: Option<Timestamp>,
    #[serde(deserialize_with = "sql::json::deserialize")]
    position: Position,
    #[serde(deserialize_with = "sql::json::deserialize")]
    counts: BTreeMap<String, u64>,
    rows_expected: u64,
    rows_written: u64,
    chunks: u32,
    bytes: u64,
    digest: String,
    attempts: u32,
    #[serde(deserialize_with = "sql::optional_millis::deserialize")]
    next_attempt_at: Option<Timestamp>,
    version: i64,
}

impl From<ExportRow> for Export {
    fn from(row: ExportRow) -> Self {
        Self {
            id: row.id,
            status: row.status,
            created_at: row.created_at,
            finished_at: row.finished_at,
            expires_at: row.expires_at,
            position: row.position,
            counts: row.counts,
            rows_expected: row.rows_expected,
            rows_written: row.rows_written,
            chunks: row.chunks,
            bytes: row.bytes,
            digest: row.digest,
            attempts: row.attempts,
            next_attempt_at: row.next_attempt_at,
            version: row.version,
        }
    }
}

pub async fn find(tenant: &Tenant, id: ExportId) -> Result<Option<Export>> {
    let statement = tenant_sql!("SELECT * FROM exports WHERE organization_id = ?1 AND id = ?2", id);
    Ok(tenant.row::<ExportRow>(statement).await?.map(Export::from))
}

/// A page of exports, newest first.
pub async fn list(tenant: &Tenant, before: &str, fetch: u32) -> Result<Vec<Export>> {
    let statement = tenant_sql!("SELECT * FROM exports WHERE organization_id = ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3", before, fetch);
    Ok(tenant.rows::<ExportRow>(statement).await?.into_iter().map(Export::from).collect())
}

/// The unfinished export, if there is one.
pub async fn unfinished(tenant: &Tenant) -> Result<Option<Export>> {
    let statement = tenant_sql!(
        "SELECT *
         FROM exports
         WHERE organization_id = ?1 AND status IN ('queued', 'running')
         ORDER BY created_at
         LIMIT 1"
    );
    Ok(tenant.row::<ExportRow>(statement).await?.map(Export::from))
}

/// Guard: no export is unfinished.
pub fn none_unfinished() -> TenantStatement {
    stale_if!("EXISTS (SELECT 1 FROM exports WHERE organization_id = ?1 AND status IN ('queued', 'running'))")
}

/// Guard: the export is unchanged since it was read.
pub fn unchanged(export: &Export) -> TenantStatement {
    unchanged!("exports", export.id, export.version)
}

pub fn insert(export: &Export, requested_by: &str) -> TenantStatement {
    tenant_sql!(
        "INSERT INTO exports
           (organization_id, id, status, requested_by, created_at, position, counts, rows_expected, rows_written,
            chunks, bytes, digest)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, '{}', 0, 0, 0, 0, '')",
        export.id,
        sql::word(&export.status),
        requested_by,
        export.created_at,
        to_json(&export.position)
    )
}

pub fn update(export: &Export) -> TenantStatement {
    tenant_sql!(
        "UPDATE exports
         SET status = ?3, finished_at = ?4, expires_at = ?5, position = ?6, counts = ?7, rows_expected = ?8,
           rows_written = ?9, chunks = ?10, bytes = ?11, digest = ?12, attempts = 0, next_attempt_at = NULL,
           version = version + 1
         WHERE organization_id = ?1 AND id = ?2",
        export.id,
        sql::word(&export.status),
        export.finished_at,
        export.expires_at,
        to_json(&export.position),
        to_json(&export.counts),
        number(export.rows_expected),
        number(export.rows_written),
        export.chunks,
        number(export.bytes),
        export.digest.as_str()
    )
}

/// Records a failed step; after the last attempt the export has failed.
pub fn failed(export: &Export, failure: Failure, error: &str, now: Timestamp) -> TenantStatement {
    tenant_sql!(
        "UPDATE exports
         SET attempts = ?6, next_attempt_at = ?7, last_error = ?3, status = CASE WHEN ?4 THEN 'failed' ELSE status END,
           finished_at = CASE WHEN ?4 THEN ?5 END, version = version + 1
         WHERE organization_id = ?1 AND id = ?2 AND status IN ('queued', 'running')",
        export.id,
        error,
        failure.is_dead_letter(),
        now,
        failure.attempts,
        failure.next_attempt_at
    )
}

pub fn insert_chunk(export: ExportId, number: u32, text: &str) -> TenantStatement {
    tenant_sql!("INSERT INTO export_chunks (organization_id, export_id, number, text) VALUES (?1, ?2, ?3, ?4)", export, number, text)
}

#[derive(Deserialize)]
pub struct Chunk {
    pub number: u32,
    pub text: String,
}

/// The next chunk from this number on.
pub async fn chunk(tenant: &Tenant, export: ExportId, from: u32) -> Result<Option<Chunk>> {
    tenant
        .row(tenant_sql!(
            "SELECT organization_id, number, text
             FROM export_chunks
             WHERE organization_id = ?1 AND export_id = ?2 AND number >= ?3
             ORDER BY number
             LIMIT 1",
            export,
            from
        ))
        .await
}

#[derive(Deserialize)]
pub struct ChunkSize {
    pub number: u32,
    pub bytes: u64,
}

/// The length of each chunk, in order.
pub async fn chunk_sizes(tenant: &Tenant, export: ExportId) -> Result<Vec<ChunkSize>> {
    tenant
        .rows(tenant_sql!(
            "SELECT organization_id, number, length(CAST(text AS BLOB)) AS bytes
             FROM export_chunks
             WHERE organization_id = ?1 AND export_id = ?2
             ORDER BY number",
            export
        ))
        .await
}

/// Deletes the text; the export stays in the list.
pub fn delete_text(export: ExportId) -> [TenantStatement; 2] {
    [
        tenant_sql!("DELETE FROM export_chunks WHERE organization_id = ?1 AND export_id = ?2", export),
        tenant_sql!("UPDATE exports SET chunks = 0, version = version + 1 WHERE organization_id = ?1 AND id = ?2", export),
    ]
}

/// An export of any organization.
#[derive(Deserialize)]
pub struct Known {
    pub organization_id: OrganizationId,
    pub id: ExportId,
}

/// Unfinished exports of all organizations that are not in a pause.
pub async fn all_unfinished(platform: &Platform, limit: u32) -> Result<Vec<Known>> {
    let text = "SELECT organization_id, id
                FROM exports
                WHERE status IN ('queued', 'running')
                  AND created_at <= ?1
                  AND (next_attempt_at IS NULL OR next_attempt_at <= ?1)
                ORDER BY created_at
                LIMIT ?2";
    platform.every_shard(text, &[Value::from(platform.app().moment().now), Value::from(limit)]).await
}

/// Expired exports of all organizations whose text is not deleted.
pub async fn all_expired(platform: &Platform, now: Timestamp, limit: u32) -> Result<Vec<Known>> {
    let text = "SELECT organization_id, id
                FROM exports
                WHERE expires_at <= ?1 AND chunks > 0
                ORDER BY expires_at
                LIMIT ?2";
    platform.every_shard(text, &[Value::from(now), Value::from(limit)]).await
}

fn to_json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned())
}

fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(sql::INTEGER_MAX)
}
