//! Idempotency: one key counts once, and a repeated request gets its first answer.
//!
//! Words: a commit *claims* the keys of its requests; a key is *repeated* when it was claimed before, or occurs twice in one commit.
//! Owns: which keys are new. Does not own: what was answered, which the log keeps (`log.rs`).
//! Invariants:
//! - A claim commits with its effect. Keys of refused requests are released: nothing was changed, and a retry may well succeed.
//! - New keys, nearly all of them, cost one insert together and no look-up.

use std::collections::{BTreeMap, HashMap, HashSet};

use rating::Quantity;

use super::lists::in_pieces;
use super::log::{Body, EventRow, MetricPeriodRow, Stored};
use super::outcome::{Mode, Outcome};
use super::rules::REMEMBERED;
use super::schema::number;
use crate::kernel::sql::{LocalSql, SqlError, Value};
use crate::kernel::time::Timestamp;

/// The claims of one commit.
#[derive(Default)]
pub(super) struct Claims<'a> {
    commit: u64,
    repeated: HashMap<&'a str, Repeated>,
    refused: Vec<&'a str>,
}

/// What a repeated key stands for.
struct Repeated {
    taken: Option<Taken>,
    /// Claimed by a commit of long ago, whose claim has lapsed, or by one that holds nothing under it: its request was refused, or
    /// answered as before, without a look at this key.
    is_lapsed: bool,
}

pub(super) enum Taken {
    Event(Box<TakenEvent>),
    Answer { fingerprint: String, status: u16, body: String },
}

/// An event that was counted under a key.
pub(super) struct TakenEvent {
    pub metric: String,
    pub mode: Mode,
    /// As it was sent.
    pub amount: Quantity,
    pub timestamp: Option<Timestamp>,
    pub metadata: Option<String>,
    pub outcome: Outcome,
}

impl<'a> Claims<'a> {
    /// Claims `keys` for the commit `commit`, and finds what those that are repeated stand for.
    pub fn take<S: LocalSql>(sql: &S, commit: u64, mut keys: Vec<&'a str>, now: Timestamp) -> Result<Self, SqlError> {
        let mut claims = Self { commit, ..Self::default() };
        if keys.is_empty() {
            return Ok(claims);
        }
        // Sorted keys are cheaper to insert.
        keys.sort_unstable();
        for pair in keys.windows(2) {
            if let [one, other] = pair
                && one == other
            {
                claims.repeated.insert(one, Repeated { taken: None, is_lapsed: false });
            }
        }
        keys.dedup();
        let mut inserted = 0_u64;
        in_pieces(keys.iter().copied(), |list| {
            let text = "INSERT OR IGNORE INTO claims (key, number) SELECT value, ?2 FROM json_each(?1)";
            inserted = inserted.saturating_add(sql.write(text, &[Value::Text(list), number(commit)])?);
            Ok(())
        })?;
        if usize::try_from(inserted).is_ok_and(|inserted| inserted == keys.len()) {
            return Ok(claims);
        }
        claims.look_up(sql, &keys, now)?;
        Ok(claims)
    }

