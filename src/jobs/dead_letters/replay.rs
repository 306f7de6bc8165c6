//! The replay of one dead letter, by its kind.

use crate::billing::billing_run::attempts;
use crate::business::runner;
use crate::delivery::mails::dispatch;
use crate::identity::callers::actors::Vendor;
use crate::jobs::dead_letters::store;
use crate::jobs::messages;
use crate::kernel::audit::Audit;
use crate::kernel::error::{Error, Result};
use crate::kernel::ids::{DeadLetterId, EventId, MailId, OrganizationId, SubscriptionId};
use crate::kernel::ports::Message;
use crate::kernel::problem::Problem;
use crate::kernel::tenant::Tenant;

/// Replays the dead letter; false where there is none of this id.
pub async fn replay(vendor: &Vendor, id: &str) -> Result<bool> {
    let mut parts = id.splitn(4, ':');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some("step"), Some(organization), Some(event), Some(step)) => {
            let event: EventId = event.parse().map_err(|_| unknown())?;
            runner::replay(&tenant(vendor, organization).await?, event, step).await
        }
        (Some("mail"), Some(organization), Some(mail), None) => {
            let mail: MailId = mail.parse().map_err(|_| unknown())?;
            dispatch::replay(&tenant(vendor, organization).await?, mail).await
        }
        (Some("billing"), Some(organization), Some(subscription), None) => {
            let subscription: SubscriptionId = subscription.parse().map_err(|_| unknown())?;
            attempts::replay(&tenant(vendor, organization).await?, subscription).await
        }
        (Some("message"), Some(message), None, None) => replay_message(vendor, message.parse().map_err(|_| unknown())?).await,
        _ => Ok(false),
    }
}

pub fn unknown() -> Problem {
    Problem::not_found("dead letter")
}

async fn tenant(vendor: &Vendor, organization: &str) -> Result<Tenant> {
    let organization: OrganizationId = organization.parse().map_err(|_| unknown())?;
    let tenant = vendor.platform.tenant(organization, vendor.platform.actor().clone(), Some(vendor.request_id)).await?;
    tenant.ok_or_else(|| unknown().into())
}

/// Handles the message within this request. The dead letter is deleted only after the message was handled.
async fn replay_message(vendor: &Vendor, id: DeadLetterId) -> Result<bool> {
    let Some(body) = store::body(&vendor.platform, id).await? else { return Ok(false) };
    let message: Message =
        serde_json::from_str(&body).map_err(|error| Error::internal(format!("the message of {id} can't be read: {error}")))?;
    let entry = Audit { action: "deadLetter.replayed", target: id.to_string(), before: None, after: serde_json::to_value(&message).ok() };
    messages::handle(&vendor.platform, message).await?;
    vendor.platform.commit(vec![store::delete(id)], vec![entry]).await?;
    Ok(true)
}
