//! Proration: the share of a price that a part of a period has.

use rating::{Currency, Ending, Money, PricedLine, ProrationPolicy, Quantity, Shares};

use super::lines::{Item, Subscribed};
use crate::billing::invoices::line::{Line, LineKind, Proration};
use crate::billing::subscriptions::subscription::{Subscription, months};
use crate::events::{Event, SubscriptionChanged, SubscriptionDowngraded, SubscriptionUpgraded};
use crate::kernel::error::Result;
use crate::kernel::period::Period;
use crate::kernel::time::Timestamp;

/// A line for a part of a period; None without an amount.
pub(super) fn prorated_line(
    subscribed: &Subscribed,
    kind: LineKind,
    item: &Item,
    (amount, period): (Money, Period),
    proration: Proration,
) -> Option<Line> {
    let description = match kind {
        LineKind::UnusedTime => format!("Unused time of {}", item.name),
        LineKind::RemainingTime => format!("Remaining time of {}", item.name),
        _ => format!("{}, a part of its period", item.name),
    };
    let priced = PricedLine { description: String::new(), quantity: Quantity::ONE, unit_price: amount.to_decimal(), amount };
    let line = subscribed.line(kind, &item.key, description, priced, period);
    (!amount.is_zero()).then_some(Line { proration: Some(proration), ..line })
}

/// The division of a billing period.
#[derive(Clone, Copy)]
pub(super) struct Part {
    pub policy: ProrationPolicy,
    pub at: Timestamp,
    pub ending: Ending,
    pub whole: Period,
}

impl Part {
    pub fn shares(&self, subscription: &Subscription) -> Result<Shares> {
        shares(subscription, self.whole, self.at, self.policy, self.ending)
    }

    /// The data from which the share of `whole` can be computed again.
    pub fn proration(&self, whole: Money) -> Proration {
        Proration {
            policy: self.policy,
            changed_at: self.at,
            is_end: self.ending == Ending::Termination,
            period: self.whole,
            whole_minor: whole.minor(),
            limit_minor: None,
            charged_minor: None,
        }
    }
}

/// The shares into which an instant divides a period of the subscription.
pub(super) fn shares(
    subscription: &Subscription,
    period: Period,
    at: Timestamp,
    policy: ProrationPolicy,
    ending: Ending,
) -> Result<Shares> {
    Ok(rating::shares(period.to_rating()?, at.to_chrono(), subscription.zone()?, policy, ending))
}

/// The event of a change: upgrade, downgrade or neither, by the base price per month.
pub(super) fn change_event(next: &Subscription, from: &Subscribed, to: &Subscribed) -> Result<Event> {
    let (subscription, from_plan, to_plan) = (next.id, from.shape.plan.clone(), to.shape.plan.clone());
    if from_plan == to_plan && from.shape.interval != to.shape.interval && from.shape.quantity == to.shape.quantity {
        return Ok(SubscriptionChanged { subscription, from_plan, to_plan }.into());
    }
    Ok(match compare(from, to, next.currency)? {
        std::cmp::Ordering::Less => SubscriptionUpgraded { subscription, from_plan, to_plan }.into(),
        std::cmp::Ordering::Greater => SubscriptionDowngraded { subscription, from_plan, to_plan }.into(),
        std::cmp::Ordering::Equal => SubscriptionChanged { subscription, from_plan, to_plan }.into(),
    })
}

/// Compares the base prices per month.
pub fn compare(from: &Subscribed, to: &Subscribed, currency: Currency) -> Result<std::cmp::Ordering> {
    let base = |of: &Subscribed| of.plan.base_price(currency, of.shape.interval, of.shape.quantity);
    let scaled = |money: Money, other: &Subscribed| i128::from(money.minor()).saturating_mul(i128::from(months(other.shape.interval)));
    Ok(scaled(base(from)?, to).cmp(&scaled(base(to)?, from)))
}
