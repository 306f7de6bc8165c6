//! The roll-up: hourly buckets of the log, to be stored in the tenant's database.
//!
//! It reads the log, never the hot path: a request pays nothing for it. Each commit is counted into its buckets once, in the
//! transaction that stores the roll-up's position; so an alarm that is lost, late or repeated changes nothing.
//! Invariants:
//! - After a complete roll-up, the sum of a metric's buckets of a period equals the sum of the period's events.
//! - A bucket's version grows with each change of it, and no two changes of a Meter have the same.

use std::collections::BTreeMap;

use rating::Quantity;
use serde::{Deserialize, Serialize};

use super::book::quantity;
use super::lists::List;
use super::log::{Body, Stored};
use super::schema;
use super::schema::number;
use crate::kernel::sql as columns;
use crate::kernel::sql::{LocalSql, SqlError, Value, decode};
use crate::kernel::time::{Timestamp, seconds};
use crate::meter::contract::{Bucket, RolledUp};
use crate::meter::vocabulary::Aggregation;

const SETTING: &str = "rollUp";
/// Events of one slice, and commits: after so many the next alarm continues.
const EVENTS_MAX: usize = 5_000;
const COMMITS_MAX: usize = 1_000;
/// Buckets of one reply; stands in the statement below as well.
const BUCKETS_MAX: usize = 500;
/// How long the first event waits for others to be rolled up with it.
const GATHERED: std::time::Duration = seconds(60);
const HOUR_MILLIS: i64 = 3_600_000;

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RollUp {
    /// The last commit that is in the buckets.
    pub through: u64,
    /// Of the last change of any bucket.
    version: u64,
    /// The buckets of up to this version are stored elsewhere.
    acknowledged: u64,
    #[serde(skip)]
    due_at: Option<Timestamp>,
}

/// Metric, start of the period, hour.
type Place = (String, i64, i64);

#[derive(Deserialize)]
struct Row {
    metric: String,
    #[serde(with = "columns::millis")]
    period_starts_at: Timestamp,
    #[serde(with = "columns::millis")]
    hour: Timestamp,
    count: u64,
    #[serde(deserialize_with = "quantity")]
    sum: Quantity,
    #[serde(deserialize_with = "quantity")]
    max: Quantity,
    #[serde(deserialize_with = "quantity")]
    last: Quantity,
    #[serde(with = "columns::millis")]
    last_at: Timestamp,
    uniques: u64,
    version: u64,
}

impl RollUp {
    pub fn load<S: LocalSql>(sql: &S, newest: u64, wall: Timestamp) -> Result<Self, SqlError> {
        let mut roll_up: Self = schema::setting(sql, SETTING)?.map_or(Ok(Self::default()), |text| schema::parse(SETTING, &text))?;
        roll_up.note(newest, wall);
        Ok(roll_up)
    }

    pub fn due_at(&self) -> Option<Timestamp> {
        self.due_at
    }

    /// There are commits up to `newest`.
    pub fn note(&mut self, newest: u64, wall: Timestamp) {
        if self.due_at.is_none() && (self.through < newest || self.acknowledged < self.version) {
            self.due_at = Some(wall.plus(GATHERED));
        }
    }

    /// Up to which hour's buckets may be forgotten: those that are stored elsewhere.
    pub fn acknowledged(&self) -> u64 {
        self.acknowledged
    }

    /// Counts the next slice of the log, and gives the buckets to store.
    pub fn run<S: LocalSql>(&mut self, sql: &S, wall: Timestamp) -> Result<RolledUp, SqlError> {
        let mut places: BTreeMap<Place, Bucket> = BTreeMap::new();
        let (mut events, mut commits, mut through) = (0_usize, 0_usize, self.through);
        let mut is_behind = false;
        while let Some(stored) = Stored::next(sql, through)? {
            if events >= EVENTS_MAX || commits >= COMMITS_MAX {
                is_behind = true;
                break;
            }
            events = events.saturating_add(count(&stored, &mut places)?);
            commits = commits.saturating_add(1);
            through = stored.number;
        }
        if through > self.through {
            self.merge(sql, &mut places)?;
            self.write(sql, &places)?;
            self.through = through;
            self.store(sql)?;
        }
        let buckets = self.pending(sql)?;
        let has_more = is_behind || buckets.len() >= BUCKETS_MAX;
        // Until they are acknowledged they are due again.
        self.due_at = (has_more || !buckets.is_empty()).then(|| wall.plus(GATHERED));
        Ok(RolledUp { buckets, has_more })
    }

    /// These buckets are stored elsewhere.
    pub fn acknowledge<S: LocalSql>(&mut self, sql: &S, through: u64) -> Result<(), SqlError> {
        let through = through.min(self.version);
        if through <= self.acknowledged {
            return Ok(());
        }
        self.acknowledged = through;
        if self.acknowledged == self.version {
            self.due_at = None;
        }
        self.store(sql)
    }

