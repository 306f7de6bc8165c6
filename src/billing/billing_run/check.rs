//! The check of the billing run: every period that is over has its invoice, or its subscription is parked.

use std::collections::BTreeSet;
use std::time::Duration;

use super::store;
use super::store::Billed;
use crate::kernel::error::Result;
use crate::kernel::ids::{OrganizationId, SubscriptionId};
use crate::kernel::platform::Platform;
use crate::kernel::time::Timestamp;

/// Subscriptions of one page.
const PAGE_MAX: u32 = 500;

/// What should not be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// The billing run should have been there, and the subscription is not parked.
    Overdue,
    /// A period that was opened has no invoice.
    MissingInvoice,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub organization: OrganizationId,
    pub subscription: SubscriptionId,
    pub kind: Kind,
    /// When it was due, or when the period starts.
    pub since: Timestamp,
}

/// Where a page begins: behind this subscription of this shard.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    pub shard: usize,
    pub after: Option<(OrganizationId, SubscriptionId)>,
}

/// What one page found, how many subscriptions it saw, and where the next one begins.
pub struct Checked {
    pub findings: Vec<Finding>,
    pub subscriptions: usize,
    pub next: Option<Place>,
}

/// Checks a page of subscriptions. By `grace` the run may be late: it comes each hour, and what fails pauses before it is parked.
pub async fn page(platform: &Platform, place: &Place, grace: Duration) -> Result<Checked> {
    let after = place.after.map_or_else(Default::default, |(organization, id)| (organization.to_string(), id.to_string()));
    let billed = store::billed(platform, place.shard, (&after.0, &after.1), PAGE_MAX).await?;
    let clocks: BTreeSet<_> = billed.iter().filter_map(|billed| billed.test_clock_id).collect();
    let times = store::times(platform, &clocks.into_iter().collect::<Vec<_>>()).await?;
    let real = platform.app().moment().now;
    let now = |billed: &Billed| billed.test_clock_id.and_then(|clock| times.get(&clock).copied()).unwrap_or(real);
    let findings = billed.iter().flat_map(|billed| findings(billed, now(billed).minus(grace))).collect();
    let next = if billed.len() >= usize::try_from(PAGE_MAX).unwrap_or(usize::MAX) {
        billed.last().map(|last| Place { shard: place.shard, after: Some((last.organization_id, last.id)) })
    } else {
        let shard = place.shard.saturating_add(1);
        (shard < platform.app().shards.len()).then_some(Place { shard, after: None })
    };
    Ok(Checked { findings, subscriptions: billed.len(), next })
}

/// What is wrong with one subscription, given that what was due before `by` should be billed.
fn findings(billed: &Billed, by: Timestamp) -> Vec<Finding> {
    let overdue = billed.next_billing_at.filter(|due| *due < by && !billed.is_parked).map(|due| (Kind::Overdue, due));
    let missing = [billed.present_without, billed.gap_at].into_iter().flatten().map(|at| (Kind::MissingInvoice, at));
    let finding = |(kind, since)| Finding { organization: billed.organization_id, subscription: billed.id, kind, since };
    overdue.into_iter().chain(missing).map(finding).collect()
}
