//! The local mailer: stores mails for `/dev/inbox` instead of sending them. Used under `wrangler dev` and in tests; no provider is
//! connected elsewhere.

use std::sync::Arc;

use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};

use crate::kernel::error::{Error, Result};
use crate::kernel::ids::{MailId, OrganizationId};
use crate::kernel::platform::Platform;
use crate::kernel::ports::{Mailer, OutgoingMail};
use crate::kernel::sql;
use crate::kernel::sql::Sql;
use crate::kernel::time::Timestamp;
use crate::platform_sql;

pub struct LocalMailer {
    pub directory: Arc<dyn Sql>,
}

impl Mailer for LocalMailer {
    fn send(&self, mail: OutgoingMail) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            let statement = platform_sql!(
                "INSERT INTO local_mails (id, organization_id, recipient, template, subject, text, html, data, sent_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
                 ON CONFLICT DO NOTHING",
                mail.id,
                mail.organization,
                mail.to,
                mail.template,
                mail.subject,
                mail.text,
                mail.html,
                mail.data.to_string(),
                mail.sent_at
            );
            self.directory.batch(vec![statement]).await?;
            Ok(())
        })
    }
}

/// Outside development, while no provider is connected: no mail is marked as sent. The mails are retried, become dead
/// letters and can be replayed from `/v1/dead-letters`.
pub struct NoProvider;

impl Mailer for NoProvider {
    fn send(&self, _: OutgoingMail) -> BoxFuture<'_, Result<()>> {
        Box::pin(async { Err(Error::Unavailable("no mail provider is connected".into())) })
    }
}

/// A mail of `/dev/emails`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LocalMail {
    #[serde(rename(serialize = "$id"))]
    pub id: MailId,
    #[serde(rename(serialize = "organization"))]
    pub organization_id: OrganizationId,
    #[serde(rename(serialize = "to"))]
    pub recipient: String,
    pub template: String,
    pub subject: String,
    pub text: String,
    pub html: String,
    #[serde(deserialize_with = "sql::json::deserialize")]
    pub data: serde_json::Value,
    #[serde(rename(serialize = "sentAt"), deserialize_with = "sql::millis::deserialize")]
    pub sent_at: Timestamp,
}

/// Mails in one answer at most.
const SHOWN_MAX: u32 = 500;

/// The newest mails, to all addresses or to one.
pub async fn list(platform: &Platform, to: Option<&str>) -> Result<Vec<LocalMail>> {
    let statement = platform_sql!(
        "SELECT id, organization_id, recipient, template, subject, text, html, data, sent_at
         FROM local_mails
         WHERE ?1 IS NULL OR recipient = ?1
         ORDER BY sent_at DESC, rowid DESC
         LIMIT ?2",
        to,
        SHOWN_MAX
    );
    platform.directory_rows(statement).await
}
