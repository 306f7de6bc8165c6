//! Bills one subscription; failures are retried, and end as a dead letter.

use super::period::Run;
use super::store;
use crate::kernel::decision::Decision;
use crate::kernel::error::Result;
use crate::kernel::ids::SubscriptionId;
use crate::kernel::ports::Message;
use crate::kernel::retry::Policy;
use crate::kernel::tenant::{Tenant, until_fresh};
use crate::kernel::time::{hours, seconds};

/// Periods that one message bills; the rest of a subscription that is further behind is billed by another message.
const PERIODS_MAX: usize = 24;
/// A subscription that cannot be billed becomes a dead letter after about 20 minutes.
const RETRIES: Policy = Policy { attempts_max: 8, pause_first: seconds(10), pause_max: hours(1) };

/// Bills all due periods of one subscription. A failure is recorded, and the message is done: it does not block the messages behind it. An
/// error means that the failure could not be recorded.
pub async fn bill(tenant: &Tenant, subscription: SubscriptionId) -> Result<()> {
    let Err(error) = bill_periods(tenant, subscription).await else { return Ok(()) };
    let before = store::failure(tenant, subscription).await?.map_or(0, |failure| failure.attempts);
    let failure = RETRIES.failed_again(before, tenant.app().moment().now, &subscription.to_string());
    store::record_failure(tenant, subscription, failure.attempts, &error, failure.next_attempt_at).await
}

async fn bill_periods(tenant: &Tenant, subscription: SubscriptionId) -> Result<()> {
    for period in 0..PERIODS_MAX {
        match super::period::bill_one_period(tenant, subscription).await? {
            Run::Closed { is_behind: true } => {}
            // The commit of the period has deleted earlier failures.
            Run::Closed { is_behind: false } => return Ok(()),
            // Not due, or no longer: another message has billed it.
            Run::NothingDue if period == 0 => return tenant.run(vec![store::forget_failure(subscription)]).await.map(|_| ()),
            Run::NothingDue => return Ok(()),
        }
    }
    tenant.app().queues.send(vec![Message::Billing { organization: tenant.organization(), subscription }]).await
}

/// Replays a dead letter: bills the subscription again, from the first attempt. False where there is no such dead letter, or another
/// replay has taken it.
pub async fn replay(tenant: &Tenant, subscription: SubscriptionId) -> Result<bool> {
    let is_dead_letter = until_fresh(|| revive(tenant, subscription)).await?;
    if is_dead_letter {
        bill(tenant, subscription).await?;
        tenant.follow_up_or_leave().await;
    }
    Ok(is_dead_letter)
}

async fn revive(tenant: &Tenant, subscription: SubscriptionId) -> Result<bool> {
    if store::failure(tenant, subscription).await?.is_none_or(|failure| failure.given_up_at.is_none()) {
        return Ok(false);
    }
    let decision = Decision::new().guard(store::is_given_up(subscription)).write(store::forget_failure(subscription)).audit(
        "deadLetter.replayed",
        subscription.to_string(),
        None,
        None,
    );
    tenant.commit(decision, None).await?;
    Ok(true)
}
