//! The endpoints of parked work, for the vendor.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::billing::billing_run::attempts;
use crate::business::runner;
use crate::delivery::mails::dispatch;
use crate::http::reply::{Reply, once_for_vendor};
use crate::http::request::{Command, Filter, NoParameters};
use crate::identity::callers::actors::Vendor;
use crate::jobs::messages;
use crate::kernel::audit::Audit;
use crate::kernel::error::{Error, Result};
use crate::kernel::ids::{EventId, MailId, OrganizationId, ParkedId, SubscriptionId};
use crate::kernel::page::Page;
use crate::kernel::ports::Message;
use crate::kernel::problem::Problem;
use crate::kernel::sql;
use crate::kernel::sql::Value;
use crate::kernel::tenant::Tenant;
use crate::kernel::time::Timestamp;
use crate::platform_sql;

/// Parked work shown at once, oldest first.
const SHOWN_MAX: u32 = 100;

/// Something that kept failing: a workflow step, a mail, the billing of a subscription or a queue message.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all(serialize = "camelCase"))]
#[schema(as = ParkedWork)]
pub struct ParkedView {
    #[serde(rename(serialize = "$id"))]
    pub id: String,
    /// `step`, `mail`, `billing` or `message`.
    pub kind: String,
    /// The step's name, the mail's template, the subscription or the queue's name.
    pub name: String,
    pub organization: Option<String>,
    pub attempts: Option<u32>,
    pub last_error: Option<String>,
    #[serde(deserialize_with = "sql::millis::deserialize")]
    pub parked_at: Timestamp,
}

/// Which parked work to try again.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Replay {
    /// The `$id` shown by `GET /v1/parked`.
    pub id: String,
}

/// List parked work
#[utoipa::path(get, path = "/v1/parked", tag = "operations", operation_id = "listParkedWork",
    responses((status = 200, description = "Oldest first, at most 100; replay some to see more", body = Page<ParkedView>)))]
pub async fn list(vendor: Vendor, _: Filter<NoParameters>) -> Result<Reply> {
    let steps = "SELECT 'step:' || organization_id || ':' || event_id || ':' || step AS id, 'step' AS kind,
                   step AS name, organization_id AS organization, attempts, last_error, updated_at AS parked_at
                 FROM reaction_runs
                 WHERE status = 'dead'
                 ORDER BY updated_at
                 LIMIT ?1";
    let mails = "SELECT 'mail:' || organization_id || ':' || id AS id, 'mail' AS kind, template AS name,
                   organization_id AS organization, attempts, last_error, created_at AS parked_at
                 FROM mails
                 WHERE sent_at IS NULL AND next_attempt_at IS NULL
                 ORDER BY created_at
                 LIMIT ?1";
    let bills = "SELECT 'billing:' || organization_id || ':' || subscription_id AS id, 'billing' AS kind,
                   subscription_id AS name, organization_id AS organization, attempts, last_error,
                   given_up_at AS parked_at
                 FROM billing_failures
                 WHERE given_up_at IS NOT NULL
                 ORDER BY given_up_at
                 LIMIT ?1";
    let limit = [Value::from(SHOWN_MAX.saturating_add(1))];
    let mut data: Vec<ParkedView> = vendor.platform.every_shard(steps, &limit).await?;
    data.extend(vendor.platform.every_shard::<ParkedView>(mails, &limit).await?);
    data.extend(vendor.platform.every_shard::<ParkedView>(bills, &limit).await?);
    let messages = platform_sql!(
        "SELECT 'message:' || id AS id, 'message' AS kind, queue AS name, NULL AS organization, NULL AS attempts,
           NULL AS last_error, given_up_at AS parked_at
         FROM dead_letters
         ORDER BY given_up_at
         LIMIT ?1",
        SHOWN_MAX.saturating_add(1)
    );
    data.extend(vendor.platform.directory_rows::<ParkedView>(messages).await?);
    data.sort_by_key(|parked| parked.parked_at);
    let shown = usize::try_from(SHOWN_MAX).unwrap_or(usize::MAX);
    let has_more = data.len() > shown;
    data.truncate(shown);
    Reply::ok(&Page { data, has_more, next_cursor: None })
}

/// Try parked work again
///
/// From its first attempt. What it had done before is not done twice.
#[utoipa::path(post, path = "/v1/parked/replays", tag = "operations", operation_id = "replayParkedWork", request_body = Replay,
    responses((status = 204, description = "Tried; what fails again will be parked again")))]
pub async fn replay(vendor: Vendor, command: Command<Replay>) -> Result<Reply> {
    let (platform, claim) = (&vendor.platform, command.claim.as_ref());
    once_for_vendor(platform, claim, || async {
        if !try_again(&vendor, &command.body.id).await? {
            return Err(Problem::not_found("parked work").into());
        }
        let reply = Reply::no_content();
        // Trying again is idempotent by itself; the answer is kept so that the key can't be used for something else.
        let answer = reply.stored(claim).into_iter().flat_map(|answer| answer.record_for_vendor(platform.app().moment().now));
        platform.directory(answer.collect()).await?;
        Ok(reply)
    })
    .await
}

/// Tries one piece of parked work; false when there is no such.
async fn try_again(vendor: &Vendor, id: &str) -> Result<bool> {
    let unknown = || Problem::not_found("parked work");
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

async fn tenant(vendor: &Vendor, organization: &str) -> Result<Tenant> {
    let unknown = || Problem::not_found("parked work");
    let organization: OrganizationId = organization.parse().map_err(|_| unknown())?;
    let tenant = vendor.platform.tenant(organization, vendor.platform.actor().clone(), Some(vendor.request_id)).await?;
    tenant.ok_or_else(|| unknown().into())
}

#[derive(Deserialize)]
struct ParkedMessage {
    body: String,
}

/// Handles the message here and now; only then it is no longer parked.
async fn replay_message(vendor: &Vendor, id: ParkedId) -> Result<bool> {
    let rows: Vec<ParkedMessage> = vendor.platform.directory_rows(platform_sql!("SELECT body FROM dead_letters WHERE id = ?1", id)).await?;
    let Some(row) = rows.into_iter().next() else { return Ok(false) };
    let message: Message =
        serde_json::from_str(&row.body).map_err(|error| Error::internal(format!("a parked message can't be read: {error}")))?;
    let entry =
        Audit { action: "parkedMessage.replayed", target: id.to_string(), before: None, after: serde_json::to_value(&message).ok() };
    messages::handle(&vendor.platform, message).await?;
    vendor.platform.commit(vec![platform_sql!("DELETE FROM dead_letters WHERE id = ?1", id)], vec![entry]).await?;
    Ok(true)
}
