//! The tenants' tables: every row says whose it is, and nothing refers across.

use std::fs;

use rusqlite::Connection;

use super::none;
use super::source::{File, product, root};

/// Tables of the tenants' databases that hold no tenant's rows. None so far.
const OF_NOBODY: &[&str] = &[];

#[test]
fn every_row_says_whose_it_is() {
    let database = migrated("tenants");
    let tables = texts(&database, "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name");
    assert!(tables.len() > 5, "only {tables:?} were found");
    let is_keyed = |table: &str| {
        texts(&database, &format!("SELECT name FROM pragma_table_info('{table}') WHERE pk = 1 AND \"notnull\" = 1")) == ["organization_id"]
    };
    let unkeyed = tables.iter().filter(|table| !OF_NOBODY.contains(&table.as_str()) && !is_keyed(table));
    none(
        unkeyed.map(|table| format!("{table} is not keyed by its organization: begin its primary key with organization_id TEXT NOT NULL")),
    );
    let stale = OF_NOBODY.iter().filter(|listed| !tables.iter().any(|table| table == *listed) || is_keyed(listed));
    none(stale.map(|table| format!("{table} needs no exception: remove it from OF_NOBODY in tests/it/tidy/tables.rs")));
}

#[test]
fn nothing_refers_to_another_organizations_row() {
    let database = migrated("tenants");
    let crossing = "SELECT m.name || ' → ' || f.\"table\" FROM sqlite_master m, pragma_foreign_key_list(m.name) f WHERE m.type = 'table' \
        GROUP BY m.name, f.id HAVING sum(f.\"from\" = 'organization_id') = 0";
    none(
        texts(&database, crossing)
            .into_iter()
            .map(|reference| format!("{reference} leaves the organization: make the foreign key (organization_id, ...)")),
    );
}

#[test]
fn uniqueness_is_within_an_organization() {
    let database = migrated("tenants");
    let global = "SELECT m.name || '.' || l.name FROM sqlite_master m, pragma_index_list(m.name) l \
        WHERE m.type = 'table' AND l.\"unique\" = 1 AND NOT EXISTS (SELECT 1 FROM pragma_index_info(l.name) i WHERE i.name = 'organization_id')";
    none(texts(&database, global).into_iter().map(|index| {
        format!("{index} is unique across organizations: one could tell another's rows by it; begin it with organization_id")
    }));
}

#[test]
fn migrations_are_numbered_without_gaps() {
    for folder in ["directory", "tenants"] {
        let numbers: Vec<String> = migrations(folder).iter().map(|(name, _)| name.chars().take(4).collect()).collect();
        let wanted: Vec<String> = (1..=numbers.len()).map(|number| format!("{number:04}")).collect();
        assert_eq!(numbers, wanted, "migrations/{folder}: number them 0001, 0002, ... and never change one that was released");
    }
}

/// Files that may try to rewrite an audit log: to see that the database refuses it.
const REWRITES_AUDIT_LOG: &[&str] = &["src/kernel/conformance.rs"];

#[test]
fn an_audit_log_is_only_appended_to() {
    let rewrites = |text: &str| {
        let words = text.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ");
        ["update audit_log", "delete from audit_log", "replace into audit_log", "update or replace audit_log"]
            .iter()
            .any(|rewrite| words.contains(rewrite))
            || words.contains("into audit_log") && words.contains("do update")
    };
    // Between quotes: a statement is written over several lines.
    let is_rewriting = |file: &File| file.code().join("\n").split('"').any(rewrites);
    let code: Vec<_> = product().into_iter().filter(is_rewriting).map(|file| file.path).collect();
    none(code.iter().filter(|path| !REWRITES_AUDIT_LOG.contains(&path.as_str())).map(|path| {
        format!("{path} rewrites an audit log: entries are chained and stay; correct one with another one, and leave erasing to an organization's erasure")
    }));
    none(
        REWRITES_AUDIT_LOG
            .iter()
            .filter(|listed| !code.iter().any(|path| path == *listed))
            .map(|path| format!("{path} needs no exception: remove it from REWRITES_AUDIT_LOG")),
    );
    for folder in ["directory", "tenants"] {
        let database = migrated(folder);
        let triggers = texts(&database, "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit_log' ORDER BY name");
        assert_eq!(
            triggers,
            ["audit_log_is_kept", "audit_log_never_changes"],
            "migrations/{folder}: the database itself keeps the audit log"
        );
    }
}

pub fn migrated(folder: &str) -> Connection {
    let database = Connection::open_in_memory().unwrap();
    migrations(folder).iter().for_each(|(_, text)| database.execute_batch(text).unwrap());
    database
}

/// Names and texts, in order.
fn migrations(folder: &str) -> Vec<(String, String)> {
    let entries = fs::read_dir(root().join("migrations").join(folder)).unwrap().map(|entry| entry.unwrap());
    let mut files: Vec<_> =
        entries.map(|entry| (entry.file_name().into_string().unwrap(), fs::read_to_string(entry.path()).unwrap())).collect();
    files.sort();
    files
}

pub fn texts(database: &Connection, query: &str) -> Vec<String> {
    let mut statement = database.prepare(query).unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}
