//! The distinct values that unique metrics have counted, by period.
//!
//! They are in SQL only: a commit looks up the values of its events at once, and adds the new ones at once. A commit without a unique
//! metric costs nothing.

use std::collections::HashSet;

use serde_json::Value as Json;

use super::lists::List;
use super::requests::Event;
use super::rules::Rule;
use super::schema;
use crate::kernel::problem::Problem;
use crate::kernel::sql::{LocalSql, SqlError, Value};
use crate::kernel::time::Timestamp;

/// Longer values are kept as a derived value of fixed length.
const VALUE_BYTES_MAX: usize = 128;

/// Metric, start of the period, value.
type Seen = (String, Timestamp, String);

#[derive(Default)]
pub(super) struct Uniques {
    seen: HashSet<Seen>,
    fresh: Vec<Seen>,
}

impl Uniques {
    /// Looks up which of `asked` were seen before.
    pub fn find<S: LocalSql>(sql: &S, asked: Vec<Seen>) -> Result<Self, SqlError> {
        let mut uniques = Self::default();
        let mut list = List::default();
        for (metric, starts_at, value) in &asked {
            if list.is_full() {
                uniques.look_up(sql, list.take())?;
            }
            list.push_json(&schema::json(&(metric, starts_at.as_millis(), value))?);
        }
        if !list.is_empty() {
            uniques.look_up(sql, list.take())?;
        }
        Ok(uniques)
    }

    fn look_up<S: LocalSql>(&mut self, sql: &S, asked: String) -> Result<(), SqlError> {
        let text = "SELECT metric, period_starts_at, value
                    FROM uniques
                    WHERE (metric, period_starts_at, value) IN (
                      SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(?1)
                    )";
        for mut row in sql.run(text, &[Value::Text(asked)])? {
            let starts_at = row.get("period_starts_at").and_then(Json::as_i64).map(Timestamp::from_millis);
            if let (Some(Json::String(metric)), Some(starts_at), Some(Json::String(value))) =
                (row.remove("metric"), starts_at, row.remove("value"))
            {
                self.seen.insert((metric, starts_at, value));
            }
        }
        Ok(())
    }

    pub fn is_new(&self, metric: &str, starts_at: Timestamp, value: &str) -> bool {
        !self.seen.contains(&(metric.to_owned(), starts_at, value.to_owned()))
    }

    pub fn add(&mut self, metric: &str, starts_at: Timestamp, value: String) {
        let seen = (metric.to_owned(), starts_at, value);
        if self.seen.insert(seen.clone()) {
            self.fresh.push(seen);
        }
    }

    pub fn store<S: LocalSql>(self, sql: &S) -> Result<(), SqlError> {
        let mut list = List::default();
        let text = "INSERT OR IGNORE INTO uniques (metric, period_starts_at, value)
                    SELECT value ->> 0, value ->> 1, value ->> 2
                    FROM json_each(?1)";
        for (metric, starts_at, value) in &self.fresh {
            if list.is_full() {
                sql.run(text, &[Value::Text(list.take())])?;
            }
            list.push_json(&schema::json(&(metric, starts_at.as_millis(), value))?);
        }
        if !list.is_empty() {
            sql.run(text, &[Value::Text(list.take())])?;
        }
        Ok(())
    }
}

/// The value that a unique metric counts in an event; None for every other metric.
pub(super) fn value_of(rule: &Rule, event: &Event<'_>) -> Result<Option<String>, Problem> {
    let Some(property) = &rule.unique_property else { return Ok(None) };
    let value = event.metadata.as_ref().and_then(|metadata| metadata.members.get(property));
    match value {
        Some(value @ (Json::String(_) | Json::Number(_) | Json::Bool(_))) => Ok(Some(shortened(value.to_string()))),
        _ => {
            let detail =
                format!("{} counts the different values of metadata.{property}. Send it as a string, a number or a boolean.", event.metric);
            Err(Problem::refused(format!("/metadata/{property}"), "unique_property_missing", detail))
        }
    }
}

fn shortened(value: String) -> String {
    use crate::kernel::ids::{derive_bytes, encode_base32};
    if value.len() <= VALUE_BYTES_MAX { value } else { format!("derived:{}", encode_base32(derive_bytes(&["unique", &value]))) }
}
