//! Queue messages: each names committed rows to process. Handling a message twice has one effect.

use std::collections::BTreeMap;

use futures::StreamExt;
use futures::stream;

use crate::billing::billing_run::page::BillingPage;
use crate::billing::billing_run::{attempts, pages};
use crate::business::runner;
use crate::delivery::mails::dispatch;
use crate::identity::logins;
use crate::kernel::error::{Error, Result};
use crate::kernel::ids::OrganizationId;
use crate::kernel::placement::Placement;
use crate::kernel::platform::Platform;
use crate::kernel::ports::{Message, Pending, Work};
use crate::kernel::tenant::{Actor, Tenant};
use crate::operations::exports;
use crate::tenancy::data_movement::{erasure, relocation};

/// Organizations that are handled concurrently: the connections that one invocation may have open.
const ORGANIZATIONS_AT_ONCE: usize = 6;

/// Handles one message. An error makes the queue deliver it again.
pub async fn handle(platform: &Platform, message: Message) -> Result<()> {
    handle_all(platform, vec![message]).await.into_iter().next().unwrap_or(Ok(()))
}

/// Handles a batch of messages and returns the outcome of each. One read finds the placements of all organizations. Organizations are
/// handled concurrently, the messages of one organization in order.
pub async fn handle_all(platform: &Platform, messages: Vec<Message>) -> Vec<Result<()>> {
    let count = messages.len();
    let mut groups: BTreeMap<Option<OrganizationId>, Vec<(usize, Message)>> = BTreeMap::new();
    for (place, message) in messages.into_iter().enumerate() {
        groups.entry(message.organization()).or_default().push((place, message));
    }
    let named: Vec<OrganizationId> = groups.keys().copied().flatten().collect();
    let placements: BTreeMap<OrganizationId, Placement> = match platform.placements(&named).await {
        Ok(placements) => placements.into_iter().map(|placement| (placement.organization, placement)).collect(),
        Err(error) => return vec![Err(error); count],
    };
    let handled = stream::iter(groups.into_values()).map(|group| handle_in_order(platform, &placements, group));
    let mut outcomes: Vec<(usize, Result<()>)> =
        handled.buffer_unordered(ORGANIZATIONS_AT_ONCE).collect::<Vec<_>>().await.into_iter().flatten().collect();
    outcomes.sort_by_key(|(place, _)| *place);
    outcomes.into_iter().map(|(_, outcome)| outcome).collect()
}

async fn handle_in_order(
    platform: &Platform,
    placements: &BTreeMap<OrganizationId, Placement>,
    group: Vec<(usize, Message)>,
) -> Vec<(usize, Result<()>)> {
    let mut outcomes = Vec::with_capacity(group.len());
    // One run covers all pending facts of an organization, so it answers all its event messages.
    let mut events_outcome: Option<Result<()>> = None;
    for (place, message) in group {
        let outcome = match (&message, &events_outcome) {
            (Message::Event { .. }, Some(outcome)) => outcome.clone(),
            (Message::Event { .. }, None) => events_outcome.insert(handle_one(platform, placements, message).await).clone(),
            _ => handle_one(platform, placements, message).await,
        };
        outcomes.push((place, outcome));
    }
    outcomes
}

async fn handle_one(platform: &Platform, placements: &BTreeMap<OrganizationId, Placement>, message: Message) -> Result<()> {
    let tenant = async |organization, actor| tenant(platform, placements, organization, actor).await;
    match message {
        Message::Event { organization, .. } => {
            let Some(tenant) = tenant(organization, "events_queue").await? else { return Ok(()) };
            run_pending(&tenant).await
        }
        Message::Mail { organization, mail } => {
            let Some(tenant) = tenant(organization, "email_queue").await? else { return Ok(()) };
            dispatch::dispatch(&tenant, mail).await
        }
        Message::Billing { organization, subscription } => {
            let Some(tenant) = tenant(organization, "billing_run").await? else { return Ok(()) };
            attempts::bill(&tenant, subscription).await?;
            run_pending(&tenant).await
        }
        Message::BillingPage(page) => pages::send_page(platform, BillingPage::read(page)?).await,
        Message::Work { organization, work: Work::Export } => {
            let Some(tenant) = tenant(organization, "export").await? else { return Ok(()) };
            let is_finished = exports::steps::continue_export(&tenant).await?;
            requeue_unless(is_finished, platform, organization, Work::Export).await
        }
        Message::Work { organization, work: Work::Erasure } => erasure::continue_erasure(platform, organization).await,
        Message::Work { organization, work: Work::Move } => {
            let is_finished = relocation::continue_move(platform, organization).await?;
            requeue_unless(is_finished, platform, organization, Work::Move).await
        }
        Message::Login { login } => logins::mail::send(platform, login).await,
        Message::Probe {} => Ok(()),
    }
}

/// A failed step is retried or becomes a dead letter by itself, so the message is done. An unavailable database makes the queue deliver the
/// message again.
async fn run_pending(tenant: &Tenant) -> Result<()> {
    runner::run_pending(tenant, Pending::Due).await.map(|_| ())
}

/// Queues another message for work that one message did not finish.
async fn requeue_unless(is_finished: bool, platform: &Platform, organization: OrganizationId, work: Work) -> Result<()> {
    if is_finished { Ok(()) } else { platform.app().queues.send(vec![Message::Work { organization, work }]).await }
}

/// None for an erased organization: its remaining messages have nothing to process.
async fn tenant(
    platform: &Platform,
    placements: &BTreeMap<OrganizationId, Placement>,
    organization: OrganizationId,
    actor: &'static str,
) -> Result<Option<Tenant>> {
    match placements.get(&organization) {
        Some(placement) => platform.tenant_at(placement.clone(), Actor::System(actor)).map(Some),
        None if erasure::find(platform, organization).await?.is_some() => Ok(None),
        None => Err(Error::internal(format!("a message names {organization}, which is not in the directory"))),
    }
}
