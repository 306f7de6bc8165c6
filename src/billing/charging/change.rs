//! What a change in the middle of a billing period bills. Pure; the preview of a change and the change are this one function.
//!
//! Words: a *slot* is a place in a shape, the plan itself or one add-on; what is charged in it before and after a change is compared.
//! Invariants: what comes back of a slot is never more than what was charged in it and is unused; usage is billed under the plan under
//! which it was used, and counted on: a change neither begins a usage period anew nor gives included units away.

use std::collections::BTreeMap;

use rating::{Currency, Ending, Exact, Money, ProrationPolicy, Shares};
use serde_json::json;

use super::account::Account;
use super::compose::compose;
use super::cycle::{arrears_lines, sum};
use super::in_advance::advances;
use super::late_usage::ended_period;
use super::lines::{Item, Subscribed};
use super::proration::{Part, moved, prorated_line};
use crate::billing::invoices::bill::Composed;
use crate::billing::invoices::invoice::{BillingReason, CountedUsage, Invoice};
use crate::billing::invoices::line::{Line, LineKind, Proration};
use crate::billing::invoices::rules::{Occasion, counted_usage, create, draft};
use crate::billing::subscriptions::lifecycle::Trigger;
use crate::billing::subscriptions::subscription::{Advance, Period, Shape, Subscription};
use crate::billing::subscriptions::{lifecycle, store};
use crate::catalog::plans::plan::{BaseTiming, price_of};
use crate::kernel::decision::Decision;
use crate::kernel::error::{OrInternal, Result};
use crate::kernel::ids::Moment;
use crate::kernel::problem::Problem;
use crate::kernel::time::Timestamp;
use crate::meter::contract::Closing;

/// What is to be subscribed to from now on, and how the period is divided.
pub struct Wanted<'a> {
    pub to: &'a Subscribed,
    pub policy: ProrationPolicy,
}

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

/// Whether a change closes the usage period: a billing period of another length begins at once. One that began this instant goes on.
pub fn closes_period(subscription: &Subscription, to: &Shape, now: Timestamp) -> bool {
    is_other_interval(subscription, to) && subscription.period.starts_at < now
}

fn is_other_interval(subscription: &Subscription, to: &Shape) -> bool {
    !subscription.is_trial() && subscription.shape.interval != to.interval
}

/// Refuses another interval without proration: nothing of what is paid for would come back.
pub fn divisible(subscription: &Subscription, to: &Shape, policy: ProrationPolicy) -> Result<()> {
    if is_other_interval(subscription, to) && policy == ProrationPolicy::None {
        let detail =
            "Without proration the time that is paid for would be lost. Send \"effective\": \"period_end\", or another prorationPolicy.";
        return Err(Problem::conflict("interval_needs_proration", detail).into());
    }
    Ok(())
}

/// Changes what is subscribed to, now. `closing` is the Meter's closing of the period where [`closes_period`], and otherwise what it counts.
/// A trial changes its shape and bills nothing.
pub fn change(account: &Account, closing: &Closing, wanted: &Wanted<'_>, moment: Moment<'_>) -> Result<Changed> {
    let subscription = &account.subscription;
    let status = lifecycle::step(subscription.status, Trigger::Change)?;
    let version = subscription.version.saturating_add(1);
    let next = Subscription { status, shape: wanted.to.shape.clone(), version, ..subscription.clone() };
    let is_other_interval = is_other_interval(subscription, &next.shape);
    let bill = if subscription.is_trial() {
        Bill::nothing(next)
    } else if is_other_interval {
        anew(account, closing, wanted, next, moment.now)?
    } else {
        within(account, closing, wanted, next, moment.now)?
    };
    let occasion = (BillingReason::SubscriptionUpdate, format!("change:{}", subscription.version));
    let changed = finish(account, bill, occasion, moment)?;
    let (from, to) = (&subscription.shape, &changed.subscription.shape);
    let decision = changed
        .decision
        .write(store::insert_phase(&changed.subscription, moment.now))
        .raise(moved(&changed.subscription, account.subscribed()?, wanted.to)?)
        .audit("subscription.changed", subscription.id.to_string(), Some(json!(from)), Some(json!(to)));
    let expiring = changed.subscription.expiring(moment.now)?.filter(|_| is_other_interval);
    let decision = expiring.into_iter().fold(decision, |decision, (at, expiring)| decision.later(at, expiring));
    Ok(Changed { decision, ..changed })
}

/// Another interval: the old one's unused time comes back, and a billing period begins now.
fn anew(account: &Account, closing: &Closing, wanted: &Wanted<'_>, next: Subscription, now: Timestamp) -> Result<Bill> {
    let subscription = &account.subscription;
    divisible(subscription, &next.shape, wanted.policy)?;
    let mut next = next;
    let (mut lines, usage) = if closes_period(subscription, &next.shape, now) {
        let period = Period { starts_at: subscription.period.starts_at, ends_at: now };
        (arrears_lines(&account.billing(closing), now, Ending::Change)?, counted_usage(period, closing, &subscription.usage_billed)?)
    } else {
        (usage_so_far(account, closing, &mut next, now)?, Vec::new())
    };
    lines.extend(unused_lines(account, now, wanted.policy, Ending::Change)?);
    let next = next.begun_anew(now)?;
    if wanted.to.plan.base_timing == BaseTiming::InAdvance {
        lines.extend(wanted.to.period_lines(subscription.currency, next.billing_period(0)?)?);
    }
    Ok(Bill { lines, usage, kept: Vec::new(), ..Bill::nothing(next) })
}

