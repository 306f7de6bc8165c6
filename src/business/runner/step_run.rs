//! One step of one fact: its decision, its claim, and the record of its run.

use crate::business::Step;
use crate::business::actions::Action;
use crate::business::company::Company;
use crate::business::perform::perform;
use crate::events::Event;
use crate::kernel::audit::OnBehalfOf;
use crate::kernel::decision::Decision;
use crate::kernel::error::{Error, Result};
use crate::kernel::ids::EventId;
use crate::kernel::tenant::{Actor, Tenant, TenantStatement};
use crate::kernel::time::Timestamp;
use crate::{stale_if, tenant_sql};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
pub(super) struct PendingEvent {
    pub(super) id: EventId,
    #[serde(rename = "type")]
    pub(super) wire_name: String,
    pub(super) version: u32,
    pub(super) data: String,
}

impl PendingEvent {
    pub(super) fn event(&self) -> Result<Event> {
        Event::read(&self.wire_name, self.version, &self.data)
            .ok_or_else(|| Error::internal(format!("{} v{} is recorded and is not a known event", self.wire_name, self.version)))
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Run {
    pub(super) event_id: EventId,
    pub(super) step: String,
    pub(super) status: String,
    pub(super) attempts: u32,
}

/// The progress of a step.
pub(super) enum Progress {
    Finished,
    Waiting { attempts: u32 },
}

/// The tenant, with the step as the actor.
pub(super) fn acting(tenant: &Tenant, step: &'static str, fact: EventId) -> Tenant {
    tenant.acting_as(Actor::System(step)).on_behalf_of(OnBehalfOf::Event(fact))
}

/// The decision of a step, and whether the loaded company is outdated after it.
pub(super) async fn act(step: &Step, event: &Event, company: &Company, tenant: &Tenant) -> Result<(Decision, bool)> {
    let (mut decision, mut changes) = (Decision::new(), false);
    for action in (step.run)(event, company) {
        changes |= begins_data_movement(&action);
        decision = decision.and(perform(action, company, tenant).await?);
    }
    changes |= decision.changes();
    Ok((decision, changes))
}

/// Whether an action may delete or freeze the company's rows: its commit is recorded before any other step runs.
pub(super) fn begins_data_movement(action: &Action) -> bool {
    matches!(action, Action::BeginErasure | Action::BeginMove { .. } | Action::ContinueWork(_))
}

pub(super) fn progress<'a>(mut runs: impl Iterator<Item = &'a Run>, step: &str) -> Progress {
    match runs.find(|run| run.step == step) {
        None => Progress::Waiting { attempts: 0 },
        Some(run) if run.status == "retrying" => Progress::Waiting { attempts: run.attempts },
        Some(_) => Progress::Finished,
    }
}

/// Makes a step take effect once: the second commit is stale.
pub(super) fn claim(event: EventId, step: &str, attempts: u32, now: Timestamp) -> Decision {
    Decision::new()
        .guard(stale_if!(
            "EXISTS (
               SELECT 1
               FROM reaction_runs
               WHERE organization_id = ?1
                 AND event_id = ?2
                 AND step = ?3
                 AND status <> 'retrying'
             )",
            event,
            step
        ))
        .write(record_run(event, step, "done", attempts, None, now))
}

/// All steps of the fact are done or dead letters.
pub(super) fn dispatched(event: EventId, now: Timestamp) -> TenantStatement {
    tenant_sql!("UPDATE events SET dispatched_at = ?3 WHERE organization_id = ?1 AND id = ?2", event, now)
}

pub(super) fn record_run(
    event: EventId,
    step: &str,
    status: &'static str,
    attempts: u32,
    error: Option<String>,
    now: Timestamp,
) -> TenantStatement {
    tenant_sql!(
        "INSERT INTO reaction_runs (organization_id, event_id, step, status, attempts, last_error, updated_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT (organization_id, event_id, step) DO UPDATE
         SET status = excluded.status, attempts = excluded.attempts, last_error = excluded.last_error,
           updated_at = excluded.updated_at
         WHERE reaction_runs.status = 'retrying'",
        event,
        step,
        status,
        attempts,
        error,
        now
    )
}
