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

/// A subscription after a change, and its charges.
pub struct Changed {
    pub subscription: Subscription,
    pub composed: Composed,
    /// None without charges.
    pub invoice: Option<Invoice>,
    pub decision: Decision,
}

/// The charges of a change, and the subscription after it.
pub(super) struct Bill {
    pub next: Subscription,
    pub lines: Vec<Line>,
    /// The counted usage of the closing, where the period is closed.
    pub usage: Vec<CountedUsage>,
    /// Amounts charged in advance before that stay in force.
    pub kept: Vec<Advance>,
    /// The price of a whole billing period, for items that are charged for a part of it.
    pub prices: BTreeMap<String, i64>,
}

impl Bill {
    /// No charges; amounts charged in advance stay in force.
    pub fn nothing(next: Subscription) -> Self {
        Self { kept: next.advance.clone(), next, lines: Vec::new(), usage: Vec::new(), prices: BTreeMap::new() }
    }
}

/// Composes the bill and the commit of a change. Every change is committed here.
pub(super) fn finish(account: &Account, bill: Bill, (reason, reason_key): (BillingReason, String), moment: Moment<'_>) -> Result<Changed> {
    let subscription = &account.subscription;
    let Bill { mut next, lines, usage, kept, prices } = bill;
    let composed = compose(lines, &account.terms, subscription.currency, moment.now)?;
    // A paused period has no end yet: the bill is for the time before the pause.
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

/// The unbilled usage of the usage period, under the plan under which it was used. It counts as billed even where it is free: another plan
/// charges later usage only.
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