    /// Adds what the buckets held before.
    fn merge<S: LocalSql>(&mut self, sql: &S, places: &mut BTreeMap<Place, Bucket>) -> Result<(), SqlError> {
        let mut list = List::default();
        let mut known = Vec::new();
        let text = "SELECT metric, period_starts_at, hour, count, sum, max, last, last_at, uniques, version
                    FROM buckets
                    WHERE (metric, period_starts_at, hour) IN (
                      SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(?1)
                    )";
        for place in places.keys() {
            if list.is_full() {
                known.extend(sql.run(text, &[Value::Text(list.take())])?);
            }
            list.push_json(&schema::json(place)?);
        }
        if !list.is_empty() {
            known.extend(sql.run(text, &[Value::Text(list.take())])?);
        }
        for row in known {
            let row: Row = decode(row)?;
            let place = (row.metric.clone(), row.period_starts_at.as_millis(), row.hour.as_millis());
            if let Some(fresh) = places.get_mut(&place) {
                let before = row.into_bucket();
                *fresh = before.with(fresh)?;
            }
        }
        for bucket in places.values_mut() {
            self.version = self.version.saturating_add(1);
            bucket.version = self.version;
        }
        Ok(())
    }

    fn write<S: LocalSql>(&self, sql: &S, places: &BTreeMap<Place, Bucket>) -> Result<(), SqlError> {
        let text = "INSERT OR REPLACE INTO buckets
                      (metric, period_starts_at, hour, count, sum, max, last, last_at, uniques, version)
                    SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6,
                      value ->> 7, value ->> 8, value ->> 9
                    FROM json_each(?1)";
        let mut list = List::default();
        for ((metric, period, hour), bucket) in places {
            if list.is_full() {
                sql.run(text, &[Value::Text(list.take())])?;
            }
            let Bucket { count, sum, max, last, last_at, uniques, version, .. } = bucket;
            let (sum, max, last) = (sum.to_string(), max.to_string(), last.to_string());
            list.push_json(&schema::json(&(metric, period, hour, count, sum, max, last, last_at.as_millis(), uniques, version))?);
        }
        if !list.is_empty() {
            sql.run(text, &[Value::Text(list.take())])?;
        }
        Ok(())
    }

    fn pending<S: LocalSql>(&self, sql: &S) -> Result<Vec<Bucket>, SqlError> {
        let text = "SELECT metric, period_starts_at, hour, count, sum, max, last, last_at, uniques, version
                    FROM buckets
                    WHERE version > ?1
                    ORDER BY version
                    LIMIT 500";
        sql.run(text, &[number(self.acknowledged)])?.into_iter().map(|row| Ok(decode::<Row>(row)?.into_bucket())).collect()
    }

    fn store<S: LocalSql>(&self, sql: &S) -> Result<(), SqlError> {
        schema::set(sql, SETTING, schema::json(self)?)
    }
}

/// Counts a commit's events into buckets, and gives their number.
fn count(stored: &Stored, places: &mut BTreeMap<Place, Bucket>) -> Result<usize, SqlError> {
    let body = Body::read(&stored.body)?;
    for event in &body.events {
        let metric_period =
            body.metric_periods.get(event.0).ok_or_else(|| SqlError::Broken("a stored event has no standing".to_owned()))?;
        let at = event.4.unwrap_or(stored.at.as_millis());
        let hour = at.div_euclid(HOUR_MILLIS).saturating_mul(HOUR_MILLIS);
        let is_unique = metric_period.1 == Aggregation::Unique;
        let fresh = Bucket {
            metric: metric_period.0.clone(),
            period_starts_at: Timestamp::from_millis(metric_period.3),
            hour: Timestamp::from_millis(hour),
            count: 1,
            sum: event.1,
            max: event.1,
            last: event.1,
            last_at: Timestamp::from_millis(at),
            uniques: if is_unique { u64::from(!event.1.is_zero()) } else { 0 },
            version: 0,
        };
        let place = (metric_period.0.clone(), metric_period.3, hour);
        match places.get_mut(&place) {
            Some(known) => *known = known.with(&fresh)?,
            None => {
                places.insert(place, fresh);
            }
        }
    }
    Ok(body.events.len())
}

impl Row {
    fn into_bucket(self) -> Bucket {
        let Self { metric, period_starts_at, hour, count, sum, max, last, last_at, uniques, version } = self;
        Bucket { metric, period_starts_at, hour, count, sum, max, last, last_at, uniques, version }
    }
}

impl Bucket {
    /// This one and what was recorded after it.
    fn with(&self, later: &Self) -> Result<Self, SqlError> {
        let sum = self.sum.checked_add(later.sum).map_err(|_| SqlError::Broken("a bucket is too large".to_owned()))?;
        let (last, last_at) = if later.last_at >= self.last_at { (later.last, later.last_at) } else { (self.last, self.last_at) };
        Ok(Self {
            count: self.count.saturating_add(later.count),
            sum,
            max: self.max.max(later.max),
            last,
            last_at,
            uniques: self.uniques.saturating_add(later.uniques),
            ..self.clone()
        })
    }
}
