//! Usage that arrived after the invoice of its period.

use super::turns::LATE_USAGE_AFTER;
use crate::billing::subscriptions::subscription::{Period, Subscription};
use crate::events::LateUsageDue;
use crate::kernel::decision::Decision;
use crate::kernel::time::Timestamp;

/// The usage period that ends now; one that began this instant keeps its end, for periods are never empty.
pub fn ended_period(subscription: &Subscription, now: Timestamp) -> Period {
    let Period { starts_at, ends_at } = subscription.period;
    Period { starts_at, ends_at: if starts_at < now { now } else { ends_at } }
}

/// What goes into the commit that ends a paid subscription: its late usage is billed when none can come any more.
pub(super) fn late_usage_due(decision: Decision, before: &Subscription, ended: &Subscription) -> Decision {
    let due = ended.ended_at.filter(|_| !before.is_trial());
    due.into_iter().fold(decision, |decision, at| decision.later(at.plus(LATE_USAGE_AFTER), LateUsageDue { subscription: ended.id }))
}
