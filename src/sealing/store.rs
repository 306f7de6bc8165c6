//! All SQL of sealing: the wrapped keys, in the directory.

use serde::Deserialize;

use super::scope::Scope;
use crate::kernel::error::{Error, Result};
use crate::kernel::ids::SealingKeyId;
use crate::kernel::ports::App;
use crate::kernel::sql;
use crate::kernel::sql::{Statement, decode};
use crate::kernel::time::Timestamp;
use crate::platform_sql;

/// A sealing key as it is stored: wrapped.
#[derive(Clone, Debug, Deserialize)]
pub struct StoredKey {
    pub id: SealingKeyId,
    pub scope: String,
    pub master: String,
    pub wrapped: String,
    #[serde(deserialize_with = "sql::millis::deserialize")]
    pub created_at: Timestamp,
}

pub async fn find(app: &App, scope: Scope) -> Result<Option<StoredKey>> {
    Ok(rows(app, vec![select(scope)]).await?.into_iter().next())
}

/// Stores the first key of a scope and gives the stored one: of two concurrent inserts one is kept.
pub async fn insert_first(app: &App, scope: Scope, key: &StoredKey) -> Result<StoredKey> {
    let insert = platform_sql!(
        "INSERT INTO sealing_keys (id, scope, master, wrapped, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (scope) DO NOTHING",
        key.id,
        key.scope.as_str(),
        key.master.as_str(),
        key.wrapped.as_str(),
        key.created_at
    );
    let stored = rows(app, vec![insert, select(scope)]).await?;
    stored.into_iter().next().ok_or_else(|| Error::internal("a sealing key was stored and is not there"))
}

/// Keys that another master key than `master` wraps, in order, after `after`.
pub async fn wrapped_by_others(app: &App, master: &str, after: &str, limit: u32) -> Result<Vec<StoredKey>> {
    let statement = platform_sql!(
        "SELECT id, scope, master, wrapped, created_at
         FROM sealing_keys
         WHERE master <> ?1 AND id > ?2
         ORDER BY id
         LIMIT ?3",
        master,
        after,
        limit
    );
    rows(app, vec![statement]).await
}

/// Replaces the wrapping, unless a concurrent call did.
pub fn rewrap(key: &StoredKey, master: &str, wrapped: &str) -> Statement {
    platform_sql!(
        "UPDATE sealing_keys SET master = ?3, wrapped = ?4 WHERE id = ?1 AND wrapped = ?2",
        key.id,
        key.wrapped.as_str(),
        master,
        wrapped
    )
}

/// Makes everything that was sealed for a scope unreadable for good: the last step of an erasure.
pub fn forget(scope: Scope) -> Statement {
    platform_sql!("DELETE FROM sealing_keys WHERE scope = ?1", scope.text())
}

fn select(scope: Scope) -> Statement {
    platform_sql!("SELECT id, scope, master, wrapped, created_at FROM sealing_keys WHERE scope = ?1", scope.text())
}

/// The rows of the last statement.
async fn rows(app: &App, statements: Vec<Statement>) -> Result<Vec<StoredKey>> {
    let outcomes = app.directory.batch(statements).await?;
    let rows = outcomes.into_iter().last().map(|outcome| outcome.rows).unwrap_or_default();
    rows.into_iter().map(|row| decode(row).map_err(Error::from)).collect()
}
