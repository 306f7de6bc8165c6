//! Runs what follows from facts: each step once, each alone, parked when it keeps failing.
//!
//! A step's effect and its claim `(event, step)` are one commit, so it takes effect once however often it is run. A failure is retried
//! with growing pauses, and after the last try the step is parked: visible at `/v1/parked`, replayable with one call. Facts are run by
//! the request that caused them, by the queue's nudge and by the minute's sweep; who comes second finds the claim.

use std::time::Duration;

use serde::Deserialize;

use super::actions::perform;
use super::company::Company;
use super::steps_for;
use crate::events::Event;
use crate::kernel::audit::Behalf;
use crate::kernel::decision::Decision;
use crate::kernel::error::{Error, Result};
use crate::kernel::ids::EventId;
use crate::kernel::tenant::{Actor, Tenant, TenantStatement, until_fresh};
use crate::kernel::time::{Timestamp, doubling, seconds};
use crate::tenant_sql;

/// Tries of one step before it is parked.
pub const ATTEMPTS_MAX: u32 = 8;
/// Pause after the first failure; doubles with each further one: about 20 minutes in all.
const FIRST_PAUSE: Duration = seconds(10);
/// Facts run in one go; a chain longer than this goes on with the next nudge.
const ROUNDS_MAX: usize = 30;

#[derive(Debug, Deserialize)]
struct PendingEvent {
    id: EventId,
    #[serde(rename = "type")]
    wire_name: String,
    version: u32,
    data: String,
}

#[derive(Debug, Deserialize)]
struct Run {
    step: String,
    status: String,
    attempts: u32,
}

/// How a step stands.
enum Standing {
    Settled,
    Waiting { attempts: u32 },
}

/// Which facts are run: those whose pause after a failure is over, or all that are not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    WhenDue,
    AtOnce,
}

/// What remains after the facts were run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    Nothing,
    /// Steps that failed wait for their next try.
    Failures,
}

/// Runs what is pending for this organization, and what follows from that, until nothing is left or a step fails. An error says that a
/// database was away. Either way the sweep does the rest, so most callers go on.
pub async fn settle(tenant: &Tenant, retry: Retry) -> Result<Left> {
    for _ in 0..ROUNDS_MAX {
        let events = pending(tenant, retry).await?;
        if events.is_empty() {
            return Ok(Left::Nothing);
        }
        let mut left = Left::Nothing;
        for event in events {
            if run_event(tenant, &event).await? == Left::Failures {
                left = Left::Failures;
            }
        }
        if left == Left::Failures {
            return Ok(left);
        }
    }
    Err(Error::Unavailable("a long chain of facts goes on with the next nudge".into()))
}

/// Runs what is pending for this organization. What fails is committed work that waits: the sweep does it.
pub async fn settle_or_leave(tenant: &Tenant) {
    let _left = settle(tenant, Retry::WhenDue).await;
}

async fn pending(tenant: &Tenant, retry: Retry) -> Result<Vec<PendingEvent>> {
    let until = match retry {
        Retry::WhenDue => tenant.app().moment().now,
        Retry::AtOnce => Timestamp::from_millis(i64::MAX),
    };
    let statement = tenant_sql!(
        "SELECT organization_id, id, type, version, data FROM events WHERE organization_id = ?1 AND dispatched_at IS NULL AND next_attempt_at <= ?2 ORDER BY id LIMIT 20",
        until
    );
    tenant.rows(statement).await
}

/// Runs the steps of one fact that are not done yet, each alone, and notes when to come back for those that failed.
async fn run_event(tenant: &Tenant, row: &PendingEvent) -> Result<Left> {
    let event = Event::read(&row.wire_name, row.version, &row.data)
        .ok_or_else(|| Error::internal(format!("{} v{} is recorded and no known event", row.wire_name, row.version)))?;
    let runs = runs(tenant, row.id).await?;
    let mut attempts_most: Option<u32> = None;
    for (workflow, step) in steps_for(event.kind()) {
        let name = format!("{}.{}", workflow.name, step.name);
        let Standing::Waiting { attempts } = standing(&runs, &name) else { continue };
        let acting = tenant.acting_as(Actor::System(step.name)).on_behalf_of(Behalf::Event(row.id));
        let attempts = attempts.saturating_add(1);
        if let Err(error) = run_step(&acting, row.id, &name, attempts, &event, step.run).await {
            record_failure(&acting, row.id, &name, attempts, &error).await?;
            if attempts < ATTEMPTS_MAX {
                attempts_most = Some(attempts_most.unwrap_or(0).max(attempts));
            }
        }
    }
    let now = tenant.app().moment().now;
    let done = match attempts_most {
        None => tenant_sql!("UPDATE events SET dispatched_at = ?3 WHERE organization_id = ?1 AND id = ?2", row.id, now),
        Some(attempts) => {
            let next = now.plus(doubling(FIRST_PAUSE, attempts));
            tenant_sql!("UPDATE events SET next_attempt_at = ?3 WHERE organization_id = ?1 AND id = ?2", row.id, next)
        }
    };
    tenant.run(vec![done]).await?;
    Ok(if attempts_most.is_some() { Left::Failures } else { Left::Nothing })
}

