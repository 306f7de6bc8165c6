//! Changes of what is subscribed to: asked for, previewed, scheduled, revoked.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use rating::{BillingInterval, Currency, ProrationPolicy};
use serde::Deserialize;
use utoipa::ToSchema;

use super::acting::{as_it_is, close, peek, up_to_date};
use super::wire::ChangeView;
use crate::billing::charging::account::Account;
use crate::billing::charging::change as bills;
use crate::billing::charging::change::{Changed, Wanted, closes_period};
use crate::billing::charging::compose::compose;
use crate::billing::charging::lines::Subscribed;
use crate::billing::charging::proration::compare;
use crate::billing::invoices::bill::Composed;
use crate::billing::subscriptions::entitlements::allowance;
use crate::billing::subscriptions::lifecycle::Trigger;
use crate::billing::subscriptions::rules::QUANTITY_MAX;
use crate::billing::subscriptions::subscription::{Period, Shape, months};
use crate::billing::subscriptions::waiting::nothing_waits;
use crate::billing::subscriptions::{lifecycle, waiting};
use crate::catalog::plans;
use crate::catalog::plans::plan::Plan;
use crate::http::reply::{Reply, change, once};
use crate::http::request::Command;
use crate::identity::callers::actors::Authorized;
use crate::identity::permissions::needs;
use crate::kernel::error::Result;
use crate::kernel::problem::Problem;
use crate::kernel::tenant::Tenant;
use crate::meter::client;
use crate::meter::contract::Closing;
use crate::meter::vocabulary::{Enforcement, MetricKind};
use crate::metering::limits;

/// When a change takes effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ChangeTime)]
pub enum Effective {
    /// At once; what differs is prorated.
    Now,
    /// When the billing period ends; nothing is billed until then.
    PeriodEnd,
}

/// What is to be different. What is absent stays as it is.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewChange {
    /// Another plan, in its newest version.
    #[schema(example = "enterprise")]
    pub plan: Option<String>,
    /// A certain version of the plan.
    pub plan_version: Option<u32>,
    /// `month` or `year`.
    #[schema(value_type = Option<String>, example = "year")]
    pub billing_period: Option<BillingInterval>,
    /// How many of the plan.
    #[schema(minimum = 1, maximum = 1_000_000)]
    pub quantity: Option<u32>,
    /// How many of each add-on named; 0 ends one, others stay.
    pub add_ons: Option<BTreeMap<String, u32>>,
    /// When absent: `period_end` for a shorter interval or a lower base price a month, `now` otherwise.
    pub effective: Option<Effective>,
    /// For a change now, instead of the plan's.
    #[schema(value_type = Option<String>, example = "day")]
    pub proration_policy: Option<ProrationPolicy>,
}

/// A change that can be made.
struct Wish {
    to: Subscribed,
    policy: ProrationPolicy,
    effective: Effective,
}

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

/// What is asked for, if it can be done: everything that is refused is refused here, before anything is closed.
async fn wish(tenant: &Tenant, account: &Account, body: &NewChange) -> Result<Wish> {
    let (subscription, from) = (&account.subscription, account.subscribed()?);
    lifecycle::step(subscription.status, Trigger::Change)?;
    let to = target(tenant, from, subscription.currency, body).await?;
    let effective = body.effective.map_or_else(|| usual(from, &to, subscription.currency), Ok)?;
    let policy = body.proration_policy.unwrap_or(from.plan.proration_policy);
    let waits = subscription.scheduled.as_ref().is_some_and(|scheduled| scheduled.to == to.shape);
    if to.shape == from.shape || (effective == Effective::PeriodEnd && waits) {
        let detail =
            "It is so already, or waits to be. Send what is to be different: plan, planVersion, billingPeriod, quantity or addOns.";
        return Err(Problem::conflict("no_change", detail).into());
    }
    if effective == Effective::Now {
        nothing_waits(subscription)?;
        bills::divisible(subscription, &to.shape, policy)?;
        fits_usage(tenant, from, &to).await?;
    }
    Ok(Wish { to, policy, effective })
}

/// Who goes to a shorter interval, or pays less a month, has paid for what they have until the period's end.
fn usual(from: &Subscribed, to: &Subscribed, currency: Currency) -> Result<Effective> {
    let is_less = match months(to.shape.interval).cmp(&months(from.shape.interval)) {
        Ordering::Equal => compare(from, to, currency)? == Ordering::Greater,
        Ordering::Less => true,
        Ordering::Greater => false,
    };
    Ok(if is_less { Effective::PeriodEnd } else { Effective::Now })
}

