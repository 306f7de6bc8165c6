//! Charges and credits of a pause: when it begins and when the subscription resumes. Pure.

use rating::Ending;
use serde_json::json;

use super::account::Account;
use super::arrears::{arrears_lines, base_in_arrears};
use super::late_usage::ended_period;
use super::midterm::{Bill, Changed, finish, unbilled_usage};
use super::unused_time::unused_lines;
use crate::billing::invoices::invoice::BillingReason;
use crate::billing::invoices::rules::counted_usage;
use crate::billing::subscriptions::pausing;
use crate::billing::subscriptions::subscription::PausePolicy;
use crate::catalog::plans::plan::BaseTiming;
use crate::events::{ResumptionDue, SubscriptionPaused, SubscriptionResumed};
use crate::kernel::error::Result;
use crate::kernel::ids::Moment;
use crate::meter::contract::Closing;

/// Pauses the subscription: the usage so far is billed, and unused time is credited by policy.
pub fn pause(account: &Account, closing: &Closing, wanted: pausing::Wanted, moment: Moment<'_>) -> Result<Changed> {
    let (subscription, now) = (&account.subscription, moment.now);
    let mut bill = Bill::nothing(pausing::paused(subscription, wanted, now)?);
    bill.lines = unbilled_usage(account, closing, &mut bill.next, now)?;
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

/// Resumes the subscription. `closing` is the closing of the period where [`pausing::closes_period`], and unused otherwise.
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
