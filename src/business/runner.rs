//! Runs what follows from facts: each step once, each alone when it must, parked when it keeps failing.
//!
//! A step's effect and its claim `(event, step)` are one commit, so it takes effect once however often it is run. What is pending for an
//! organization is run in rounds: one batch loads the facts, their runs and the company, one batch commits. A round goes as far as the
//! first step that changes rows, which is the last one in it: so every step sees what those before it did. When a round fails, its facts
//! are run step by step (`alone.rs`): there a failure is retried with growing pauses, and after the last try the step is parked, visible at
//! `/v1/parked` and replayable with one call. Facts are run by the request that caused them, by the queue's nudge and by the minute's
//! sweep; who comes second finds the claim.

mod alone;
mod step_run;

use super::company::Company;
use super::steps_for;
use crate::kernel::decision::Decision;
use crate::kernel::error::{Error, Result};
use crate::kernel::ids::EventId;
use crate::kernel::ports::{Pending, Remaining};
use crate::kernel::sql::{Row, decode};
use crate::kernel::tenant::Tenant;
use crate::kernel::time::Timestamp;
use crate::tenant_sql;

use step_run::{PendingEvent, Progress, Run, act, acting, claim, dispatched, progress};

pub use alone::replay;

/// Facts of one round; what is more waits for the next one.
const EVENTS_MAX: usize = 20;
/// Rounds in one go; a chain longer than this goes on with the next nudge.
const ROUNDS_MAX: usize = 200;
/// Rounds in a row that somebody else's commits take back, before their facts are run step by step.
const STALE_ROUNDS_MAX: usize = 2;

/// Runs what is pending for this organization, and what follows from that, until nothing is left or a step fails. An error says that a
/// database was away. Either way the sweep does the rest, so most callers go on.
pub async fn run_pending(tenant: &Tenant, pending: Pending) -> Result<Remaining> {
    let mut stale_rounds: usize = 0;
    for _ in 0..ROUNDS_MAX {
        let round = Round::load(tenant, pending).await?;
        if round.facts.is_empty() {
            return Ok(Remaining::Nothing);
        }
        match round.run(tenant).await {
            Ok(Next::Nothing) => return Ok(Remaining::Nothing),
            Ok(Next::Round) => stale_rounds = 0,
            Err(Error::Stale) if stale_rounds < STALE_ROUNDS_MAX => stale_rounds = stale_rounds.saturating_add(1),
            Err(_) => {
                // Which step it was, and why, is found where each is alone.
                if alone::run(tenant, &round.facts).await? == Remaining::Failures {
                    return Ok(Remaining::Failures);
                }
            }
        }
    }
    Err(Error::Unavailable("a long chain of facts goes on with the next nudge".into()))
}

/// What is to be looked at after a round.
enum Next {
    /// All that was pending is done, and nothing came of it.
    Nothing,
    Round,
}

/// What one batch has loaded.
struct Round {
    facts: Vec<PendingEvent>,
    runs: Vec<Run>,
    company: Vec<Vec<Row>>,
}

/// What a round is going to commit.
#[derive(Default)]
struct Plan {
    decision: Decision,
    /// Who changes rows, and because of which fact: the last step, if it does.
    changes: Option<(&'static str, EventId)>,
}

impl Round {
    async fn load(tenant: &Tenant, pending: Pending) -> Result<Self> {
        let until = match pending {
            Pending::Due => tenant.app().moment().now,
            Pending::All => Timestamp::from_millis(i64::MAX),
        };
        let facts = tenant_sql!(
            "SELECT organization_id, id, type, version, data
             FROM events
             WHERE organization_id = ?1 AND dispatched_at IS NULL AND next_attempt_at <= ?2
             ORDER BY id
             LIMIT ?3",
            until,
            i64::try_from(EVENTS_MAX).unwrap_or(i64::MAX)
        );
        let runs = tenant_sql!(
            "SELECT organization_id, event_id, step, status, attempts
             FROM reaction_runs
             WHERE organization_id = ?1
               AND event_id IN (
                 SELECT id
                 FROM events
                 WHERE organization_id = ?1 AND dispatched_at IS NULL AND next_attempt_at <= ?2
                 ORDER BY id
                 LIMIT ?3
               )",
            until,
            i64::try_from(EVENTS_MAX).unwrap_or(i64::MAX)
        );
        let mut read = tenant.load([facts, runs].into_iter().chain(Company::select()).collect()).await?;
        let company = read.split_off(read.len().min(2));
        let mut read = read.into_iter();
        let facts = decoded(read.next())?;
        Ok(Self { facts, runs: decoded(read.next())?, company })
    }

    /// Runs the steps that wait, in order, up to the first one that changes rows: their claims and what they want are one commit.
    async fn run(&self, tenant: &Tenant) -> Result<Next> {
        let company = Company::read(tenant, self.company.clone())?;
        let mut plan = Plan::default();
        let now = tenant.app().moment().now;
        let mut is_last = self.facts.len() < EVENTS_MAX;
        for fact in &self.facts {
            if !self.run_fact(tenant, &company, fact, &mut plan).await? {
                is_last = false;
                break;
            }
            plan.decision = plan.decision.write(dispatched(fact.id, now));
            if plan.changes.is_some() && self.facts.last().is_some_and(|last| last.id != fact.id) {
                is_last = false;
                break;
            }
        }
        let raises = plan.decision.raises();
        let committing = plan.changes.map_or_else(|| tenant.clone(), |(step, fact)| acting(tenant, step, fact));
        committing.commit_to_run(plan.decision).await?;
        Ok(if is_last && !raises { Next::Nothing } else { Next::Round })
    }

    /// Adds the steps of one fact to what is committed; false when some of them are left for the next round.
    async fn run_fact(&self, tenant: &Tenant, company: &Company, fact: &PendingEvent, plan: &mut Plan) -> Result<bool> {
        let event = fact.event()?;
        let now = tenant.app().moment().now;
        for (workflow, step) in steps_for(event.kind()) {
            let name = format!("{}.{}", workflow.name, step.name);
            let Progress::Waiting { attempts } = self.progress(fact.id, &name) else { continue };
            if plan.changes.is_some() {
                return Ok(false);
            }
            let (effect, changes) = act(step, &event, company, &acting(tenant, step.name, fact.id)).await?;
            if changes {
                plan.changes = Some((step.name, fact.id));
            }
            let decision = std::mem::take(&mut plan.decision);
            plan.decision = decision.and(claim(fact.id, &name, attempts.saturating_add(1), now)).and(effect);
        }
        Ok(true)
    }

    fn progress(&self, event: EventId, step: &str) -> Progress {
        progress(self.runs.iter().filter(|run| run.event_id == event), step)
    }
}

fn decoded<T: serde::de::DeserializeOwned>(rows: Option<Vec<Row>>) -> Result<Vec<T>> {
    rows.unwrap_or_default().into_iter().map(|row| decode(row).map_err(Error::from)).collect()
}
