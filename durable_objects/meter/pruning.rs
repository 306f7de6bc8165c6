//! Pruning: once a day a walk over everything older than the lifetime of idempotency keys, a bounded slice per alarm.
//!
//! Invariants: the newest commit stays, and so does what the roll-up has not counted yet. A key goes when its commit does, or after.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::log::FORGOTTEN_HASH;
use super::reservations::Reservations;
use super::roll_up::RollUp;
use super::rules::{REMEMBERED, Rules};
use super::schema;
use super::schema::number;
use crate::kernel::sql::{LocalSql, SqlError};
use crate::kernel::time::{Timestamp, hours, seconds};

/// Times are the wall's.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Pruning {
    /// The last key that the present walk has seen; empty between walks.
    walked_to: String,
    /// None while there is nothing to prune.
    due_at: Option<Timestamp>,
}

const SETTING: &str = "pruning";
/// Keys and commits that one alarm looks at; they stand in the statements below as well.
const KEYS: i64 = 2_000;
const COMMITS: usize = 500;
const BETWEEN_WALKS: std::time::Duration = hours(24);
const BETWEEN_SLICES: std::time::Duration = seconds(1);

impl Pruning {
    pub fn load<S: LocalSql>(sql: &S) -> Result<Self, SqlError> {
        schema::setting(sql, SETTING)?.map_or(Ok(Self::default()), |text| schema::parse(SETTING, &text))
    }

    pub fn due_at(&self) -> Option<Timestamp> {
        self.due_at
    }

    /// Schedules the first walk: something was recorded, so there will be something to prune.
    pub fn expect<S: LocalSql>(&mut self, sql: &S, wall: Timestamp) -> Result<(), SqlError> {
        if self.due_at.is_some() {
            return Ok(());
        }
        self.due_at = Some(wall.plus(BETWEEN_WALKS));
        self.store(sql)
    }

    /// Deletes the old rows of the next slice, if one is due.
    pub fn prune<S: LocalSql>(&mut self, sql: &S, rules: &Rules, roll_up: &RollUp, wall: Timestamp) -> Result<(), SqlError> {
        if self.due_at.is_none_or(|due_at| due_at > wall) {
            return Ok(());
        }
        let now = rules.now(wall);
        let oldest = now.minus(REMEMBERED);
        let more_commits = forget_commits(sql, oldest, roll_up)?;
        let more_keys = self.forget_keys(sql, oldest)?;
        forget_uniques(sql, rules.period_of(oldest).starts_at)?;
        forget_buckets(sql, oldest, roll_up)?;
        Reservations::prune(sql, now)?;
        let is_any_left = || {
            Ok::<_, SqlError>(
                any(sql, "SELECT key FROM claims LIMIT 1")?
                    || any(sql, "SELECT number FROM commits LIMIT 1 OFFSET 1")?
                    || any(sql, "SELECT id FROM reservations LIMIT 1")?,
            )
        };
        self.due_at =
            if more_commits || more_keys { Some(wall.plus(BETWEEN_SLICES)) } else { is_any_left()?.then(|| wall.plus(BETWEEN_WALKS)) };
        self.store(sql)
    }

    /// Walks over the keys and deletes those of deleted or old commits. Gives whether there are more.
    fn forget_keys<S: LocalSql>(&mut self, sql: &S, oldest: Timestamp) -> Result<bool, SqlError> {
        let slice = "SELECT MAX(key) AS last, COUNT(*) AS count
                     FROM (SELECT key FROM claims WHERE key > ?1 ORDER BY key LIMIT 2000)";
        let mut row = sql.run(slice, &[self.walked_to.as_str().into()])?.into_iter().next().unwrap_or_default();
        let count = row.get("count").and_then(Json::as_i64).unwrap_or(0);
        if let Some(Json::String(last)) = row.remove("last") {
            let text = "DELETE FROM claims
                        WHERE key > ?1
                          AND key <= ?2
                          AND number < COALESCE(
                            (SELECT MIN(number) FROM commits WHERE at > ?3), (SELECT MAX(number) + 1 FROM commits)
                          )";
            sql.run(text, &[self.walked_to.as_str().into(), last.as_str().into(), oldest.into()])?;
            self.walked_to = last;
        }
        if count < KEYS {
            self.walked_to = String::new();
        }
        Ok(count >= KEYS)
    }

    fn store<S: LocalSql>(&self, sql: &S) -> Result<(), SqlError> {
        schema::set(sql, SETTING, schema::json(self)?)
    }
}

/// Deletes old commits that were rolled up, but never the newest. Gives whether there may be more.
fn forget_commits<S: LocalSql>(sql: &S, oldest: Timestamp, roll_up: &RollUp) -> Result<bool, SqlError> {
    let text = "SELECT number, hash
                FROM commits
                WHERE at <= ?1
                  AND number <= ?2
                  AND number < (SELECT MAX(number) FROM commits)
                ORDER BY number
                LIMIT 500";
    let rows = sql.run(text, &[oldest.into(), number(roll_up.through)])?;
    let Some(newest) = rows.last() else { return Ok(false) };
    let hash = newest.get("hash").and_then(Json::as_str).unwrap_or_default();
    schema::set(sql, FORGOTTEN_HASH, hash.to_owned())?;
    sql.run("DELETE FROM commits WHERE number <= ?1", &[number(newest.get("number").and_then(Json::as_u64).unwrap_or(0))])?;
    Ok(rows.len() >= COMMITS)
}

/// Values of periods in which nothing can be counted any more.
fn forget_uniques<S: LocalSql>(sql: &S, since: Timestamp) -> Result<(), SqlError> {
    let text = "DELETE FROM uniques
                WHERE (metric, period_starts_at, value) IN (
                  SELECT metric, period_starts_at, value FROM uniques WHERE period_starts_at < ?1 LIMIT 2000
                )";
    sql.run(text, &[since.into()]).map(|_| ())
}

/// Buckets of hours in which nothing can be counted any more; the tenant's database has them. None while there is something to roll
/// up: it may be for one of these hours.
fn forget_buckets<S: LocalSql>(sql: &S, oldest: Timestamp, roll_up: &RollUp) -> Result<(), SqlError> {
    let text = "DELETE FROM buckets
                WHERE hour < ?1
                  AND version <= ?2
                  AND NOT EXISTS (SELECT number FROM commits WHERE number > ?3)";
    let values = [oldest.minus(hours(1)).into(), number(roll_up.acknowledged()), number(roll_up.through)];
    sql.run(text, &values).map(|_| ())
}

fn any<S: LocalSql>(sql: &S, text: &'static str) -> Result<bool, SqlError> {
    Ok(!sql.run(text, &[])?.is_empty())
}
