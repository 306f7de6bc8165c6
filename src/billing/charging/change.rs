//! The charges of a change within a billing period. Pure; the preview of a change and the change itself are this one function. Words: a
//! *slot* is the plan itself or one add-on; its charges before and after a change are compared. Invariants: the credit of a slot never
//! exceeds its unused charges; usage is billed under the plan under which it was used, and counting continues: a change neither restarts a
//! usage period nor grants included units again.

use std::collections::BTreeMap;

use rating::{Currency, Ending, Money, ProrationPolicy, Shares};
use serde_json::json;

use super::account::Account;
use super::arrears::arrears_lines;
use super::lines::{Item, Subscribed};
use super::midterm::{Bill, Changed, finish, unbilled_usage};
use super::proration::{Part, change_event, prorated_line};
use super::unused_time::{slot_of, unused_lines, unused_of};
use crate::billing::invoices::invoice::BillingReason;
use crate::billing::invoices::line::LineKind;
use crate::billing::invoices::rules::counted_usage;
use crate::billing::subscriptions::lifecycle::Trigger;
use crate::billing::subscriptions::subscription::{Advance, Shape, Subscription};
use crate::billing::subscriptions::{lifecycle, store};
use crate::catalog::plans::plan::{BaseTiming, price_of};
use crate::kernel::error::{OrInternal, Result};
use crate::kernel::ids::Moment;
use crate::kernel::period::Period;
use crate::kernel::problem::Problem;
use crate::kernel::time::Timestamp;
use crate::meter::contract::Closing;

/// The subscription after the change, and the proration of the period.
pub struct Wanted<'a> {
    pub to: &'a Subscribed,
    pub policy: ProrationPolicy,
}

/// Whether a change closes the usage period: a billing period of another length starts at once. A period that started this instant
/// continues.
pub fn closes_period(subscription: &Subscription, to: &Shape, now: Timestamp) -> bool {
    is_other_interval(subscription, to) && subscription.period.starts_at < now
}

fn is_other_interval(subscription: &Subscription, to: &Shape) -> bool {
    !subscription.is_trial() && subscription.shape.interval != to.interval
}

/// Refuses another interval without proration: paid time would be lost.
pub fn check_proration(subscription: &Subscription, to: &Shape, policy: ProrationPolicy) -> Result<()> {
    if is_other_interval(subscription, to) && policy == ProrationPolicy::None {
        let detail = "Another billing period without proration would lose paid time. \
                      Send \"effective\": \"period_end\", or another prorationPolicy.";
        return Err(Problem::conflict("interval_needs_proration", detail).into());
    }
    Ok(())
}

/// Changes the subscription now. `closing` is the closing of the period where [`closes_period`], and the current usage otherwise. A change
/// on trial bills nothing.
pub fn change(account: &Account, closing: &Closing, wanted: &Wanted<'_>, moment: Moment<'_>) -> Result<Changed> {
    let subscription = &account.subscription;
    let status = lifecycle::step(subscription.status, Trigger::Change)?;
    let version = subscription.version.saturating_add(1);
    let next = Subscription { status, shape: wanted.to.shape.clone(), version, ..subscription.clone() };
    let is_other_interval = is_other_interval(subscription, &next.shape);
    let bill = if subscription.is_trial() {
        Bill::nothing(next)
    } else if is_other_interval {
        restart_period(account, closing, wanted, next, moment.now)?
    } else {
        within(account, closing, wanted, next, moment.now)?
    };
    let occasion = (BillingReason::SubscriptionUpdate, format!("change:{}", subscription.version));
    let changed = finish(account, bill, occasion, moment)?;
    let (from, to) = (&subscription.shape, &changed.subscription.shape);
    let decision = changed
        .decision
        .write(store::insert_phase(&changed.subscription, moment.now))
        .raise(change_event(&changed.subscription, account.subscribed()?, wanted.to)?)
        .audit("subscription.changed", subscription.id.to_string(), Some(json!(from)), Some(json!(to)));
    let expiring = changed.subscription.expiring(moment.now)?.filter(|_| is_other_interval);
    let decision = expiring.into_iter().fold(decision, |decision, (at, expiring)| decision.later(at, expiring));
    Ok(Changed { decision, ..changed })
}

/// Another interval: credits the unused time of the old one, and starts a billing period now.
fn restart_period(account: &Account, closing: &Closing, wanted: &Wanted<'_>, next: Subscription, now: Timestamp) -> Result<Bill> {
    let subscription = &account.subscription;
    check_proration(subscription, &next.shape, wanted.policy)?;
    let mut next = next;
    let (mut lines, usage) = if closes_period(subscription, &next.shape, now) {
        let period = Period { starts_at: subscription.period.starts_at, ends_at: now };
        (arrears_lines(&account.billing(closing), now, Ending::Change)?, counted_usage(period, closing, &subscription.usage_billed)?)
    } else {
        (unbilled_usage(account, closing, &mut next, now)?, Vec::new())
    };
    lines.extend(unused_lines(account, now, wanted.policy, Ending::Change)?);
    let next = next.restarted(now)?;
    if wanted.to.plan.base_timing == BaseTiming::InAdvance {
        lines.extend(wanted.to.period_lines(subscription.currency, next.billing_period(0)?)?);
    }
    Ok(Bill { lines, usage, kept: Vec::new(), ..Bill::nothing(next) })
}

/// The same interval: credits and charges the difference for the rest of the billing period.
fn within(account: &Account, closing: &Closing, wanted: &Wanted<'_>, next: Subscription, now: Timestamp) -> Result<Bill> {
    let (subscription, from) = (&account.subscription, account.subscribed()?);
    let currency = subscription.currency;
    let period = subscription.current_billing_period()?;
    let left = Period { starts_at: now, ends_at: period.ends_at };
    let part = Part { policy: wanted.policy, at: now, ending: Ending::Change, whole: period };
    let Shares { remaining, .. } = part.shares(subscription)?;
    let mut bill = Bill::nothing(next);
    bill.lines = unbilled_usage(account, closing, &mut bill.next, now)?;
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

fn item_price(item: &Item, currency: Currency) -> Result<Money> {
    price_of(&item.price, item.quantity.into(), currency)
}
