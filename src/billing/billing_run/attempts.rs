//! Bills one subscription; what can't be billed is tried again by and by, and parked at last.

use super::period::Run;
use super::store;
use crate::kernel::decision::Decision;
use crate::kernel::error::Result;
use crate::kernel::ids::SubscriptionId;
use crate::kernel::ports::Message;
use crate::kernel::retry::Policy;
use crate::kernel::tenant::Tenant;
use crate::kernel::time::{hours, seconds};

/// Periods that one message bills; a subscription that is further behind goes on with another message.
const PERIODS_MAX: usize = 24;
/// A subscription that can't be billed is parked after about 20 minutes.
const RETRIES: Policy = Policy { attempts_max: 8, pause_first: seconds(10), pause_max: hours(1) };

/// Bills what is due for one subscription. What went wrong is recorded, and then the work of the message is done: whoever waits behind it
/// goes on. An error says that not even that could be recorded.
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
            // The commit of a period has forgotten the failures before it.
            Run::Closed { is_behind: false } => return Ok(()),
            // Not due, or no longer: what failed was done by somebody else.
            Run::NothingDue if period == 0 => return tenant.run(vec![store::forget_failure(subscription)]).await.map(|_| ()),
            Run::NothingDue => return Ok(()),
        }
    }
    tenant.app().queues.send(vec![Message::Billing { organization: tenant.organization(), subscription }]).await
}

/// Lets a parked subscription be billed again, from the first attempt.
pub async fn replay(tenant: &Tenant, subscription: SubscriptionId) -> Result<bool> {
    let is_parked = store::failure(tenant, subscription).await?.is_some_and(|failure| failure.given_up_at.is_some());
    if is_parked {
        let decision = Decision::new().write(store::forget_failure(subscription)).audit(
            "parkedBilling.replayed",
            subscription.to_string(),
            None,
            None,
        );
        tenant.commit(decision, None).await?;
        bill(tenant, subscription).await?;
        tenant.follow_up_or_leave().await;
    }
    Ok(is_parked)
}
