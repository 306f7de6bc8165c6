//! The end of a usage period: what it cost, and what begins. Pure: a subscription, its plans and the Meter's closing make the invoice.

use rating::{Currency, Ending, Money, Shares};

use super::account::Billing;
use super::compose::compose;
use super::in_advance::advances;
use super::late_usage::late_usage_due;
use super::lines::Subscribed;
use super::proration::{Part, prorated_line, shares};
use crate::billing::invoices::invoice::Invoice;
use crate::billing::invoices::line::Line;
use crate::billing::invoices::rules::{create, draft};
use crate::billing::subscriptions::subscription::{PausePolicy, Period, Shape, Subscription};
use crate::catalog::plans::plan::{BaseTiming, TrialEnding, price_of};
use crate::events::{SubscriptionCancelled, SubscriptionExpired, SubscriptionRenewed, TrialConverted};
use crate::kernel::decision::Decision;
use crate::kernel::error::{OrInternal, Result};
use crate::kernel::ids::Moment;
use crate::kernel::time::Timestamp;

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
pub(super) fn reshaped(renewed: Subscription, shape: Shape) -> Subscription {
    let is_same_interval = renewed.shape.interval == shape.interval;
    let (anchored_at, period_index) =
        if is_same_interval { (renewed.anchored_at, renewed.period_index) } else { (Some(renewed.period.starts_at), 0) };
    Subscription { shape, anchored_at, period_index, scheduled: None, ..renewed }
}

pub(super) fn turn(subscription: &Subscription, now: &Subscribed) -> Result<Turn> {
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

/// What is charged after the fact when the usage period ends at `until`, which may be early: usage past the included, base prices in
/// arrears, what is missing to the commitment, and late usage.
pub(super) fn arrears_lines(billing: &Billing<'_>, until: Timestamp, ending: Ending) -> Result<Vec<Line>> {
    let subscription = billing.subscription;
    let currency = subscription.currency;
    let mut lines = Vec::new();
    if !subscription.is_trial() {
        lines.extend(base_in_arrears(billing, until, ending)?);
        let now = billing.now_subscribed()?;
        let period = Period { starts_at: subscription.period.starts_at, ends_at: until };
        let (mut usage, mut before) = (Vec::new(), Vec::new());
        for (metric, used) in &billing.closing.used {
            let billed = subscription.usage_billed.get(metric).copied();
            usage.extend(now.usage_lines(metric, billed, *used, true, (currency, period))?);
            if let Some(billed) = billed {
                before.extend(now.usage_lines(metric, None, billed, false, (currency, period))?);
            }
        }
        // What was billed at a threshold counts towards the commitment, too.
        let cost = sum(&usage, currency)?.checked_add(sum(&before, currency)?).or_internal()?;
        lines.extend(usage);
        let passed = subscription.pause.as_ref().map_or(until, |pause| pause.paused_at);
        let month = subscription.usage_period(subscription.period_index)?;
        let Shares { used, .. } = shares(subscription, month, passed, now.plan.proration_policy, Ending::Termination)?;
        let part = Part { policy: now.plan.proration_policy, at: passed, ending: Ending::Termination, whole: month };
        let is_part = used != rating::Exact::one();
        let line = now.commitment_line(cost, &used, period)?;
        let minimum = now.minimum_commitment(currency)?;
        lines.extend(line.map(|line| Line { proration: minimum.filter(|_| is_part).map(|minimum| part.proration(minimum)), ..line }));
    }
    lines.extend(late_lines(billing)?);
    Ok(lines)
}

/// What came for earlier periods since they were billed, by the plan that held when each ended. A trial's usage costs nothing.
pub(super) fn late_lines(billing: &Billing<'_>) -> Result<Vec<Line>> {
    let subscription = billing.subscription;
    let mut lines = Vec::new();
    for late in billing.closing.late.iter().filter(|late| !is_trial_period(subscription, late.period_starts_at)) {
        let period = Period { starts_at: late.period_starts_at, ends_at: late.period_ends_at };
        lines.extend(billing.subscribed_in(period)?.late_line(late, subscription.currency)?);
    }
    Ok(lines)
}

/// Base prices in arrears when the billing period ends, with `until` or before its time: each phase's share of it, by its own plan's
/// policy. What is resting was billed when its pause began.
pub(super) fn base_in_arrears(billing: &Billing<'_>, until: Timestamp, ending: Ending) -> Result<Vec<Line>> {
    let subscription = billing.subscription;
    let whole = subscription.current_billing_period()?;
    let is_early = until < subscription.period.ends_at;
    let is_billed = subscription.pause.as_ref().is_some_and(|pause| pause.policy == PausePolicy::CreditUnused);
    if is_billed || (!is_early && until < whole.ends_at) {
        return Ok(Vec::new());
    }
    let until = subscription.pause.as_ref().map_or(until, |pause| pause.paused_at);
    let ends = billing.history.iter().skip(1).map(|(starts_at, _)| *starts_at).chain([until]);
    let mut lines = Vec::new();
    for ((starts_at, subscribed), ends_at) in billing.history.iter().zip(ends) {
        let phase = Period { starts_at: (*starts_at).max(whole.starts_at), ends_at: ends_at.min(until) };
        if subscribed.plan.base_timing == BaseTiming::InAdvance || phase.ends_at <= phase.starts_at {
            continue;
        }
        if phase.starts_at <= whole.starts_at && phase.ends_at >= whole.ends_at {
            lines.extend(subscribed.period_lines(subscription.currency, whole)?);
            continue;
        }
        let ending = if phase.ends_at == until { ending } else { Ending::Change };
        let policy = subscribed.plan.proration_policy;
        let share = |at, ending| shares(subscription, whole, at, policy, ending).map(|shares| shares.used);
        let (before, after) = (share(phase.starts_at, Ending::Change)?, share(phase.ends_at, ending)?);
        let before = if phase.starts_at <= whole.starts_at { rating::Exact::zero() } else { before };
        for item in subscribed.items(subscription.currency)? {
            let price = price_of(&item.price, item.quantity.into(), subscription.currency)?;
            let until = |share| rating::prorate(price, share).or_internal();
            let amount = until(&after)?.checked_sub(until(&before)?).or_internal()?;
            let part = Part { policy, at: phase.ends_at, ending, whole };
            lines.extend(prorated_line(subscribed, item.kind, &item, (amount, phase), part.proration(price)));
        }
    }
    Ok(lines)
}

pub(super) fn sum(lines: &[Line], currency: Currency) -> Result<Money> {
    Money::sum(lines.iter().map(|line| line.amount(currency)), currency).or_internal()
}

fn is_trial_period(subscription: &Subscription, starts_at: Timestamp) -> bool {
    subscription.trial_ends_at.is_some_and(|end| starts_at < end)
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
