//! Charges in arrears: usage, base prices, commitments and late usage of a period that ends.

use rating::{Currency, Ending, Money, Shares};

use super::account::Billing;
use super::proration::{Part, prorated_line, shares};
use crate::billing::invoices::line::Line;
use crate::billing::subscriptions::subscription::{PausePolicy, Subscription};
use crate::catalog::plans::plan::{BaseTiming, price_of};
use crate::kernel::error::{OrInternal, Result};
use crate::kernel::period::Period;
use crate::kernel::time::Timestamp;

/// Charges in arrears of a usage period that ends at `until`, perhaps early: overage, base prices in arrears, the rest of a minimum
/// commitment, and late usage.
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
        // Usage billed at a threshold counts towards the commitment, too.
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

/// Late usage of earlier periods, by the plan of each period's end. Usage on trial is free.
pub(super) fn late_lines(billing: &Billing<'_>) -> Result<Vec<Line>> {
    let subscription = billing.subscription;
    let mut lines = Vec::new();
    for late in billing.closing.late.iter().filter(|late| !is_trial_period(subscription, late.period_starts_at)) {
        let period = Period { starts_at: late.period_starts_at, ends_at: late.period_ends_at };
        lines.extend(billing.subscribed_in(period)?.late_line(late, subscription.currency)?);
    }
    Ok(lines)
}

/// Base prices in arrears of a billing period that ends at `until`, perhaps early: the share of each phase, by the policy of its plan. A
/// paused subscription was billed when the pause began.
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
