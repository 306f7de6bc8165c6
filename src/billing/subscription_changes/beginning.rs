//! Creates a subscription after the previous one ended.

use rating::{BillingInterval, Currency};

use super::checked_change::offered;
use super::endings;
use super::requests::NewSubscriptionBody;
use super::rules::{may_begin, sold};
use super::views::SubscriptionView;
use crate::billing::charging::lines::Subscribed;
use crate::billing::charging::{beginning, terms};
use crate::billing::subscriptions::rules::{NewSubscription, start_trial};
use crate::billing::subscriptions::store;
use crate::billing::subscriptions::subscription::{Shape, Subscription};
use crate::catalog::plans;
use crate::catalog::plans::plan::Plan;
use crate::http::reply::{Reply, once};
use crate::http::request::Command;
use crate::identity::callers::actors::Authorized;
use crate::identity::permissions::needs;
use crate::kernel::decision::Decision;
use crate::kernel::error::Result;
use crate::kernel::problem::Problem;
use crate::kernel::tenant::Tenant;
use crate::tenancy::organizations;

/// Create a subscription
///
/// For an organization without a subscription, or after the last one ended. Without a trial the first billing period is invoiced at once.
/// The limits apply when the response arrives.
#[utoipa::path(post, path = "/v1/subscription", operation_id = "createSubscription",
    request_body = NewSubscriptionBody,
    responses((status = 201, description = "The subscription", body = SubscriptionView)))]
pub async fn begin(caller: Authorized<needs::SubscriptionWrite>, command: Command<NewSubscriptionBody>) -> Result<Reply> {
    let (tenant, claim, body) = (&caller.tenant, command.claim.as_ref(), &command.body);
    once(tenant, claim, || async {
        let before = store::current(tenant).await?;
        may_begin(before.as_ref(), body.trial, tenant.actor().is_vendor())?;
        let (subscribed, currency) = wanted(tenant, body).await?;
        if let Some(before) = &before {
            bill_late_usage_before(tenant, before).await?;
        }
        let settings = organizations::store::load(tenant).await?.settings;
        let Shape { interval, quantity, add_ons, .. } = subscribed.shape.clone();
        let new = NewSubscription {
            plan: &subscribed.plan,
            currency,
            interval,
            quantity,
            add_ons,
            time_zone: &settings.timezone,
            test_clock: tenant.test_clock(),
            before: before.as_ref(),
        };
        let (subscription, decision) = begun(tenant, &new, &subscribed, body.trial).await?;
        let reply = Reply::created(&SubscriptionView::load(tenant.app(), subscription.clone()).await?)?;
        tenant.commit(decision, reply.stored(claim).as_ref()).await?;
        crate::billing::subscriptions::meter::configure(tenant, &subscription).await?;
        Ok(reply)
    })
    .await
}

async fn wanted(tenant: &Tenant, body: &NewSubscriptionBody) -> Result<(Subscribed, Currency)> {
    let plan: Plan = offered(tenant, &body.plan, None).await?;
    plans::store::offer(tenant.app(), &plan.key).await?.check(&plan.key, tenant.actor().is_vendor())?;
    let own = organizations::store::load(tenant).await?.settings.currency.parse().ok();
    let currency = body.currency.or(own).unwrap_or(Currency::USD);
    let shape = Shape {
        plan: plan.key.clone(),
        plan_version: plan.version,
        interval: body.billing_period.unwrap_or(BillingInterval::Month),
        quantity: body.quantity.unwrap_or(1),
        add_ons: body.add_ons.clone().unwrap_or_default(),
    };
    let shape = sold(&plan, shape, currency)?;
    if body.trial && plan.trial.days == 0 {
        return Err(Problem::refused("/trial", "no_trial", "This plan has no trial. Send \"trial\": false.").into());
    }
    Ok((Subscribed { shape, plan: plan.into() }, currency))
}

/// Bills the late usage of the previous subscription. Later it could not be distinguished from usage of the next one.
async fn bill_late_usage_before(tenant: &Tenant, before: &Subscription) -> Result<()> {
    let decision = endings::late_usage(tenant, before.id).await?;
    tenant.commit(decision, None).await
}

async fn begun(tenant: &Tenant, new: &NewSubscription<'_>, subscribed: &Subscribed, is_trial: bool) -> Result<(Subscription, Decision)> {
    if is_trial {
        return start_trial(new, tenant.moment());
    }
    let read = tenant.run(terms::select()).await?.into_iter();
    let terms = terms::read(read, new.currency)?;
    let begun = beginning::begin(new, subscribed, &terms, tenant.moment())?;
    Ok((begun.subscription, begun.decision))
}
