//! Rules of requested changes. Pure.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use rating::{Currency, Quantity};

use super::requests::{Effective, SubscriptionSettings};
use crate::billing::charging::lines::Subscribed;
use crate::billing::charging::proration::compare;
use crate::billing::subscriptions::entitlements::allowance;
use crate::billing::subscriptions::rules::QUANTITY_MAX;
use crate::billing::subscriptions::scheduled::{next_version, update_to};
use crate::billing::subscriptions::subscription::{Shape, Subscription, months};
use crate::catalog::plans::plan::Plan;
use crate::kernel::decision::Decision;
use crate::kernel::error::Result;
use crate::kernel::problem::Problem;
use crate::kernel::time::Timestamp;
use crate::meter::vocabulary::{Enforcement, MetricKind};
use crate::metering::limits::agreed::{Grant, Limits};

/// The default time of a change: a shorter interval or a lower price per month waits for the end of the paid period.
pub(super) fn usual(from: &Subscribed, to: &Subscribed, currency: Currency) -> Result<Effective> {
    let is_less = match months(to.shape.interval).cmp(&months(from.shape.interval)) {
        Ordering::Equal => compare(from, to, currency)? == Ordering::Greater,
        Ordering::Less => true,
        Ordering::Greater => false,
    };
    Ok(if is_less { Effective::PeriodEnd } else { Effective::Now })
}

/// The shape, if the plan is sold in this currency and interval, in valid quantities, with these add-ons.
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
            let detail = format!("{} has no such add-on. Send 0 to remove it.", plan.name);
            return Err(Problem::refused(pointer, "unknown_add_on", detail).into());
        };
        add_on.price(currency, interval).ok_or_else(|| unsold(&pointer, &add_on.name))?;
        if !is_within(*count) {
            return Err(Problem::invalid(pointer, "invalid_value", "Send 0 to remove an add-on, or a quantity of up to 1,000,000.").into());
        }
    }
    Ok(Shape { add_ons, ..shape })
}

/// The longest reason, in characters.
const REASON_LENGTH_MAX: usize = 2_000;

/// The reason of a cancellation, trimmed.
pub(super) fn check_reason(reason: &str) -> Result<String> {
    let reason = reason.trim();
    if reason.is_empty() || reason.chars().count() > REASON_LENGTH_MAX {
        return Err(Problem::invalid("/reason", "invalid_value", "Send a reason of 1 to 2,000 characters.").into());
    }
    Ok(reason.to_owned())
}

/// The longest name of a payment method, in characters.
const PAYMENT_METHOD_LENGTH_MAX: usize = 200;

/// Changes how the subscription renews and is paid.
pub(super) fn set(subscription: &Subscription, wanted: &SubscriptionSettings) -> Result<(Subscription, Decision)> {
    if subscription.ended_at.is_some() {
        let detail = "The subscription has ended. Create another one with POST /v1/subscription.";
        return Err(Problem::conflict("subscription_ended", detail).into());
    }
    let payment_method = wanted.payment_method.clone().unwrap_or_else(|| subscription.payment_method.clone());
    if payment_method.as_ref().is_some_and(|name| name.trim().is_empty() || name.chars().count() > PAYMENT_METHOD_LENGTH_MAX) {
        return Err(Problem::invalid("/paymentMethod", "invalid_value", "Send 1 to 200 characters, or null for none.").into());
    }
    let auto_renew = wanted.auto_renew.unwrap_or(subscription.auto_renew);
    if (auto_renew, &payment_method) == (subscription.auto_renew, &subscription.payment_method) {
        return Ok((subscription.clone(), Decision::new()));
    }
    let next = Subscription { auto_renew, payment_method, ..next_version(subscription) };
    let shown = |of: &Subscription| Some(serde_json::json!({"autoRenew": of.auto_renew, "paymentMethod": of.payment_method}));
    let decision = update_to(subscription, &next).audit("subscription.updated", next.id.to_string(), shown(subscription), shown(&next));
    Ok((next, decision))
}

/// Limits that the change lowers, of metrics that only the client can free, such as users.
pub(super) fn lowered_limits(from: &Subscribed, to: &Subscribed) -> Result<Vec<(String, Quantity)>> {
    let mut lowered = Vec::new();
    for metric in to.plan.metrics.iter().filter(|metric| metric.kind == MetricKind::Level && metric.enforcement == Enforcement::Hard) {
        let Some(limit) = allowance(&to.plan, &to.shape, metric)?.limit else { continue };
        let before = match from.plan.metric(&metric.metric) {
            Some(before) => allowance(&from.plan, &from.shape, before)?.limit,
            None => None,
        };
        if before.is_none_or(|before| limit < before) {
            lowered.push((metric.metric.clone(), limit));
        }
    }
    Ok(lowered)
}

/// Refuses limits below the usage, unless the organization has a limit or a grant of its own that covers it.
pub(super) fn check_usage(
    lowered: &[(String, Quantity)],
    used: &BTreeMap<String, Quantity>,
    own: &Limits,
    now: Timestamp,
) -> std::result::Result<(), Problem> {
    for (metric, limit) in lowered.iter().filter(|(metric, _)| !own.overrides.contains_key(metric)) {
        let is_active = |grant: &&Grant| &grant.metric == metric && grant.starts_at <= now;
        let granted = own.grants.iter().filter(is_active).map(|grant| grant.amount);
        let limit = Quantity::sum(granted.chain([*limit])).unwrap_or(*limit);
        let current = used.get(metric).copied().unwrap_or_default();
        if current > limit {
            let detail = format!(
                "{current} {metric} are in use and the new limit is {limit}. Free some first, or send \"effective\": \"period_end\"."
            );
            let problem = Problem::conflict("usage_above_new_limit", detail).with_member("metric", metric.as_str());
            return Err(problem.with_member("current", current.to_string()).with_member("limit", limit.to_string()));
        }
    }
    Ok(())
}

/// Refuses another subscription beside one that runs, and a second trial unless the vendor grants it.
pub(super) fn may_begin(before: Option<&Subscription>, wants_trial: bool, is_vendor: bool) -> std::result::Result<(), Problem> {
    if before.is_some_and(|before| before.ended_at.is_none()) {
        let detail = "The organization has a running subscription. Change it with POST /v1/subscription/changes, or cancel it first.";
        return Err(Problem::conflict("subscription_running", detail));
    }
    if wants_trial && before.is_some() && !is_vendor {
        let detail = "A trial is for an organization's first subscription. Send \"trial\": false, or ask the vendor for another one.";
        return Err(Problem::conflict("trial_used", detail));
    }
    Ok(())
}
