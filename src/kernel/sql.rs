//! The SQL port: a database is something that runs a batch of statements, all or nothing.
//!
//! Owns: statements as data, rows as data, what a failure means. Does not own: any statement of a slice.
//! Invariant: a batch is one transaction. D1 runs it in the edge, a SQLite twin in native tests; `src/kernel/conformance.rs` lists
//! what both must do, and is run against both.

use futures::future::BoxFuture;
use serde::de::DeserializeOwned;
use serde_json::Map;

/// The largest integer a database behind the port takes: what a JavaScript number holds exactly, 2^53 - 1.
pub const INTEGER_MAX: i64 = 9_007_199_254_740_991;

/// A bound parameter. No floats: money and amounts are integers or decimal text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    Null,
    Integer(i64),
    Text(String),
}

/// One statement and its parameters. The text is constant, so that the database can keep it prepared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    pub text: &'static str,
    pub params: Vec<Value>,
}

/// A row by column name.
pub type Row = Map<String, serde_json::Value>;

/// What one statement of a batch gave.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    pub rows: Vec<Row>,
    pub changes: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SqlError {
    /// A UNIQUE or PRIMARY KEY constraint; the text names `table.column`.
    Unique(String),
    /// A CHECK constraint; the text names it.
    Check(String),
    /// A foreign key.
    ForeignKey,
    /// The database cannot answer now; the same batch may succeed later.
    Unavailable(String),
    /// Anything else: a mistake of ours.
    Broken(String),
}

/// A database. `batch` is atomic: either every statement took effect or none.
pub trait Sql: Send + Sync {
    fn batch(&self, statements: Vec<Statement>) -> BoxFuture<'_, Result<Vec<Outcome>, SqlError>>;
}

/// A small database that answers at once: the storage of a Durable Object.
/// Whoever calls it puts the calls that belong together into one transaction.
pub trait LocalSql {
    fn run(&self, text: &'static str, params: &[Value]) -> Result<Vec<Row>, SqlError>;

    /// Runs a statement that writes, and says how many rows it changed.
    fn write(&self, text: &'static str, params: &[Value]) -> Result<u64, SqlError> {
        self.run(text, params)?;
        let rows = self.run("SELECT changes() AS count", &[])?;
        Ok(rows.first().and_then(|row| row.get("count")).and_then(serde_json::Value::as_u64).unwrap_or(0))
    }
}

impl SqlError {
    /// Sorts SQLite's own message, which both D1 and the twin carry.
    pub fn from_message(message: &str) -> Self {
        if let Some(what) = after(message, "UNIQUE constraint failed: ") {
            Self::Unique(what)
        } else if let Some(what) = after(message, "CHECK constraint failed: ") {
            Self::Check(what)
        } else if message.contains("FOREIGN KEY constraint failed") {
            Self::ForeignKey
        } else if TRANSIENT.iter().any(|text| message.contains(text)) {
            Self::Unavailable(message.to_owned())
        } else {
            Self::Broken(message.to_owned())
        }
    }
}

/// D1's passing troubles, by their documented texts.
const TRANSIENT: [&str; 6] = [
    "Network connection lost",
    "code was updated",
    "caused object to be reset",
    "transient issue on remote node",
    "overloaded",
    "Too many requests queued",
];

/// The words behind `marker`, up to the end of the constraint's name.
fn after(message: &str, marker: &str) -> Option<String> {
    let (_, rest) = message.split_once(marker)?;
    let end = rest.find(": SQLITE").unwrap_or(rest.len());
    rest.get(..end).map(|what| what.trim().to_owned())
}

/// The name that serde gives a variant, for a column of text.
pub fn word(variant: &impl serde::Serialize) -> String {
    serde_json::to_value(variant).ok().and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default()
}

/// Reads a row into a struct whose fields are named like the columns.
pub fn decode<T: DeserializeOwned>(row: Row) -> Result<T, SqlError> {
    serde_json::from_value(serde_json::Value::Object(row)).map_err(|error| SqlError::Broken(format!("a row does not fit: {error}")))
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}
impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}
impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}
impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Integer(i64::from(number))
    }
}
impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Self::Integer(i64::from(truth))
    }
}
impl From<super::time::Timestamp> for Value {
    fn from(instant: super::time::Timestamp) -> Self {
        Self::Integer(instant.as_millis())
    }
}
impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// Columns of times hold milliseconds: `#[serde(with = "sql::millis")]`.
pub mod millis {
    use super::super::time::Timestamp;
    use serde::{Deserialize, Deserializer};
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        i64::deserialize(deserializer).map(Timestamp::from_millis)
    }
}

/// As [`millis`], for columns that may be NULL.
pub mod optional_millis {
    use super::super::time::Timestamp;
    use serde::{Deserialize, Deserializer};
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
        Ok(Option::<i64>::deserialize(deserializer)?.map(Timestamp::from_millis))
    }
}

/// SQLite has no booleans: 0 and 1.
pub mod truth {
    use serde::{Deserialize, Deserializer};
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
        i64::deserialize(deserializer).map(|number| number != 0)
    }
}

/// Columns that hold JSON text.
pub mod json {
    use serde::de::DeserializeOwned;
    use serde::{Deserialize, Deserializer};
    pub fn deserialize<'de, D: Deserializer<'de>, T: DeserializeOwned>(deserializer: D) -> Result<T, D::Error> {
        let text = String::deserialize(deserializer)?;
        serde_json::from_str(&text).map_err(serde::de::Error::custom)
    }
}

/// As [`json`], for columns that may be NULL.
pub mod optional_json {
    use serde::de::DeserializeOwned;
    use serde::{Deserialize, Deserializer};
    pub fn deserialize<'de, D: Deserializer<'de>, T: DeserializeOwned>(deserializer: D) -> Result<Option<T>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|text| serde_json::from_str(&text).map_err(serde::de::Error::custom)).transpose()
    }
}
