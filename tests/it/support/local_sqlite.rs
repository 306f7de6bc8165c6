//! A Durable Object's storage, natively: SQLite in memory, with the platform's habits (numbers are bound as doubles).

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use rusqlite::types::{Value as Bound, ValueRef};
use rusqlite::{Connection, params_from_iter};
use tenantry::kernel::sql::{LocalSql, Row, SqlError, Value};

use super::lines::Lines;
use super::sqlite::{STATEMENTS_MAX, copy_rows};

/// Clones share one database, as the objects that follow each other under one name do.
#[derive(Clone)]
pub struct LocalSqlite {
    connection: Arc<Mutex<Connection>>,
    /// How many statements still succeed; None: all.
    budget: Arc<Mutex<Option<u32>>>,
    statements: Arc<AtomicU64>,
    lines: Arc<Lines>,
}

impl LocalSqlite {
    pub fn new() -> Self {
        Self::over(Connection::open_in_memory().expect("SQLite opens in memory"))
    }

    /// A database of its own with the same rows.
    pub fn copy(&self) -> Self {
        let copy = Self::new();
        copy_rows(&self.connection.lock().unwrap(), &mut copy.connection.lock().unwrap());
        copy
    }

    fn over(connection: Connection) -> Self {
        connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
        Self { connection: Arc::new(Mutex::new(connection)), budget: Arc::default(), statements: Arc::default(), lines: Arc::default() }
    }

    /// `transactionSync`: an error undoes everything.
    pub fn transaction<T>(&self, work: impl FnOnce() -> Result<T, SqlError>) -> Result<T, SqlError> {
        self.execute("BEGIN").expect("a transaction begins");
        let result = work();
        let end = if result.is_ok() { "COMMIT" } else { "ROLLBACK" };
        self.execute(end).expect("a transaction ends");
        result
    }

    /// Lets `count` more statements succeed, then fails every one.
    pub fn fail_after(&self, count: u32) {
        *self.budget.lock().unwrap() = Some(count);
    }

    pub fn recover(&self) {
        *self.budget.lock().unwrap() = None;
    }

    /// Statements run so far.
    pub fn statements(&self) -> u64 {
        self.statements.load(Ordering::Relaxed)
    }

    /// Changes what is stored behind the actor's back.
    pub fn forget(&self, text: &str) {
        self.execute(text).expect("the statement runs");
    }

    /// Every table with all its rows, to compare two states, without when a key was used: that is noted with any request.
    pub fn lines(&self) -> Arc<Vec<String>> {
        self.lines.of(&self.connection.lock().unwrap(), "key_uses")
    }

    pub fn dump(&self) -> Vec<String> {
        self.lines().to_vec()
    }

    /// The names of the tables, in order.
    pub fn tables(&self) -> Vec<String> {
        let rows = self.rows("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name", &[]).expect("tables are listed");
        rows.iter().filter_map(|row| row["name"].as_str()).map(str::to_owned).collect()
    }

    fn execute(&self, text: &str) -> rusqlite::Result<()> {
        self.connection.lock().unwrap().execute_batch(text)
    }

    fn rows(&self, text: &str, params: &[Value]) -> rusqlite::Result<Vec<Row>> {
        let connection = self.connection.lock().unwrap();
        let mut statement = connection.prepare_cached(text)?;
        let names: Vec<String> = statement.column_names().into_iter().map(str::to_owned).collect();
        let bound = params.iter().map(|param| match param {
            Value::Null => Bound::Null,
            Value::Integer(number) => Bound::Real(*number as f64),
            Value::Text(text) => Bound::Text(text.clone()),
        });
        let rows = statement.query_map(params_from_iter(bound), |row| {
            names.iter().enumerate().map(|(index, name)| Ok((name.clone(), json(row.get_ref(index)?)))).collect::<rusqlite::Result<Row>>()
        })?;
        rows.collect()
    }
}

impl LocalSql for LocalSqlite {
    fn run(&self, text: &'static str, params: &[Value]) -> Result<Vec<Row>, SqlError> {
        self.statements.fetch_add(1, Ordering::Relaxed);
        let mut budget = self.budget.lock().unwrap();
        match *budget {
            Some(0) => return Err(SqlError::Unavailable("the disk is gone".to_owned())),
            Some(left) => *budget = Some(left - 1),
            None => {}
        }
        drop(budget);
        self.rows(text, params).map_err(|error| SqlError::from_message(&error.to_string()))
    }
}

fn json(value: ValueRef<'_>) -> serde_json::Value {
    match value {
        ValueRef::Null => serde_json::Value::Null,
        ValueRef::Integer(number) => number.into(),
        ValueRef::Real(number) => number.into(),
        ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned().into(),
        ValueRef::Blob(_) => panic!("no blobs are stored"),
    }
}
