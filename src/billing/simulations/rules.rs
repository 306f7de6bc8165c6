//! Bills periods under a simulated subscription. Pure: closings in, bills out.

use std::collections::BTreeMap;

use rating::{Money, Quantity};

use crate::billing::charging::account::Billing;
use crate::billing::charging::compose::{Terms, compose};
use crate::billing::charging::cycle::bill;
use crate::billing::charging::lines::Subscribed;
use crate::billing::invoices::bill::Composed;
use crate::billing::invoices::line::{Line, LineKind};
use crate::billing::subscriptions::lifecycle::Status;
use crate::billing::subscriptions::subscription::Subscription;
use crate::catalog::plans::plan::BaseTiming;
use crate::kernel::error::{OrInternal, Result};
use crate::kernel::ids::Moment;
use crate::kernel::period::Period;
use crate::kernel::time::Timestamp;
use crate::meter::contract::{ClosedPeriod, Closing};

/// Usage periods of one simulation, at most: ten years.
pub const PERIODS_MAX: usize = 120;

/// A usage period to simulate.
#[derive(Clone, Debug, PartialEq)]
pub struct Replayed {
    pub period: Period,
    pub closing: Closing,
    /// Whether the usage is projected instead of counted.
    pub is_supposed: bool,
}

/// The bill of a simulated period.
#[derive(Clone, Debug, PartialEq)]
pub struct Simulated {
    pub period: Period,
    pub is_supposed: bool,
    pub bill: Composed,
}

/// The closed periods of a range. Periods on trial are free and left out.
pub fn closed(subscription: &Subscription, closings: Vec<ClosedPeriod>) -> Vec<Replayed> {
    let begins = subscription.trial_ends_at.unwrap_or(subscription.started_at);
    let paid = closings.into_iter().filter(|closed| closed.starts_at >= begins);
    let replayed = paid.map(|closed| {
        let ClosedPeriod { starts_at, ends_at, mut closing } = closed;
        closing.late.retain(|late| late.period_starts_at >= begins);
        Replayed { period: Period { starts_at, ends_at }, closing, is_supposed: false }
    });
    replayed.collect()
}

/// The periods from the current one on that start before `to`, with the projected usage of each.
pub fn supposed(subscription: &Subscription, usage: &BTreeMap<String, Quantity>, from: Timestamp, to: Timestamp) -> Result<Vec<Replayed>> {
    let mut periods = Vec::new();
    let first = if subscription.is_trial() { 0 } else { subscription.period_index };
    // One more than allowed, so that the caller sees that there are too many.
    for index in (first..).take(PERIODS_MAX.saturating_add(1)) {
        let period = subscription.usage_period(index)?;
        if period.starts_at >= to {
            break;
        }
        if period.starts_at >= from {
            let closing = Closing { used: usage.clone(), late: Vec::new() };
            periods.push(Replayed { period, closing, is_supposed: true });
        }
    }
    Ok(periods)
}

/// Bills the periods in order, as if `subscribed` had been subscribed to from the first of them on. The base price of a billing period is
/// shown in the usage period in which it starts, whenever it is charged.
pub fn simulate(
    subscription: &Subscription,
    subscribed: &Subscribed,
    periods: &[Replayed],
    terms: &Terms,
    moment: Moment<'_>,
) -> Result<Vec<Simulated>> {
    let Some(first) = periods.first() else { return Ok(Vec::new()) };
    let history = [(first.period.starts_at, subscribed.clone())];
    let mut supposed = begun(subscription, subscribed, first.period);
    let is_ahead = |line: &Line| subscribed.plan.base_timing == BaseTiming::InAdvance && is_base_price(line);
    // Lines charged in advance for the current period.
    let mut ahead = if subscribed.plan.base_timing == BaseTiming::InAdvance {
        subscribed.period_lines(supposed.currency, supposed.billing_period(0)?)?
    } else {
        Vec::new()
    };
    let mut simulated = Vec::new();
    for replayed in periods {
        supposed.period = replayed.period;
        let billing = Billing { subscription: &supposed, history: &history, scheduled: None, terms, closing: &replayed.closing };
        let billed = bill(&billing, Moment { now: replayed.period.ends_at, ..moment })?;
        let lines = billed.invoice.into_iter().flat_map(|invoice| invoice.lines);
        let (next, mine): (Vec<Line>, Vec<Line>) = lines.partition(is_ahead);
        let lines = std::mem::replace(&mut ahead, next).into_iter().chain(mine);
        let lines = lines.map(|line| Line { discount_minor: 0, taxes_minor: Vec::new(), ..line });
        let bill = compose(lines.collect(), terms, supposed.currency, replayed.period.ends_at)?;
        simulated.push(Simulated { period: replayed.period, is_supposed: replayed.is_supposed, bill });
        supposed = billed.subscription;
    }
    Ok(simulated)
}

fn is_base_price(line: &Line) -> bool {
    matches!(line.kind, LineKind::BasePrice | LineKind::AddOn)
}

/// A copy of the subscription that starts with the first period, without anything scheduled.
fn begun(subscription: &Subscription, subscribed: &Subscribed, period: Period) -> Subscription {
    Subscription {
        shape: subscribed.shape.clone(),
        status: Status::Active,
        trial_ends_at: None,
        started_at: period.starts_at,
        ended_at: None,
        anchored_at: Some(period.starts_at),
        period_index: 0,
        period,
        earlier_periods: Vec::new(),
        next_billing_at: Some(period.ends_at),
        scheduled: None,
        cancellation: None,
        pause: None,
        advance: Vec::new(),
        usage_billed: BTreeMap::new(),
        auto_renew: true,
        ..subscription.clone()
    }
}

/// The sum of the bills.
pub fn total(simulated: &[Simulated], currency: rating::Currency) -> Result<Money> {
    let totals = simulated.iter().map(|simulated| simulated.bill.totals.total);
    Money::sum(totals, currency).or_internal()
}
