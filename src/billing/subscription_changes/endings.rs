//! Cancellations: requested, withdrawn, and the late usage after the end.

use super::current::{billed_account, close};
use super::requests::{Effective, NewSubscriptionCancellation};
use super::rules::check_reason;
use super::views::SubscriptionView;
use crate::billing::charging::account::Account;
use crate::billing::charging::ending;
use crate::billing::charging::ending::WantedEnd;
use crate::billing::charging::late_usage;
use crate::billing::charging::late_usage::{LATE_USAGE_KEY, ended_period};
use crate::billing::invoices;
use crate::billing::subscriptions::lifecycle::Trigger;
use crate::billing::subscriptions::subscription::Subscription;
use crate::billing::subscriptions::{lifecycle, scheduled, store};
use crate::http::reply::{Reply, change, once};
use crate::http::request::Command;
use crate::identity::callers::actors::Authorized;
use crate::identity::permissions::needs;
use crate::kernel::decision::Decision;
use crate::kernel::error::Result;
use crate::kernel::ids::{InvoiceId, SubscriptionId};
use crate::kernel::period::Period;
use crate::kernel::tenant::Tenant;
use crate::meter::contract::Closing;

/// Cancel the subscription
///
/// `now`: the usage so far is billed, unused prepaid time becomes credit, and usage is refused when the response arrives. `period_end`: the
/// subscription runs until the billing period ends, and the cancellation can be withdrawn until then.
#[utoipa::path(post, path = "/v1/subscription/cancellation", operation_id = "cancelSubscription",
    request_body = NewSubscriptionCancellation,
    responses((status = 201, description = "The subscription", body = SubscriptionView)))]
pub async fn cancel(caller: Authorized<needs::SubscriptionWrite>, command: Command<NewSubscriptionCancellation>) -> Result<Reply> {
    let (tenant, claim) = (&caller.tenant, command.claim.as_ref());
    let NewSubscriptionCancellation { effective, proration_policy, .. } = command.body;
    once(tenant, claim, || async {
        let reason = command.body.reason.as_deref().map(check_reason).transpose()?;
        let account = billed_account(tenant).await?;
        let (next, decision) = match effective.unwrap_or(Effective::PeriodEnd) {
            Effective::PeriodEnd => scheduled::cancel_at_end(&account.subscription, reason, tenant.moment())?,
            Effective::Now => {
                let policy = proration_policy.unwrap_or(account.subscribed()?.plan.proration_policy);
                end_now(tenant, &account, WantedEnd { policy, reason }).await?
            }
        };
        let reply = Reply::created(&SubscriptionView::load(tenant.app(), next.clone()).await?)?;
        tenant.commit(decision, reply.stored(claim).as_ref()).await?;
        crate::billing::subscriptions::meter::configure(tenant, &next).await?;
        Ok(reply)
    })
    .await
}

/// Withdraw the cancellation of the subscription
///
/// The subscription continues after the billing period.
#[utoipa::path(delete, path = "/v1/subscription/cancellation", operation_id = "withdrawSubscriptionCancellation",
    responses((status = 204, description = "The subscription continues")))]
pub async fn withdraw_cancellation(caller: Authorized<needs::SubscriptionWrite>) -> Result<Reply> {
    let tenant = &caller.tenant;
    change(tenant, || async {
        let account = billed_account(tenant).await?;
        tenant.commit(scheduled::withdraw(&account.subscription)?, None).await?;
        Ok(Reply::no_content())
    })
    .await
}

/// A trial costs nothing, so its period is not closed.
async fn end_now(tenant: &Tenant, account: &Account, wanted: WantedEnd) -> Result<(Subscription, Decision)> {
    let subscription = &account.subscription;
    lifecycle::step(subscription.status, Trigger::CancelNow)?;
    let closing = if subscription.is_trial() {
        Closing::default()
    } else {
        close(tenant, subscription, ended_period(subscription, tenant.moment().now)).await?
    };
    let ended = ending::end(account, &closing, wanted, tenant.moment())?;
    Ok((ended.subscription, ended.decision))
}

/// Bills the late usage of an ended subscription when no more can arrive. A newer subscription had it billed at its start.
pub async fn bill_late_usage(tenant: &Tenant, id: SubscriptionId) -> Result<Decision> {
    match store::current(tenant).await?.filter(|newest| newest.id == id) {
        Some(_) => late_usage(tenant, id).await,
        None => Ok(Decision::new()),
    }
}

/// Closes the time since the end, which is not charged, and so learns the late usage of earlier periods.
pub(super) async fn late_usage(tenant: &Tenant, id: SubscriptionId) -> Result<Decision> {
    let Some(account) = Account::load(tenant, id).await? else { return Ok(Decision::new()) };
    let (subscription, now) = (&account.subscription, tenant.moment().now);
    let since = Period { starts_at: subscription.period.ends_at, ends_at: now };
    let is_billed = invoices::store::find(tenant, InvoiceId::derived(&[&id.to_string(), LATE_USAGE_KEY])).await?.is_some();
    if is_billed || since.ends_at <= since.starts_at {
        return Ok(Decision::new());
    }
    let closing = close(tenant, subscription, since).await?;
    late_usage::late_usage(&account, &closing, tenant.moment())
}
