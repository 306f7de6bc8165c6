//! The lines of an invoice: the item, the quantity and the amount of each. Pure.

use std::sync::Arc;

use rating::{BillingInterval, Currency, Money, PriceModel, PricedLine, Quantity, Usage};

use crate::billing::invoices::line::{Line, LineKind};
use crate::billing::subscriptions::entitlements::allowance;
use crate::billing::subscriptions::subscription::{Shape, months};
use crate::catalog::plans::plan::{Plan, PlanMetric};
use crate::kernel::error::{Error, OrInternal, Result};
use crate::kernel::period::Period;
use crate::meter::contract::LateUsage;

/// A shape and the plan version it pins.
#[derive(Clone, Debug)]
pub struct Subscribed {
    pub shape: Shape,
    pub plan: Arc<Plan>,
}

/// An item that is sold per billing period: the plan, or an add-on.
#[derive(Clone, Debug)]
pub struct Item {
    /// As in [`Line::item`].
    pub key: String,
    pub name: String,
    pub kind: LineKind,
    pub quantity: u32,
    pub price: PriceModel,
}

impl Subscribed {
    /// The items of the shape, the plan first.
    pub fn items(&self, currency: Currency) -> Result<Vec<Item>> {
        let Self { shape, plan } = self;
        let unsold = |what: &str| Error::internal(format!("{what} is not sold in {} by the {}", currency.code(), shape.interval.name()));
        let base = plan.price(currency, shape.interval).ok_or_else(|| unsold(&plan.key))?.clone();
        let name = format!("{} Plan", plan.name);
        let mut items = vec![Item { key: plan.key.clone(), name, kind: LineKind::BasePrice, quantity: shape.quantity, price: base }];
        for (key, quantity) in &shape.add_ons {
            let add_on = plan.add_on(key).ok_or_else(|| Error::internal(format!("{} has no add-on {key}", plan.key)))?;
            let price = add_on.price(currency, shape.interval).ok_or_else(|| unsold(key))?.clone();
            let key = format!("{}/{key}", plan.key);
            items.push(Item { key, name: add_on.name.clone(), kind: LineKind::AddOn, quantity: *quantity, price });
        }
        Ok(items)
    }

    /// The lines of a whole billing period.
    pub fn period_lines(&self, currency: Currency, period: Period) -> Result<Vec<Line>> {
        let mut lines = Vec::new();
        for item in self.items(currency)? {
            let priced = priced(&item.price, None, Quantity::from(item.quantity), true, currency)?;
            let is_single = priced.len() == 1;
            for part in priced {
                let description = if is_single { item.name.clone() } else { format!("{}: {}", item.name, part.description) };
                lines.push(self.line(item.kind, &item.key, description, part, period));
            }
        }
        Ok(lines)
    }

    /// The lines of overage from `billed` (billed before in this usage period) to `counted`. `is_last` says whether the period ends with
    /// them.
    pub fn usage_lines(
        &self,
        metric: &str,
        billed: Option<Quantity>,
        counted: Quantity,
        is_last: bool,
        (currency, period): (Currency, Period),
    ) -> Result<Vec<Line>> {
        let Some(metric) = self.plan.metric(metric) else { return Ok(Vec::new()) };
        let Some(price) = metric.price(currency) else { return Ok(Vec::new()) };
        let included = allowance(&self.plan, &self.shape, metric)?.included;
        let past = |count: Quantity| count.above(included).or_internal();
        let (before, after) = (billed.map(past).transpose()?, past(counted)?);
        if before.is_none() && after.is_zero() && price.minimum_amount.is_none() && is_free_at_zero(price, currency)? {
            return Ok(Vec::new());
        }
        let parts = priced(price, before, after, is_last, currency)?;
        let is_single = parts.len() == 1;
        let lines = parts.into_iter().filter(|part| !part.amount.is_zero() || !part.quantity.is_zero()).map(|part| {
            let mut description = past_included(metric, included);
            if !is_single {
                description = format!("{description}: {}", part.description);
            }
            let line = self.line(LineKind::Overage, &metric.metric, description, part, period);
            Line { counted: Some(counted), billed_before: billed.filter(|billed| !billed.is_zero()), ..line }
        });
        Ok(lines.collect())
    }

