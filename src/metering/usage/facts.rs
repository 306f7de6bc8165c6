//! Facts that a Meter raises (a threshold crossed, a metric first used), recorded as events of the organization.

use crate::events::Event;
use crate::kernel::decision::record_event;
use crate::kernel::error::{Error, Result};
use crate::kernel::ids::EventId;
use crate::kernel::ports::Message;
use crate::kernel::tenant::Tenant;
use crate::meter::client;
use crate::meter::contract::Fact;

/// Records facts as events. The same fact twice is one event: its id follows from the organization and its sequence.
pub async fn record(tenant: &Tenant, facts: &[Fact]) -> Result<()> {
    let organization = tenant.organization().to_string();
    let now = tenant.app().moment().now;
    let mut batch = Vec::with_capacity(facts.len());
    let mut nudges = Vec::with_capacity(facts.len());
    for fact in facts {
        let event = Event::read(&fact.name, fact.version, &fact.data.to_string())
            .ok_or_else(|| Error::internal(format!("the Meter raised {} v{}, which is no event", fact.name, fact.version)))?;
        let id = EventId::derived(&[&organization, "meter", &fact.sequence.to_string()]);
        batch.push(record_event(id, &event, fact.occurred_at, now));
        nudges.push(Message::Event { organization: tenant.organization(), event: id });
    }
    if batch.is_empty() {
        return Ok(());
    }
    tenant.run(batch).await?;
    // Best effort: the rows are committed, and the sweep of each minute sends lost messages again.
    let _nudged = tenant.app().queues.send(nudges).await;
    Ok(())
}

/// Rounds of fetching facts at once; the Meter's alarm delivers the rest.
const ROUNDS_MAX: usize = 10;

/// Fetches and records all facts that the Meter holds now, without waiting for its alarm.
pub async fn collect(tenant: &Tenant) -> Result<()> {
    for _ in 0..ROUNDS_MAX {
        let facts = client::pending_facts(tenant).await?.facts;
        let Some(last) = facts.last() else { return Ok(()) };
        record(tenant, &facts).await?;
        client::acknowledge_facts(tenant, last.sequence).await?;
    }
    Ok(())
}
