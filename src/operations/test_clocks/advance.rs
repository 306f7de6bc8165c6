//! Advancing a clock: runs everything due on the way, in order.

use futures::future::try_join_all;

use super::due::DueEvent;
use super::{due, store};
use crate::billing::charging::threshold;
use crate::billing::subscriptions;
use crate::delivery::mails::dispatch;
use crate::kernel::error::{Error, Result};
use crate::kernel::ids::{OrganizationId, SubscriptionId, TestClockId};
use crate::kernel::platform::Platform;
use crate::kernel::ports::{Pending, Remaining};
use crate::kernel::problem::Problem;
use crate::kernel::tenant::{Actor, Tenant};
use crate::kernel::time::Timestamp;
use crate::meter::client;
use crate::metering::usage::facts;
use crate::tenancy::data_movement::erasure;

/// Facts and bills that one advance runs at most. A longer advance stops half-way; repeating it continues from there.
const STEPS_MAX: usize = 20_000;

/// The next fact or bill that is due.
enum Next {
    Fact(DueEvent),
    Billing { organization: OrganizationId, subscription: SubscriptionId, at: Timestamp },
}

impl Next {
    fn at(&self) -> Timestamp {
        match self {
            Self::Fact(due) => due.due_at,
            Self::Billing { at, .. } => *at,
        }
    }
}

/// Moves the clock to `target`. Interrupted, or stopped by a failing step, the clock stays at the time of that step, with everything before
/// it done; advancing again retries the step and continues.
pub async fn advance(platform: &Platform, clock: TestClockId, target: Timestamp) -> Result<()> {
    let members = store::members(platform, clock).await?;
    finish_pending(platform, &members).await?;
    for _ in 0..STEPS_MAX {
        let Some(next) = next(platform, clock, target).await? else {
            store::set(platform, clock, target).await?;
            // From here on the Meters use the new time, too.
            return try_join_all(members.iter().map(|member| client::set_clock(member, target))).await.map(|_| ());
        };
        store::set(platform, clock, next.at()).await?;
        run(platform, next).await?;
    }
    Err(Error::Unavailable("the advance runs too many facts at once; advance again to continue".into()))
}

/// The earliest fact or bill due by `target`; a fact comes before a bill of the same instant.
async fn next(platform: &Platform, clock: TestClockId, target: Timestamp) -> Result<Option<Next>> {
    let (facts, bills) =
        futures::future::try_join(due::on_clock(platform, clock, target, 1), subscriptions::store::due_on_clock(platform, clock, target))
            .await?;
    let facts = facts.into_iter().map(Next::Fact);
    let bills =
        bills.into_iter().map(|due| Next::Billing { organization: due.organization_id, subscription: due.id, at: due.next_billing_at });
    Ok(facts.chain(bills).min_by_key(Next::at))
}

async fn run(platform: &Platform, next: Next) -> Result<()> {
    let organization = match &next {
        Next::Fact(due) => due.organization_id,
        Next::Billing { organization, .. } => *organization,
    };
    let Some(tenant) = platform.tenant(organization, Actor::System("test_clock"), None).await? else {
        return Err(Error::internal(format!("{organization} is due and has no entry in the directory")));
    };
    match next {
        Next::Fact(due) => due::raise(&tenant, &due).await?,
        Next::Billing { subscription, .. } => {
            crate::billing::billing_run::period::bill_one_period(&tenant, subscription)
                .await
                .map_err(|error| not_billed(&tenant, subscription, error))?;
        }
    }
    finish(&tenant).await?;
    // Before anything else is run: an erased organization has no further facts.
    erasure::continue_erasure(platform, organization).await
}

/// The advance stops at a subscription that can't be billed, and names it: on a clock, nothing is skipped.
fn not_billed(tenant: &Tenant, subscription: SubscriptionId, error: Error) -> Error {
    let what = format!("{subscription} of {} could not be billed", tenant.organization());
    match error {
        Error::Internal(why) => Error::Internal(format!("{what}: {why}")),
        _ => Problem::unavailable(format!("{what}. Advance the clock again to retry.")).into(),
    }
}

/// Runs all steps and sends all mails of the tenant; the advance stops if one fails.
async fn finish(tenant: &Tenant) -> Result<()> {
    if tenant.follow_up(Pending::All).await? == Remaining::Failures {
        return Err(Error::Unavailable(format!("a step of {} failed; advance the clock again to retry", tenant.organization())));
    }
    dispatch::dispatch_pending(tenant).await
}

/// Before the clock moves: facts of the Meters and pending facts belong to the present time.
async fn finish_pending(platform: &Platform, members: &[Tenant]) -> Result<()> {
    try_join_all(members.iter().map(facts::collect)).await?;
    try_join_all(members.iter().map(threshold::usage_arrived)).await?;
    let unfinished = store::unfinished(platform, members).await?;
    let unfinished = members.iter().filter(|member| unfinished.contains(&member.organization()));
    try_join_all(unfinished.map(finish)).await.map(|_| ())
}
