//! Idempotency: one key counts once, and a repeated request is answered as it was the first time.
//!
//! Owns: the keys of usage, for 35 days of the organization's time, and their pruning. Does not own: what is counted.
//! Words: a *record* is a fingerprint, a space, and what it takes to give the answer again.
//! Invariant: a claim commits with its effect. Refusals are not recorded: they changed nothing, and a retry may well succeed.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::{Deserialize, Serialize};

use crate::kernel::idempotency::mismatch;
use crate::kernel::problem::Problem;
use crate::kernel::sql::{LocalSql, SqlError, Value};
use crate::kernel::time::{Timestamp, hours, seconds};

use super::plan::REMEMBERED;
use super::requests::Claim;
use super::schema;

/// Bytes of one statement's JSON parameter: well below the 2 MB that one value may have.
const PARAMETER_BYTES_MAX: usize = 512 * 1024;

/// The claims of a group: those found stored, and those it adds.
#[derive(Default)]
pub(super) struct Claims {
    known: HashMap<String, String>,
    /// Sorted, because neighbours are inserted cheaper.
    fresh: BTreeMap<String, String>,
}

impl Claims {
    /// Looks up all keys of a group at once.
    pub fn find<'a, S: LocalSql>(sql: &S, keys: impl Iterator<Item = &'a str>, now: Timestamp) -> Result<Self, SqlError> {
        let keys: HashSet<&str> = keys.collect();
        let mut claims = Self::default();
        let mut parameter = Parameter::default();
        for key in keys {
            if parameter.is_full() {
                claims.look_up(sql, parameter.take_list(), now)?;
            }
            parameter.push(&schema::json(&key)?);
        }
        if !parameter.is_empty() {
            claims.look_up(sql, parameter.take_list(), now)?;
        }
        Ok(claims)
    }

    fn look_up<S: LocalSql>(&mut self, sql: &S, keys: String, now: Timestamp) -> Result<(), SqlError> {
        let text = "SELECT key, record FROM replays WHERE key IN (SELECT value FROM json_each(?1)) AND created_at > ?2";
        for mut row in sql.run(text, &[Value::Text(keys), now.minus(REMEMBERED).into()])? {
            if let (Some(serde_json::Value::String(key)), Some(serde_json::Value::String(record))) =
                (row.remove("key"), row.remove("record"))
            {
                self.known.insert(key, record);
            }
        }
        Ok(())
    }

    /// What was recorded under this claim; a refusal when the key stands for another request.
    pub fn recorded(&self, claim: &Claim) -> Result<Option<&str>, Problem> {
        let Some(record) = self.fresh.get(&claim.key).or_else(|| self.known.get(&claim.key)) else { return Ok(None) };
        match record.split_once(' ') {
            Some((fingerprint, outcome)) if fingerprint == claim.fingerprint => Ok(Some(outcome)),
            _ => Err(mismatch()),
        }
    }

    pub fn record(&mut self, claim: &Claim, outcome: &str) {
        self.fresh.insert(claim.key.clone(), format!("{} {outcome}", claim.fingerprint));
    }

    /// Writes what the group added, and tells whether it added anything.
    pub fn store<S: LocalSql>(self, sql: &S, now: Timestamp) -> Result<bool, SqlError> {
        let text = "INSERT OR REPLACE INTO replays (key, record, created_at) SELECT key, value, ?2 FROM json_each(?1)";
        let mut parameter = Parameter::default();
        let adds = !self.fresh.is_empty();
        for (key, record) in self.fresh {
            if parameter.is_full() {
                sql.run(text, &[Value::Text(parameter.take_object()), now.into()])?;
            }
            parameter.push(&format!("{}:{}", schema::json(&key)?, schema::json(&record)?));
        }
        if !parameter.is_empty() {
            sql.run(text, &[Value::Text(parameter.take_object()), now.into()])?;
        }
        Ok(adds)
    }
}

/// Members of a JSON list or object, for `json_each`.
#[derive(Default)]
struct Parameter(String);

impl Parameter {
    fn push(&mut self, member: &str) {
        if !self.0.is_empty() {
            self.0.push(',');
        }
        self.0.push_str(member);
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn is_full(&self) -> bool {
        self.0.len() > PARAMETER_BYTES_MAX
    }

    fn take_list(&mut self) -> String {
        format!("[{}]", std::mem::take(&mut self.0))
    }

    fn take_object(&mut self) -> String {
        format!("{{{}}}", std::mem::take(&mut self.0))
    }
}

/// Forgetting old keys: once a day a walk over all of them, a slice per alarm. Times are the wall's.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Pruning {
    /// The last key that the present walk has seen; empty between walks.
    walked_to: String,
    /// None while there is no key at all.
    due_at: Option<Timestamp>,
}

const SETTING: &str = "pruning";
/// Keys that one alarm looks at; stands in the statement below as well.
const SLICE: i64 = 2_000;
const BETWEEN_WALKS: std::time::Duration = hours(24);
const BETWEEN_SLICES: std::time::Duration = seconds(1);

impl Pruning {
    pub fn load<S: LocalSql>(sql: &S) -> Result<Self, SqlError> {
        schema::setting(sql, SETTING)?.map_or(Ok(Self::default()), |text| schema::parse(SETTING, &text))
    }

    pub fn due_at(&self) -> Option<Timestamp> {
        self.due_at
    }

    /// There are keys, so there will be something to forget.
    pub fn expect<S: LocalSql>(&mut self, sql: &S, wall: Timestamp) -> Result<(), SqlError> {
        if self.due_at.is_some() {
            return Ok(());
        }
        self.due_at = Some(wall.plus(BETWEEN_WALKS));
        self.store(sql)
    }

    /// Forgets the old keys of the next slice, if one is due.
    pub fn prune<S: LocalSql>(&mut self, sql: &S, now: Timestamp, wall: Timestamp) -> Result<(), SqlError> {
        if self.due_at.is_none_or(|due_at| due_at > wall) {
            return Ok(());
        }
        let slice = "SELECT MAX(key) AS last, COUNT(*) AS count FROM (SELECT key FROM replays WHERE key > ?1 ORDER BY key LIMIT 2000)";
        let mut row = sql.run(slice, &[self.walked_to.as_str().into()])?.into_iter().next().unwrap_or_default();
        let count = row.get("count").and_then(serde_json::Value::as_i64).unwrap_or(0);
        if let Some(serde_json::Value::String(last)) = row.remove("last") {
            let text = "DELETE FROM replays WHERE key > ?1 AND key <= ?2 AND created_at <= ?3";
            sql.run(text, &[self.walked_to.as_str().into(), last.as_str().into(), now.minus(REMEMBERED).into()])?;
            self.walked_to = last;
        }
        if count < SLICE {
            self.walked_to = String::new();
            let is_any_left = !sql.run("SELECT key FROM replays LIMIT 1", &[])?.is_empty();
            self.due_at = is_any_left.then(|| wall.plus(BETWEEN_WALKS));
        } else {
            self.due_at = Some(wall.plus(BETWEEN_SLICES));
        }
        self.store(sql)
    }

    fn store<S: LocalSql>(&self, sql: &S) -> Result<(), SqlError> {
        schema::set(sql, SETTING, schema::json(self)?)
    }
}
