//! Usage that arrived after the invoice of its period.

use super::account::Account;
use super::compose::compose;
use crate::billing::invoices::invoice::BillingReason;
use crate::billing::invoices::rules::{Occasion, counted_usage, create, draft};
use crate::billing::subscriptions::subscription::Subscription;
use crate::events::LateUsageDue;
use crate::kernel::decision::Decision;
use crate::kernel::error::Result;
use crate::kernel::ids::Moment;
use crate::kernel::period::Period;
use crate::kernel::time::{Timestamp, days};
use crate::meter::contract::Closing;
use std::collections::BTreeMap;

/// The usage period that ends now. One that started this instant keeps its end: a period is never empty.
pub fn ended_period(subscription: &Subscription, now: Timestamp) -> Period {
    let Period { starts_at, ends_at } = subscription.period;
    Period { starts_at, ends_at: if starts_at < now { now } else { ends_at } }
}

/// Schedules the bill of late usage in the commit that ends a paid subscription, for the instant after which none can arrive.
pub(super) fn late_usage_due(decision: Decision, before: &Subscription, ended: &Subscription) -> Decision {
    let due = ended.ended_at.filter(|_| !before.is_trial());
    due.into_iter().fold(decision, |decision, at| decision.later(at.plus(LATE_USAGE_AFTER), LateUsageDue { subscription: ended.id }))
}

/// The time after its end during which a subscription is billed for late usage: as long as the Meter accepts past events.
pub const LATE_USAGE_AFTER: std::time::Duration = days(35);

/// The reason key that makes the invoice of late usage unique.
pub const LATE_USAGE_KEY: &str = "late";

/// Bills usage that arrived after the last invoice of a subscription; nothing where it is free.
pub fn late_usage(account: &Account, closing: &Closing, moment: Moment<'_>) -> Result<Decision> {
    let subscription = &account.subscription;
    let late = Closing { used: BTreeMap::new(), late: closing.late.clone() };
    let lines = super::arrears::late_lines(&account.billing(&late))?;
    if lines.iter().all(|line| line.amount_minor == 0) {
        return Ok(Decision::new());
    }
    let composed = compose(lines, &account.terms, subscription.currency, moment.now)?;
    let (period, reason_key) = (subscription.period, LATE_USAGE_KEY.to_owned());
    let usage = counted_usage(period, &late, &BTreeMap::new())?;
    let occasion = Occasion { subscription, reason: BillingReason::LateUsage, reason_key, period, usage };
    Ok(create(&draft(occasion, composed, moment)))
}
