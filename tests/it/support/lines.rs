//! What a database holds, line by line, to compare two states. It is read again only when a row or a table changed since.

use std::sync::{Arc, Mutex};

use rusqlite::Connection;
use serde_json::{Map, Value};

use super::sqlite::to_json;

/// SQLite's counts of changed rows and of changed tables.
type Version = (u64, i64);

#[derive(Default)]
pub struct Lines(Mutex<Option<(Version, Arc<Vec<String>>)>>);

impl Lines {
    /// `table {"column":"value"}` for each row of each table but one. When something was used last is left out: it is noted with any
    /// request, also with one that is refused.
    pub fn of(&self, connection: &Connection, left_out: &str) -> Arc<Vec<String>> {
        let version = (connection.total_changes(), connection.query_row("PRAGMA schema_version", [], |row| row.get(0)).unwrap());
        let mut kept = self.0.lock().unwrap();
        match &*kept {
            Some((of, lines)) if *of == version => lines.clone(),
            _ => {
                let lines = Arc::new(read(connection, left_out).unwrap());
                *kept = Some((version, lines.clone()));
                lines
            }
        }
    }
}

fn read(connection: &Connection, left_out: &str) -> rusqlite::Result<Vec<String>> {
    let mut names = connection.prepare_cached("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")?;
    let names: Vec<String> = names.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    let mut lines = Vec::new();
    for name in names.iter().filter(|name| *name != left_out) {
        let mut statement = connection.prepare_cached(&format!("SELECT * FROM {name}"))?;
        let columns: Vec<String> = statement.column_names().into_iter().map(str::to_owned).collect();
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let values = columns.iter().enumerate().filter(|(_, column)| *column != "last_used_at");
            let values = values.map(|(index, column)| Ok((column.clone(), to_json(row.get_ref(index)?))));
            let values: Map<String, Value> = values.collect::<rusqlite::Result<_>>()?;
            lines.push(format!("{name} {}", Value::Object(values)));
        }
    }
    Ok(lines)
}

#[test]
fn lines_are_read_again_after_any_change() {
    let connection = Connection::open_in_memory().unwrap();
    let lines = Lines::default();
    let read = || lines.of(&connection, "secret");
    assert!(read().is_empty());
    let mut before = read();
    for change in [
        "CREATE TABLE a (b, last_used_at); CREATE TABLE secret (c)",
        "INSERT INTO a VALUES (1, 7), (2, 7)",
        "UPDATE a SET b = 3 WHERE b = 1",
        "DELETE FROM a WHERE b = 2",
        "INSERT INTO a SELECT 4, 5; ALTER TABLE a RENAME TO d",
        "DELETE FROM d",
    ] {
        connection.execute_batch(change).unwrap();
        assert!(!Arc::ptr_eq(&before, &read()), "{change}");
        before = read();
        assert!(Arc::ptr_eq(&before, &read()), "nothing changed after {change}");
    }
    connection.execute_batch("INSERT INTO d VALUES (1, 2); INSERT INTO secret VALUES (3)").unwrap();
    assert_eq!(*read(), [r#"d {"b":1}"#]);
}
