//! Changes of what is subscribed to: asked for, previewed, scheduled, revoked.

use super::acting::{as_it_is, close, peek, up_to_date};
use super::requests::{Effective, NewChange};
use super::views::ChangeView;
use super::wish::{Wish, wish};
use crate::billing::charging::account::Account;
use crate::billing::charging::change as bills;
use crate::billing::charging::change::{Wanted, closes_period};
use crate::billing::charging::compose::compose;
use crate::billing::charging::midterm::Changed;
use crate::billing::invoices::bill::Composed;
use crate::billing::subscriptions::waiting;
use crate::http::reply::{Reply, change, once};
use crate::http::request::Command;
use crate::identity::callers::actors::Authorized;
use crate::identity::callers::permissions::needs;
use crate::kernel::error::Result;
use crate::kernel::period::Period;
use crate::kernel::tenant::Tenant;
use crate::meter::client;
use crate::meter::contract::Closing;

/// Change the subscription
///
/// Now: what differs is credited and charged for the rest of the billing period, usage so far is billed under the plan under which it was
/// used, and the new limits hold when the answer arrives. Neither limits nor included units begin anew. Another `billingPeriod` begins at
/// once; the unused time of the old one comes back. At the period's end: nothing is billed until then, and the change can be revoked.
#[utoipa::path(post, path = "/v1/subscription/changes", tag = "subscription", operation_id = "changeSubscription", request_body = NewChange,
    responses((status = 201, description = "The change, and what it billed", body = ChangeView)))]
pub async fn change_now(caller: Authorized<needs::SubscriptionWrite>, command: Command<NewChange>) -> Result<Reply> {
    let (tenant, claim) = (&caller.tenant, command.claim.as_ref());
    once(tenant, claim, || async {
        let account = up_to_date(tenant).await?;
        let wish = wish(tenant, &account, &command.body).await?;
        if wish.effective == Effective::PeriodEnd {
            let (view, decision) = scheduled(tenant, &account, &wish)?;
            let reply = Reply::created(&view)?;
            tenant.commit(decision, reply.stored(claim).as_ref()).await?;
            return Ok(reply);
        }
        let closing = match closing_period(tenant, &account, &wish) {
            Some(period) => close(tenant, &account.subscription, period).await?,
            None => peek(tenant, &account.subscription).await?,
        };
        let (view, changed) = changed(tenant, &account, &wish, &closing)?;
        let reply = Reply::created(&ChangeView { invoice: changed.invoice.map(|invoice| invoice.id), ..view })?;
        tenant.commit(changed.decision, reply.stored(claim).as_ref()).await?;
        crate::billing::subscriptions::meter::configure(tenant, &changed.subscription).await?;
        Ok(reply)
    })
    .await
}

/// Preview a change of the subscription
///
/// Exactly what the same change would bill now; nothing is changed.
#[utoipa::path(post, path = "/v1/subscription/change-previews", tag = "subscription", operation_id = "previewSubscriptionChange", request_body = NewChange,
    responses((status = 200, description = "What the change would bill", body = ChangeView)))]
pub async fn preview(caller: Authorized<needs::SubscriptionRead>, command: Command<NewChange>) -> Result<Reply> {
    let tenant = &caller.tenant;
    let account = as_it_is(tenant).await?;
    let wish = wish(tenant, &account, &command.body).await?;
    if wish.effective == Effective::PeriodEnd {
        return Reply::ok(&scheduled(tenant, &account, &wish)?.0);
    }
    let period = closing_period(tenant, &account, &wish).unwrap_or(account.subscription.period);
    let closing = client::peek_period(tenant, period).await?;
    Reply::ok(&changed(tenant, &account, &wish, &closing)?.0)
}

/// Revoke the change that waits
///
/// The subscription stays as it is when the billing period ends.
#[utoipa::path(delete, path = "/v1/subscription/scheduled-change", tag = "subscription", operation_id = "revokeScheduledChange",
    responses((status = 204, description = "Nothing waits any more")))]
pub async fn revoke_scheduled(caller: Authorized<needs::SubscriptionWrite>) -> Result<Reply> {
    let tenant = &caller.tenant;
    change(tenant, || async {
        let account = up_to_date(tenant).await?;
        tenant.commit(waiting::revoke(&account.subscription)?, None).await?;
        Ok(Reply::no_content())
    })
    .await
}

/// The usage period that the change ends, where it ends one.
fn closing_period(tenant: &Tenant, account: &Account, wish: &Wish) -> Option<Period> {
    let (subscription, now) = (&account.subscription, tenant.moment().now);
    closes_period(subscription, &wish.to.shape, now).then_some(Period { starts_at: subscription.period.starts_at, ends_at: now })
}

fn changed(tenant: &Tenant, account: &Account, wish: &Wish, closing: &Closing) -> Result<(ChangeView, Changed)> {
    let wanted = Wanted { to: &wish.to, policy: wish.policy };
    let changed = bills::change(account, closing, &wanted, tenant.moment())?;
    let shapes = (account.subscription.shape.clone(), wish.to.shape.clone());
    Ok((ChangeView::new(shapes, tenant.moment().now, changed.composed.clone()), changed))
}

fn scheduled(tenant: &Tenant, account: &Account, wish: &Wish) -> Result<(ChangeView, crate::kernel::decision::Decision)> {
    let subscription = &account.subscription;
    let (next, decision) = waiting::schedule(subscription, &wish.to.shape, tenant.moment())?;
    let nothing: Composed = compose(Vec::new(), &account.terms, subscription.currency, tenant.moment().now)?;
    let effective_at = next.scheduled.map_or(tenant.moment().now, |scheduled| scheduled.effective_at);
    Ok((ChangeView::new((subscription.shape.clone(), wish.to.shape.clone()), effective_at, nothing), decision))
}
