//! The tenants' tables as the database lists them, for operations on all of them: erasing, moving and exporting an organization. A table
//! that is added later is included automatically.
//!
//! Invariants: every statement here is scoped to one organization; a row that names another one is an error.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use serde::Deserialize;
use serde_json::Value as Json;

use super::error::{Error, Result};
use super::ids::OrganizationId;
use super::sql::{Row, Sql, SqlError, Statement, Value, decode};
use super::time::Timestamp;

/// Technical tables, which hold no data of an organization.
const MACHINERY: [&str; 4] = ["stale_guards", "ledger_guards", "fences", "arriving_rows"];
/// Rows of one page, and of one page of tables with large rows.
const ROWS_MAX: u32 = 200;
const LARGE_ROWS: [&str; 1] = ["export_chunks"];
/// Rows that one statement deletes.
const DELETED_MAX: u32 = 5_000;
/// Bytes of rows that one statement hands over; a value may have 2 MB.
const HANDED_OVER_BYTES_MAX: usize = 500_000;

/// A table whose rows belong to organizations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    pub name: String,
    /// Its primary key without the organization, which comes first.
    pub key: Vec<String>,
    /// The tables that its rows refer to.
    parents: Vec<String>,
}

#[derive(Deserialize)]
struct Definition {
    name: String,
    sql: String,
}

#[derive(Deserialize)]
struct Count {
    count: u64,
}

/// Texts of statements are constant, so that the database can keep them prepared: there are as many as there are tables, times a few.
fn constant(text: String) -> &'static str {
    static TEXTS: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let mut texts = TEXTS.lock().unwrap_or_else(PoisonError::into_inner);
    match texts.get(text.as_str()) {
        Some(known) => known,
        None => {
            let kept: &'static str = Box::leak(text.into_boxed_str());
            texts.insert(kept);
            kept
        }
    }
}

/// A statement whose text names a table that the database listed.
pub fn statement(text: String, params: Vec<Value>) -> Statement {
    Statement { text: constant(text), params }
}

/// All tables of a tenants' database, each after those that it refers to.
pub async fn all(database: &dyn Sql) -> Result<Vec<Table>> {
    let tables = with_column(database, "organization_id").await?;
    Ok(tables.into_iter().filter(|table| !MACHINERY.contains(&table.name.as_str())).collect())
}

/// The tables of a database that have a column of this name, each after those that it refers to.
pub async fn with_column(database: &dyn Sql, column: &str) -> Result<Vec<Table>> {
    let listed = "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND instr(sql, ?1) > 0 ORDER BY name";
    let rows = only(database.batch(vec![Statement { text: listed, params: vec![column.into()] }]).await?);
    let definitions = rows.into_iter().map(decode::<Definition>).collect::<std::result::Result<Vec<_>, SqlError>>()?;
    let has_column = |definition: &&Definition| definition.sql.lines().any(|line| line.trim_start().split(' ').next() == Some(column));
    Ok(parents_first(definitions.iter().filter(has_column).map(read_definition).collect()))
}

/// The key and the references of a `CREATE TABLE`.
fn read_definition(definition: &Definition) -> Table {
    let text: String = definition.sql.lines().map(|line| line.split("--").next().unwrap_or_default()).collect::<Vec<_>>().join("\n");
    let key = text.split_once("PRIMARY KEY (").and_then(|(_, rest)| rest.split_once(')')).map_or("", |(columns, _)| columns);
    let key = key.split(',').map(|column| column.trim().to_owned()).filter(|column| !column.is_empty() && column != "organization_id");
    // A table that was renamed is referred to in quotes.
    let name = |rest: &str| {
        rest.trim_start().trim_start_matches('"').chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect()
    };
    let parents = text.split("REFERENCES").skip(1).map(name).collect();
    Table { name: definition.name.clone(), key: key.collect(), parents }
}

fn parents_first(mut rest: Vec<Table>) -> Vec<Table> {
    let mut sorted: Vec<Table> = Vec::with_capacity(rest.len());
    while !rest.is_empty() {
        let waiting: Vec<String> = rest.iter().map(|table| table.name.clone()).collect();
        let waits = |table: &Table| table.parents.iter().any(|parent| *parent != table.name && waiting.contains(parent));
        let (later, now): (Vec<Table>, Vec<Table>) = rest.into_iter().partition(waits);
        if now.is_empty() {
            // Tables in a circle have no order.
            sorted.extend(later);
            break;
        }
        sorted.extend(now);
        rest = later;
    }
    sorted
}

