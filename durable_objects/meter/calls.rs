//! The Worker's calls: what the organization may use, who may ask, what is billed, and which facts are to be told.

use serde::Serialize;
use serde_json::Value;

use crate::kernel::sql::{LocalSql, SqlError};
use crate::kernel::time::Timestamp;
use crate::usage::meter::{Call, CallRefused, CurrentUsage, Done, Entitlements};

use super::closings;
use super::plan::Plan;
use super::{Memory, Meter, schema};

impl<S: LocalSql> Meter<S> {
    /// Runs a call and gives its reply, or [`CallRefused`]. The caller wraps this in one transaction and, on an error, rolls back and
    /// makes a new Meter.
    pub fn call(&mut self, call: Call, wall: Timestamp) -> Result<Value, SqlError> {
        let Meter { sql, memory, .. } = self;
        let memory = Memory::loaded(memory, sql, wall)?;
        match call {
            Call::Configure { entitlements } => memory.configure(sql, entitlements),
            Call::SetClock { now } => memory.set_clock(sql, now),
            Call::PutKey { key, scopes, expires_at } => {
                memory.create_tables(sql)?;
                memory.keys.put(sql, key, scopes, expires_at)?;
                reply(&Done {})
            }
            Call::RemoveKey { key } => {
                memory.create_tables(sql)?;
                memory.keys.remove(sql, key)?;
                reply(&Done {})
            }
            Call::ClosePeriod { starts_at, ends_at } => match &memory.plan {
                Some(plan) => closings::close(sql, plan, &mut memory.book, starts_at, ends_at),
                None => refused("not_configured", "Configure the Meter before a period is closed."),
            },
            Call::PendingFacts if memory.has_tables => reply(&memory.facts.pending(sql)?),
            Call::PendingFacts => reply(&crate::usage::meter::PendingFacts::default()),
            Call::AcknowledgeFacts { through } => {
                memory.facts.acknowledge(sql, through, wall)?;
                reply(&Done {})
            }
            Call::PutMetrics { .. } | Call::PutLimits { .. } | Call::AcknowledgeBuckets { .. } => reply(&Done {}),
            Call::RollUp => reply(&crate::usage::meter::RolledUp::default()),
            Call::ExportEvents { .. } | Call::ExportProof { .. } => reply(&crate::usage::meter::ExportPage::default()),
            Call::Changes { .. } => reply(&Done {}),
            Call::CurrentUsage => reply(&memory.current_usage(wall)),
            Call::Prune => {
                let now = memory.plan.as_ref().map_or(wall, |plan| plan.now(wall));
                memory.pruning.prune(sql, now, wall)?;
                reply(&Done {})
            }
        }
    }
}

impl Memory {
    /// Storage begins here: with a call, never with a hot request.
    fn create_tables<S: LocalSql>(&mut self, sql: &S) -> Result<(), SqlError> {
        if !self.has_tables {
            schema::create(sql)?;
            self.has_tables = true;
        }
        Ok(())
    }

    fn configure<S: LocalSql>(&mut self, sql: &S, given: Entitlements) -> Result<Value, SqlError> {
        if !Plan::is_sound(&given) {
            return refused("invalid_entitlements", "Entitlements need two boundaries at least, each after the one before.");
        }
        self.create_tables(sql)?;
        let known = self.plan.as_ref().map(Plan::entitlements);
        let clock = known.and_then(|known| known.clock).max(given.clock);
        let newest = match known {
            Some(known) if known.version > given.version => known.clone(),
            _ => given,
        };
        self.replace_plan(sql, Entitlements { clock, ..newest })
    }

    fn set_clock<S: LocalSql>(&mut self, sql: &S, now: Timestamp) -> Result<Value, SqlError> {
        let Some(plan) = &self.plan else {
            // Entitlements bring their clock along.
            return reply(&Done {});
        };
        let known = plan.entitlements().clone();
        self.replace_plan(sql, Entitlements { clock: known.clock.max(Some(now)), ..known })
    }

    fn replace_plan<S: LocalSql>(&mut self, sql: &S, entitlements: Entitlements) -> Result<Value, SqlError> {
        if self.plan.as_ref().map(Plan::entitlements) != Some(&entitlements) {
            let plan = Plan::of(entitlements);
            plan.store(sql)?;
            self.plan = Some(plan);
        }
        reply(&Done {})
    }

    fn current_usage(&self, wall: Timestamp) -> CurrentUsage {
        let Some(plan) = &self.plan else { return CurrentUsage::default() };
        let starts_at = plan.period_of(plan.now(wall)).starts_at;
        let metrics = plan.entitlements().metrics.iter();
        CurrentUsage { metrics: metrics.map(|(metric, rule)| (metric.clone(), self.book.reading(metric, rule.kind, starts_at))).collect() }
    }
}

fn reply<T: Serialize>(document: &T) -> Result<Value, SqlError> {
    serde_json::to_value(document).map_err(|error| SqlError::Broken(format!("a reply cannot be written: {error}")))
}

/// A refusal is a reply: nothing was changed, and nothing has to be rolled back.
pub(super) fn refused(code: &str, detail: &str) -> Result<Value, SqlError> {
    reply(&CallRefused { refused: code.to_owned(), detail: detail.to_owned() })
}
