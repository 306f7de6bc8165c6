//! The end of a usage period: what it cost, and what begins. Pure: a subscription, its plans and the Meter's closing make the invoice.

use rating::{Currency, Money};

use super::compose::{Terms, compose};
use super::lines::{Line, LineKind, Subscribed};
use super::rules::{BillingReason, Invoice, Occasion, counted_usage, create, draft};
use crate::catalog::rules::{BaseTiming, TrialEnding};
use crate::events::{SubscriptionCancelled, SubscriptionExpired, SubscriptionRenewed, TrialConverted};
use crate::kernel::decision::Decision;
use crate::kernel::error::{Error, Result};
use crate::kernel::ids::{InvoiceId, Moment};
use crate::kernel::time::Timestamp;
use crate::subscriptions::rules::{Advance, Period, Shape, Status, Subscription};
use crate::usage::meter::Closing;

/// What a billing run knows of one subscription.
pub struct Billing<'a> {
    pub subscription: &'a Subscription,
    /// What it was from when on, oldest first; the last one is what it is.
    pub history: &'a [(Timestamp, Subscribed)],
    /// What it will be after a change that waits for the end of this period.
    pub scheduled: Option<&'a Subscribed>,
    pub terms: &'a Terms,
    pub closing: &'a Closing,
}

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
    let mut lines = arrears_lines(billing, now)?;
    let begins = turn == Turn::Renew && next.begins_billing_period(next.period_index);
    let subscribed = billing.next_subscribed(begins, now);
    if begins && subscribed.plan.base_timing == BaseTiming::InAdvance {
        lines.extend(subscribed.period_lines(subscription.currency, next.billing_period(next.period_index)?)?);
    }
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

impl Billing<'_> {
    fn now_subscribed(&self) -> Result<&Subscribed> {
        let last = self.history.last().map(|(_, subscribed)| subscribed);
        last.ok_or_else(|| Error::internal(format!("{} has no phase", self.subscription.id)))
    }

    /// What was subscribed to when a period ended.
    fn subscribed_in(&self, period: Period) -> Result<&Subscribed> {
        let then = self.history.iter().rev().find(|(starts_at, _)| *starts_at < period.ends_at).or(self.history.first());
        then.map(|(_, subscribed)| subscribed).ok_or_else(|| Error::internal(format!("{} has no phase", self.subscription.id)))
    }

    fn next_subscribed<'s>(&'s self, begins: bool, now: &'s Subscribed) -> &'s Subscribed {
        if begins { self.scheduled.unwrap_or(now) } else { now }
    }

    /// The subscription after the turn.
    fn turned(&self, turn: Turn) -> Result<Subscription> {
        let subscription = self.subscription;
        let ended = |status| Subscription {
            status,
            ended_at: Some(subscription.period.ends_at),
            next_billing_at: None,
            scheduled: None,
            ..subscription.clone()
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
            Turn::Cancel => Ok(ended(Status::Cancelled)),
            Turn::Expire => Ok(ended(Status::Expired)),
        }
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
        let usage = counted_usage(self.subscription.period, self.closing)?;
        Ok(Occasion { subscription: self.subscription, reason, reason_key, period, usage })
    }
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

/// What is charged after the fact: usage past the included, base prices in arrears, what is missing to the commitment, and late usage.
fn arrears_lines(billing: &Billing<'_>, now: &Subscribed) -> Result<Vec<Line>> {
    let subscription = billing.subscription;
    let currency = subscription.currency;
    let mut lines = Vec::new();
    if !subscription.is_trial() {
        let billing_period = subscription.current_billing_period()?;
        if now.plan.base_timing == BaseTiming::InArrears && billing_period.ends_at <= subscription.period.ends_at {
            lines.extend(now.period_lines(currency, billing_period)?);
        }
        let (mut usage, mut before) = (Vec::new(), Vec::new());
        for (metric, used) in &billing.closing.used {
            let billed = subscription.usage_billed.get(metric).copied();
            usage.extend(now.usage_lines(metric, billed, *used, true, (currency, subscription.period))?);
            if let Some(billed) = billed {
                before.extend(now.usage_lines(metric, None, billed, false, (currency, subscription.period))?);
            }
        }
        // What was billed at a threshold counts towards the commitment, too.
        let cost = sum(&usage, currency)?.checked_add(sum(&before, currency)?).map_err(|error| Error::internal(error.to_string()))?;
        lines.extend(usage);
        lines.extend(now.commitment_line(cost, subscription.period)?);
    }
    for late in billing.closing.late.iter().filter(|late| !is_trial_period(subscription, late.period_starts_at)) {
        let period = Period { starts_at: late.period_starts_at, ends_at: late.period_ends_at };
        lines.extend(billing.subscribed_in(period)?.late_line(late, currency)?);
    }
    Ok(lines)
}

fn sum(lines: &[Line], currency: Currency) -> Result<Money> {
    Money::sum(lines.iter().map(|line| line.amount(currency)), currency).map_err(|error| Error::internal(error.to_string()))
}

fn is_trial_period(subscription: &Subscription, starts_at: Timestamp) -> bool {
    subscription.trial_ends_at.is_some_and(|end| starts_at < end)
}

/// What an invoice charges in advance: the most that a later change can give back.
pub fn advances(invoice: &Invoice) -> Vec<Advance> {
    let ahead = |line: &&Line| match line.kind {
        LineKind::BasePrice | LineKind::AddOn | LineKind::RemainingTime => line.period_ends_at > invoice.created_at,
        LineKind::Overage | LineKind::LateUsage | LineKind::UnusedTime | LineKind::MinimumCommitment => false,
    };
    invoice.lines.iter().filter(ahead).map(|line| advance(invoice.id, line)).collect()
}

fn advance(invoice: InvoiceId, line: &Line) -> Advance {
    Advance { item: line.item.clone(), invoice, left_minor: line.amount_minor.saturating_sub(line.discount_minor), period: line.period() }
}

/// What happens with a period's end, in one commit. `reshaped` says whether another phase may begin.
fn committed(billing: &Billing<'_>, (turn, next): (Turn, &Subscription), invoice: Option<&Invoice>, begins: bool) -> Result<Decision> {
    let subscription = billing.subscription;
    let mut decision =
        Decision::new().guard(crate::subscriptions::store::unchanged(subscription)).write(crate::subscriptions::store::update(next));
    if begins && next.shape != subscription.shape {
        decision = decision.write(crate::subscriptions::store::insert_phase(next, next.period.starts_at));
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
            decision.raise(SubscriptionCancelled { subscription: id, reason })
        }
        Turn::Expire => decision.raise(SubscriptionExpired { subscription: id }),
    })
}
