//! The Meter's tables. They come with the first call, and a later version only ever adds to them.

use crate::kernel::sql::{LocalSql, SqlError, Value};

const TABLES: [&str; 6] = [
    // Texts by name: the entitlements, and how far pruning and deliveries are.
    "CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    // A revoked key stays, so that a delayed PutKey cannot bring it back.
    "CREATE TABLE IF NOT EXISTS keys (key TEXT PRIMARY KEY, scopes TEXT NOT NULL, expires_at INTEGER, revoked INTEGER NOT NULL) WITHOUT ROWID",
    // `used`: what is billed, a level's peak. `level`: what a level ends the period with. `raised`: bits of the thresholds told.
    // `sequence`: of the last event that moved it; 0 when none did. Quantities are decimal texts.
    "CREATE TABLE IF NOT EXISTS counters (metric TEXT NOT NULL, period_starts_at INTEGER NOT NULL, used TEXT NOT NULL, level TEXT NOT NULL, \
     invoiced TEXT, raised INTEGER NOT NULL, sequence INTEGER NOT NULL, PRIMARY KEY (metric, period_starts_at)) WITHOUT ROWID",
    // No index on created_at: pruning walks the keys instead, so that each event writes one row and not two.
    "CREATE TABLE IF NOT EXISTS replays (key TEXT PRIMARY KEY, record TEXT NOT NULL, created_at INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS facts (sequence INTEGER PRIMARY KEY, name TEXT NOT NULL, version INTEGER NOT NULL, data TEXT NOT NULL, \
     occurred_at INTEGER NOT NULL)",
    "CREATE TABLE IF NOT EXISTS closings (period_starts_at INTEGER PRIMARY KEY, period_ends_at INTEGER NOT NULL, reply TEXT NOT NULL)",
];

pub(super) fn exists<S: LocalSql>(sql: &S) -> Result<bool, SqlError> {
    let rows = sql.run("SELECT name FROM sqlite_master WHERE type = 'table' AND name = 'settings'", &[])?;
    Ok(!rows.is_empty())
}

pub(super) fn create<S: LocalSql>(sql: &S) -> Result<(), SqlError> {
    for table in TABLES {
        sql.run(table, &[])?;
    }
    Ok(())
}

pub(super) fn setting<S: LocalSql>(sql: &S, name: &str) -> Result<Option<String>, SqlError> {
    let rows = sql.run("SELECT value FROM settings WHERE name = ?1", &[name.into()])?;
    Ok(rows.into_iter().next().and_then(|mut row| row.remove("value")).and_then(|value| value.as_str().map(str::to_owned)))
}

pub(super) fn set<S: LocalSql>(sql: &S, name: &str, value: String) -> Result<(), SqlError> {
    let text = "INSERT INTO settings (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    sql.run(text, &[name.into(), Value::Text(value)])?;
    Ok(())
}

/// Reads what a setting or a column holds as JSON.
pub(super) fn parse<T: serde::de::DeserializeOwned>(what: &str, text: &str) -> Result<T, SqlError> {
    serde_json::from_str(text).map_err(|error| SqlError::Broken(format!("the stored {what} cannot be read: {error}")))
}

pub(super) fn json<T: serde::Serialize>(value: &T) -> Result<String, SqlError> {
    serde_json::to_string(value).map_err(|error| SqlError::Broken(format!("a value cannot be written: {error}")))
}
