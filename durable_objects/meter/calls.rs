//! The Worker's calls: entitlements, keys and limits to keep; periods to close; facts and buckets to deliver.

use serde_json::Value;

use super::memory::Memory;
use super::replies::{refused, reply};
use super::rules::{Limits, Metrics, Period, Rules};
use super::{closings, erasure, exports, quotas, rules};
use crate::kernel::ids::{KeyId, OrganizationId};
use crate::kernel::organization::Status;
use crate::kernel::sql::{LocalSql, SqlError};
use crate::kernel::time::Timestamp;
use crate::meter::contract::{Call, ClosingCommit, Closings, CurrentUsage, Done, ExportPage, RolledUp};
use crate::meter::vocabulary::Entitlements;

impl Memory {
    /// Runs a call and gives its reply, or [`CallRefused`](crate::meter::contract::CallRefused).
    pub fn call<S: LocalSql>(&mut self, sql: &S, organization: OrganizationId, call: Call, wall: Timestamp) -> Result<Value, SqlError> {
        if self.is_erased {
            return erasure::erased(&call);
        }
        match call {
            Call::PutStatus { version, status } => self.put_status(sql, version, status),
            Call::Erase => self.erase(sql, organization),
            Call::Configure { entitlements } => self.configure(sql, entitlements, wall),
            Call::SetClock { now } => self.set_clock(sql, now, wall),
            Call::PutKey { key, scopes, expires_at } => {
                self.create_tables(sql)?;
                self.keys.put(sql, key, scopes, expires_at)?;
                reply(&Done {})
            }
            Call::KeyUses { keys } => reply(&self.keys.uses(&keys)),
            Call::RemoveKey { key } => self.remove_key(sql, key),
            Call::ClosePeriod { .. } | Call::PeekPeriod { .. } | Call::Closings { .. } => self.periods(sql, &call, wall),
            Call::PendingFacts if self.has_tables => reply(&self.facts.pending(sql)?),
            Call::PendingFacts => reply(&crate::meter::contract::PendingFacts::default()),
            Call::AcknowledgeFacts { through } => {
                self.facts.acknowledge(sql, through, wall)?;
                reply(&Done {})
            }
            Call::PutMetrics { version, metrics, event_types } => self.put_metrics(sql, Metrics { version, metrics, event_types }, wall),
            Call::PutLimits { version, overrides, grants } => self.put_limits(sql, Limits { version, overrides, grants }, wall),
            Call::RollUp if self.has_tables => reply(&self.roll_up.run(sql, wall)?),
            Call::RollUp => reply(&RolledUp::default()),
            Call::AcknowledgeBuckets { through } => {
                self.roll_up.acknowledge(sql, through)?;
                reply(&Done {})
            }
            call @ (Call::ExportEvents { .. } | Call::ExportProof { .. } | Call::ClosingCommit { .. }) => {
                self.read_log(sql, organization, call)
            }
            Call::Changes { since } => match &mut self.rules {
                Some(rules) => {
                    let now = rules.now(wall);
                    // Grants and reservations end by time alone.
                    rules.refresh(wall);
                    self.reservations.prepare(sql, std::iter::empty(), now)?;
                    reply(&quotas::changes(rules, &self.book, &self.reservations, now, (since, self.log.sequence)))
                }
                None => refused("not_configured", "Configure the Meter before its changes are watched."),
            },
            Call::HoldSeat { seat } => self.hold_seat(sql, seat, wall),
            Call::PutSeats { version, members, held } => self.put_seats(sql, (version, members), held, wall),
            Call::Seats => self.seats(sql, wall),
            Call::CurrentUsage => reply(&self.current_usage(wall)),
            Call::Prune => {
                if let Some(rules) = &self.rules {
                    self.pruning.prune(sql, rules, &self.roll_up, wall)?;
                }
                reply(&Done {})
            }
        }
    }
}

impl Memory {
    /// Calls about periods and their closings.
    fn periods<S: LocalSql>(&mut self, sql: &S, call: &Call, wall: Timestamp) -> Result<Value, SqlError> {
        match (call, &self.rules) {
            (Call::ClosePeriod { starts_at, ends_at }, Some(rules)) => {
                let period = Period { starts_at: *starts_at, ends_at: *ends_at };
                closings::close(sql, rules, (&mut self.book, &mut self.log), period, rules.now(wall))
            }
            (Call::PeekPeriod { starts_at, ends_at }, Some(rules)) => {
                closings::peek(sql, rules, &self.book, Period { starts_at: *starts_at, ends_at: *ends_at })
            }
            (Call::Closings { from, to }, Some(_)) => reply(&closings::between(sql, *from, *to)?),
            (Call::Closings { .. }, None) => reply(&Closings::default()),
            _ => refused("not_configured", "Configure the Meter before a period is closed or looked at."),
        }
    }

