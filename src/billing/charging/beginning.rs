//! Charges of a subscription that begins without a trial. Pure.

use super::compose::{Terms, compose};
use super::in_advance::advances;
use super::lines::Subscribed;
use crate::billing::invoices::invoice::{BillingReason, Invoice};
use crate::billing::invoices::rules::{Occasion, create, draft};
use crate::billing::subscriptions::rules as subscriptions;
use crate::billing::subscriptions::rules::NewSubscription;
use crate::billing::subscriptions::subscription::Subscription;
use crate::catalog::plans::plan::BaseTiming;
use crate::kernel::decision::Decision;
use crate::kernel::error::Result;
use crate::kernel::ids::Moment;
use crate::kernel::period::Period;

/// A new subscription, its first invoice, and the commit.
pub struct Begun {
    pub subscription: Subscription,
    pub invoice: Option<Invoice>,
    pub decision: Decision,
}

/// Starts a subscription without a trial: its first billing period is charged at once.
pub fn begin(new: &NewSubscription<'_>, subscribed: &Subscribed, terms: &Terms, moment: Moment<'_>) -> Result<Begun> {
    let first = Period { starts_at: moment.now, ends_at: moment.now };
    let mut subscription = subscriptions::begun(new, first, moment).restarted(moment.now)?;
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
