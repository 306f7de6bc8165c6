//! What the queues bring: nudges to look at committed rows. Handling one twice does nothing twice.

use super::runner::{self, Retry};
use crate::exports;
use crate::invoices::billing::{self, Run};
use crate::kernel::error::{Error, Result};
use crate::kernel::ids::OrganizationId;
use crate::kernel::platform::Platform;
use crate::kernel::ports::{Message, Work};
use crate::kernel::tenant::{Actor, Tenant};
use crate::logins;
use crate::mails::dispatch;
use crate::organizations::{erasure, relocation};

/// Periods one message bills at most; a subscription that is further behind goes on with the next run.
const PERIODS_MAX: usize = 24;

/// Handles one message. An error lets the queue bring it again.
pub async fn handle(platform: &Platform, message: Message) -> Result<()> {
    match message {
        Message::Event { organization, .. } => {
            let Some(tenant) = tenant(platform, organization, "events_queue").await? else { return Ok(()) };
            settle(&tenant).await
        }
        Message::Mail { organization, mail } => {
            let Some(tenant) = tenant(platform, organization, "email_queue").await? else { return Ok(()) };
            dispatch::dispatch(&tenant, mail).await
        }
        Message::Billing { organization, subscription } => {
            let Some(tenant) = tenant(platform, organization, "billing_run").await? else { return Ok(()) };
            for _ in 0..PERIODS_MAX {
                if billing::bill_one_period(&tenant, subscription).await? == Run::NothingDue {
                    break;
                }
            }
            settle(&tenant).await
        }
        Message::Work { organization, work } => go_on(platform, organization, work).await,
        Message::Login { login } => logins::mail::send(platform, login).await,
        Message::Probe {} => Ok(()),
    }
}

/// A step that fails has its own retries and its own parking, so the message is done; a database that is away lets it come again.
async fn settle(tenant: &Tenant) -> Result<()> {
    runner::settle(tenant, Retry::WhenDue).await.map(|_| ())
}

/// Goes on with background work; what is not finished in the time of one message asks for another.
async fn go_on(platform: &Platform, organization: OrganizationId, work: Work) -> Result<()> {
    let is_finished = match work {
        Work::Erasure => erasure::go_on(platform, organization).await.map(|()| true)?,
        Work::Move => relocation::go_on(platform, organization).await?,
        Work::Export => match tenant(platform, organization, "export").await? {
            Some(tenant) => exports::work::go_on(&tenant).await?,
            None => true,
        },
    };
    if is_finished { Ok(()) } else { platform.app().queues.send(vec![Message::Work { organization, work }]).await }
}

/// None for an organization that was erased: what was still to be done for it has gone with it.
async fn tenant(platform: &Platform, organization: OrganizationId, actor: &'static str) -> Result<Option<Tenant>> {
    match platform.tenant(organization, Actor::System(actor), None).await? {
        Some(tenant) => Ok(Some(tenant)),
        None if erasure::find(platform, organization).await?.is_some() => Ok(None),
        None => Err(Error::internal(format!("a message names {organization}, which is not in the directory"))),
    }
}
