//! Due facts: each is raised once, at its time.

use serde::Deserialize;

use crate::events::Event;
use crate::kernel::decision::Decision;
use crate::kernel::error::{Error, Result};
use crate::kernel::ids::{DueId, OrganizationId, TestClockId};
use crate::kernel::platform::Platform;
use crate::kernel::sql;
use crate::kernel::sql::Value;
use crate::kernel::tenant::{Actor, Tenant};
use crate::kernel::time::Timestamp;
use crate::{stale_if, tenant_sql};

/// A fact that is scheduled for a later time.
#[derive(Clone, Debug, Deserialize)]
pub struct DueEvent {
    pub organization_id: OrganizationId,
    pub id: DueId,
    #[serde(deserialize_with = "sql::millis::deserialize")]
    pub due_at: Timestamp,
    #[serde(rename = "type")]
    wire_name: String,
    version: u32,
    data: String,
}

/// The first due events on a clock by `now`.
pub async fn on_clock(platform: &Platform, clock: TestClockId, now: Timestamp, limit: u32) -> Result<Vec<DueEvent>> {
    let text = "SELECT organization_id, id, due_at, type, version, data
                FROM due_events
                WHERE test_clock_id = ?1
                  AND due_at <= ?2
                  AND NOT EXISTS (
                    SELECT 1
                    FROM fences f
                    WHERE f.organization_id = due_events.organization_id AND f.state = 'left'
                  )
                ORDER BY due_at, id
                LIMIT ?3";
    platform.every_shard(text, &[Value::from(clock), Value::from(now), Value::from(limit)]).await
}

/// Raises the facts that are due in real time; returns their number.
pub async fn raise_in_real_time(platform: &Platform, limit: u32) -> Result<usize> {
    let text = "SELECT organization_id, id, due_at, type, version, data
                FROM due_events
                WHERE test_clock_id IS NULL AND due_at <= ?1
                ORDER BY due_at
                LIMIT ?2";
    let due: Vec<DueEvent> = platform.every_shard(text, &[Value::from(platform.app().moment().now), Value::from(limit)]).await?;
    let count = due.len();
    for event in due {
        if let Some(tenant) = platform.tenant(event.organization_id, Actor::System("calendar"), None).await? {
            raise(&tenant, &event).await?;
            tenant.follow_up_or_leave().await;
        }
    }
    Ok(count)
}

/// Raises the fact: it moves from the scheduled facts to the outbox, in one commit. Repeating the call does nothing.
pub async fn raise(tenant: &Tenant, due: &DueEvent) -> Result<()> {
    let event = Event::read(&due.wire_name, due.version, &due.data)
        .ok_or_else(|| Error::internal(format!("{} v{} is due and is not a known event", due.wire_name, due.version)))?;
    let decision = Decision::new()
        .guard(stale_if!("NOT EXISTS (SELECT 1 FROM due_events WHERE organization_id = ?1 AND id = ?2)", due.id))
        .write(tenant_sql!("DELETE FROM due_events WHERE organization_id = ?1 AND id = ?2", due.id))
        .raise(event);
    match tenant.commit(decision, None).await {
        // Stale: a concurrent call raised it.
        Ok(()) | Err(Error::Stale) => Ok(()),
        Err(error) => Err(error),
    }
}
