//! What the queues bring: nudges to look at committed rows. Handling one twice does nothing twice.

use super::runner::{self, Retry};
use crate::invoices::billing;
use crate::kernel::error::{Error, Result};
use crate::kernel::ids::OrganizationId;
use crate::kernel::platform::Platform;
use crate::kernel::ports::Message;
use crate::kernel::tenant::{Actor, Tenant};
use crate::logins;
use crate::mails::dispatch;

/// Periods one message bills at most; a subscription that is further behind goes on with the next run.
const PERIODS_MAX: usize = 24;

/// Handles one message. An error lets the queue bring it again.
pub async fn handle(platform: &Platform, message: Message) -> Result<()> {
    match message {
        Message::Event { organization, .. } => {
            let tenant = tenant(platform, organization, "events_queue").await?;
            settle(&tenant).await
        }
        Message::Mail { organization, mail } => dispatch::dispatch(&tenant(platform, organization, "email_queue").await?, mail).await,
        Message::Billing { organization, subscription } => {
            let tenant = tenant(platform, organization, "billing_run").await?;
            for _ in 0..PERIODS_MAX {
                if billing::bill_one_period(&tenant, subscription).await?.is_none() {
                    break;
                }
            }
            settle(&tenant).await
        }
        Message::Login { login } => logins::mail::send(platform, login).await,
        Message::Probe {} => Ok(()),
    }
}

/// A step that fails has its own retries and its own parking, so the message is done; a database that is away lets it come again.
async fn settle(tenant: &Tenant) -> Result<()> {
    runner::settle(tenant, Retry::WhenDue).await.map(|_| ())
}

async fn tenant(platform: &Platform, organization: OrganizationId, actor: &'static str) -> Result<Tenant> {
    let tenant = platform.tenant(organization, Actor::System(actor), None).await?;
    tenant.ok_or_else(|| Error::internal(format!("a message names {organization}, which is not in the directory")))
}
