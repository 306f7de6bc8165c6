//! The Meter's tables. The first call creates them, and a later version only adds to them.

use std::collections::BTreeMap;

use crate::kernel::sql::{LocalSql, SqlError, Value};

const TABLES: [&str; 12] = [
    // Texts by name: the configuration that the Worker sent, and the positions of pruning, deliveries and roll-up.
    "CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    // A revoked key stays, so that a delayed PutKey cannot bring it back.
    "CREATE TABLE IF NOT EXISTS keys (
       key TEXT PRIMARY KEY,
       scopes TEXT NOT NULL,
       expires_at INTEGER,
       revoked INTEGER NOT NULL
     ) WITHOUT ROWID",
    // When a key was last used, to a few minutes.
    "CREATE TABLE IF NOT EXISTS key_uses (key TEXT PRIMARY KEY, used_at INTEGER NOT NULL) WITHOUT ROWID",
    // `used`: what is billed. `level`: what the period ends with. `moment`: of a weighted sum, in billionths of a unit times milliseconds.
    // `raised`: bits of the thresholds raised. `sequence`: of the last event that changed it; 0 when none did.
    // Quantities are decimal texts.
    "CREATE TABLE IF NOT EXISTS counters (
       metric TEXT NOT NULL,
       period_starts_at INTEGER NOT NULL,
       used TEXT NOT NULL,
       level TEXT NOT NULL,
       invoiced TEXT,
       raised INTEGER NOT NULL,
       sequence INTEGER NOT NULL,
       moment TEXT NOT NULL DEFAULT '0',
       latest_at INTEGER,
       PRIMARY KEY (metric, period_starts_at)
     ) WITHOUT ROWID",
    // The log: every event, as it was counted, in the commit that counted it. Chained by `hash`, see docs/PROOF.md.
    "CREATE TABLE IF NOT EXISTS commits (
       number INTEGER PRIMARY KEY,
       at INTEGER NOT NULL,
       first INTEGER NOT NULL,
       count INTEGER NOT NULL,
       hash TEXT NOT NULL,
       body TEXT NOT NULL
     )",
    // Which commit claimed an idempotency key. The answer is in the commit; the claim's age is the commit's.
    "CREATE TABLE IF NOT EXISTS claims (key TEXT PRIMARY KEY, number INTEGER NOT NULL) WITHOUT ROWID",
    // The values that unique metrics have seen in a period.
    "CREATE TABLE IF NOT EXISTS uniques (
       metric TEXT NOT NULL,
       period_starts_at INTEGER NOT NULL,
       value TEXT NOT NULL,
       PRIMARY KEY (metric, period_starts_at, value)
     ) WITHOUT ROWID",
    // `status` is active, settled or released; an active one whose time is over has expired. `receipt`: of the settlement.
    "CREATE TABLE IF NOT EXISTS reservations (
       id TEXT PRIMARY KEY,
       metric TEXT NOT NULL,
       amount TEXT NOT NULL,
       status TEXT NOT NULL,
       created_at INTEGER NOT NULL,
       expires_at INTEGER NOT NULL,
       settled TEXT,
       receipt TEXT
     ) WITHOUT ROWID",
    // The roll-up of the commits, hour by hour. `version` grows with each change of any bucket.
    "CREATE TABLE IF NOT EXISTS buckets (
       metric TEXT NOT NULL,
       period_starts_at INTEGER NOT NULL,
       hour INTEGER NOT NULL,
       count INTEGER NOT NULL,
       sum TEXT NOT NULL,
       max TEXT NOT NULL,
       last TEXT NOT NULL,
       last_at INTEGER NOT NULL,
       uniques INTEGER NOT NULL,
       version INTEGER NOT NULL,
       PRIMARY KEY (metric, period_starts_at, hour)
     ) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS facts (
       sequence INTEGER PRIMARY KEY,
       name TEXT NOT NULL,
       version INTEGER NOT NULL,
       data TEXT NOT NULL,
       occurred_at INTEGER NOT NULL
     )",
    "CREATE TABLE IF NOT EXISTS closings (
       period_starts_at INTEGER PRIMARY KEY,
       period_ends_at INTEGER NOT NULL,
       reply TEXT NOT NULL
     )",
    // The commits that closed them: an invoice's proof needs them long after the log was pruned.
    "CREATE TABLE IF NOT EXISTS closing_commits (
       period_starts_at INTEGER PRIMARY KEY,
       number INTEGER NOT NULL,
       previous TEXT NOT NULL,
       hash TEXT NOT NULL,
       body TEXT NOT NULL
     )",
];

