//! Advancing a clock: runs everything that falls due on the way, in order.

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

/// Things one advance runs at most; a longer way is refused half-way and goes on where it stopped.
const STEPS_MAX: usize = 20_000;

/// What falls due next.
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

/// Moves the clock to `target`. Cut off half-way, or stopped by a step that fails, it has moved part of the way with everything in order
/// so far; advancing again tries that step again and does the rest.
pub async fn advance(platform: &Platform, clock: TestClockId, target: Timestamp) -> Result<()> {
    let members = store::members(platform, clock).await?;
    catch_up(platform, &members).await?;
    for _ in 0..STEPS_MAX {
        let Some(next) = next(platform, clock, target).await? else {
            store::set(platform, clock, target).await?;
            // From here on the Meters' time is the new one, too.
            return try_join_all(members.iter().map(|member| client::set_clock(member, target))).await.map(|_| ());
        };
        store::set(platform, clock, next.at()).await?;
        run(platform, next).await?;
    }
    Err(Error::Unavailable("the way is long; advance again to go on".into()))
}

/// The earliest thing due by `target`; a fact before a bill of the same instant.
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
        return Err(Error::internal(format!("{organization} is due and not in the directory")));
    };
    match next {
        Next::Fact(due) => due::fire(&tenant, &due).await?,
        Next::Billing { subscription, .. } => {
            crate::billing::billing_run::period::bill_one_period(&tenant, subscription)
                .await
                .map_err(|error| not_billed(&tenant, subscription, error))?;
        }
    }
    finish(&tenant).await?;
    // Before anything else falls due: what is erased has no more to come.
    erasure::go_on(platform, organization).await
}

/// The way stops at what can't be billed, and says what that is: on a clock, nothing may be overtaken.
fn not_billed(tenant: &Tenant, subscription: SubscriptionId, error: Error) -> Error {
    let what = format!("{subscription} of {} could not be billed", tenant.organization());
    match error {
        Error::Internal(why) => Error::Internal(format!("{what}: {why}")),
        _ => Problem::unavailable(format!("{what}. Advance again to try it again.")).into(),
    }
}

/// Everything that follows has happened and is mailed, or the advance stops here.
async fn finish(tenant: &Tenant) -> Result<()> {
    if tenant.follow_up(Pending::All).await? == Remaining::Failures {
        return Err(Error::Unavailable(format!("a step of {} failed; advance again to try it again", tenant.organization())));
    }
    dispatch::dispatch_pending(tenant).await
}

/// Before the clock moves: what the Meters raised and what is pending belongs to the time it still is.
async fn catch_up(platform: &Platform, members: &[Tenant]) -> Result<()> {
    try_join_all(members.iter().map(facts::collect)).await?;
    try_join_all(members.iter().map(threshold::usage_arrived)).await?;
    let unfinished = store::unfinished(platform, members).await?;
    let unfinished = members.iter().filter(|member| unfinished.contains(&member.organization()));
    try_join_all(unfinished.map(finish)).await.map(|_| ())
}
