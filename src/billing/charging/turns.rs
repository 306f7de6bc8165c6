//! What the beginning, a pause, going on and the end of a subscription bill. Pure.

use std::collections::BTreeMap;

use rating::Ending;
use serde_json::json;

use super::account::Account;
use super::change::{Bill, Changed, finish, unused_lines, usage_so_far};
use super::compose::{Terms, compose};
use super::cycle::{arrears_lines, base_in_arrears};
use super::in_advance::advances;
use super::late_usage::{ended_period, late_usage_due};
use super::lines::Subscribed;
use crate::billing::invoices::invoice::{BillingReason, Invoice};
use crate::billing::invoices::rules::{Occasion, counted_usage, create, draft};
use crate::billing::subscriptions::lifecycle::Trigger;
use crate::billing::subscriptions::rules::NewSubscription;
use crate::billing::subscriptions::subscription::{Cancellation, PausePolicy, Period, Subscription};
use crate::billing::subscriptions::{lifecycle, pausing, rules as subscriptions};
use crate::catalog::plans::plan::BaseTiming;
use crate::events::{ResumptionDue, SubscriptionCancelled, SubscriptionPaused, SubscriptionResumed};
use crate::kernel::decision::Decision;
use crate::kernel::error::Result;
use crate::kernel::ids::Moment;
use crate::kernel::time::days;
use crate::meter::contract::Closing;

/// How long after its end a subscription is billed for usage that came late: so long the Meter takes events back.
pub const LATE_USAGE_AFTER: std::time::Duration = days(35);
/// What makes the invoice of late usage after the end the only one.
pub const LATE_USAGE_KEY: &str = "late";

/// A subscription that begins, its first invoice, and what is to be committed.
pub struct Begun {
    pub subscription: Subscription,
    pub invoice: Option<Invoice>,
    pub decision: Decision,
}

/// Begins a subscription without a trial: its first billing period is charged at once.
pub fn begin(new: &NewSubscription<'_>, subscribed: &Subscribed, terms: &Terms, moment: Moment<'_>) -> Result<Begun> {
    let first = Period { starts_at: moment.now, ends_at: moment.now };
    let mut subscription = subscriptions::begun(new, first, moment).begun_anew(moment.now)?;
    let mut lines = Vec::new();
    if subscribed.plan.base_timing == BaseTiming::InAdvance {
        lines = subscribed.period_lines(subscription.currency, subscription.billing_period(0)?)?;
    }
    let composed = compose(lines, terms, subscription.currency, moment.now)?;
    let occasion = Occasion {
        subscription: &subscription,
        reason: BillingReason::SubscriptionCreate,
        reason_key: format!("period:{}", subscription.period.starts_at.as_millis()),
        period: subscription.period,
        usage: Vec::new(),
    };
    let invoice = (!composed.lines.is_empty()).then(|| draft(occasion, composed, moment));
    subscription.advance = invoice.as_ref().map_or_else(Vec::new, advances);
    let decision = subscriptions::created(&subscription, moment);
    let decision = invoice.iter().fold(decision, |decision, invoice| decision.and(create(invoice)));
    let expiring = subscription.expiring(moment.now)?;
    let decision = expiring.into_iter().fold(decision, |decision, (at, expiring)| decision.later(at, expiring));
    Ok(Begun { subscription, invoice, decision })
}

/// How a subscription is to end, now.
pub struct WantedEnd {
    pub policy: rating::ProrationPolicy,
    pub reason: Option<String>,
}

/// Ends it now: usage so far is billed, and what is unused of what was paid in advance comes back. A trial costs nothing.
pub fn end(account: &Account, closing: &Closing, wanted: WantedEnd, moment: Moment<'_>) -> Result<Changed> {
    let (subscription, now) = (&account.subscription, moment.now);
    let status = lifecycle::step(subscription.status, Trigger::CancelNow)?;
    let period = ended_period(subscription, now);
    let reason = wanted.reason;
    let next = Subscription {
        status,
        period,
        ended_at: Some(now),
        next_billing_at: None,
        scheduled: None,
        cancellation: Some(Cancellation { effective_at: now, requested_at: now, reason: reason.clone() }),
        pause: None,
        version: subscription.version.saturating_add(1),
        ..subscription.clone()
    };
    let mut bill = Bill { kept: Vec::new(), ..Bill::nothing(next) };
    if !subscription.is_trial() {
        // Time that a pause kept is unused from its beginning on.
        let used_until = subscription.pause.as_ref().map_or(now, |pause| pause.paused_at);
        bill.lines = arrears_lines(&account.billing(closing), now, Ending::Termination)?;
        bill.lines.extend(unused_lines(account, used_until, wanted.policy, Ending::Termination)?);
        bill.usage = counted_usage(period, closing, &subscription.usage_billed)?;
    }
    let changed = finish(account, bill, (BillingReason::SubscriptionEnd, "end".to_owned()), moment)?;
    let (id, after) = (subscription.id, json!({"status": status, "reason": reason}));
    let decision = late_usage_due(changed.decision, subscription, &changed.subscription)
        .raise(SubscriptionCancelled { subscription: id, reason })
        .audit("subscription.cancelled", id.to_string(), Some(json!({"status": subscription.status})), Some(after));
    Ok(Changed { decision, ..changed })
}