    /// The line of late usage: the price of the count with it less the price of the count without it, so that included units stay free. A
    /// line of zero is shown, too: it tells the customer where the events were counted.
    pub fn late_line(&self, late: &LateUsage, currency: Currency) -> Result<Option<Line>> {
        let Some(metric) = self.plan.metric(&late.metric) else { return Ok(None) };
        let period = Period { starts_at: late.period_starts_at, ends_at: late.period_ends_at };
        let lines = match metric.price(currency) {
            None => Vec::new(),
            Some(_) => self.usage_lines(&late.metric, Some(late.before), late.after, false, (currency, period))?,
        };
        let amount = Money::sum(lines.iter().map(|line| Money::new(line.amount_minor, currency)), currency).or_internal()?;
        let counted = late.after.checked_sub(late.before).or_internal()?;
        let description =
            format!("{counted} {} of {} to {}, received after its invoice", metric.unit, period.starts_at.date(), period.ends_at.date());
        let priced = PricedLine { description: String::new(), quantity: Quantity::ONE, unit_price: amount.to_decimal(), amount };
        let line = self.line(LineKind::LateUsage, &late.metric, description, priced, period);
        Ok(Some(Line { counted: Some(counted), billed_before: Some(late.before), ..line }))
    }

    /// The rest of the minimum commitment for a usage period of which the share `used` has passed, and in which `usage` was billed beside
    /// the base price.
    pub fn commitment_line(&self, usage: Money, used: &rating::Exact, period: Period) -> Result<Option<Line>> {
        let currency = usage.currency();
        let Some(minimum) = self.minimum_commitment(currency)? else { return Ok(None) };
        let share = share_of_usage_period(self.shape.interval)?.times(used);
        let base = Money::sum(self.period_lines(currency, period)?.iter().map(|line| Money::new(line.amount_minor, currency)), currency);
        let billed = base.and_then(|base| base.scaled_by(&share)).and_then(|base| base.checked_add(usage)).or_internal()?;
        let missing = rating::true_up(minimum, used, billed).or_internal()?;
        if missing.is_zero() {
            return Ok(None);
        }
        let priced = PricedLine { description: String::new(), quantity: Quantity::ONE, unit_price: missing.to_decimal(), amount: missing };
        let description = format!("Minimum commitment of {} {}", minimum.to_decimal_string(), currency.code());
        Ok(Some(self.line(LineKind::MinimumCommitment, &self.plan.key, description, priced, period)))
    }

    /// The minimum of a usage period; None without a commitment.
    pub fn minimum_commitment(&self, currency: Currency) -> Result<Option<Money>> {
        let minimum = self.plan.minimum_commitment.get(currency.code());
        let rounded = minimum.map(|minimum| Money::round(&minimum.to_exact(), currency));
        rounded.transpose().or_internal()
    }

    /// A line by the prices of this plan.
    pub fn line(&self, kind: LineKind, item: &str, description: String, priced: PricedLine, period: Period) -> Line {
        Line {
            kind,
            item: item.to_owned(),
            description,
            quantity: priced.quantity,
            unit_price: shown_price(&priced),
            amount_minor: priced.amount.minor(),
            period_starts_at: period.starts_at,
            period_ends_at: period.ends_at,
            counted: None,
            billed_before: None,
            plan: self.plan.key.clone(),
            plan_version: self.plan.version,
            shape: Some(self.shape.clone()),
            discount_minor: 0,
            taxes_minor: Vec::new(),
            proration: None,
        }
    }
}

/// A price in whole minor units with all decimals of its currency, `199.00`; a finer one in full.
fn shown_price(priced: &PricedLine) -> String {
    let exact = priced.unit_price.to_exact();
    let rounded = Money::round(&exact, priced.amount.currency()).ok().filter(|price| price.to_exact() == exact);
    rounded.map_or_else(|| priced.unit_price.to_string(), Money::to_decimal_string)
}

/// The share of a billing period that one usage period has.
fn share_of_usage_period(interval: BillingInterval) -> Result<rating::Exact> {
    rating::Exact::ratio(1, i128::from(months(interval))).ok_or_else(|| Error::internal("a billing period has months"))
}

fn priced(price: &PriceModel, before: Option<Quantity>, after: Quantity, is_last: bool, currency: Currency) -> Result<Vec<PricedLine>> {
    let before = before.map(Usage::Total);
    rating::price_part(price, before.as_ref(), &Usage::Total(after), is_last, currency).or_internal()
}

/// Whether zero usage is free: a first tier may have a flat amount.
fn is_free_at_zero(price: &PriceModel, currency: Currency) -> Result<bool> {
    let lines = priced(price, None, Quantity::ZERO, true, currency)?;
    Ok(lines.iter().all(|line| line.amount.is_zero()))
}

fn past_included(metric: &PlanMetric, included: Quantity) -> String {
    if included.is_zero() { capitalized(&metric.unit) } else { format!("{} past the included {included}", capitalized(&metric.unit)) }
}

fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
