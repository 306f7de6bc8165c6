//! What was agreed: plan versions, what was subscribed to from when on, and where periods lie.

use rating::{Alignment, BillingCalendar, BillingInterval, Currency, Money, PriceModel, Quantity, Tz, Usage};

use super::checks::Checks;
use super::document::{Basis, Dates, Document, Instant, Kind, Line, Phase, Plan, PlanPrice, Shape, Span, Timing};
use super::shares::utc;

pub(crate) struct Terms<'a> {
    pub document: &'a Document,
    pub currency: Currency,
    pub zone: Tz,
}

impl<'a> Terms<'a> {
    pub fn plan(&self, key: &str, version: u32) -> Result<&'a Plan, String> {
        let plan = self.document.plans.iter().find(|plan| plan.key == key && plan.version == version);
        plan.ok_or_else(|| format!("{key} v{version} is not in the file"))
    }

    /// The price of a plan or of an add-on of it for a whole billing period, and how many.
    pub fn item(&self, plan: &'a Plan, item: &str, shape: &Shape) -> Result<(&'a PriceModel, Quantity), String> {
        let unsold = || format!("{item} is not sold in {} by the {}", self.currency, shape.interval.name());
        if item == plan.key {
            let price = self.price(&plan.prices, shape.interval).ok_or_else(unsold)?;
            return Ok((price, Quantity::from(shape.quantity)));
        }
        let key =
            item.strip_prefix(&plan.key).and_then(|rest| rest.strip_prefix('/')).ok_or_else(|| format!("{item} is not of {}", plan.key))?;
        let add_on = plan.add_ons.iter().find(|add_on| add_on.key == key).ok_or_else(unsold)?;
        let count = shape.add_ons.get(key).ok_or_else(|| format!("{item} is not subscribed to"))?;
        Ok((self.price(&add_on.prices, shape.interval).ok_or_else(unsold)?, Quantity::from(*count)))
    }

    fn price(&self, prices: &'a [PlanPrice], interval: BillingInterval) -> Option<&'a PriceModel> {
        prices.iter().find(|price| price.currency == self.currency && price.interval == interval).map(|price| &price.price)
    }

    /// What an item costs for a whole billing period.
    pub fn item_total(&self, plan: &'a Plan, item: &str, shape: &Shape) -> Result<Money, String> {
        let (price, quantity) = self.item(plan, item, shape)?;
        total(price, quantity, self.currency)
    }

    /// Whether something that was subscribed to in a period, in the place of this item, costs so much for a whole one.
    pub fn cost_in(&self, dates: Dates, item: &str, price: Money) -> bool {
        overlapping(&self.document.subscription.phases, dates).any(|phase| {
            let key = &phase.shape.plan;
            let item = item.split_once('/').map_or_else(|| key.clone(), |(_, add_on)| format!("{key}/{add_on}"));
            let plan = self.plan(key, phase.shape.plan_version);
            plan.and_then(|plan| self.item_total(plan, &item, &phase.shape)).is_ok_and(|total| total == price)
        })
    }

    /// What the plan and all add-ons of a shape cost for a whole billing period.
    pub fn base_total(&self, plan: &'a Plan, shape: &Shape) -> Result<Money, String> {
        let items = shape.add_ons.keys().map(|key| format!("{}/{key}", plan.key));
        let mut sum = Money::zero(self.currency);
        for item in std::iter::once(plan.key.clone()).chain(items) {
            sum = sum.checked_add(self.item_total(plan, &item, shape)?).map_err(|error| error.to_string())?;
        }
        Ok(sum)
    }

    /// How much of a count is past what costs nothing.
    pub fn past_included(&self, plan: &Plan, metric: &str, shape: &Shape, count: Quantity) -> Result<Quantity, String> {
        count.above(self.included(plan, metric, shape)?).map_err(|error| error.to_string())
    }

    /// What of a metric costs nothing: the plan's amount, and what each add-on brings.
    pub fn included(&self, plan: &Plan, metric: &str, shape: &Shape) -> Result<Quantity, String> {
        let of_plan = plan.metrics.iter().find(|known| known.metric == metric).ok_or_else(|| format!("{} has no {metric}", plan.key))?;
        let mut nanos = of_plan.included.nanos();
        for (key, count) in &shape.add_ons {
            let add_on =
                plan.add_ons.iter().find(|add_on| add_on.key == *key).ok_or_else(|| format!("{} has no add-on {key}", plan.key))?;
            let more = add_on.limits.get(metric).map_or(0, |limit| limit.nanos());
            nanos = nanos.saturating_add(more.saturating_mul(i128::from(*count)));
        }
        Quantity::from_nanos(nanos).map_err(|error| error.to_string())
    }

    pub fn metric_price(&self, plan: &'a Plan, metric: &str) -> Option<&'a PriceModel> {
        plan.metrics.iter().find(|known| known.metric == metric)?.prices.get(self.currency.code())
    }

    /// What was subscribed to for a line: what it says, which must be what the phases say.
    pub fn shape(&self, line: &Line, basis: &Basis, checks: &mut Checks) -> Result<Shape, String> {
        let phases = &self.document.subscription.phases;
        let span = basis.proration.as_ref().map_or(line.billing_period, |proration| proration.period.into());
        let starts = line.billing_period.start_date;
        let usual = match line.kind {
            Kind::LateUsage => before(phases, line.billing_period.end_date),
            Kind::Overage | Kind::MinimumCommitment => before(phases, line.billing_period.end_date),
            _ => at(phases, starts),
        };
        let Some(shape) = &basis.shape else {
            checks.note("an older invoice: what was subscribed to is taken from the subscription's phases");
            return usual.cloned().ok_or_else(|| "nothing was subscribed to".to_owned());
        };
        if (shape.plan.as_str(), shape.plan_version) != (basis.plan.as_str(), basis.plan_version) {
            return Err("it is by another plan version than was subscribed to".to_owned());
        }
        let is_whole = basis.proration.is_none() && !matches!(line.kind, Kind::Overage | Kind::MinimumCommitment);
        let fits = if is_whole { usual == Some(shape) } else { overlapping(phases, span).any(|phase| phase.shape == *shape) };
        if !fits && !phases.iter().any(|phase| phase.starts_at == starts) {
            return Err("the subscription was another one in this period".to_owned());
        }
        if !fits {
            checks
                .note("the subscription was changed in the instant in which a period begins: its shape before that is the line's own word");
        }
        Ok(shape.clone())
    }

    /// What was subscribed to when a period ended.
    pub fn shape_before(&self, end: Instant) -> Option<&'a Shape> {
        before(&self.document.subscription.phases, end)
    }

    /// Whether it is a period of the interval that is counted from the anchor or from a change; where none of them begins a period then,
    /// from its own start, for a subscription that rested begins anew.
    pub fn is_period(&self, dates: Dates, interval: BillingInterval) -> bool {
        let subscription = &self.document.subscription;
        let anchors = [subscription.anchored_at, subscription.trial_ends_at, Some(subscription.started_at)];
        let changes = subscription.phases.iter().map(|phase| phase.starts_at);
        let begun = |anchor| self.period_from(anchor, dates.start_date, interval);
        let mut counted: Vec<Dates> = anchors.into_iter().flatten().chain(changes).filter_map(begun).collect();
        if counted.is_empty() {
            counted.extend(begun(dates.start_date));
        }
        counted.contains(&dates)
    }

    /// The period that begins at `start` when periods are counted from `anchor`.
    fn period_from(&self, anchor: Instant, start: Instant, interval: BillingInterval) -> Option<Dates> {
        let calendar = BillingCalendar::starting(utc(anchor.0)?, interval, self.zone, Alignment::Anniversary).ok()?;
        let period = calendar.period_containing(utc(start.0)?).filter(|period| Some(period.start()) == utc(start.0))?;
        Some(Dates { start_date: start, end_date: Instant(period.end().timestamp_millis()) })
    }

    pub fn is_trial(&self, starts: Instant) -> bool {
        self.document.subscription.trial_ends_at.is_some_and(|end| starts < end)
    }
}

