//! Runs the steps of facts: each step once, alone after a failure, and a dead letter after its last attempt.
//!
//! A step's effect and its claim `(event, step)` are one commit, so it takes effect once however often it is run. The pending facts of an
//! organization are run in rounds: one batch loads the facts, their runs and the company, one batch commits. A round ends with the first
//! step that changes rows, so that every step sees the effects of the steps before it. When a round fails, its facts are run step by step
//! (`alone.rs`): there a failure is retried with growing pauses, and after the last attempt the step is a dead letter, listed at
//! `/v1/dead-letters` and replayable with one call. Facts are run by the request that caused them, by the queue's message and by the
//! minute's sweep; the second run finds the claim.

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

/// Facts of one round; further facts wait for the next round.
const EVENTS_MAX: usize = 20;
/// Rounds of one run; a longer chain continues with the next message.
const ROUNDS_MAX: usize = 200;
/// Stale rounds in a row, before their facts are run step by step.
const STALE_ROUNDS_MAX: usize = 2;

/// Runs the organization's pending facts, and the facts these raise, until none is left or a step fails. An error means that a database was
/// unavailable. In both cases the sweep runs the remaining facts, so most callers ignore the outcome.
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
                // Running each step alone finds the step that failed and its error.
                if alone::run(tenant, &round.facts).await? == Remaining::Failures {
                    return Ok(Remaining::Failures);
                }
            }
        }
    }
    Err(Error::Unavailable("a long chain of facts continues with the next message".into()))
}

/// Whether another round is needed.
enum Next {
    /// All pending facts are done, and none was raised.
    Nothing,
    Round,
}

/// The rows that one batch loaded.
struct Round {
    facts: Vec<PendingEvent>,
    runs: Vec<Run>,
    company: Vec<Vec<Row>>,
}

/// The commit of one round.
#[derive(Default)]
struct Plan {
    decision: Decision,
    /// The step that changes rows, and its fact: only the last step of a round may.
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

    /// Runs the waiting steps, in order, up to the first one that changes rows: their claims and effects are one commit.
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

    /// Adds the steps of one fact to the commit; false when some of them are left for the next round.
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