/// Bills usage that came for a subscription after its last invoice; nothing when none did that costs anything.
pub fn late_usage(account: &Account, closing: &Closing, moment: Moment<'_>) -> Result<Decision> {
    let subscription = &account.subscription;
    let late = Closing { used: BTreeMap::new(), late: closing.late.clone() };
    let lines = super::cycle::late_lines(&account.billing(&late))?;
    if lines.iter().all(|line| line.amount_minor == 0) {
        return Ok(Decision::new());
    }
    let composed = compose(lines, &account.terms, subscription.currency, moment.now)?;
    let (period, reason_key) = (subscription.period, LATE_USAGE_KEY.to_owned());
    let usage = counted_usage(period, &late, &BTreeMap::new())?;
    let occasion = Occasion { subscription, reason: BillingReason::LateUsage, reason_key, period, usage };
    Ok(create(&draft(occasion, composed, moment)))
}

/// Pauses it: usage so far is billed, and by policy the unused time comes back.
pub fn pause(account: &Account, closing: &Closing, wanted: pausing::Wanted, moment: Moment<'_>) -> Result<Changed> {
    let (subscription, now) = (&account.subscription, moment.now);
    let mut bill = Bill::nothing(pausing::paused(subscription, wanted, now)?);
    bill.lines = usage_so_far(account, closing, &mut bill.next, now)?;
    if wanted.policy == PausePolicy::CreditUnused {
        let policy = account.subscribed()?.plan.proration_policy;
        bill.lines.extend(base_in_arrears(&account.billing(closing), now, Ending::Change)?);
        bill.lines.extend(unused_lines(account, now, policy, Ending::Change)?);
        bill.kept.clear();
    }
    let occasion = (BillingReason::SubscriptionUpdate, format!("pause:{}", subscription.version));
    let changed = finish(account, bill, occasion, moment)?;
    let (id, resumes_at) = (subscription.id, wanted.resumes_at);
    let after = json!({"status": changed.subscription.status, "policy": wanted.policy, "resumesAt": resumes_at});
    let decision = changed.decision.raise(SubscriptionPaused { subscription: id, resumes_at }).audit(
        "subscription.paused",
        id.to_string(),
        Some(json!({"status": subscription.status})),
        Some(after),
    );
    let due = resumes_at.map(|resumes_at| ResumptionDue { subscription: id, resumes_at });
    let decision = due.into_iter().fold(decision, |decision, due| decision.later(due.resumes_at, due));
    Ok(Changed { decision, ..changed })
}

/// Lets it go on. `closing` is the Meter's closing where [`pausing::closes_period`], and otherwise not looked at.
pub fn resume(account: &Account, closing: &Closing, moment: Moment<'_>) -> Result<Changed> {
    let (subscription, now) = (&account.subscription, moment.now);
    let subscribed = account.subscribed()?;
    let mut bill = Bill::nothing(pausing::resumed(subscription, now)?);
    let begins_anew = pausing::pause_of(subscription)?.policy == PausePolicy::CreditUnused;
    if pausing::closes_period(subscription, now) {
        bill.lines = arrears_lines(&account.billing(closing), now, Ending::Change)?;
        bill.usage = counted_usage(ended_period(subscription, now), closing, &subscription.usage_billed)?;
    }
    if begins_anew && subscribed.plan.base_timing == BaseTiming::InAdvance {
        bill.lines.extend(subscribed.period_lines(subscription.currency, bill.next.billing_period(0)?)?);
    }
    let occasion = (BillingReason::SubscriptionCycle, format!("resume:{}", subscription.version));
    let changed = finish(account, bill, occasion, moment)?;
    let (id, after) = (subscription.id, json!({"status": changed.subscription.status}));
    let decision = changed.decision.raise(SubscriptionResumed { subscription: id }).audit(
        "subscription.resumed",
        id.to_string(),
        Some(json!({"status": subscription.status})),
        Some(after),
    );
    let expiring = changed.subscription.expiring(now)?;
    let decision = expiring.into_iter().fold(decision, |decision, (at, expiring)| decision.later(at, expiring));
    Ok(Changed { decision, ..changed })
}
