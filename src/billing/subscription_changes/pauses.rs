//! Pauses: started, ended on request, and ended at a scheduled instant.

use super::current::{billed_account, close, peek};
use super::requests::NewPause;
use super::views::SubscriptionView;
use crate::billing::charging::account::Account;
use crate::billing::charging::late_usage::ended_period;
use crate::billing::charging::pauses;
use crate::billing::subscriptions::lifecycle::Trigger;
use crate::billing::subscriptions::pausing::{Wanted, closes_period};
use crate::billing::subscriptions::subscription::Subscription;
use crate::billing::subscriptions::{lifecycle, pausing};
use crate::http::reply::{Reply, change, once};
use crate::http::request::Command;
use crate::identity::callers::actors::Authorized;
use crate::identity::permissions::needs;
use crate::kernel::decision::Decision;
use crate::kernel::error::Result;
use crate::kernel::ids::SubscriptionId;
use crate::kernel::tenant::Tenant;
use crate::kernel::time::Timestamp;
use crate::meter::contract::Closing;

/// Pause the subscription
///
/// The usage so far is billed. While paused, nothing is charged and usage is refused. `credit_unused`: unused prepaid time becomes credit,
/// and resuming starts a new billing period. `keep_time`: the rest of the billing period follows the pause.
#[utoipa::path(post, path = "/v1/subscription/pause", operation_id = "pauseSubscription", request_body = NewPause,
    responses((status = 201, description = "The subscription", body = SubscriptionView)))]
pub async fn pause(caller: Authorized<needs::SubscriptionWrite>, command: Command<NewPause>) -> Result<Reply> {
    let (tenant, claim) = (&caller.tenant, command.claim.as_ref());
    let wanted = Wanted { policy: command.body.policy, resumes_at: command.body.resumes_at };
    once(tenant, claim, || async {
        let account = billed_account(tenant).await?;
        lifecycle::step(account.subscription.status, Trigger::Pause)?;
        let closing = peek(tenant, &account.subscription).await?;
        let paused = pauses::pause(&account, &closing, wanted, tenant.moment())?;
        let reply = Reply::created(&SubscriptionView::load(tenant.app(), paused.subscription.clone()).await?)?;
        tenant.commit(paused.decision, reply.stored(claim).as_ref()).await?;
        crate::billing::subscriptions::meter::configure(tenant, &paused.subscription).await?;
        Ok(reply)
    })
    .await
}

/// Resume the subscription
///
/// Ends the pause. Usage is admitted when the response arrives.
#[utoipa::path(delete, path = "/v1/subscription/pause", operation_id = "resumeSubscription",
    responses((status = 204, description = "The subscription is active")))]
pub async fn resume(caller: Authorized<needs::SubscriptionWrite>) -> Result<Reply> {
    let tenant = &caller.tenant;
    change(tenant, || async {
        let (next, decision) = resumed(tenant, &billed_account(tenant).await?).await?;
        tenant.commit(decision, None).await?;
        crate::billing::subscriptions::meter::configure(tenant, &next).await?;
        Ok(Reply::no_content())
    })
    .await
}

/// Ends the pause that was scheduled to end at `resumes_at`; nothing where it has ended.
pub async fn resume_due(tenant: &Tenant, id: SubscriptionId, resumes_at: Timestamp) -> Result<Decision> {
    let account = Account::load(tenant, id).await?;
    let is_meant = |account: &Account| account.subscription.pause.as_ref().is_some_and(|pause| pause.resumes_at == Some(resumes_at));
    match account.filter(is_meant) {
        Some(account) => resumed(tenant, &account).await.map(|(_, decision)| decision),
        None => Ok(Decision::new()),
    }
}

async fn resumed(tenant: &Tenant, account: &Account) -> Result<(Subscription, Decision)> {
    let (subscription, now) = (&account.subscription, tenant.moment().now);
    lifecycle::step(subscription.status, Trigger::Resume)?;
    pausing::pause_of(subscription)?;
    let closing = if closes_period(subscription, now) {
        close(tenant, subscription, ended_period(subscription, now)).await?
    } else {
        Closing::default()
    };
    let resumed = pauses::resume(account, &closing, tenant.moment())?;
    Ok((resumed.subscription, resumed.decision))
}
