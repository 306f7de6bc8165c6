//! Credits for unused time that was charged in advance. Pure.

use rating::{Ending, Exact, Money, ProrationPolicy, Shares};

use super::account::Account;
use super::lines::{Item, Subscribed};
use super::proration::{Part, prorated_line};
use crate::billing::invoices::line::{Line, LineKind, Proration};
use crate::billing::subscriptions::subscription::{Advance, Subscription};
use crate::kernel::error::{OrInternal, Result};
use crate::kernel::period::Period;
use crate::kernel::time::Timestamp;

/// The credits for all amounts charged in advance, if their time ends at `at`.
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

/// One line per amount charged in advance: the unused share of its price, less its discounts, and never more than the rest of it.
pub(super) fn unused_of<'a>(
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

/// The key of the add-on; empty for the plan itself.
pub(super) fn slot_of(item: &str) -> &str {
    item.split_once('/').map_or("", |(_, add_on)| add_on)
}