pub(crate) fn total(price: &PriceModel, quantity: Quantity, currency: Currency) -> Result<Money, String> {
    let lines = rating::price(price, &Usage::Total(quantity), currency).map_err(|error| error.to_string())?;
    rating::total(&lines, currency).map_err(|error| error.to_string())
}

/// Billing periods of an interval have so many usage periods.
pub(crate) fn months(interval: BillingInterval) -> i128 {
    match interval {
        BillingInterval::Year => 12,
        BillingInterval::Quarter => 3,
        BillingInterval::Month | BillingInterval::Week | BillingInterval::Day => 1,
    }
}

pub(crate) fn is_in_advance(plan: &Plan) -> bool {
    plan.base_timing == Timing::InAdvance
}

fn at(phases: &[Phase], instant: Instant) -> Option<&Shape> {
    phases.iter().rev().find(|phase| phase.starts_at <= instant).or(phases.first()).map(|phase| &phase.shape)
}

fn before(phases: &[Phase], end: Instant) -> Option<&Shape> {
    phases.iter().rev().find(|phase| phase.starts_at < end).or(phases.first()).map(|phase| &phase.shape)
}

/// Phases that hold at some time of a period; the first one holds from ever on.
fn overlapping(phases: &[Phase], dates: Dates) -> impl Iterator<Item = &Phase> {
    let ends = phases.iter().skip(1).map(|phase| Some(phase.starts_at)).chain([None]);
    let holds = move |index: usize, starts: Instant, ends: Option<Instant>| {
        (index == 0 || starts < dates.end_date) && ends.is_none_or(|ends| ends > dates.start_date)
    };
    phases
        .iter()
        .zip(ends)
        .enumerate()
        .filter(move |(index, (phase, ends))| holds(*index, phase.starts_at, *ends))
        .map(|(_, (phase, _))| phase)
}

pub(crate) fn span_text(dates: Dates) -> String {
    format!("{} to {}", crate::instant::text(dates.start_date.0), crate::instant::text(dates.end_date.0))
}

/// The period that a share is of.
pub(crate) fn dates(span: Span) -> Dates {
    span.into()
}
