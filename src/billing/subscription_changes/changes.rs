//! Changes of a subscription: made, previewed, scheduled, revoked.

use super::checked_change::{CheckedChange, checked};
use super::current::{billed_account, close, current_account, peek};
use super::requests::{Effective, NewChange};
use super::views::ChangeView;
use crate::billing::charging::account::Account;
use crate::billing::charging::change as bills;
use crate::billing::charging::change::{Wanted, closes_period};
use crate::billing::charging::compose::compose;
use crate::billing::charging::midterm::Changed;
use crate::billing::invoices::bill::Composed;
use crate::billing::subscriptions::scheduled;
use crate::http::reply::{Reply, change, once};
use crate::http::request::{Command, Input};
use crate::identity::callers::actors::Authorized;
use crate::identity::permissions::needs;
use crate::kernel::error::Result;
use crate::kernel::period::Period;
use crate::kernel::tenant::Tenant;
use crate::meter::client;
use crate::meter::contract::Closing;

/// Create a subscription change
///
/// `now`: the difference is credited and charged for the rest of the billing period, the usage so far is billed under the old plan, and the
/// new limits apply when the response arrives. Limits and included units do not reset. Another `billingPeriod` starts at once, and the
/// unused time of the old one is credited. `period_end`: nothing is billed until then, and the change can be revoked.
#[utoipa::path(post, path = "/v1/subscription/changes", operation_id = "changeSubscription", request_body = NewChange,
    responses((status = 201, description = "The change and its charges", body = ChangeView)))]
pub async fn change_now(caller: Authorized<needs::SubscriptionWrite>, command: Command<NewChange>) -> Result<Reply> {
    let (tenant, claim) = (&caller.tenant, command.claim.as_ref());
    once(tenant, claim, || async {
        let account = billed_account(tenant).await?;
        let checked = checked(tenant, &account, &command.body).await?;
        if checked.effective == Effective::PeriodEnd {
            let (view, decision) = scheduled(tenant, &account, &checked)?;
            let reply = Reply::created(&view)?;
            tenant.commit(decision, reply.stored(claim).as_ref()).await?;
            return Ok(reply);
        }
        let closing = match closing_period(tenant, &account, &checked) {
            Some(period) => close(tenant, &account.subscription, period).await?,
            None => peek(tenant, &account.subscription).await?,
        };
        let (view, changed) = changed(tenant, &account, &checked, &closing)?;
        let reply = Reply::created(&ChangeView { invoice: changed.invoice.map(|invoice| invoice.id), ..view })?;
        tenant.commit(changed.decision, reply.stored(claim).as_ref()).await?;
        crate::billing::subscriptions::meter::configure(tenant, &changed.subscription).await?;
        Ok(reply)
    })
    .await
}

/// Preview a change of the subscription
///
/// The exact charges of the same change, made now. Changes nothing.
#[utoipa::path(post, path = "/v1/subscription/change-previews", operation_id = "previewSubscriptionChange",
    request_body = NewChange,
    responses((status = 200, description = "The change and its charges", body = ChangeView)))]
pub async fn preview(caller: Authorized<needs::SubscriptionRead>, Input(body): Input<NewChange>) -> Result<Reply> {
    let tenant = &caller.tenant;
    let account = current_account(tenant).await?;
    let checked = checked(tenant, &account, &body).await?;
    if checked.effective == Effective::PeriodEnd {
        return Reply::ok(&scheduled(tenant, &account, &checked)?.0);
    }
    let period = closing_period(tenant, &account, &checked).unwrap_or(account.subscription.period);
    let closing = client::peek_period(tenant, period).await?;
    Reply::ok(&changed(tenant, &account, &checked, &closing)?.0)
}

/// Revoke the scheduled change
///
/// The subscription keeps its plan at the end of the billing period.
#[utoipa::path(delete, path = "/v1/subscription/scheduled-change", operation_id = "revokeScheduledChange",
    responses((status = 204, description = "No change is scheduled")))]
pub async fn revoke_scheduled(caller: Authorized<needs::SubscriptionWrite>) -> Result<Reply> {
    let tenant = &caller.tenant;
    change(tenant, || async {
        let account = billed_account(tenant).await?;
        tenant.commit(scheduled::revoke(&account.subscription)?, None).await?;
        Ok(Reply::no_content())
    })
    .await
}

/// The usage period that the change closes, if any.
fn closing_period(tenant: &Tenant, account: &Account, checked: &CheckedChange) -> Option<Period> {
    let (subscription, now) = (&account.subscription, tenant.moment().now);
    closes_period(subscription, &checked.to.shape, now).then_some(Period { starts_at: subscription.period.starts_at, ends_at: now })
}

fn changed(tenant: &Tenant, account: &Account, checked: &CheckedChange, closing: &Closing) -> Result<(ChangeView, Changed)> {
    let wanted = Wanted { to: &checked.to, policy: checked.policy };
    let changed = bills::change(account, closing, &wanted, tenant.moment())?;
    let shapes = (account.subscription.shape.clone(), checked.to.shape.clone());
    Ok((ChangeView::new(shapes, tenant.moment().now, changed.composed.clone()), changed))
}

fn scheduled(tenant: &Tenant, account: &Account, checked: &CheckedChange) -> Result<(ChangeView, crate::kernel::decision::Decision)> {
    let subscription = &account.subscription;
    let (next, decision) = scheduled::schedule(subscription, &checked.to.shape, tenant.moment())?;
    let nothing: Composed = compose(Vec::new(), &account.terms, subscription.currency, tenant.moment().now)?;
    let effective_at = next.scheduled.map_or(tenant.moment().now, |scheduled| scheduled.effective_at);
    Ok((ChangeView::new((subscription.shape.clone(), checked.to.shape.clone()), effective_at, nothing), decision))
}
