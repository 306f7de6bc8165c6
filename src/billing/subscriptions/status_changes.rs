//! Status changes by payments and by the vendor: past due and current, suspended and active. Pure.

use serde_json::json;

use super::lifecycle;
use super::lifecycle::Trigger;
use super::scheduled::{next_version, update_to};
use super::subscription::Subscription;
use crate::events::{SubscriptionSuspended, SubscriptionUnsuspended};
use crate::kernel::decision::Decision;
use crate::kernel::problem::Problem;

/// An invoice is overdue: marks the subscription past due. Nothing where it is paused, suspended or ended.
pub fn mark_past_due(subscription: &Subscription) -> Decision {
    by_payment(subscription, Trigger::PaymentOverdue, "subscription.pastDue")
}

/// No invoice is overdue: marks the subscription current. Nothing where it was not past due.
pub fn mark_current(subscription: &Subscription) -> Decision {
    by_payment(subscription, Trigger::PaymentsCurrent, "subscription.current")
}

fn by_payment(subscription: &Subscription, trigger: Trigger, action: &'static str) -> Decision {
    match lifecycle::next(subscription.status, trigger).filter(|status| *status != subscription.status) {
        Some(status) => moved(subscription, &Subscription { status, ..next_version(subscription) }, action),
        None => Decision::new(),
    }
}

/// Suspends the subscription: usage is refused, charges continue.
pub fn suspend(subscription: &Subscription) -> Result<(Subscription, Decision), Problem> {
    let status = lifecycle::step(subscription.status, Trigger::Suspend)?;
    let next = Subscription { status, ..next_version(subscription) };
    let decision = moved(subscription, &next, "subscription.suspended").raise(SubscriptionSuspended { subscription: subscription.id });
    Ok((next, decision))
}

/// Ends the suspension.
pub fn unsuspend(subscription: &Subscription) -> Result<(Subscription, Decision), Problem> {
    let status = lifecycle::step(subscription.status, Trigger::Unsuspend)?;
    let next = Subscription { status, ..next_version(subscription) };
    let decision = moved(subscription, &next, "subscription.unsuspended").raise(SubscriptionUnsuspended { subscription: subscription.id });
    Ok((next, decision))
}

fn moved(subscription: &Subscription, next: &Subscription, action: &'static str) -> Decision {
    let (before, after) = (json!({"status": subscription.status}), json!({"status": next.status}));
    update_to(subscription, next).audit(action, subscription.id.to_string(), Some(before), Some(after))
}

#[cfg(test)]
mod tests {
    use super::super::lifecycle::Status;
    use super::super::rules::tests::trial;
    use super::*;

    #[test]
    fn payments_move_only_what_runs() {
        let active = trial("2026-03-15T00:00:00Z", "UTC").renewed().unwrap();
        let with_status = |status| Subscription { status, ..active.clone() };
        assert_ne!(mark_past_due(&active), Decision::new());
        assert_eq!(mark_current(&active), Decision::new());
        assert_ne!(mark_current(&with_status(Status::PastDue)), Decision::new());
        for status in [Status::PastDue, Status::Trialing, Status::Paused, Status::Suspended, Status::Cancelled, Status::Expired] {
            assert_eq!(mark_past_due(&with_status(status)), Decision::new(), "{status:?}");
        }
    }
}
