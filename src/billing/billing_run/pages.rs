//! The pages of the run: each page sends one message per due subscription, and one for the next page.

use super::page::{BillingCursor, BillingPage, Timeline};
use super::store;
use super::store::Due;
use crate::kernel::error::Result;
use crate::kernel::platform::Platform;
use crate::kernel::ports::Message;
use crate::kernel::time::Timestamp;

/// Due subscriptions of one page: one read by an index, and five calls of the queue.
const PAGE_MAX: usize = 500;
/// Test clocks of one page; few of them have anything due.
const CLOCKS_MAX: usize = 100;
/// Failed subscriptions that one sweep retries; the next sweep takes the rest.
const PAUSED_MAX: u32 = 500;

/// Starts a run: sends two first pages per shard, and returns their number.
pub async fn begin(platform: &Platform) -> Result<usize> {
    let first = |shard, timeline| BillingPage { shard, timeline, after: None }.message();
    let pages = (0..platform.app().shards.len()).flat_map(|shard| [first(shard, Timeline::Real), first(shard, Timeline::TestClocks)]);
    let pages = pages.collect::<Result<Vec<Message>>>()?;
    let count = pages.len();
    platform.app().queues.send(pages).await?;
    Ok(count)
}

/// Sends the messages of one page. Interrupted anywhere, the page is sent again: a second message for a subscription finds nothing due.
pub async fn send_page(platform: &Platform, page: BillingPage) -> Result<()> {
    let (due, next) = match page.timeline {
        Timeline::Real => {
            let due = store::due(platform, page.shard, page.after.as_ref(), limit(PAGE_MAX)).await?;
            let next = behind(&due);
            (due, next)
        }
        Timeline::TestClocks => on_clocks(platform, &page).await?,
    };
    let mut messages: Vec<Message> =
        due.into_iter().map(|due| Message::Billing { organization: due.organization_id, subscription: due.id }).collect();
    if let Some(after) = next {
        messages.push(BillingPage { after: Some(after), ..page }.message()?);
    }
    if messages.is_empty() { Ok(()) } else { platform.app().queues.send(messages).await }
}

/// Subscriptions on test clocks are billed when their clock advances; an interrupted advance is completed here.
async fn on_clocks(platform: &Platform, page: &BillingPage) -> Result<(Vec<Due>, Option<BillingCursor>)> {
    let clocks = store::clocks(platform, page.after.as_ref().and_then(|after| after.clock), limit(CLOCKS_MAX)).await?;
    let due = store::due_on_clocks(platform, page.shard, &clocks, page.after.as_ref(), limit(PAGE_MAX)).await?;
    let next = behind(&due).or_else(|| {
        let last = clocks.keys().last().filter(|_| clocks.len() >= CLOCKS_MAX)?;
        Some(BillingCursor { clock: Some(*last), next_billing_at: Timestamp::LATEST, organization: None, subscription: None })
    });
    Ok((due, next))
}

/// The position of the next page, if this one is full.
fn behind(due: &[Due]) -> Option<BillingCursor> {
    due.last().filter(|_| due.len() >= PAGE_MAX).map(Due::cursor)
}

/// Sends the messages of failed subscriptions whose retry is due, and returns their number.
pub async fn retry_failed(platform: &Platform) -> Result<usize> {
    let messages = store::paused(platform, PAUSED_MAX).await?;
    let count = messages.len();
    if count > 0 {
        platform.app().queues.send(messages).await?;
    }
    Ok(count)
}

fn limit(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
