//! The calendar: the tasks of each minute, hour and day.

use futures::future::BoxFuture;
use serde::Deserialize;

use crate::billing::billing_run;
use crate::identity::{access_tokens, logins, members, sessions, throttle};
use crate::kernel::error::Result;
use crate::kernel::ids::{EventId, MailId, OrganizationId};
use crate::kernel::platform::Platform;
use crate::kernel::ports::Message;
use crate::kernel::sql::Value;
use crate::kernel::time::seconds;
use crate::operations::{exports, maintenance, test_clocks};
use crate::tenancy::data_movement::{erasure, move_store};
use crate::tenancy::signup::placement;

/// A scheduled task; returns the number of rows it processed.
pub struct Task {
    pub name: &'static str,
    pub run: fn(Platform) -> BoxFuture<'static, Result<usize>>,
}

/// A line of the calendar.
pub struct Entry {
    pub cron: &'static str,
    pub when: &'static str,
    pub tasks: &'static [Task],
}

/// The whole calendar; `wrangler.toml` lists the same crons.
pub const CALENDAR: &[Entry] = &[
    Entry {
        cron: "* * * * *",
        when: "Every minute",
        tasks: &[
            Task { name: "raise due facts", run: |platform| Box::pin(raise_due_events(platform)) },
            Task { name: "run the steps of pending facts", run: |platform| Box::pin(queue_pending_events(platform)) },
            Task { name: "send pending mails", run: |platform| Box::pin(queue_pending_mails(platform)) },
            Task { name: "continue exports, moves and erasures", run: |platform| Box::pin(queue_unfinished_work(platform)) },
            Task { name: "send pending login mails", run: |platform| Box::pin(queue_unmailed_logins(platform)) },
            Task { name: "finish interrupted sign-ups", run: |platform| Box::pin(finish_interrupted_sign_ups(platform)) },
            Task { name: "retry failed billing", run: |platform| Box::pin(retry_failed_billing(platform)) },
        ],
    },
    Entry {
        cron: "0 * * * *",
        when: "Every hour",
        tasks: &[
            Task { name: "bill due subscriptions", run: |platform| Box::pin(bill_due_subscriptions(platform)) },
            Task { name: "update the seats of outdated Meters", run: |platform| Box::pin(update_outdated_seats(platform)) },
        ],
    },
    Entry {
        cron: "0 5 * * *",
        when: "Every day",
        tasks: &[
            Task { name: "delete stored answers older than 48 hours", run: |platform| Box::pin(delete_old_answers(platform)) },
            Task { name: "delete exports older than 7 days", run: |platform| Box::pin(delete_old_exports(platform)) },
            Task { name: "delete the counters of full rate limits", run: |platform| Box::pin(delete_full_throttles(platform)) },
            Task { name: "rotate the signing key of access tokens after 90 days", run: |platform| Box::pin(rotate_signing_keys(platform)) },
            Task { name: "delete logins that expired a day ago", run: |platform| Box::pin(delete_expired_logins(platform)) },
            Task { name: "delete sessions that expired a month ago", run: |platform| Box::pin(delete_expired_sessions(platform)) },
        ],
    },
];

/// Runs the entry of `cron`. A task that fails does not stop the others.
pub async fn run(platform: &Platform, cron: &str) -> Vec<(&'static str, Result<usize>)> {
    let mut results = Vec::new();
    for entry in CALENDAR.iter().filter(|entry| entry.cron == cron) {
        for task in entry.tasks {
            results.push((task.name, (task.run)(platform.clone()).await));
        }
    }
    results
}

/// Rows of one sweep; the next sweep processes the rest.
const SWEEP_MAX: u32 = 500;
/// A fact younger than this is still run by the request that caused it.
const IN_HAND: std::time::Duration = seconds(10);

async fn raise_due_events(platform: Platform) -> Result<usize> {
    test_clocks::due::raise_in_real_time(&platform, SWEEP_MAX).await
}

#[derive(Deserialize)]
struct PendingEvent {
    organization_id: OrganizationId,
    id: EventId,
}

async fn queue_pending_events(platform: Platform) -> Result<usize> {
    let before = platform.app().moment().now.minus(IN_HAND);
    let text = "SELECT organization_id, id
                FROM events
                WHERE dispatched_at IS NULL AND next_attempt_at <= ?1
                ORDER BY next_attempt_at
                LIMIT ?2";
    let rows: Vec<PendingEvent> = platform.every_shard(text, &[Value::from(before), Value::from(SWEEP_MAX)]).await?;
    queue(&platform, rows.into_iter().map(|row| Message::Event { organization: row.organization_id, event: row.id }).collect()).await
}

#[derive(Deserialize)]
struct PendingMail {
    organization_id: OrganizationId,
    id: MailId,
}

async fn queue_pending_mails(platform: Platform) -> Result<usize> {
    let before = platform.app().moment().now.minus(IN_HAND);
    let text = "SELECT organization_id, id FROM mails WHERE next_attempt_at <= ?1 ORDER BY next_attempt_at LIMIT ?2";
    let rows: Vec<PendingMail> = platform.every_shard(text, &[Value::from(before), Value::from(SWEEP_MAX)]).await?;
    queue(&platform, rows.into_iter().map(|row| Message::Mail { organization: row.organization_id, mail: row.id }).collect()).await
}

async fn finish_interrupted_sign_ups(platform: Platform) -> Result<usize> {
    placement::finish_interrupted(&platform).await
}

/// Fans out: the pages send one message of the `billing` queue for each due subscription.
async fn bill_due_subscriptions(platform: Platform) -> Result<usize> {
    billing_run::pages::begin(&platform).await
}

async fn retry_failed_billing(platform: Platform) -> Result<usize> {
    billing_run::pages::retry_failed(&platform).await
}

async fn update_outdated_seats(platform: Platform) -> Result<usize> {
    members::seats::update_outdated_meters(&platform).await
}

async fn delete_old_answers(platform: Platform) -> Result<usize> {
    maintenance::delete_old_answers(&platform).await
}

async fn delete_old_exports(platform: Platform) -> Result<usize> {
    exports::steps::delete_expired(&platform).await
}

/// Work that one message could not finish, or whose message was lost.
async fn queue_unfinished_work(platform: Platform) -> Result<usize> {
    let mut messages = erasure::unfinished(&platform).await?;
    messages.extend(move_store::unfinished(&platform).await?);
    messages.extend(exports::steps::unfinished(&platform).await?);
    queue(&platform, messages).await
}

async fn queue_unmailed_logins(platform: Platform) -> Result<usize> {
    queue(&platform, logins::store::unmailed(&platform, SWEEP_MAX).await?).await
}

async fn delete_expired_logins(platform: Platform) -> Result<usize> {
    logins::store::forget_expired(&platform).await
}

async fn delete_expired_sessions(platform: Platform) -> Result<usize> {
    sessions::store::forget_expired(&platform).await
}

async fn delete_full_throttles(platform: Platform) -> Result<usize> {
    throttle::forget_full(platform.app()).await
}

async fn rotate_signing_keys(platform: Platform) -> Result<usize> {
    access_tokens::keys::keep_fresh(&platform).await
}

async fn queue(platform: &Platform, messages: Vec<Message>) -> Result<usize> {
    let count = messages.len();
    if count > 0 {
        platform.app().queues.send(messages).await?;
    }
    Ok(count)
}
