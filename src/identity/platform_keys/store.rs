//! All SQL of platform keys, in the directory.

use serde::Deserialize;

use super::platform_key::PlatformKey;
use crate::kernel::error::{Error, Result};
use crate::kernel::ids::PlatformKeyId;
use crate::kernel::ports::App;
use crate::kernel::sql;
use crate::kernel::sql::{Statement, decode};
use crate::kernel::time::Timestamp;
use crate::{platform_sql, stale_if};

#[derive(Deserialize)]
struct KeyRow {
    id: PlatformKeyId,
    name: String,
    created_by: String,
    #[serde(deserialize_with = "sql::millis::deserialize")]
    created_at: Timestamp,
    #[serde(deserialize_with = "sql::optional_millis::deserialize")]
    expires_at: Option<Timestamp>,
    #[serde(deserialize_with = "sql::optional_millis::deserialize")]
    revoked_at: Option<Timestamp>,
    #[serde(deserialize_with = "sql::optional_millis::deserialize")]
    last_used_at: Option<Timestamp>,
}

impl From<KeyRow> for PlatformKey {
    fn from(row: KeyRow) -> Self {
        Self {
            id: row.id,
            name: row.name,
            created_by: row.created_by,
            created_at: row.created_at,
            expires_at: row.expires_at,
            revoked_at: row.revoked_at,
            last_used_at: row.last_used_at,
        }
    }
}

pub async fn find(app: &App, id: PlatformKeyId) -> Result<Option<PlatformKey>> {
    let statement = platform_sql!(
        "SELECT id, name, created_by, created_at, expires_at, revoked_at, last_used_at
         FROM platform_keys
         WHERE id = ?1",
        id
    );
    Ok(rows(app, statement).await?.into_iter().next())
}

/// A page of keys, newest first.
pub async fn list(app: &App, before: &str, fetch: u32) -> Result<Vec<PlatformKey>> {
    let statement = platform_sql!(
        "SELECT id, name, created_by, created_at, expires_at, revoked_at, last_used_at
         FROM platform_keys
         WHERE id < ?1
         ORDER BY id DESC
         LIMIT ?2",
        before,
        fetch
    );
    rows(app, statement).await
}

pub fn insert(key: &PlatformKey) -> Statement {
    platform_sql!(
        "INSERT INTO platform_keys (id, name, created_by, created_at, expires_at) VALUES (?1, ?2, ?3, ?4, ?5)",
        key.id,
        key.name.as_str(),
        key.created_by.as_str(),
        key.created_at,
        key.expires_at
    )
}

pub fn end_at(id: PlatformKeyId, at: Option<Timestamp>) -> Statement {
    platform_sql!("UPDATE platform_keys SET expires_at = ?2 WHERE id = ?1", id, at)
}

pub fn revoke(id: PlatformKeyId, at: Timestamp) -> Statement {
    platform_sql!("UPDATE platform_keys SET revoked_at = ?2 WHERE id = ?1 AND revoked_at IS NULL", id, at)
}

pub fn note_use(id: PlatformKeyId, at: Timestamp) -> Statement {
    platform_sql!("UPDATE platform_keys SET last_used_at = ?2 WHERE id = ?1", id, at)
}

/// Guard: the key is good as it was read.
pub fn is_as_read(key: &PlatformKey) -> Statement {
    stale_if!(
        directory,
        "NOT EXISTS (SELECT 1 FROM platform_keys WHERE id = ?1 AND revoked_at IS NULL AND expires_at IS ?2)",
        key.id,
        key.expires_at
    )
}

async fn rows(app: &App, statement: Statement) -> Result<Vec<PlatformKey>> {
    let outcomes = app.directory.batch(vec![statement]).await?;
    let rows = outcomes.into_iter().flat_map(|outcome| outcome.rows);
    rows.map(|row| decode::<KeyRow>(row).map(PlatformKey::from).map_err(Error::from)).collect()
}
