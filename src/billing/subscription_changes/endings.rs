//! The end of a subscription: asked for, withdrawn, and what is billed after it.

use rating::ProrationPolicy;
use serde::Deserialize;
use utoipa::ToSchema;

use super::acting::{close, up_to_date};
use super::changes::Effective;
use super::wire::SubscriptionView;
use crate::billing::charging::account::Account;
use crate::billing::charging::late_usage::ended_period;
use crate::billing::charging::turns;
use crate::billing::charging::turns::WantedEnd;
use crate::billing::invoices;
use crate::billing::subscriptions::lifecycle::Trigger;
use crate::billing::subscriptions::subscription::{Period, Subscription};
use crate::billing::subscriptions::{lifecycle, store, waiting};
use crate::http::reply::{Reply, change, once};
use crate::http::request::Command;
use crate::identity::callers::actors::Authorized;
use crate::identity::permissions::needs;
use crate::kernel::decision::Decision;
use crate::kernel::error::Result;
use crate::kernel::ids::{InvoiceId, SubscriptionId};
use crate::kernel::problem::Problem;
use crate::kernel::tenant::Tenant;
use crate::meter::contract::Closing;

/// Letters of a reason, at most.
const REASON_LENGTH_MAX: usize = 2_000;

/// When it is to end, and why.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewSubscriptionCancellation {
    /// The end of the billing period when absent: what is paid for is not taken away.
    pub effective: Option<Effective>,
    #[schema(example = "we stop the project", min_length = 1, max_length = 2000)]
    pub reason: Option<String>,
    /// For an end now, instead of the plan's: what comes back of what was paid in advance.
    #[schema(value_type = Option<String>, example = "second")]
    pub proration_policy: Option<ProrationPolicy>,
}

/// Cancel the subscription
///
/// Now: usage so far is billed, what is unused of what was paid in advance comes back as credit, and nothing more is admitted when the
/// answer arrives. At the period's end: it goes on until the billing period ends, and the cancellation can be withdrawn until then.
#[utoipa::path(post, path = "/v1/subscription/cancellation", tag = "subscription", operation_id = "cancelSubscription", request_body = NewSubscriptionCancellation,
    responses((status = 201, description = "The subscription", body = SubscriptionView)))]
pub async fn cancel(caller: Authorized<needs::SubscriptionWrite>, command: Command<NewSubscriptionCancellation>) -> Result<Reply> {
    let (tenant, claim) = (&caller.tenant, command.claim.as_ref());
    let NewSubscriptionCancellation { effective, proration_policy, .. } = command.body;
    once(tenant, claim, || async {
        let reason = command.body.reason.as_deref().map(check_reason).transpose()?;
        let account = up_to_date(tenant).await?;
        let (next, decision) = match effective.unwrap_or(Effective::PeriodEnd) {
            Effective::PeriodEnd => waiting::cancel_at_end(&account.subscription, reason, tenant.moment())?,
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
/// It goes on when the billing period ends.
#[utoipa::path(delete, path = "/v1/subscription/cancellation", tag = "subscription", operation_id = "withdrawSubscriptionCancellation",
    responses((status = 204, description = "It goes on")))]
pub async fn withdraw_cancellation(caller: Authorized<needs::SubscriptionWrite>) -> Result<Reply> {
    let tenant = &caller.tenant;
    change(tenant, || async {
        let account = up_to_date(tenant).await?;
        tenant.commit(waiting::withdraw(&account.subscription)?, None).await?;
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
    let ended = turns::end(account, &closing, wanted, tenant.moment())?;
    Ok((ended.subscription, ended.decision))
}

/// What is billed of a subscription when no more usage can come for it. A newer subscription had it billed when it began.
pub async fn bill_late_usage(tenant: &Tenant, id: SubscriptionId) -> Result<Decision> {
    match store::current(tenant).await?.filter(|newest| newest.id == id) {
        Some(_) => late_usage(tenant, id).await,
        None => Ok(Decision::new()),
    }
}

/// Closes the time since its end, which nobody pays for, and so learns what came late for before.
pub(super) async fn late_usage(tenant: &Tenant, id: SubscriptionId) -> Result<Decision> {
    let Some(account) = Account::load(tenant, id).await? else { return Ok(Decision::new()) };
    let (subscription, now) = (&account.subscription, tenant.moment().now);
    let since = Period { starts_at: subscription.period.ends_at, ends_at: now };
    let is_billed = invoices::store::find(tenant, InvoiceId::derived(&[&id.to_string(), turns::LATE_USAGE_KEY])).await?.is_some();
    if is_billed || since.ends_at <= since.starts_at {
        return Ok(Decision::new());
    }
    let closing = close(tenant, subscription, since).await?;
    turns::late_usage(&account, &closing, tenant.moment())
}

fn check_reason(reason: &str) -> Result<String> {
    let reason = reason.trim();
    if reason.is_empty() || reason.chars().count() > REASON_LENGTH_MAX {
        return Err(Problem::invalid("/reason", "invalid_value", "Send a reason of 1 to 2,000 characters.").into());
    }
    Ok(reason.to_owned())
}
