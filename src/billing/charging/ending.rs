//! Charges and credits of a subscription that ends at once. Pure.

use rating::Ending;
use serde_json::json;

use super::account::Account;
use super::arrears::arrears_lines;
use super::late_usage::{ended_period, late_usage_due};
use super::midterm::{Bill, Changed, finish};
use super::unused_time::unused_lines;
use crate::billing::invoices::invoice::BillingReason;
use crate::billing::invoices::rules::counted_usage;
use crate::billing::subscriptions::lifecycle;
use crate::billing::subscriptions::lifecycle::Trigger;
use crate::billing::subscriptions::subscription::{Cancellation, Subscription};
use crate::events::SubscriptionCancelled;
use crate::kernel::error::Result;
use crate::kernel::ids::Moment;
use crate::meter::contract::Closing;

/// The cancellation of a subscription, now.
pub struct WantedEnd {
    pub policy: rating::ProrationPolicy,
    pub reason: Option<String>,
}

/// Ends the subscription now: the usage so far is billed, and unused prepaid time is credited. A trial costs nothing.
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
        // Time that a pause kept is unused from its start on.
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
