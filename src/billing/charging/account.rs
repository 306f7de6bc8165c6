//! The data that the bills of one subscription are computed from.

use super::compose::Terms;
use super::lines::Subscribed;
use super::terms;
use crate::billing::subscriptions::store as subscriptions;
use crate::billing::subscriptions::store::SubscriptionRow;
use crate::billing::subscriptions::subscription::{Phase, Shape, Subscription};
use crate::catalog::plans;
use crate::kernel::error::{Error, Result};
use crate::kernel::ids::SubscriptionId;
use crate::kernel::period::Period;
use crate::kernel::ports::App;
use crate::kernel::sql::decode;
use crate::kernel::tenant::Tenant;
use crate::kernel::time::Timestamp;
use crate::meter::contract::Closing;
use crate::tenancy::organizations;
use crate::tenancy::organizations::organization::Organization;
use crate::tenancy::organizations::store::OrganizationRow;

/// The data that the bills of one subscription are computed from, without the counts of the Meter.
pub struct Account {
    pub subscription: Subscription,
    /// The phases of the subscription, oldest first.
    pub history: Vec<(Timestamp, Subscribed)>,
    pub scheduled: Option<Subscribed>,
    pub terms: Terms,
    pub customer: Organization,
}

impl Account {
    /// Reads everything in one batch; None where the subscription does not exist.
    pub async fn load(tenant: &Tenant, id: SubscriptionId) -> Result<Option<Self>> {
        let mut statements = vec![subscriptions::select_by_id(id), subscriptions::select_phases(id), organizations::store::select()];
        statements.extend(terms::select());
        let mut read = tenant.load(statements).await?.into_iter();
        let Some(row) = read.next().and_then(|rows| rows.into_iter().next()) else { return Ok(None) };
        let subscription = Subscription::from(decode::<SubscriptionRow>(row)?);
        let phases: Vec<Phase> = read.next().unwrap_or_default().into_iter().map(subscriptions::phase).collect::<Result<_>>()?;
        let customer = read.next().and_then(|rows| rows.into_iter().next()).ok_or_else(|| Error::internal("the company is not there"))?;
        let customer = Organization::from(decode::<OrganizationRow>(customer)?);
        let terms = terms::read(read, subscription.currency)?;
        let mut history = Vec::new();
        for phase in phases {
            history.push((phase.starts_at, subscribed(tenant.app(), phase.shape).await?));
        }
        let scheduled = match &subscription.scheduled {
            Some(change) => Some(subscribed(tenant.app(), change.to.clone()).await?),
            None => None,
        };
        Ok(Some(Self { subscription, history, scheduled, terms, customer }))
    }

    /// The current phase.
    pub fn subscribed(&self) -> Result<&Subscribed> {
        let last = self.history.last().map(|(_, subscribed)| subscribed);
        last.ok_or_else(|| Error::internal(format!("{} has no phase", self.subscription.id)))
    }

    /// Adds the counts of the Meter.
    pub fn billing<'a>(&'a self, closing: &'a Closing) -> Billing<'a> {
        let Self { subscription, history, scheduled, terms, .. } = self;
        Billing { subscription, history, scheduled: scheduled.as_ref(), terms, closing }
    }
}

/// A shape with the plan version it pins.
pub async fn subscribed(app: &App, shape: Shape) -> Result<Subscribed> {
    let plan = plans::store::pinned(app, &shape.plan, shape.plan_version).await?;
    Ok(Subscribed { shape, plan })
}

/// The data of one bill.
pub struct Billing<'a> {
    pub subscription: &'a Subscription,
    /// The phases of the subscription, oldest first; the last one is current.
    pub history: &'a [(Timestamp, Subscribed)],
    /// The subscription after the change that is scheduled for the end of this period.
    pub scheduled: Option<&'a Subscribed>,
    pub terms: &'a Terms,
    pub closing: &'a Closing,
}

impl Billing<'_> {
    pub(super) fn now_subscribed(&self) -> Result<&Subscribed> {
        let last = self.history.last().map(|(_, subscribed)| subscribed);
        last.ok_or_else(|| Error::internal(format!("{} has no phase", self.subscription.id)))
    }

    /// The phase in which a period ended.
    pub(super) fn subscribed_in(&self, period: Period) -> Result<&Subscribed> {
        let then = self.history.iter().rev().find(|(starts_at, _)| *starts_at < period.ends_at).or(self.history.first());
        then.map(|(_, subscribed)| subscribed).ok_or_else(|| Error::internal(format!("{} has no phase", self.subscription.id)))
    }
}
