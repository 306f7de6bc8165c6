//! Changes and cancellations that are scheduled for the end of the billing period. Pure.

use serde_json::json;

use super::lifecycle::Trigger;
use super::subscription::{Cancellation, ScheduledChange, Shape, Subscription};
use super::{lifecycle, store};
use crate::kernel::decision::Decision;
use crate::kernel::error::Result;
use crate::kernel::ids::Moment;
use crate::kernel::problem::Problem;

/// Refuses where a scheduled change or cancellation conflicts: a new end of the billing period, or another change, would contradict it.
pub fn check_nothing_scheduled(subscription: &Subscription) -> Result<()> {
    if subscription.cancellation.is_some() {
        let detail = "The subscription is cancelled for the end of the billing period. \
                      Withdraw the cancellation first with DELETE /v1/subscription/cancellation.";
        return Err(Problem::conflict("cancellation_pending", detail).into());
    }
    if subscription.scheduled.is_some() {
        let detail =
            "A change is scheduled for the end of the billing period. Revoke it first with DELETE /v1/subscription/scheduled-change.";
        return Err(Problem::conflict("change_scheduled", detail).into());
    }
    Ok(())
}

/// Schedules a change for the end of the billing period. An earlier scheduled change is replaced.
pub fn schedule(subscription: &Subscription, to: &Shape, moment: Moment<'_>) -> Result<(Subscription, Decision)> {
    lifecycle::step(subscription.status, Trigger::ScheduleChange)?;
    check_nothing_scheduled(&Subscription { scheduled: None, ..subscription.clone() })?;
    let effective_at = subscription.current_billing_period()?.ends_at;
    let scheduled = Some(ScheduledChange { to: to.clone(), effective_at, requested_at: moment.now });
    let next = Subscription { scheduled, ..next_version(subscription) };
    let decision = update_to(subscription, &next).audit("subscription.changeScheduled", subscription.id.to_string(), None, Some(json!(to)));
    Ok((next, decision))
}

/// Revokes the scheduled change.
pub fn revoke(subscription: &Subscription) -> Result<Decision> {
    lifecycle::step(subscription.status, Trigger::RevokeChange)?;
    let Some(scheduled) = &subscription.scheduled else {
        let detail = "No change is scheduled. GET /v1/subscription shows a scheduled one as scheduledChange.";
        return Err(Problem::conflict("no_scheduled_change", detail).into());
    };
    let next = Subscription { scheduled: None, ..next_version(subscription) };
    let before = Some(json!(scheduled.to));
    Ok(update_to(subscription, &next).audit("subscription.changeRevoked", subscription.id.to_string(), before, None))
}

/// Schedules the cancellation for the end of the billing period.
pub fn cancel_at_end(subscription: &Subscription, reason: Option<String>, moment: Moment<'_>) -> Result<(Subscription, Decision)> {
    lifecycle::step(subscription.status, Trigger::CancelAtEnd)?;
    check_nothing_scheduled(&Subscription { scheduled: None, ..subscription.clone() })?;
    let effective_at = subscription.current_billing_period()?.ends_at;
    let after = json!({"effectiveAt": effective_at, "reason": reason});
    let cancellation = Some(Cancellation { effective_at, requested_at: moment.now, reason });
    let next = Subscription { cancellation, ..next_version(subscription) };
    let decision =
        update_to(subscription, &next).audit("subscription.cancellationScheduled", subscription.id.to_string(), None, Some(after));
    Ok((next, decision))
}

/// Withdraws the scheduled cancellation.
pub fn withdraw(subscription: &Subscription) -> Result<Decision> {
    lifecycle::step(subscription.status, Trigger::WithdrawCancellation)?;
    let Some(cancellation) = &subscription.cancellation else {
        let detail = "No cancellation is scheduled. GET /v1/subscription shows a scheduled one as cancellation.";
        return Err(Problem::conflict("no_cancellation", detail).into());
    };
    let next = Subscription { cancellation: None, ..next_version(subscription) };
    let before = Some(json!({"effectiveAt": cancellation.effective_at, "reason": cancellation.reason}));
    Ok(update_to(subscription, &next).audit("subscription.cancellationWithdrawn", subscription.id.to_string(), before, None))
}

/// The next version of the subscription.
pub fn next_version(subscription: &Subscription) -> Subscription {
    Subscription { version: subscription.version.saturating_add(1), ..subscription.clone() }
}

/// The update from the subscription as read to `next`.
pub fn update_to(subscription: &Subscription, next: &Subscription) -> Decision {
    Decision::new().guard(store::unchanged(subscription)).write(store::update(next))
}