impl Table {
    /// The key of a row, to continue after it.
    pub fn key_of(&self, row: &Row) -> Vec<Json> {
        self.key.iter().map(|column| row.get(column).cloned().unwrap_or_default()).collect()
    }

    /// Whether a page of so many rows is the last.
    pub fn is_last(&self, rows: usize) -> bool {
        u32::try_from(rows).is_ok_and(|rows| rows < self.page_rows())
    }

    fn page_rows(&self) -> u32 {
        if LARGE_ROWS.contains(&self.name.as_str()) { 1 } else { ROWS_MAX }
    }

    /// The next rows of an organization by their key, after the key given.
    pub async fn page(&self, database: &dyn Sql, organization: OrganizationId, after: Option<&[Json]>) -> Result<Vec<Row>> {
        let columns = self.key.join(", ");
        let mut params = vec![Value::from(organization), Value::from(self.page_rows())];
        let mut text = format!("SELECT * FROM {} WHERE organization_id = ?1", self.name);
        if let Some(after) = after.filter(|_| !self.key.is_empty()) {
            let places: Vec<String> = (3..).take(self.key.len()).map(|number| format!("?{number}")).collect();
            text.push_str(&format!(" AND ({columns}) > ({})", places.join(", ")));
            params.extend(after.iter().map(bound));
        }
        if !self.key.is_empty() {
            text.push_str(&format!(" ORDER BY {columns}"));
        }
        let rows = only(database.batch(vec![statement(text + " LIMIT ?2", params)]).await?);
        for row in &rows {
            assert_owner(row, organization)?;
        }
        Ok(rows)
    }

    pub async fn count(&self, database: &dyn Sql, organization: OrganizationId) -> Result<u64> {
        let text = format!("SELECT count(*) AS count FROM {} WHERE organization_id = ?1", self.name);
        let row = only(database.batch(vec![statement(text, vec![organization.into()])]).await?).into_iter().next();
        Ok(row.map(decode::<Count>).transpose()?.map_or(0, |row| row.count))
    }

    /// Deletes all rows of an organization, in several statements.
    pub async fn erase(&self, database: &dyn Sql, organization: OrganizationId) -> Result<()> {
        // Rows that refer to each other are deleted at once.
        let limit = if self.parents.contains(&self.name) { u32::MAX } else { DELETED_MAX };
        let text = format!("DELETE FROM {0} WHERE rowid IN (SELECT rowid FROM {0} WHERE organization_id = ?1 LIMIT ?2)", self.name);
        loop {
            database.batch(vec![statement(text.clone(), vec![organization.into(), limit.into()])]).await?;
            if self.count(database, organization).await? == 0 {
                return Ok(());
            }
        }
    }

    /// Stores rows in the target database, where they wait. A waiting row with the same key is replaced.
    pub fn hand_over(&self, organization: OrganizationId, rows: &[Row], pass: u32) -> Result<Vec<Statement>> {
        let mut parts: Vec<(usize, Vec<Json>)> = vec![(0, Vec::new())];
        for row in rows {
            let (key, row) = (Json::from(self.key_of(row)).to_string(), Json::Object(row.clone()).to_string());
            let bytes = key.len().saturating_add(row.len());
            match parts.last_mut() {
                Some((full, part)) if full.saturating_add(bytes) <= HANDED_OVER_BYTES_MAX || part.is_empty() => {
                    *full = full.saturating_add(bytes);
                    part.push(Json::from(vec![key, row]));
                }
                _ => parts.push((bytes, vec![Json::from(vec![key, row])])),
            }
        }
        let text = "INSERT INTO arriving_rows (organization_id, table_name, row_key, row, pass)
                    SELECT ?1, ?2, json_extract(value, '$[0]'), json_extract(value, '$[1]'), ?4
                    FROM json_each(?3)
                    WHERE true
                    ON CONFLICT (organization_id, table_name, row_key) DO UPDATE
                    SET row = excluded.row, pass = excluded.pass";
        let parts = parts.into_iter().filter(|(_, part)| !part.is_empty());
        let handed = parts.map(|(_, part)| Statement {
            text,
            params: vec![organization.into(), self.name.as_str().into(), Json::from(part).to_string().into(), pass.into()],
        });
        Ok(handed.collect())
    }