/// What is subscribed to after the change.
async fn target(tenant: &Tenant, from: &Subscribed, currency: Currency, body: &NewChange) -> Result<Subscribed> {
    let key = body.plan.as_deref().unwrap_or(&from.shape.plan);
    let version = body.plan_version.or((key == from.shape.plan).then_some(from.shape.plan_version));
    let plan = offered(tenant, key, version).await?;
    let mut add_ons = from.shape.add_ons.clone();
    add_ons.extend(body.add_ons.clone().unwrap_or_default());
    let quantity = body.quantity.unwrap_or(from.shape.quantity);
    let interval = body.billing_period.unwrap_or(from.shape.interval);
    let shape = Shape { plan: key.to_owned(), plan_version: plan.version, interval, quantity, add_ons };
    Ok(Subscribed { shape: sold(&plan, shape, currency)?, plan: plan.into() })
}

/// A version of a plan that the organization may take; the newest where none is named.
pub(super) async fn offered(tenant: &Tenant, key: &str, version: Option<u32>) -> Result<Plan> {
    let (plan, pointer, code) = match version {
        None => (plans::store::newest(tenant.app(), key).await?, "/plan", "unknown_plan"),
        Some(version) => (plans::store::find(tenant.app(), key, version).await?, "/planVersion", "unknown_plan_version"),
    };
    let plan = plan.filter(|plan| plan.is_open_to(tenant.organization()));
    plan.ok_or_else(|| Problem::refused(pointer, code, "There is no such plan here. GET /v1/plans lists them.").into())
}

/// The shape as the plan is sold: in this currency and interval, in amounts that there are, with add-ons that it has.
pub(super) fn sold(plan: &Plan, shape: Shape, currency: Currency) -> Result<Shape> {
    let interval = shape.interval;
    let unsold = |pointer: &str, what: &str| {
        let detail = format!("{what} is not sold in {} by the {}. GET /v1/plans shows its prices.", currency.code(), interval.name());
        Problem::refused(pointer, "plan_not_sold_in_currency", detail)
    };
    plan.price(currency, interval).ok_or_else(|| unsold("/plan", &plan.name))?;
    let is_within = |count: u32| (1..=QUANTITY_MAX).contains(&count);
    if !is_within(shape.quantity) {
        return Err(Problem::invalid("/quantity", "invalid_value", "Send a quantity from 1 to 1,000,000.").into());
    }
    let mut add_ons = shape.add_ons;
    add_ons.retain(|_, count| *count > 0);
    for (key, count) in &add_ons {
        let pointer = format!("/addOns/{key}");
        let Some(add_on) = plan.add_on(key) else {
            let detail = format!("{} has no such add-on. Send 0 to end it.", plan.name);
            return Err(Problem::refused(pointer, "unknown_add_on", detail).into());
        };
        add_on.price(currency, interval).ok_or_else(|| unsold(&pointer, &add_on.name))?;
        if !is_within(*count) {
            return Err(Problem::invalid(pointer, "invalid_value", "Send 0 to end an add-on, or up to 1,000,000 of it.").into());
        }
    }
    Ok(Shape { add_ons, ..shape })
}

/// Refuses a change whose limits are below what is in use of what only the client can free, such as users.
async fn fits_usage(tenant: &Tenant, from: &Subscribed, to: &Subscribed) -> Result<()> {
    let mut lowered = Vec::new();
    for metric in to.plan.metrics.iter().filter(|metric| metric.kind == MetricKind::Level && metric.enforcement == Enforcement::Hard) {
        let Some(limit) = allowance(&to.plan, &to.shape, metric)?.limit else { continue };
        let before = match from.plan.metric(&metric.metric) {
            Some(before) => allowance(&from.plan, &from.shape, before)?.limit,
            None => None,
        };
        if before.is_none_or(|before| limit < before) {
            lowered.push((&metric.metric, limit));
        }
    }
    if lowered.is_empty() {
        return Ok(());
    }
    let (used, own) = (client::current_usage(tenant).await?.metrics, limits::store::load(tenant).await?);
    let now = tenant.moment().now;
    for (metric, limit) in lowered.into_iter().filter(|(metric, _)| !own.overrides.contains_key(*metric)) {
        let is_active = |grant: &&limits::agreed::Grant| &grant.metric == metric && grant.starts_at <= now;
        let granted = own.grants.iter().filter(is_active).map(|grant| grant.amount);
        let limit = rating::Quantity::sum(granted.chain([limit])).unwrap_or(limit);
        let current = used.get(metric).copied().unwrap_or_default();
        if current > limit {
            let detail = format!(
                "{current} {metric} are in use and the change admits {limit}. Free some first, or let it take effect at the period's end."
            );
            let problem = Problem::conflict("usage_above_new_limit", detail).with_member("metric", metric.as_str());
            return Err(problem.with_member("current", current.to_string()).with_member("limit", limit.to_string()).into());
        }
    }
    Ok(())
}