/// The same interval: what differs is credited and charged for what is left of the billing period.
fn within(account: &Account, closing: &Closing, wanted: &Wanted<'_>, next: Subscription, now: Timestamp) -> Result<Bill> {
    let (subscription, from) = (&account.subscription, account.subscribed()?);
    let currency = subscription.currency;
    let period = subscription.current_billing_period()?;
    let left = Period { starts_at: now, ends_at: period.ends_at };
    let part = Part { policy: wanted.policy, at: now, ending: Ending::Change, whole: period };
    let Shares { remaining, .. } = part.shares(subscription)?;
    let mut bill = Bill::nothing(next);
    bill.lines = usage_so_far(account, closing, &mut bill.next, now)?;
    bill.kept.clear();
    for Slot { key, old, new } in slots(from.items(currency)?, wanted.to.items(currency)?) {
        let of_slot = subscription.advance.iter().filter(|advance| slot_of(&advance.item) == key);
        let price = |item: &Option<Item>| item.as_ref().map(|item| item_price(item, currency)).transpose();
        let (before, after) = (price(&old)?, price(&new)?);
        let is_same = before == after && from.plan.base_timing == wanted.to.plan.base_timing;
        if wanted.policy == ProrationPolicy::None {
            bill.kept.extend(of_slot.cloned());
            continue;
        }
        if is_same {
            let item = |advance: &Advance| new.as_ref().map_or_else(|| advance.item.clone(), |item| item.key.clone());
            bill.kept.extend(of_slot.map(|advance| Advance { item: item(advance), ..advance.clone() }));
            continue;
        }
        if let Some(item) = &old {
            bill.lines.extend(unused_of(of_slot, from, item, &part, subscription)?);
        }
        if let Some((item, price)) = new.as_ref().zip(after).filter(|_| wanted.to.plan.base_timing == BaseTiming::InAdvance) {
            let charge = rating::prorate(price, &remaining).or_internal()?;
            bill.lines.extend(prorated_line(wanted.to, LineKind::RemainingTime, item, (charge, left), part.proration(price)));
            bill.prices.insert(item.key.clone(), price.minor());
        }
    }
    Ok(bill)
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
pub(super) fn usage_so_far(account: &Account, closing: &Closing, next: &mut Subscription, now: Timestamp) -> Result<Vec<Line>> {
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

/// What comes back of everything that was charged in advance, if its time ends at `at`.
pub(super) fn unused_lines(account: &Account, at: Timestamp, policy: ProrationPolicy, ending: Ending) -> Result<Vec<Line>> {
    let (subscription, from) = (&account.subscription, account.subscribed()?);
    let part = Part { policy, at, ending, whole: subscription.current_billing_period()? };
    let mut lines = Vec::new();
    for item in from.items(subscription.currency)? {
        let of_slot = subscription.advance.iter().filter(|advance| slot_of(&advance.item) == slot_of(&item.key));
        lines.extend(unused_of(of_slot, from, &item, &part, subscription)?);
    }
    Ok(lines)
}

/// A line for each amount that was charged in advance: the unused share of its price, less the discounts that were on it, and never more
/// than what is left of it.
fn unused_of<'a>(
    advances: impl Iterator<Item = &'a Advance>,
    from: &Subscribed,
    item: &Item,
    part: &Part,
    subscription: &Subscription,
) -> Result<Vec<Line>> {
    let currency = subscription.currency;
    let Shares { unused, .. } = part.shares(subscription)?;
    let left = Period { starts_at: part.at, ends_at: part.whole.ends_at.max(part.at) };
    let mut lines = Vec::new();
    for advance in advances {
        let (charged, limit) = (advance.charged_minor.max(advance.left_minor), Money::new(advance.left_minor, currency));
        let Some(net) = Exact::ratio(advance.left_minor.max(0).into(), charged.into()) else { continue };
        let price = Money::new(advance.price_minor.max(charged), currency);
        let computed = rating::prorate(price, &unused.times(&net)).or_internal()?;
        let credit = rating::creditable(computed, limit, Money::zero(currency)).or_internal()?.checked_neg().or_internal()?;
        let proration = Proration { limit_minor: Some(advance.left_minor), charged_minor: Some(charged), ..part.proration(price) };
        lines.extend(prorated_line(from, LineKind::UnusedTime, item, (credit, left), proration));
    }
    Ok(lines)
}

struct Slot {
    key: String,
    old: Option<Item>,
    new: Option<Item>,
}

/// The plan first, then the add-ons by their key.
fn slots(old: Vec<Item>, new: Vec<Item>) -> Vec<Slot> {
    let mut slots: BTreeMap<String, Slot> = BTreeMap::new();
    let slot = |key: &str| Slot { key: key.to_owned(), old: None, new: None };
    for item in old {
        let key = slot_of(&item.key).to_owned();
        slots.entry(key.clone()).or_insert_with(|| slot(&key)).old = Some(item);
    }
    for item in new {
        let key = slot_of(&item.key).to_owned();
        slots.entry(key.clone()).or_insert_with(|| slot(&key)).new = Some(item);
    }
    slots.into_values().collect()
}

/// The add-on's key; nothing for the plan itself.
fn slot_of(item: &str) -> &str {
    item.split_once('/').map_or("", |(_, add_on)| add_on)
}

fn item_price(item: &Item, currency: Currency) -> Result<Money> {
    price_of(&item.price, item.quantity.into(), currency)
}
