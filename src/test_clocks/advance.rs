//! Advancing a clock: runs everything that falls due on the way, in order.

use futures::future::try_join_all;

use super::due::{self, DueEvent};
use super::store;
use crate::business::runner;
use crate::invoices::billing;
use crate::kernel::error::{Error, Result};
use crate::kernel::ids::{OrganizationId, SubscriptionId, TestClockId};
use crate::kernel::platform::Platform;
use crate::kernel::tenant::{Actor, Tenant};
use crate::kernel::time::Timestamp;
use crate::mails::dispatch;
use crate::subscriptions;
use crate::usage::{facts, meters};

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

/// Moves the clock to `target`. Cut off half-way, it has moved part of the way, and advancing again does the rest.
pub async fn advance(platform: &Platform, clock: TestClockId, target: Timestamp) -> Result<()> {
    let members = store::members(platform, clock).await?;
    each(platform, &members, catch_up).await?;
    for _ in 0..STEPS_MAX {
        let Some(next) = next(platform, clock, target).await? else {
            store::set(platform, clock, target).await?;
            return each(platform, &members, arrive).await;
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
            billing::bill_one_period(&tenant, subscription).await?;
        }
    }
    runner::settle(&tenant).await;
    dispatch::dispatch_pending(&tenant).await
}

/// Before the clock moves: what the Meter raised and what is pending belongs to the time it still is.
async fn catch_up(tenant: Tenant) -> Result<()> {
    facts::collect(&tenant).await?;
    runner::settle(&tenant).await;
    dispatch::dispatch_pending(&tenant).await
}

/// After the clock has moved, the Meter must know.
async fn arrive(tenant: Tenant) -> Result<()> {
    meters::set_clock(&tenant, tenant.moment().now).await
}

/// Does something for each member, all at once.
async fn each<Work, Running>(platform: &Platform, members: &[OrganizationId], work: Work) -> Result<()>
where
    Work: Fn(Tenant) -> Running,
    Running: Future<Output = Result<()>>,
{
    try_join_all(members.iter().map(|organization| {
        let work = &work;
        async move {
            match platform.tenant(*organization, Actor::System("test_clock"), None).await? {
                Some(tenant) => work(tenant).await,
                None => Ok(()),
            }
        }
    }))
    .await
    .map(|_| ())
}
