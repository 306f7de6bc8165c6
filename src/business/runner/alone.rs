//! Runs facts step by step: each step is loaded and committed alone, so that a failing step delays no other.

use super::step_run::{PendingEvent, Progress, Run, act, acting, claim, dispatched, progress, record_run};
use crate::business::company::Company;
use crate::business::{Step, steps_for};
use crate::events::Event;
use crate::kernel::decision::Decision;
use crate::kernel::error::{Error, Result};
use crate::kernel::ids::EventId;
use crate::kernel::ports::Remaining;
use crate::kernel::retry::{Failure, Policy};
use crate::kernel::tenant::{Tenant, until_fresh};
use crate::kernel::time::{Timestamp, hours, seconds};
use crate::tenant_sql;

/// A step that keeps failing becomes a dead letter after about 20 minutes.
const RETRIES: Policy = Policy { attempts_max: 8, pause_first: seconds(10), pause_max: hours(1) };

pub(super) async fn run(tenant: &Tenant, facts: &[PendingEvent]) -> Result<Remaining> {
    let mut remaining = Remaining::Nothing;
    for fact in facts {
        if run_fact(tenant, fact).await? == Remaining::Failures {
            remaining = Remaining::Failures;
        }
    }
    Ok(remaining)
}

/// Runs the unfinished steps of one fact, each alone, and sets the time of the next attempt if any failed.
async fn run_fact(tenant: &Tenant, fact: &PendingEvent) -> Result<Remaining> {
    let event = fact.event()?;
    let runs = runs(tenant, fact.id).await?;
    let now = tenant.app().moment().now;
    let mut next_attempt_at: Option<Timestamp> = None;
    for (workflow, step) in steps_for(event.kind()) {
        let name = format!("{}.{}", workflow.name, step.name);
        let Progress::Waiting { attempts } = progress(runs.iter(), &name) else { continue };
        let acting = acting(tenant, step.name, fact.id);
        if let Err(error) = run_step(&acting, fact.id, &name, attempts.saturating_add(1), &event, step).await {
            let failure = RETRIES.failed_again(attempts, now, &fact.id.to_string());
            record_failure(&acting, fact.id, &name, failure, &error).await?;
            // The fact is due again when the longest pause of its steps ends.
            next_attempt_at = next_attempt_at.max(failure.next_attempt_at);
        }
    }
    let done = match next_attempt_at {
        None => dispatched(fact.id, now),
        Some(next) => {
            tenant_sql!("UPDATE events SET next_attempt_at = ?3 WHERE organization_id = ?1 AND id = ?2", fact.id, next)
        }
    };
    tenant.run(vec![done]).await?;
    Ok(if next_attempt_at.is_some() { Remaining::Failures } else { Remaining::Nothing })
}

async fn runs(tenant: &Tenant, event: EventId) -> Result<Vec<Run>> {
    let statement = tenant_sql!(
        "SELECT organization_id, event_id, step, status, attempts
         FROM reaction_runs
         WHERE organization_id = ?1 AND event_id = ?2",
        event
    );
    tenant.rows(statement).await
}

/// Runs one step: its actions and its claim are one commit.
async fn run_step(tenant: &Tenant, event_id: EventId, name: &str, attempts: u32, event: &Event, step: &Step) -> Result<()> {
    until_fresh(|| async {
        // A concurrent run may have finished the step; then the claim below would be stale for ever.
        if let Progress::Finished = progress(runs(tenant, event_id).await?.iter(), name) {
            return Ok(());
        }
        let company = Company::load(tenant).await?;
        let (effect, _) = act(step, event, &company, tenant).await?;
        tenant.commit_to_run(claim(event_id, name, attempts, tenant.app().moment().now).and(effect)).await
    })
    .await
}

async fn record_failure(tenant: &Tenant, event: EventId, step: &str, failure: Failure, error: &Error) -> Result<()> {
    let status = if failure.is_dead_letter() { "dead" } else { "retrying" };
    tenant
        .run(vec![record_run(event, step, status, failure.attempts, Some(error.for_the_record()), tenant.app().moment().now)])
        .await
        .map(|_| ())
}

/// Replays a dead letter: runs the step again, from the first attempt. False where there is no such dead letter.
pub async fn replay(tenant: &Tenant, event: EventId, step: &str) -> Result<bool> {
    let is_dead_letter = runs(tenant, event).await?.iter().any(|run| run.step == step && run.status == "dead");
    if !is_dead_letter {
        return Ok(false);
    }
    let now = tenant.app().moment().now;
    let decision = Decision::new()
        .write(tenant_sql!(
            "DELETE FROM reaction_runs
             WHERE organization_id = ?1 AND event_id = ?2 AND step = ?3 AND status = 'dead'",
            event,
            step
        ))
        .write(tenant_sql!(
            "UPDATE events SET dispatched_at = NULL, next_attempt_at = ?3 WHERE organization_id = ?1 AND id = ?2",
            event,
            now
        ))
        .audit("deadLetter.replayed", format!("{event}:{step}"), None, None);
    tenant.commit(decision, None).await?;
    tenant.follow_up_or_leave().await;
    Ok(true)
}