    /// Calls that read the log.
    fn read_log<S: LocalSql>(&self, sql: &S, organization: OrganizationId, call: Call) -> Result<Value, SqlError> {
        match call {
            Call::ExportEvents { from, to, after } if self.has_tables => reply(&exports::events(sql, from, to, after)?),
            Call::ExportProof { from, to, after } if self.has_tables => {
                let source = exports::Source { organization, log: &self.log, book: &self.book, rules: self.rules.as_ref() };
                reply(&exports::proof(sql, &source, from, to, after)?)
            }
            Call::ClosingCommit { starts_at } if self.has_tables => reply(&closings::commit(sql, starts_at)?),
            Call::ClosingCommit { .. } => reply(&ClosingCommit::default()),
            _ => reply(&ExportPage::default()),
        }
    }

    fn put_status<S: LocalSql>(&mut self, sql: &S, version: i64, status: Status) -> Result<Value, SqlError> {
        self.create_tables(sql)?;
        self.status.put(sql, version, status)?;
        reply(&Done {})
    }

    fn remove_key<S: LocalSql>(&mut self, sql: &S, key: KeyId) -> Result<Value, SqlError> {
        self.create_tables(sql)?;
        self.keys.remove(sql, key)?;
        reply(&Done {})
    }

    fn configure<S: LocalSql>(&mut self, sql: &S, given: Entitlements, wall: Timestamp) -> Result<Value, SqlError> {
        if !Rules::is_sound(&given) {
            return refused("invalid_entitlements", "Entitlements need two boundaries at least, each after the one before.");
        }
        self.create_tables(sql)?;
        let known = self.rules.as_ref().map(Rules::entitlements);
        let clock = known.and_then(|known| known.clock).max(given.clock);
        let newest = match known {
            Some(known) if known.version > given.version => known.clone(),
            _ => given,
        };
        let done = self.replace_entitlements(sql, Entitlements { clock, ..newest }, wall)?;
        // Members may have been counted before there were entitlements.
        self.count_members(sql, wall)?;
        Ok(done)
    }

    fn set_clock<S: LocalSql>(&mut self, sql: &S, now: Timestamp, wall: Timestamp) -> Result<Value, SqlError> {
        let Some(rules) = &self.rules else {
            // Entitlements come with their clock.
            return reply(&Done {});
        };
        let known = rules.entitlements().clone();
        self.replace_entitlements(sql, Entitlements { clock: known.clock.max(Some(now)), ..known }, wall)
    }

    fn replace_entitlements<S: LocalSql>(&mut self, sql: &S, entitlements: Entitlements, wall: Timestamp) -> Result<Value, SqlError> {
        if self.rules.as_ref().map(Rules::entitlements) != Some(&entitlements) {
            rules::store_entitlements(sql, &entitlements)?;
            self.rules = Some(
                Rules::of(entitlements, Metrics::load(sql)?, Limits::load(sql)?, wall).with_members_counted(self.seats.is_counted, wall),
            );
        }
        reply(&Done {})
    }

    fn put_metrics<S: LocalSql>(&mut self, sql: &S, given: Metrics, wall: Timestamp) -> Result<Value, SqlError> {
        let known = if self.has_tables { Metrics::load(sql)?.version } else { 0 };
        if known < given.version {
            self.create_tables(sql)?;
            given.store(sql)?;
            self.reload_rules(sql, wall)?;
        }
        reply(&Done {})
    }

    fn put_limits<S: LocalSql>(&mut self, sql: &S, given: Limits, wall: Timestamp) -> Result<Value, SqlError> {
        let known = if self.has_tables { Limits::load(sql)?.version } else { 0 };
        if known < given.version {
            self.create_tables(sql)?;
            given.store(sql)?;
            self.reload_rules(sql, wall)?;
        }
        reply(&Done {})
    }

    fn reload_rules<S: LocalSql>(&mut self, sql: &S, wall: Timestamp) -> Result<(), SqlError> {
        self.rules = Rules::load(sql, wall)?;
        Ok(())
    }

    fn current_usage(&self, wall: Timestamp) -> CurrentUsage {
        let Some(rules) = &self.rules else { return CurrentUsage::default() };
        let period = rules.period_of(rules.now(wall));
        CurrentUsage { metrics: rules.iter().map(|(metric, rule)| (metric.to_owned(), self.book.reading(metric, rule, period))).collect() }
    }
}
