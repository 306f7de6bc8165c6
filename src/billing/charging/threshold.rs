//! Progressive billing: usage is billed before its period ends once it reaches the threshold of the plan.
//!
//! The unbilled usage of the running period is priced without minimum amounts and commitments, which only the end of a period adds. At the
//! threshold it is invoiced and counts as billed: the last bill of the period has the rest.

use rating::Money;

use super::account::Account;
use super::compose::compose;
use crate::billing::invoices::invoice::{BillingReason, CountedUsage, Invoice};
use crate::billing::invoices::rules::{Occasion, create, draft};
use crate::billing::subscriptions::entitlements::is_in_use;
use crate::billing::subscriptions::store as subscriptions;
use crate::billing::subscriptions::subscription::Subscription;
use crate::catalog::plans;
use crate::kernel::decision::Decision;
use crate::kernel::error::{OrInternal, Result};
use crate::kernel::ids::Moment;
use crate::kernel::tenant::{Actor, Tenant, until_fresh};
use crate::kernel::time::Timestamp;
use crate::meter::client;
use crate::meter::contract::Closing;

/// Bills the usage so far if it reaches the threshold. Called when the buckets of the Meter are stored, in each minute with usage, and
/// before a test clock advances. A missed call is corrected by the last bill of the period.
pub async fn usage_arrived(tenant: &Tenant) -> Result<()> {
    let tenant = &tenant.acting_as(Actor::System("progressive_billing"));
    until_fresh(|| async {
        let Some(subscription) = subscriptions::current(tenant).await? else { return Ok(()) };
        if !is_billed_progressively(&subscription, tenant.moment().now) {
            return Ok(());
        }
        let plan = plans::store::pinned(tenant.app(), &subscription.shape.plan, subscription.shape.plan_version).await?;
        if !plan.progressive_billing.contains_key(subscription.currency.code()) {
            return Ok(());
        }
        let Some(account) = Account::load(tenant, subscription.id).await? else { return Ok(()) };
        let closing = client::peek_period(tenant, account.subscription.period).await?;
        match bill_if_reached(&account, &closing, tenant.moment())? {
            Some((_, decision)) => tenant.commit(decision, None).await,
            None => Ok(()),
        }
    })
    .await
}

/// A trial is free, and a period that ended is billed by the billing run.
fn is_billed_progressively(subscription: &Subscription, now: Timestamp) -> bool {
    is_in_use(subscription.status) && !subscription.is_trial() && now < subscription.period.ends_at
}

/// The invoice of the usage so far, if it reaches the threshold. Guarded by the version of the subscription, which is a part of its reason
/// key: no usage is billed twice.
pub fn bill_if_reached(account: &Account, closing: &Closing, moment: Moment<'_>) -> Result<Option<(Invoice, Decision)>> {
    let (subscription, subscribed) = (&account.subscription, account.subscribed()?);
    let currency = subscription.currency;
    let Some(threshold) = subscribed.plan.progressive_billing.get(currency.code()) else { return Ok(None) };
    if !is_billed_progressively(subscription, moment.now) {
        return Ok(None);
    }
    let (mut lines, mut usage, mut next) = (Vec::new(), Vec::new(), subscription.clone());
    for (metric, used) in &closing.used {
        if subscribed.plan.metric(metric).is_none_or(|metric| metric.price(currency).is_none()) {
            continue;
        }
        let billed = subscription.usage_billed.get(metric).copied();
        lines.extend(subscribed.usage_lines(metric, billed, *used, false, (currency, subscription.period))?);
        usage.push(CountedUsage {
            metric: metric.clone(),
            counted: *used,
            billed_before: billed.filter(|billed| !billed.is_zero()),
            period_starts_at: subscription.period.starts_at,
            period_ends_at: subscription.period.ends_at,
            late: false,
        });
        next.usage_billed.insert(metric.clone(), *used);
    }
    let cost = Money::sum(lines.iter().map(|line| line.amount(currency)), currency).or_internal()?;
    if cost.minor() < *threshold || cost.is_zero() {
        return Ok(None);
    }
    let occasion = Occasion {
        subscription,
        reason: BillingReason::SubscriptionThreshold,
        reason_key: format!("threshold:{}:{}", subscription.period.starts_at.as_millis(), subscription.version),
        period: subscription.period,
        usage,
    };
    let invoice = draft(occasion, compose(lines, &account.terms, currency, moment.now)?, moment);
    let decision = Decision::new().guard(subscriptions::unchanged(subscription)).write(subscriptions::update(&next)).and(create(&invoice));
    Ok(Some((invoice, decision)))
}