async fn runs(tenant: &Tenant, event: EventId) -> Result<Vec<Run>> {
    let statement = tenant_sql!(
        "SELECT organization_id, step, status, attempts FROM reaction_runs WHERE organization_id = ?1 AND event_id = ?2",
        event
    );
    tenant.rows(statement).await
}

fn standing(runs: &[Run], step: &str) -> Standing {
    match runs.iter().find(|run| run.step == step) {
        None => Standing::Waiting { attempts: 0 },
        Some(run) if run.status == "retrying" => Standing::Waiting { attempts: run.attempts },
        Some(_) => Standing::Settled,
    }
}

/// Runs one step: its actions and its claim are one commit.
async fn run_step(
    tenant: &Tenant,
    event_id: EventId,
    name: &str,
    attempts: u32,
    event: &Event,
    run: fn(&Event, &Company) -> Vec<super::Action>,
) -> Result<()> {
    until_fresh(|| async {
        // Somebody else may have done it in the meantime; then the claim below would be stale for ever.
        if let Standing::Settled = standing(&runs(tenant, event_id).await?, name) {
            return Ok(());
        }
        let company = Company::load(tenant).await?;
        let mut decision = claim(event_id, name, attempts, tenant.app().moment().now);
        for action in run(event, &company) {
            decision = decision.and(perform(action, &company, tenant).await?);
        }
        tenant.commit(decision, None).await
    })
    .await
}

fn claim(event: EventId, step: &str, attempts: u32, now: Timestamp) -> Decision {
    Decision::new()
        .guard(tenant_sql!(
            "INSERT INTO stale_guards (organization_id, fresh) SELECT ?1, 0 WHERE EXISTS (SELECT 1 FROM reaction_runs WHERE organization_id = ?1 AND event_id = ?2 AND step = ?3 AND status <> 'retrying')",
            event,
            step
        ))
        .write(record_run(event, step, "done", attempts, None, now))
}

async fn record_failure(tenant: &Tenant, event: EventId, step: &str, attempts: u32, error: &Error) -> Result<()> {
    let status = if attempts < ATTEMPTS_MAX { "retrying" } else { "parked" };
    tenant.run(vec![record_run(event, step, status, attempts, Some(error.for_the_record()), tenant.app().moment().now)]).await.map(|_| ())
}

fn record_run(event: EventId, step: &str, status: &'static str, attempts: u32, error: Option<String>, now: Timestamp) -> TenantStatement {
    tenant_sql!(
        "INSERT INTO reaction_runs (organization_id, event_id, step, status, attempts, last_error, updated_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (organization_id, event_id, step) DO UPDATE SET status = excluded.status, attempts = excluded.attempts, last_error = excluded.last_error, updated_at = excluded.updated_at WHERE reaction_runs.status = 'retrying'",
        event,
        step,
        status,
        attempts,
        error,
        now
    )
}

/// Lets a parked step be tried again, from its first attempt.
pub async fn replay(tenant: &Tenant, event: EventId, step: &str) -> Result<bool> {
    let parked = runs(tenant, event).await?.iter().any(|run| run.step == step && run.status == "parked");
    if !parked {
        return Ok(false);
    }
    let now = tenant.app().moment().now;
    let decision = Decision::new()
        .write(tenant_sql!(
            "DELETE FROM reaction_runs WHERE organization_id = ?1 AND event_id = ?2 AND step = ?3 AND status = 'parked'",
            event,
            step
        ))
        .write(tenant_sql!(
            "UPDATE events SET dispatched_at = NULL, next_attempt_at = ?3 WHERE organization_id = ?1 AND id = ?2",
            event,
            now
        ))
        .audit("parkedStep.replayed", format!("{event}:{step}"), None, None);
    tenant.commit(decision, None).await?;
    settle_or_leave(tenant).await;
    Ok(true)
}
