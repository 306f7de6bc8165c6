//! The end of a usage period: its charges and the next period. Pure: a subscription, its plans and the closing of the Meter give the
//! invoice.

use super::proration::change_event;
use crate::billing::invoices::invoice::BillingReason;
use crate::billing::invoices::rules::{Occasion, counted_usage};
use crate::billing::subscriptions::lifecycle;
use crate::billing::subscriptions::lifecycle::Trigger;
use crate::events::Event;
use rating::Ending;

use super::account::Billing;
use super::arrears::arrears_lines;
use super::compose::compose;
use super::in_advance::advances;
use super::late_usage::late_usage_due;
use super::lines::Subscribed;
use crate::billing::invoices::invoice::Invoice;
use crate::billing::invoices::rules::{create, draft};
use crate::billing::subscriptions::subscription::{Shape, Subscription};
use crate::catalog::plans::plan::{BaseTiming, TrialEnding};
use crate::events::{SubscriptionCancelled, SubscriptionExpired, SubscriptionRenewed, TrialConverted};
use crate::kernel::decision::Decision;
use crate::kernel::error::Result;
use crate::kernel::ids::Moment;
use crate::kernel::period::Period;

/// How a usage period ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeriodEnd {
    /// Another period follows.
    Renew,
    /// The subscription was cancelled for this instant.
    Cancel,
    /// The subscription does not renew, or its trial ended without a payment method.
    Expire,
}

/// The bill of a period that ended.
pub struct Billed {
    /// None without charges: a month of a yearly billing period without chargeable usage, or a trial that expires.
    pub invoice: Option<Invoice>,
    pub subscription: Subscription,
    pub decision: Decision,
}

/// Bills the current usage period: the base price of the next period in advance, the usage of this one in arrears, and corrections for late
/// usage. Usage on trial is free.
pub fn bill(billing: &Billing<'_>, moment: Moment<'_>) -> Result<Billed> {
    let subscription = billing.subscription;
    let now = billing.now_subscribed()?;
    let period_end = period_end(subscription, now)?;
    let mut next = billing.after_period(period_end)?;
    let begins = period_end == PeriodEnd::Renew && next.begins_billing_period(next.period_index);
    let subscribed = billing.next_subscribed(begins, now);
    let mut lines = Vec::new();
    if begins && subscribed.plan.base_timing == BaseTiming::InAdvance {
        lines.extend(subscribed.period_lines(subscription.currency, next.billing_period(next.period_index)?)?);
    }
    lines.extend(arrears_lines(billing, subscription.period.ends_at, Ending::Change)?);
    let composed = compose(lines, billing.terms, subscription.currency, moment.now)?;
    let period = if period_end == PeriodEnd::Renew { next.period } else { subscription.period };
    let invoice = if composed.lines.is_empty() { None } else { Some(draft(billing.occasion(period_end, period)?, composed, moment)) };
    if begins || period_end != PeriodEnd::Renew {
        next.advance = invoice.as_ref().map_or_else(Vec::new, advances);
    }
    let decision = committed(billing, (period_end, &next), invoice.as_ref(), begins)?;
    Ok(Billed { invoice, subscription: next, decision })
}

/// The bill of the running period, if it ended with the usage counted so far; identical to its real bill once it ended.
pub fn upcoming(billing: &Billing<'_>, moment: Moment<'_>) -> Result<Option<Invoice>> {
    Ok(bill(billing, moment)?.invoice)
}

/// Applies a scheduled change: another interval counts its periods from here.
fn with_shape(renewed: Subscription, shape: Shape) -> Subscription {
    let is_same_interval = renewed.shape.interval == shape.interval;
    let (anchored_at, period_index) =
        if is_same_interval { (renewed.anchored_at, renewed.period_index) } else { (Some(renewed.period.starts_at), 0) };
    Subscription { shape, anchored_at, period_index, scheduled: None, ..renewed }
}

fn period_end(subscription: &Subscription, now: &Subscribed) -> Result<PeriodEnd> {
    let ends_at = subscription.period.ends_at;
    if subscription.cancellation.as_ref().is_some_and(|cancellation| cancellation.effective_at <= ends_at) {
        return Ok(PeriodEnd::Cancel);
    }
    let is_last = subscription.current_billing_period()?.ends_at <= ends_at;
    let expires_unpaid = subscription.is_trial()
        && now.plan.trial.ending == TrialEnding::ExpireWithoutPaymentMethod
        && subscription.payment_method.is_none();
    Ok(if expires_unpaid || (is_last && !subscription.auto_renew) { PeriodEnd::Expire } else { PeriodEnd::Renew })
}

