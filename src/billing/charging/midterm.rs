//! Common steps of every change within a billing period: the usage so far, the bill and the commit. Pure.

use std::collections::BTreeMap;

use super::account::Account;
use super::arrears::sum;
use super::compose::compose;
use super::in_advance::advances;
use super::late_usage::ended_period;
use crate::billing::invoices::bill::Composed;
use crate::billing::invoices::invoice::{BillingReason, CountedUsage, Invoice};
use crate::billing::invoices::line::Line;
use crate::billing::invoices::rules::{Occasion, create, draft};
use crate::billing::subscriptions::store;
use crate::billing::subscriptions::subscription::{Advance, Subscription};
use crate::kernel::decision::Decision;
use crate::kernel::error::Result;
use crate::kernel::ids::Moment;
use crate::kernel::period::Period;
use crate::kernel::time::Timestamp;
use crate::meter::contract::Closing;

/// A subscription after something happened to it, and what that bills.
pub struct Changed {
    pub subscription: Subscription,
    pub composed: Composed,
    /// None where there is nothing to bill.
    pub invoice: Option<Invoice>,
    pub decision: Decision,
}

/// What is to be billed, and what becomes of the subscription.
pub(super) struct Bill {
    pub next: Subscription,
    pub lines: Vec<Line>,
    /// What a closing counted, where one is taken.
    pub usage: Vec<CountedUsage>,
    /// What was charged in advance before and still holds.
    pub kept: Vec<Advance>,
    /// What a whole billing period costs, of items that are charged for a part of it.
    pub prices: BTreeMap<String, i64>,
}

impl Bill {
    /// Nothing to bill; what was charged in advance stays so.
    pub fn nothing(next: Subscription) -> Self {
        Self { kept: next.advance.clone(), next, lines: Vec::new(), usage: Vec::new(), prices: BTreeMap::new() }
    }
}

/// Makes the bill, and what is to be committed with it. Every change goes through here, whatever it is.
pub(super) fn finish(account: &Account, bill: Bill, (reason, reason_key): (BillingReason, String), moment: Moment<'_>) -> Result<Changed> {
    let subscription = &account.subscription;
    let Bill { mut next, lines, usage, kept, prices } = bill;
    let composed = compose(lines, &account.terms, subscription.currency, moment.now)?;
    // What rests has no end yet: the bill is for what was before.
    let period = if next.pause.is_some() { ended_period(subscription, moment.now) } else { next.period };
    let occasion = Occasion { subscription, reason, reason_key, period, usage };
    let invoice = (!composed.lines.is_empty()).then(|| draft(occasion, composed.clone(), moment));
    next.advance = kept;
    for charged in invoice.iter().flat_map(advances).filter(|_| next.ended_at.is_none()) {
        let price_minor = prices.get(&charged.item).copied().unwrap_or(charged.price_minor);
        next.advance.push(Advance { price_minor, ..charged });
    }
    let decision = Decision::new().guard(store::unchanged(subscription)).write(store::update(&next));
    let decision = invoice.iter().fold(decision, |decision, invoice| decision.and(create(invoice)));
    Ok(Changed { subscription: next, composed, invoice, decision })
}

/// What was used in the usage period and is not billed yet, under the plan that it was used under. Free or not, it is counted as billed:
/// another plan charges what comes after it.
pub(super) fn unbilled_usage(account: &Account, closing: &Closing, next: &mut Subscription, now: Timestamp) -> Result<Vec<Line>> {
    let (subscription, subscribed) = (&account.subscription, account.subscribed()?);
    let period = Period { starts_at: subscription.period.starts_at, ends_at: now };
    let mut lines = Vec::new();
    for (metric, used) in &closing.used {
        let billed = subscription.usage_billed.get(metric).copied();
        if billed.unwrap_or_default() >= *used {
            continue;
        }
        let found = subscribed.usage_lines(metric, billed, *used, false, (subscription.currency, period))?;
        if !sum(&found, subscription.currency)?.is_zero() {
            lines.extend(found);
        }
        next.usage_billed.insert(metric.clone(), *used);
    }
    Ok(lines)
}
