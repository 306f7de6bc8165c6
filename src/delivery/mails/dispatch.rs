//! Sends committed mails: by the `email` queue, and at once when a test clock is advanced.

use serde::Deserialize;

use super::secrets;
use crate::kernel::decision::Decision;
use crate::kernel::error::{Error, Result};
use crate::kernel::ids::MailId;
use crate::kernel::mail::render::render;
use crate::kernel::ports::OutgoingMail;
use crate::kernel::retry::{Failure, Policy};
use crate::kernel::sql;
use crate::kernel::tenant::{Tenant, TenantStatement, until_fresh};
use crate::kernel::time::{Timestamp, hours, seconds};
use crate::{stale_if, tenant_sql};

/// A mail that can't be sent becomes a dead letter after about an hour: most outages of a provider are shorter.
const RETRIES: Policy = Policy { attempts_max: 8, pause_first: seconds(30), pause_max: hours(1) };
/// Mails of one organization that one call sends.
const PENDING_MAX: u32 = 100;

#[derive(Deserialize)]
struct MailRow {
    id: MailId,
    recipient: String,
    template: String,
    #[serde(deserialize_with = "sql::json::deserialize")]
    data: serde_json::Value,
    #[serde(deserialize_with = "sql::millis::deserialize")]
    created_at: Timestamp,
    attempts: u32,
}

/// Sends one mail, unless it was sent or is a dead letter.
pub async fn dispatch(tenant: &Tenant, id: MailId) -> Result<()> {
    let statement = tenant_sql!(
        "SELECT organization_id, id, recipient, template, data, created_at, attempts
         FROM mails
         WHERE organization_id = ?1 AND id = ?2 AND next_attempt_at IS NOT NULL",
        id
    );
    match tenant.row::<MailRow>(statement).await? {
        Some(mail) => send(tenant, mail).await,
        None => Ok(()),
    }
}

/// Sends all due mails of an organization whose test clock is advanced.
pub async fn dispatch_pending(tenant: &Tenant) -> Result<()> {
    let statement = tenant_sql!(
        "SELECT organization_id, id, recipient, template, data, created_at, attempts
         FROM mails
         WHERE organization_id = ?1 AND next_attempt_at <= ?2
         ORDER BY created_at, id
         LIMIT ?3",
        tenant.app().moment().now,
        PENDING_MAX
    );
    for mail in tenant.rows::<MailRow>(statement).await? {
        send(tenant, mail).await?;
    }
    Ok(())
}

async fn send(tenant: &Tenant, mail: MailRow) -> Result<()> {
    let (id, before) = (mail.id, mail.attempts);
    let outcome = match outgoing(tenant, mail) {
        Ok(outgoing) => tenant.app().mailer.send(outgoing).await,
        Err(error) => Err(error),
    };
    let note = match outcome {
        Ok(()) => sent(id, before.saturating_add(1), tenant.moment().now),
        Err(error) => failed(id, RETRIES.failed_again(before, tenant.app().moment().now, &id.to_string()), &error),
    };
    tenant.run(vec![note]).await.map(|_| ())
}

fn outgoing(tenant: &Tenant, mail: MailRow) -> Result<OutgoingMail> {
    let data = secrets::added(&mail.template, &mail.data, tenant.organization(), &tenant.app().settings.secret)?;
    let rendered = render(&mail.template, &data)?;
    Ok(OutgoingMail {
        id: mail.id,
        organization: tenant.organization(),
        to: mail.recipient,
        template: mail.template,
        subject: rendered.subject,
        text: rendered.text,
        html: rendered.html,
        data: mail.data,
        sent_at: mail.created_at,
    })
}

fn sent(id: MailId, attempts: u32, now: Timestamp) -> TenantStatement {
    tenant_sql!(
        "UPDATE mails
         SET sent_at = ?3, attempts = ?4, next_attempt_at = NULL, last_error = NULL
         WHERE organization_id = ?1 AND id = ?2",
        id,
        now,
        attempts
    )
}

/// After the last attempt the mail is a dead letter: it has an error and no next attempt.
fn failed(id: MailId, failure: Failure, error: &Error) -> TenantStatement {
    tenant_sql!(
        "UPDATE mails
         SET attempts = ?3, next_attempt_at = ?4, last_error = ?5
         WHERE organization_id = ?1 AND id = ?2",
        id,
        failure.attempts,
        failure.next_attempt_at,
        error.for_the_record()
    )
}

/// Replays a dead letter: sends the mail again, from the first attempt. False where there is no such dead letter, or another replay has
/// taken it.
pub async fn replay(tenant: &Tenant, id: MailId) -> Result<bool> {
    let is_dead_letter = until_fresh(|| revive(tenant, id)).await?;
    if is_dead_letter {
        dispatch(tenant, id).await?;
    }
    Ok(is_dead_letter)
}

async fn revive(tenant: &Tenant, id: MailId) -> Result<bool> {
    let dead_letter = tenant_sql!(
        "SELECT organization_id
         FROM mails
         WHERE organization_id = ?1
           AND id = ?2
           AND sent_at IS NULL
           AND next_attempt_at IS NULL",
        id
    );
    if !tenant.run(vec![dead_letter]).await?.iter().any(|rows| !rows.is_empty()) {
        return Ok(false);
    }
    let guard = stale_if!(
        "NOT EXISTS (
           SELECT 1
           FROM mails
           WHERE organization_id = ?1 AND id = ?2 AND sent_at IS NULL AND next_attempt_at IS NULL
         )",
        id
    );
    let again = tenant_sql!(
        "UPDATE mails
         SET attempts = 0, next_attempt_at = ?3
         WHERE organization_id = ?1 AND id = ?2",
        id,
        tenant.app().moment().now
    );
    let decision = Decision::new().guard(guard).write(again).audit("deadLetter.replayed", id.to_string(), None, None);
    tenant.commit(decision, None).await?;
    Ok(true)
}
