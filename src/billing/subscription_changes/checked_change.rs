//! A requested change, checked before anything is closed or billed.

use rating::{Currency, ProrationPolicy};

use super::requests::{Effective, NewChange};
use super::rules::{check_usage, lowered_limits, sold, usual};
use crate::billing::charging::account::Account;
use crate::billing::charging::change as bills;
use crate::billing::charging::lines::Subscribed;
use crate::billing::subscriptions::lifecycle;
use crate::billing::subscriptions::lifecycle::Trigger;
use crate::billing::subscriptions::scheduled::check_nothing_scheduled;
use crate::billing::subscriptions::subscription::Shape;
use crate::catalog::plans;
use crate::catalog::plans::plan::Plan;
use crate::kernel::error::Result;
use crate::kernel::problem::Problem;
use crate::kernel::tenant::Tenant;
use crate::meter::client;
use crate::metering::limits;

/// A change that passed all checks.
pub(super) struct CheckedChange {
    pub to: Subscribed,
    pub policy: ProrationPolicy,
    pub effective: Effective,
}

/// Checks the requested change: every refusal happens here, before anything is closed.
pub(super) async fn checked(tenant: &Tenant, account: &Account, body: &NewChange) -> Result<CheckedChange> {
    let (subscription, from) = (&account.subscription, account.subscribed()?);
    lifecycle::step(subscription.status, Trigger::Change)?;
    let to = target(tenant, from, subscription.currency, body).await?;
    let effective = body.effective.map_or_else(|| usual(from, &to, subscription.currency), Ok)?;
    let policy = body.proration_policy.unwrap_or(from.plan.proration_policy);
    let is_scheduled = subscription.scheduled.as_ref().is_some_and(|scheduled| scheduled.to == to.shape);
    if to.shape == from.shape || (effective == Effective::PeriodEnd && is_scheduled) {
        let detail =
            "This change is already in effect or scheduled. Send a different plan, planVersion, billingPeriod, quantity or addOns.";
        return Err(Problem::conflict("no_change", detail).into());
    }
    if effective == Effective::Now {
        check_nothing_scheduled(subscription)?;
        bills::check_proration(subscription, &to.shape, policy)?;
        fits_usage(tenant, from, &to).await?;
    }
    Ok(CheckedChange { to, policy, effective })
}

/// The subscription after the change.
async fn target(tenant: &Tenant, from: &Subscribed, currency: Currency, body: &NewChange) -> Result<Subscribed> {
    let key = body.plan.as_deref().unwrap_or(&from.shape.plan);
    let version = body.plan_version.or((key == from.shape.plan).then_some(from.shape.plan_version));
    let plan = offered(tenant, key, version).await?;
    if key != from.shape.plan {
        plans::store::offer(tenant.app(), key).await?.check(key, tenant.actor().is_vendor())?;
    }
    let mut add_ons = from.shape.add_ons.clone();
    add_ons.extend(body.add_ons.clone().unwrap_or_default());
    let quantity = body.quantity.unwrap_or(from.shape.quantity);
    let interval = body.billing_period.unwrap_or(from.shape.interval);
    let shape = Shape { plan: key.to_owned(), plan_version: plan.version, interval, quantity, add_ons };
    Ok(Subscribed { shape: sold(&plan, shape, currency)?, plan: plan.into() })
}

/// A plan version that the organization may subscribe to; the newest where no version is named.
pub(super) async fn offered(tenant: &Tenant, key: &str, version: Option<u32>) -> Result<Plan> {
    let (plan, pointer, code) = match version {
        None => (plans::store::newest(tenant.app(), key).await?, "/plan", "unknown_plan"),
        Some(version) => (plans::store::find(tenant.app(), key, version).await?, "/planVersion", "unknown_plan_version"),
    };
    let plan = plan.filter(|plan| plan.is_open_to(tenant.organization()));
    plan.ok_or_else(|| {
        Problem::refused(pointer, code, "This plan does not exist, or not for this organization. GET /v1/plans lists the available plans.")
            .into()
    })
}

/// Refuses a change whose limits are below the usage of a metric that only the client can free, such as users.
async fn fits_usage(tenant: &Tenant, from: &Subscribed, to: &Subscribed) -> Result<()> {
    let lowered = lowered_limits(from, to)?;
    if lowered.is_empty() {
        return Ok(());
    }
    let (used, own) = (client::current_usage(tenant).await?.metrics, limits::store::load(tenant).await?);
    Ok(check_usage(&lowered, &used, &own, tenant.moment().now)?)
}