impl Billing<'_> {
    fn next_subscribed<'s>(&'s self, begins: bool, now: &'s Subscribed) -> &'s Subscribed {
        if begins { self.scheduled.unwrap_or(now) } else { now }
    }

    /// The subscription after the period.
    fn after_period(&self, period_end: PeriodEnd) -> Result<Subscription> {
        let subscription = self.subscription;
        let ended = |trigger| {
            let status = lifecycle::step(subscription.status, trigger)?;
            let ended_at = Some(subscription.period.ends_at);
            Ok(Subscription { status, ended_at, next_billing_at: None, scheduled: None, ..subscription.clone() })
        };
        match period_end {
            PeriodEnd::Renew => {
                let renewed = subscription.renewed()?;
                let is_time = renewed.begins_billing_period(renewed.period_index);
                let shape = |scheduled: &Subscribed| scheduled.shape.clone();
                let scheduled = self.scheduled.filter(|_| is_time).map(shape);
                Ok(match scheduled {
                    Some(shape) => with_shape(renewed, shape),
                    None => renewed,
                })
            }
            PeriodEnd::Cancel => ended(Trigger::End),
            PeriodEnd::Expire => ended(Trigger::Expire),
        }
    }

    /// The event of a scheduled change that takes effect.
    fn change_event(&self, next: &Subscription) -> Result<Event> {
        let (now, then) = (self.now_subscribed()?, self.next_subscribed(true, self.now_subscribed()?));
        change_event(next, now, then)
    }

    fn occasion(&self, period_end: PeriodEnd, period: Period) -> Result<Occasion<'_>> {
        let reason = match period_end {
            PeriodEnd::Renew if self.subscription.is_trial() => BillingReason::SubscriptionCreate,
            PeriodEnd::Renew => BillingReason::SubscriptionCycle,
            PeriodEnd::Cancel | PeriodEnd::Expire => BillingReason::SubscriptionEnd,
        };
        let reason_key = match period_end {
            PeriodEnd::Renew => format!("period:{}", period.starts_at.as_millis()),
            PeriodEnd::Cancel | PeriodEnd::Expire => "end".to_owned(),
        };
        let usage = counted_usage(self.subscription.period, self.closing, &self.subscription.usage_billed)?;
        Ok(Occasion { subscription: self.subscription, reason, reason_key, period, usage })
    }
}

/// The commit of a period's end. `begins` says whether a billing period begins, and with it perhaps another phase.
fn committed(
    billing: &Billing<'_>,
    (period_end, next): (PeriodEnd, &Subscription),
    invoice: Option<&Invoice>,
    begins: bool,
) -> Result<Decision> {
    let subscription = billing.subscription;
    let mut decision = Decision::new()
        .guard(crate::billing::subscriptions::store::unchanged(subscription))
        .write(crate::billing::subscriptions::store::update(next));
    if begins && next.shape != subscription.shape {
        decision = decision.write(crate::billing::subscriptions::store::insert_phase(next, next.period.starts_at));
        decision = decision.raise(billing.change_event(next)?);
    }
    if let Some((at, expiring)) = next.expiring(next.period.starts_at)?.filter(|_| begins) {
        decision = decision.later(at, expiring);
    }
    if let Some(invoice) = invoice {
        decision = decision.and(create(invoice));
    }
    let id = subscription.id;
    Ok(match period_end {
        PeriodEnd::Renew if subscription.is_trial() => decision.raise(TrialConverted { subscription: id }),
        PeriodEnd::Renew => decision.raise(SubscriptionRenewed { subscription: id, period_starts_at: next.period.starts_at }),
        PeriodEnd::Cancel => {
            let reason = subscription.cancellation.as_ref().and_then(|cancellation| cancellation.reason.clone());
            late_usage_due(decision, subscription, next).raise(SubscriptionCancelled { subscription: id, reason })
        }
        PeriodEnd::Expire => late_usage_due(decision, subscription, next).raise(SubscriptionExpired { subscription: id }),
    })
}