const INDEXES: [&str; 1] = ["CREATE INDEX IF NOT EXISTS buckets_by_version ON buckets (version)"];

macro_rules! cleared {
    ($($name:literal),*) => {
        [$(($name, concat!("SELECT count(*) AS count FROM ", $name), concat!("DROP TABLE ", $name))),*]
    };
}

/// Every table: how its rows are counted, and how it is dropped.
const CLEARED: [(&str, &str, &str); TABLES.len()] = cleared![
    "settings",
    "keys",
    "key_uses",
    "counters",
    "commits",
    "claims",
    "uniques",
    "reservations",
    "buckets",
    "facts",
    "closings",
    "closing_commits"
];

const VERSION: &str = "schemaVersion";
const PRESENT: &str = "4";

pub(super) fn exists<S: LocalSql>(sql: &S) -> Result<bool, SqlError> {
    let rows = sql.run("SELECT name FROM sqlite_master WHERE type = 'table' AND name = 'settings'", &[])?;
    if rows.is_empty() {
        return Ok(false);
    }
    match setting(sql, VERSION)?.as_deref() {
        Some(PRESENT) => {}
        // What is missing is only tables.
        Some(_) => create(sql)?,
        None => upgrade_from_1(sql)?,
    }
    Ok(true)
}

pub(super) fn create<S: LocalSql>(sql: &S) -> Result<(), SqlError> {
    for statement in TABLES.into_iter().chain(INDEXES) {
        sql.run(statement, &[])?;
    }
    set(sql, VERSION, PRESENT.to_owned())
}

/// Version 1, before the first release, kept idempotency keys with their answers and no events.
fn upgrade_from_1<S: LocalSql>(sql: &S) -> Result<(), SqlError> {
    sql.run("ALTER TABLE counters ADD COLUMN moment TEXT NOT NULL DEFAULT '0'", &[])?;
    sql.run("ALTER TABLE counters ADD COLUMN latest_at INTEGER", &[])?;
    sql.run("DROP TABLE replays", &[])?;
    create(sql)
}

/// Drops every table, and leaves a mark that this was done. Gives the number of rows that each had.
pub(super) fn erase<S: LocalSql>(sql: &S) -> Result<BTreeMap<String, u64>, SqlError> {
    let mut rows = BTreeMap::new();
    for (name, count, drop) in CLEARED {
        if sql.run("SELECT name FROM sqlite_master WHERE type = 'table' AND name = ?1", &[name.into()])?.is_empty() {
            continue;
        }
        let counted = sql.run(count, &[])?.first().and_then(|row| row.get("count")).and_then(serde_json::Value::as_u64);
        rows.insert(name.to_owned(), counted.unwrap_or(0));
        sql.run(drop, &[])?;
    }
    sql.run("CREATE TABLE IF NOT EXISTS erased (at_version TEXT PRIMARY KEY) WITHOUT ROWID", &[])?;
    sql.run("INSERT OR IGNORE INTO erased (at_version) VALUES ('2')", &[])?;
    Ok(rows)
}

pub(super) fn is_erased<S: LocalSql>(sql: &S) -> Result<bool, SqlError> {
    Ok(!sql.run("SELECT name FROM sqlite_master WHERE type = 'table' AND name = 'erased'", &[])?.is_empty())
}

pub(super) fn setting<S: LocalSql>(sql: &S, name: &str) -> Result<Option<String>, SqlError> {
    let rows = sql.run("SELECT value FROM settings WHERE name = ?1", &[name.into()])?;
    Ok(rows.into_iter().next().and_then(|mut row| row.remove("value")).and_then(|value| value.as_str().map(str::to_owned)))
}

pub(super) fn set<S: LocalSql>(sql: &S, name: &str, value: String) -> Result<(), SqlError> {
    let text = "INSERT INTO settings (name, value)
                VALUES (?1, ?2)
                ON CONFLICT (name) DO UPDATE
                SET value = excluded.value";
    sql.run(text, &[name.into(), Value::Text(value)])?;
    Ok(())
}

/// Reads what a setting or a column holds as JSON.
pub(super) fn parse<T: serde::de::DeserializeOwned>(what: &str, text: &str) -> Result<T, SqlError> {
    serde_json::from_str(text).map_err(|error| SqlError::Broken(format!("the stored {what} cannot be read: {error}")))
}

pub(super) fn json<T: serde::Serialize + ?Sized>(value: &T) -> Result<String, SqlError> {
    serde_json::to_string(value).map_err(|error| SqlError::Broken(format!("a value cannot be written: {error}")))
}

pub(super) fn number(count: u64) -> Value {
    Value::Integer(i64::try_from(count).unwrap_or(i64::MAX))
}
