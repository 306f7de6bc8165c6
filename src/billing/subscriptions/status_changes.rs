//! Payments and the vendor move a subscription, too: past due and back, stopped and let go on. Pure.

use serde_json::json;

use super::lifecycle;
use super::lifecycle::Trigger;
use super::scheduled::{next_version, update_to};
use super::subscription::Subscription;
use crate::events::{SubscriptionSuspended, SubscriptionUnsuspended};
use crate::kernel::decision::Decision;
use crate::kernel::problem::Problem;

/// An invoice was not paid in time. Nothing where that changes nothing: it rests, is suspended or over.
pub fn mark_past_due(subscription: &Subscription) -> Decision {
    by_payment(subscription, Trigger::PaymentOverdue, "subscription.pastDue")
}

/// Every invoice is paid. Nothing where none was overdue.
pub fn mark_current(subscription: &Subscription) -> Decision {
    by_payment(subscription, Trigger::PaymentsCurrent, "subscription.current")
}

fn by_payment(subscription: &Subscription, trigger: Trigger, action: &'static str) -> Decision {
    match lifecycle::next(subscription.status, trigger).filter(|status| *status != subscription.status) {
        Some(status) => moved(subscription, &Subscription { status, ..next_version(subscription) }, action),
        None => Decision::new(),
    }
}

/// The vendor stops it: nothing is admitted any more, and it keeps being billed.
pub fn suspend(subscription: &Subscription) -> Result<(Subscription, Decision), Problem> {
    let status = lifecycle::step(subscription.status, Trigger::Suspend)?;
    let next = Subscription { status, ..next_version(subscription) };
    let decision = moved(subscription, &next, "subscription.suspended").raise(SubscriptionSuspended { subscription: subscription.id });
    Ok((next, decision))
}

/// The vendor lets it go on.
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
