//! The end of a usage period: what it cost, and what begins. Pure: a subscription, its plans and the Meter's closing make the invoice.

use super::proration::moved;
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
pub enum Turn {
    /// Another one begins.
    Renew,
    /// It was cancelled to this instant.
    Cancel,
    /// Nobody wants another billing period, or a trial ended without a payment method.
    Expire,
}

/// What a period that ended comes to.
pub struct Billed {
    /// None where there is nothing to bill: within a year of which no usage costs anything, or after a trial that expires.
    pub invoice: Option<Invoice>,
    pub subscription: Subscription,
    pub decision: Decision,
}

/// Closes the present usage period: the base price in advance for what begins, usage in arrears for what ended, and corrections for late
/// usage. A trial's usage costs nothing.
pub fn bill(billing: &Billing<'_>, moment: Moment<'_>) -> Result<Billed> {
    let subscription = billing.subscription;
    let now = billing.now_subscribed()?;
    let turn = turn(subscription, now)?;
    let mut next = billing.turned(turn)?;
    let begins = turn == Turn::Renew && next.begins_billing_period(next.period_index);
    let subscribed = billing.next_subscribed(begins, now);
    let mut lines = Vec::new();
    if begins && subscribed.plan.base_timing == BaseTiming::InAdvance {
        lines.extend(subscribed.period_lines(subscription.currency, next.billing_period(next.period_index)?)?);
    }
    lines.extend(arrears_lines(billing, subscription.period.ends_at, Ending::Change)?);
    let composed = compose(lines, billing.terms, subscription.currency, moment.now)?;
    let period = if turn == Turn::Renew { next.period } else { subscription.period };
    let invoice = if composed.lines.is_empty() { None } else { Some(draft(billing.occasion(turn, period)?, composed, moment)) };
    if begins || turn != Turn::Renew {
        next.advance = invoice.as_ref().map_or_else(Vec::new, advances);
    }
    let decision = committed(billing, (turn, &next), invoice.as_ref(), begins)?;
    Ok(Billed { invoice, subscription: next, decision })
}

/// What the period would cost that is running, if it ended with what is counted now; the same as the bill when it has ended.
pub fn upcoming(billing: &Billing<'_>, moment: Moment<'_>) -> Result<Option<Invoice>> {
    Ok(bill(billing, moment)?.invoice)
}

/// A scheduled change has come: another interval counts its periods from here.
fn reshaped(renewed: Subscription, shape: Shape) -> Subscription {
    let is_same_interval = renewed.shape.interval == shape.interval;
    let (anchored_at, period_index) =
        if is_same_interval { (renewed.anchored_at, renewed.period_index) } else { (Some(renewed.period.starts_at), 0) };
    Subscription { shape, anchored_at, period_index, scheduled: None, ..renewed }
}

fn turn(subscription: &Subscription, now: &Subscribed) -> Result<Turn> {
    let ends_at = subscription.period.ends_at;
    if subscription.cancellation.as_ref().is_some_and(|cancellation| cancellation.effective_at <= ends_at) {
        return Ok(Turn::Cancel);
    }
    let is_last = subscription.current_billing_period()?.ends_at <= ends_at;
    let expires_unpaid = subscription.is_trial()
        && now.plan.trial.ending == TrialEnding::ExpireWithoutPaymentMethod
        && subscription.payment_method.is_none();
    Ok(if expires_unpaid || (is_last && !subscription.auto_renew) { Turn::Expire } else { Turn::Renew })
}

impl Billing<'_> {
    fn next_subscribed<'s>(&'s self, begins: bool, now: &'s Subscribed) -> &'s Subscribed {
        if begins { self.scheduled.unwrap_or(now) } else { now }
    }

    /// The subscription after the turn.
    fn turned(&self, turn: Turn) -> Result<Subscription> {
        let subscription = self.subscription;
        let ended = |trigger| {
            let status = lifecycle::step(subscription.status, trigger)?;
            let ended_at = Some(subscription.period.ends_at);
            Ok(Subscription { status, ended_at, next_billing_at: None, scheduled: None, ..subscription.clone() })
        };
        match turn {
            Turn::Renew => {
                let renewed = subscription.renewed()?;
                let is_time = renewed.begins_billing_period(renewed.period_index);
                let shape = |scheduled: &Subscribed| scheduled.shape.clone();
                let scheduled = self.scheduled.filter(|_| is_time).map(shape);
                Ok(match scheduled {
                    Some(shape) => reshaped(renewed, shape),
                    None => renewed,
                })
            }
            Turn::Cancel => ended(Trigger::End),
            Turn::Expire => ended(Trigger::Expire),
        }
    }

    /// Whether the scheduled change that has come is an upgrade.
    fn move_of(&self, next: &Subscription) -> Result<Event> {
        let (now, then) = (self.now_subscribed()?, self.next_subscribed(true, self.now_subscribed()?));
        moved(next, now, then)
    }

    fn occasion(&self, turn: Turn, period: Period) -> Result<Occasion<'_>> {
        let reason = match turn {
            Turn::Renew if self.subscription.is_trial() => BillingReason::SubscriptionCreate,
            Turn::Renew => BillingReason::SubscriptionCycle,
            Turn::Cancel | Turn::Expire => BillingReason::SubscriptionEnd,
        };
        let reason_key = match turn {
            Turn::Renew => format!("period:{}", period.starts_at.as_millis()),
            Turn::Cancel | Turn::Expire => "end".to_owned(),
        };
        let usage = counted_usage(self.subscription.period, self.closing, &self.subscription.usage_billed)?;
        Ok(Occasion { subscription: self.subscription, reason, reason_key, period, usage })
    }
}

/// What happens with a period's end, in one commit. `reshaped` says whether another phase may begin.
fn committed(billing: &Billing<'_>, (turn, next): (Turn, &Subscription), invoice: Option<&Invoice>, begins: bool) -> Result<Decision> {
    let subscription = billing.subscription;
    let mut decision = Decision::new()
        .guard(crate::billing::subscriptions::store::unchanged(subscription))
        .write(crate::billing::subscriptions::store::update(next));
    if begins && next.shape != subscription.shape {
        decision = decision.write(crate::billing::subscriptions::store::insert_phase(next, next.period.starts_at));
        decision = decision.raise(billing.move_of(next)?);
    }
    if let Some((at, expiring)) = next.expiring(next.period.starts_at)?.filter(|_| begins) {
        decision = decision.later(at, expiring);
    }
    if let Some(invoice) = invoice {
        decision = decision.and(create(invoice));
    }
    let id = subscription.id;
    Ok(match turn {
        Turn::Renew if subscription.is_trial() => decision.raise(TrialConverted { subscription: id }),
        Turn::Renew => decision.raise(SubscriptionRenewed { subscription: id, period_starts_at: next.period.starts_at }),
        Turn::Cancel => {
            let reason = subscription.cancellation.as_ref().and_then(|cancellation| cancellation.reason.clone());
            late_usage_due(decision, subscription, next).raise(SubscriptionCancelled { subscription: id, reason })
        }
        Turn::Expire => late_usage_due(decision, subscription, next).raise(SubscriptionExpired { subscription: id }),
    })
}
