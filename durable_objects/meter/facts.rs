//! The outbox: facts that the Meter raised, until they are committed elsewhere.
//!
//! Invariant: a fact commits with the count that caused it, gets a number that is never used again, and waits here until acknowledged.

use serde::Deserialize;

use super::schema;
use super::schema::number;
use crate::events::Event;
use crate::kernel::sql as columns;
use crate::kernel::sql::{LocalSql, SqlError, Value, decode};
use crate::kernel::time::Timestamp;
use crate::meter::contract::{Fact, PendingFacts};

/// How long the first fact waits for others to be delivered with it.
const GATHERED: std::time::Duration = std::time::Duration::from_millis(200);
const SETTING: &str = "acknowledgedThrough";

#[derive(Default)]
pub(super) struct Facts {
    last: u64,
    acknowledged: u64,
    /// Raised in this group, not yet written.
    fresh: Vec<Fact>,
    due_at: Option<Timestamp>,
}

#[derive(Deserialize)]
struct Row {
    sequence: u64,
    name: String,
    version: u32,
    #[serde(with = "columns::json")]
    data: serde_json::Value,
    #[serde(with = "columns::millis")]
    occurred_at: Timestamp,
}

impl Facts {
    pub fn load<S: LocalSql>(sql: &S, wall: Timestamp) -> Result<Self, SqlError> {
        let rows = sql.run("SELECT COALESCE(MAX(sequence), 0) AS last FROM facts", &[])?;
        let last = rows.first().and_then(|row| row.get("last")).and_then(serde_json::Value::as_u64).unwrap_or(0);
        let acknowledged = schema::setting(sql, SETTING)?.map_or(Ok(0), |text| schema::parse(SETTING, &text))?;
        let due_at = (acknowledged < last).then_some(wall);
        Ok(Self { last, acknowledged, fresh: Vec::new(), due_at })
    }

    /// When waiting facts should be delivered, by the wall clock.
    pub fn due_at(&self) -> Option<Timestamp> {
        self.due_at
    }

    pub fn raise(&mut self, event: &Event, now: Timestamp, wall: Timestamp) {
        self.last = self.last.saturating_add(1);
        self.due_at.get_or_insert(wall.plus(GATHERED));
        self.fresh.push(Fact {
            sequence: self.last,
            name: event.wire_name().to_owned(),
            version: event.version(),
            data: event.data(),
            occurred_at: now,
        });
    }

    pub fn store<S: LocalSql>(&mut self, sql: &S) -> Result<(), SqlError> {
        let text = "INSERT INTO facts (sequence, name, version, data, occurred_at) VALUES (?1, ?2, ?3, ?4, ?5)";
        for fact in self.fresh.drain(..) {
            let data = Value::Text(fact.data.to_string());
            sql.run(text, &[number(fact.sequence), fact.name.into(), fact.version.into(), data, fact.occurred_at.into()])?;
        }
        Ok(())
    }

    pub fn pending<S: LocalSql>(&self, sql: &S) -> Result<PendingFacts, SqlError> {
        let text = "SELECT sequence, name, version, data, occurred_at
                    FROM facts
                    WHERE sequence > ?1
                    ORDER BY sequence
                    LIMIT 100";
        let facts = sql.run(text, &[number(self.acknowledged)])?.into_iter().map(|row| {
            let Row { sequence, name, version, data, occurred_at } = decode(row)?;
            Ok(Fact { sequence, name, version, data, occurred_at })
        });
        Ok(PendingFacts { facts: facts.collect::<Result<_, SqlError>>()? })
    }

    /// Deletes the facts that are committed elsewhere. The newest row stays, so that its number is not given twice.
    pub fn acknowledge<S: LocalSql>(&mut self, sql: &S, through: u64, wall: Timestamp) -> Result<(), SqlError> {
        let through = through.min(self.last);
        if through <= self.acknowledged {
            return Ok(());
        }
        self.acknowledged = through;
        self.due_at = (through < self.last).then(|| wall.plus(GATHERED));
        schema::set(sql, SETTING, through.to_string())?;
        sql.run("DELETE FROM facts WHERE sequence <= ?1 AND sequence < ?2", &[number(through), number(self.last)])?;
        Ok(())
    }
}