    /// Inserts the arrived rows into this table.
    async fn insert_arrived(&self, database: &dyn Sql, organization: OrganizationId) -> Result<Option<Statement>> {
        let params = vec![Value::from(organization), Value::from(self.name.as_str())];
        let one = "SELECT organization_id, row
                   FROM arriving_rows
                   WHERE organization_id = ?1 AND table_name = ?2
                   LIMIT 1";
        let Some(first) = only(database.batch(vec![Statement { text: one, params: params.clone() }]).await?).into_iter().next() else {
            return Ok(None);
        };
        let row: Row = first.get("row").and_then(Json::as_str).and_then(|row| serde_json::from_str(row).ok()).unwrap_or_default();
        let columns: Vec<String> = row.keys().map(|column| format!("\"{column}\"")).collect();
        let values: Vec<String> = row.keys().map(|column| format!("json_extract(row, '$.\"{column}\"')")).collect();
        let text = format!(
            "INSERT INTO {} ({})
             SELECT {}
             FROM arriving_rows
             WHERE organization_id = ?1 AND table_name = ?2
             ORDER BY row_key",
            self.name,
            columns.join(", "),
            values.join(", ")
        );
        Ok(Some(statement(text, params)))
    }

    fn clear(&self, organization: OrganizationId) -> Statement {
        statement(format!("DELETE FROM {} WHERE organization_id = ?1", self.name), vec![organization.into()])
    }
}

/// Inserts all arrived rows into the tables, in one batch, which first deletes the rows of an earlier attempt.
pub async fn insert_all_arrived(database: &dyn Sql, tables: &[Table], organization: OrganizationId, now: Timestamp) -> Result<()> {
    let fence = "INSERT INTO fences (organization_id, state, since)
                 VALUES (?1, 'left', ?2)
                 ON CONFLICT (organization_id) DO UPDATE
                 SET state = 'left', since = excluded.since";
    let mut batch = vec![Statement { text: fence, params: vec![organization.into(), now.into()] }];
    batch.extend(tables.iter().rev().map(|table| table.clear(organization)));
    for table in tables {
        batch.extend(table.insert_arrived(database, organization).await?);
    }
    database.batch(batch).await?;
    Ok(())
}

/// Deletes all rows of an organization from one database, referring rows first.
pub async fn erase_all(database: &dyn Sql, organization: OrganizationId) -> Result<()> {
    for table in all(database).await?.iter().rev() {
        table.erase(database, organization).await?;
    }
    let text = "DELETE FROM arriving_rows WHERE organization_id = ?1";
    database.batch(vec![Statement { text, params: vec![organization.into()] }]).await?;
    Ok(())
}

fn bound(value: &Json) -> Value {
    match value {
        Json::Number(number) => number.as_i64().map_or(Value::Null, Value::Integer),
        Json::String(text) => Value::Text(text.clone()),
        _ => Value::Null,
    }
}

fn only(outcomes: Vec<super::sql::Outcome>) -> Vec<Row> {
    outcomes.into_iter().next().unwrap_or_default().rows
}

fn assert_owner(row: &Row, organization: OrganizationId) -> Result<()> {
    let owner = row.get("organization_id").and_then(Json::as_str);
    if owner == Some(organization.to_string().as_str()) {
        Ok(())
    } else {
        Err(Error::internal(format!("a row of {owner:?} was read as {organization}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(sql: &str) -> Table {
        read_definition(&Definition { name: "t".into(), sql: sql.into() })
    }

    #[test]
    fn keys_and_references_are_read_from_the_definition() {
        let table = read(
            "CREATE TABLE t (
               organization_id TEXT NOT NULL REFERENCES organizations (organization_id),
               a TEXT, -- PRIMARY KEY (no)
               PRIMARY KEY (organization_id, a, b),
               FOREIGN KEY (organization_id, p) REFERENCES \"t\" (organization_id, a)
             )",
        );
        assert_eq!((table.key, table.parents), (vec!["a".to_owned(), "b".to_owned()], vec!["organizations".to_owned(), "t".to_owned()]));
        assert!(read("CREATE TABLE t (organization_id TEXT NOT NULL PRIMARY KEY)").key.is_empty());
    }

    #[test]
    fn what_is_referred_to_comes_first() {
        let table = |name: &str, parents: &[&str]| Table {
            name: name.into(),
            key: Vec::new(),
            parents: parents.iter().map(|parent| (*parent).to_owned()).collect(),
        };
        let sorted = parents_first(vec![table("a", &["c"]), table("b", &["b", "a"]), table("c", &["elsewhere"])]);
        let names: Vec<&str> = sorted.iter().map(|table| table.name.as_str()).collect();
        assert_eq!(names, ["c", "a", "b"]);
    }
}