    fn look_up<S: LocalSql>(&mut self, sql: &S, keys: &[&'a str], now: Timestamp) -> Result<(), SqlError> {
        let mut commits: BTreeMap<u64, HashSet<String>> = BTreeMap::new();
        in_pieces(keys.iter().copied(), |list| {
            let text = "SELECT key, number FROM claims WHERE key IN (SELECT value FROM json_each(?1)) AND number <> ?2";
            for mut row in sql.run(text, &[Value::Text(list), number(self.commit)])? {
                let commit = row.get("number").and_then(serde_json::Value::as_u64).unwrap_or(0);
                if let Some(serde_json::Value::String(key)) = row.remove("key") {
                    commits.entry(commit).or_default().insert(key);
                }
            }
            Ok(())
        })?;
        let asked: HashSet<&'a str> = keys.iter().copied().collect();
        for (commit, claimed) in commits {
            let stored = Stored::find(sql, commit)?.filter(|stored| stored.at > now.minus(REMEMBERED));
            for key in &claimed {
                if let Some(key) = asked.get(key.as_str()) {
                    self.repeated.insert(key, Repeated { taken: None, is_lapsed: true });
                }
            }
            if let Some(stored) = stored {
                self.read(&stored.body, &claimed)?;
            }
        }
        Ok(())
    }

    /// Finds in a commit what the keys of `claimed` stand for.
    fn read(&mut self, body: &str, claimed: &HashSet<String>) -> Result<(), SqlError> {
        let body = Body::read(body)?;
        for (index, event) in (0_u64..).zip(&body.events) {
            let Some(key) = event.3.as_deref().filter(|key| claimed.contains(*key)) else { continue };
            let metric_period =
                body.metric_periods.get(event.0).ok_or_else(|| SqlError::Broken("a stored event has no standing".to_owned()))?;
            let taken = TakenEvent::of(event, metric_period, body.first.saturating_add(index));
            if let Some(repeated) = self.repeated.get_mut(key) {
                *repeated = Repeated { taken: Some(Taken::Event(Box::new(taken))), is_lapsed: false };
            }
        }
        for answer in &body.answers {
            if let Some(repeated) = self.repeated.get_mut(answer.0.as_ref()).filter(|_| claimed.contains(answer.0.as_ref())) {
                let body = answer.3.map(|raw| raw.get().to_owned()).unwrap_or_default();
                let taken = Taken::Answer { fingerprint: answer.1.clone().into_owned(), status: answer.2, body };
                *repeated = Repeated { taken: Some(taken), is_lapsed: false };
            }
        }
        Ok(())
    }

    /// What a key stands for already; None when it is free.
    pub fn taken(&self, key: &str) -> Option<&Taken> {
        self.repeated.get(key)?.taken.as_ref()
    }

    /// Whether the decision under this key must be noted, because the key occurs again in this commit.
    pub fn is_repeated(&self, key: &str) -> bool {
        !self.repeated.is_empty() && self.repeated.contains_key(key)
    }

    pub fn note(&mut self, key: &str, taken: Taken) {
        if let Some(repeated) = self.repeated.get_mut(key) {
            repeated.taken = Some(taken);
        }
    }

    /// Nothing was counted under this key.
    pub fn refuse(&mut self, key: &'a str) {
        if !self.is_repeated(key) {
            self.refused.push(key);
        }
    }

    /// Releases the keys under which nothing was counted, and takes over those whose claim had lapsed.
    pub fn finish<S: LocalSql>(self, sql: &S) -> Result<(), SqlError> {
        let commit = self.commit;
        let free = |repeated: &Repeated| repeated.taken.is_none() && !repeated.is_lapsed;
        let unused = self.repeated.iter().filter(|(_, repeated)| free(repeated)).map(|(key, _)| *key);
        let mut released: Vec<&str> = self.refused.into_iter().chain(unused).collect();
        released.sort_unstable();
        in_pieces(released, |list| {
            let text = "DELETE FROM claims WHERE key IN (SELECT value FROM json_each(?1)) AND number = ?2";
            sql.run(text, &[Value::Text(list), number(commit)]).map(|_| ())
        })?;
        let lapsed = self.repeated.iter().filter(|(_, repeated)| repeated.taken.is_some() && repeated.is_lapsed).map(|(key, _)| *key);
        in_pieces(lapsed, |list| {
            let text = "INSERT OR REPLACE INTO claims (key, number) SELECT value, ?2 FROM json_each(?1)";
            sql.run(text, &[Value::Text(list), number(commit)]).map(|_| ())
        })
    }
}

impl TakenEvent {
    fn of(event: &EventRow<'_>, metric_period: &MetricPeriodRow, sequence: u64) -> Self {
        let is_unique = metric_period.1 == crate::meter::vocabulary::Aggregation::Unique;
        Self {
            metric: metric_period.0.clone(),
            mode: metric_period.6,
            // Counted as 0 or 1, and always sent as 1.
            amount: if is_unique { Quantity::ONE } else { event.1 },
            timestamp: event.4.map(Timestamp::from_millis),
            metadata: event.6.map(|raw| raw.get().to_owned()),
            outcome: Outcome {
                sequence,
                current: event.2,
                limit: metric_period.5,
                reserved: event.5.unwrap_or_default(),
                period: metric_period.period(),
            },
        }
    }
}
