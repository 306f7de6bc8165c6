//! The audit of the billing run: every period that ended has an invoice, or its subscription is a dead letter.

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

/// The kind of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// The subscription is due and neither billed nor a dead letter.
    Overdue,
    /// A period that started has no invoice.
    MissingInvoice,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub organization: OrganizationId,
    pub subscription: SubscriptionId,
    pub kind: Kind,
    /// The instant at which it was due, or the start of the period.
    pub since: Timestamp,
}

/// The position at which a page begins: after this subscription of this shard.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    pub shard: usize,
    pub after: Option<(OrganizationId, SubscriptionId)>,
}

/// The findings of a page, the number of its subscriptions, and the position of the next page.
pub struct Checked {
    pub findings: Vec<Finding>,
    pub subscriptions: usize,
    pub next: Option<Place>,
}

/// Checks one page of subscriptions. `grace` is the delay that is no finding: the run starts every hour, and failures are retried.
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

/// The findings about one subscription; everything due before `by` must be billed.
fn findings(billed: &Billed, by: Timestamp) -> Vec<Finding> {
    let overdue = billed.next_billing_at.filter(|due| *due < by && !billed.is_dead_letter).map(|due| (Kind::Overdue, due));
    let missing = [billed.present_without, billed.gap_at].into_iter().flatten().map(|at| (Kind::MissingInvoice, at));
    let finding = |(kind, since)| Finding { organization: billed.organization_id, subscription: billed.id, kind, since };
    overdue.into_iter().chain(missing).map(finding).collect()
}
