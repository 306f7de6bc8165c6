//! The endpoints of dead letters, for the vendor.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::replay::{self, unknown};
use super::store;
use crate::http::reply::{Reply, once_for_vendor};
use crate::http::request::{Command, Filter, NoParameters};
use crate::identity::callers::actors::Vendor;
use crate::kernel::error::Result;
use crate::kernel::page::Page;
use crate::kernel::time::Timestamp;

/// Dead letters in one answer. Replaying the oldest makes room for the others.
const SHOWN_MAX: u32 = 100;

/// Work that failed its last attempt: a workflow step, a mail, the billing of a subscription or a queue message.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = DeadLetter)]
pub struct DeadLetterView {
    /// Identifies the dead letter in a replay. Opaque.
    #[serde(rename = "$id")]
    #[schema(example = "mail:org_01h2xcejqtf2nbrexx3vqjhp41:mail_01h2xcejqtf2nbrexx3vqjhp41")]
    pub id: String,
    /// `step`, `mail`, `billing` or `message`.
    #[schema(example = "mail")]
    pub kind: String,
    /// The name of the step, the template of the mail, the id of the subscription or the name of the queue.
    #[schema(example = "organization-welcome")]
    pub name: String,
    /// The id of the organization; null for a queue message.
    #[schema(example = "org_01h2xcejqtf2nbrexx3vqjhp41")]
    pub organization: Option<String>,
    /// The number of attempts that failed; null for a queue message.
    #[schema(example = 8)]
    pub attempts: Option<u32>,
    /// The error of the last attempt; null for a queue message.
    #[schema(example = "no mail provider is connected")]
    pub last_error: Option<String>,
    /// The time of the last attempt; for a mail, the time at which it was written.
    pub given_up_at: Timestamp,
}

impl From<store::DeadLetter> for DeadLetterView {
    fn from(letter: store::DeadLetter) -> Self {
        let store::DeadLetter { id, kind, name, organization, attempts, last_error, given_up_at } = letter;
        Self { id, kind, name, organization, attempts, last_error, given_up_at }
    }
}

/// The dead letter to replay.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Replay {
    /// The `$id` of a dead letter of `GET /v1/dead-letters`.
    #[schema(example = "mail:org_01h2xcejqtf2nbrexx3vqjhp41:mail_01h2xcejqtf2nbrexx3vqjhp41")]
    pub id: String,
}

/// List dead letters
///
/// Returns the oldest 100 dead letters of all organizations, oldest first. The list is not paged: replay some to see the others.
#[utoipa::path(get, path = "/v1/dead-letters", operation_id = "listDeadLetters",
    responses((status = 200, description = "At most 100 dead letters, oldest first", body = Page<DeadLetterView>)))]
pub async fn list(vendor: Vendor, _: Filter<NoParameters>) -> Result<Reply> {
    let mut data: Vec<DeadLetterView> =
        store::list(&vendor.platform, SHOWN_MAX.saturating_add(1)).await?.into_iter().map(DeadLetterView::from).collect();
    let shown = usize::try_from(SHOWN_MAX).unwrap_or(usize::MAX);
    let has_more = data.len() > shown;
    data.truncate(shown);
    Reply::ok(&Page { data, has_more, next_cursor: None })
}

/// Replay a dead letter
///
/// Runs the work again, from its first attempt, and writes an entry to the audit log. Effects that were already committed are not repeated.
/// Work that fails its last attempt again becomes a dead letter again.
#[utoipa::path(post, path = "/v1/dead-letters/replays", operation_id = "replayDeadLetter",
    request_body = Replay, responses((status = 204, description = "Replayed")))]
pub async fn replay(vendor: Vendor, command: Command<Replay>) -> Result<Reply> {
    let (platform, claim) = (&vendor.platform, command.claim.as_ref());
    once_for_vendor(platform, claim, || async {
        if !replay::replay(&vendor, &command.body.id).await? {
            return Err(unknown().into());
        }
        let reply = Reply::no_content();
        // A replay is idempotent by itself; the answer is kept so that the key can't be used for another request.
        let answer = reply.stored(claim).into_iter().flat_map(|answer| answer.record_for_vendor(platform.app().moment().now));
        platform.directory(answer.collect()).await?;
        Ok(reply)
    })
    .await
}
