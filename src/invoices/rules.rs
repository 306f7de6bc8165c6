//! What an invoice says. Pure: a subscription, its plan and the Meter's closing make the invoice.

use rating::{Currency, Money, PricedLine, Quantity, Usage};
use serde::{Deserialize, Serialize};

use super::store;
use crate::catalog::rules::{Plan, PlanMetric};
use crate::events::{InvoiceCreated, InvoiceFinalized, SubscriptionRenewed, TrialConverted};
use crate::kernel::decision::Decision;
use crate::kernel::error::{Error, Result};
use crate::kernel::ids::{InvoiceId, Moment, SubscriptionId};
use crate::kernel::time::{Timestamp, days};
use crate::subscriptions::rules::{Period, Subscription};
use crate::usage::meter::{Closing, LateUsage};

/// How long a customer has to pay.
pub const DUE_AFTER: std::time::Duration = days(30);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = InvoiceStatus)]
pub enum Status {
    Draft,
    Due,
    Paid,
    Overdue,
    Void,
    Uncollectible,
}

/// What a line charges for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum LineKind {
    BasePrice,
    Overage,
    LateUsage,
}

/// One line; as it is stored and as it is shown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Line {
    pub kind: LineKind,
    /// The plan's key, or the metric.
    pub item: String,
    pub description: String,
    pub quantity: Quantity,
    /// Major units, up to 12 decimals.
    pub unit_price: String,
    pub amount_minor: i64,
    /// The period it charges for, which for late usage is an earlier one.
    pub period_starts_at: Timestamp,
    pub period_ends_at: Timestamp,
    /// Usage lines: what was counted in the period (late usage: what came since it was last billed).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counted: Option<Quantity>,
}

/// What the Meter counted in a period, as it is stored: also what costs nothing, so that a customer can hold every event against a count.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CountedUsage {
    pub metric: String,
    /// For late usage: what came since the period was last billed.
    pub counted: Quantity,
    pub period_starts_at: Timestamp,
    pub period_ends_at: Timestamp,
    pub late: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Invoice {
    pub id: InvoiceId,
    pub subscription: SubscriptionId,
    pub number: Option<u64>,
    pub status: Status,
    pub currency: Currency,
    pub total_minor: i64,
    pub lines: Vec<Line>,
    pub usage: Vec<CountedUsage>,
    /// The period that the invoice opens.
    pub period: Period,
    pub created_at: Timestamp,
    pub issued_at: Option<Timestamp>,
    pub due_at: Option<Timestamp>,
    pub paid_at: Option<Timestamp>,
    pub version: i64,
}

/// Closes the subscription's present period and opens the next one with an invoice: the base price in advance, the overage of the
/// period that ended, and corrections for late usage. A trial's usage costs nothing.
pub fn bill(subscription: &Subscription, plan: &Plan, closing: &Closing, moment: Moment<'_>) -> Result<(Invoice, Decision)> {
    let renewed = subscription.renewed()?;
    let mut lines = vec![base_line(plan, renewed.period)];
    if !subscription.is_trial {
        for (metric, used) in &closing.used {
            lines.extend(overage_lines(plan, metric, *used, subscription.period)?);
        }
    }
    for late in &closing.late {
        if !is_trial_period(subscription, late) {
            lines.extend(late_lines(plan, late)?);
        }
    }
    let invoice = draft(subscription, plan.currency, lines, counted_usage(subscription.period, closing)?, renewed.period, moment)?;
    let decision = Decision::new()
        .guard(crate::subscriptions::store::unchanged(subscription))
        .write(crate::subscriptions::store::renew(&renewed))
        .write(store::insert(&invoice))
        .raise(InvoiceCreated { invoice: invoice.id })
        .audit("invoice.created", invoice.id.to_string(), None, Some(serde_json::json!({"totalMinor": invoice.total_minor})));
    let decision = if subscription.is_trial {
        decision.raise(TrialConverted { subscription: subscription.id })
    } else {
        decision.raise(SubscriptionRenewed { subscription: subscription.id, period_starts_at: renewed.period.starts_at })
    };
    Ok((invoice, decision))
}

fn is_trial_period(subscription: &Subscription, late: &LateUsage) -> bool {
    subscription.trial_ends_at.is_some_and(|end| late.period_starts_at < end)
}

/// Everything the closing counted: the period that ended, then what came late for earlier ones.
fn counted_usage(period: Period, closing: &Closing) -> Result<Vec<CountedUsage>> {
    let counted = |metric: &String, counted, period: Period, late| CountedUsage {
        metric: metric.clone(),
        counted,
        period_starts_at: period.starts_at,
        period_ends_at: period.ends_at,
        late,
    };
    let mut usage: Vec<_> = closing.used.iter().map(|(metric, used)| counted(metric, *used, period, false)).collect();
    for late in &closing.late {
        let came = late.after.checked_sub(late.before).map_err(|error| Error::internal(error.to_string()))?;
        usage.push(counted(&late.metric, came, Period { starts_at: late.period_starts_at, ends_at: late.period_ends_at }, true));
    }
    Ok(usage)
}

fn draft(
    subscription: &Subscription,
    currency: Currency,
    lines: Vec<Line>,
    usage: Vec<CountedUsage>,
    period: Period,
    moment: Moment<'_>,
) -> Result<Invoice> {
    let amounts = lines.iter().map(|line| Money::new(line.amount_minor, currency));
    let total = Money::sum(amounts, currency).map_err(|error| Error::internal(error.to_string()))?;
    Ok(Invoice {
        id: InvoiceId::derived(&[&subscription.id.to_string(), &period.starts_at.to_string()]),
        subscription: subscription.id,
        number: None,
        status: Status::Draft,
        currency,
        total_minor: total.minor(),
        lines,
        usage,
        period,
        created_at: moment.now,
        issued_at: None,
        due_at: None,
        paid_at: None,
        version: 1,
    })
}

fn base_line(plan: &Plan, period: Period) -> Line {
    Line {
        kind: LineKind::BasePrice,
        item: plan.key.to_owned(),
        description: format!("{} Plan", plan.name),
        quantity: Quantity::ONE,
        unit_price: plan.price().to_decimal_string(),
        amount_minor: plan.price_minor,
        period_starts_at: period.starts_at,
        period_ends_at: period.ends_at,
        counted: None,
    }
}

/// What went past the plan's limit in the period.
fn overage_lines(plan: &Plan, metric: &str, used: Quantity, period: Period) -> Result<Vec<Line>> {
    let Some(metric) = plan.metric(metric) else { return Ok(Vec::new()) };
    let priced = past_limit(metric, used, plan.currency)?;
    let line = |priced: PricedLine| usage_line(LineKind::Overage, metric, priced, period, used);
    Ok(priced.into_iter().map(line).collect())
}

/// What late usage adds to its period: the price of the count with it less the price of the count without it, so that units which were
/// still free then are free now. It is shown even when it costs nothing: the customer sees where the events went.
fn late_lines(plan: &Plan, late: &LateUsage) -> Result<Vec<Line>> {
    let Some(metric) = plan.metric(&late.metric) else { return Ok(Vec::new()) };
    let sum = |used| -> Result<Money> {
        let lines = past_limit(metric, used, plan.currency)?;
        rating::total(&lines, plan.currency).map_err(|error| Error::internal(error.to_string()))
    };
    let amount = sum(late.after)?.checked_sub(sum(late.before)?).map_err(|error| Error::internal(error.to_string()))?;
    let counted = late.after.checked_sub(late.before).map_err(|error| Error::internal(error.to_string()))?;
    let period = Period { starts_at: late.period_starts_at, ends_at: late.period_ends_at };
    let priced = PricedLine { description: String::new(), quantity: Quantity::ONE, unit_price: amount.to_decimal(), amount };
    let mut line = usage_line(LineKind::LateUsage, metric, priced, period, counted);
    line.description =
        format!("{counted} {} of {} to {}, received after its invoice", metric.unit, period.starts_at.date(), period.ends_at.date());
    Ok(vec![line])
}

/// The price of what goes past the limit; nothing for a hard limit, which can't be passed.
fn past_limit(metric: &PlanMetric, used: Quantity, currency: Currency) -> Result<Vec<PricedLine>> {
    let (Some(limit), Some(price)) = (metric.limit, &metric.overage) else { return Ok(Vec::new()) };
    let past = used.above(limit).map_err(|error| Error::internal(error.to_string()))?;
    if past.is_zero() {
        return Ok(Vec::new());
    }
    rating::price(price, &Usage::Total(past), currency).map_err(|error| Error::internal(error.to_string()))
}

fn usage_line(kind: LineKind, metric: &PlanMetric, priced: PricedLine, period: Period, counted: Quantity) -> Line {
    Line {
        kind,
        item: metric.metric.to_owned(),
        description: format!("{} past the included {}", capitalized(metric.unit), metric.limit.unwrap_or(Quantity::ZERO)),
        quantity: priced.quantity,
        unit_price: priced.unit_price.to_string(),
        amount_minor: priced.amount.minor(),
        period_starts_at: period.starts_at,
        period_ends_at: period.ends_at,
        counted: Some(counted),
    }
}

fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// Gives a draft its number: it is due from now on. Nothing to do when it has one.
pub fn finalize(invoice: &Invoice, number: u64, moment: Moment<'_>) -> Decision {
    if invoice.status != Status::Draft {
        return Decision::new();
    }
    let due_at = moment.now.plus(DUE_AFTER);
    Decision::new()
        .guard(store::unchanged(invoice))
        .write(store::finalize(invoice.id, number, moment.now, due_at))
        .raise(InvoiceFinalized {
            invoice: invoice.id,
            identifier: identifier(number),
            total: Money::new(invoice.total_minor, invoice.currency).to_decimal_string(),
            currency: invoice.currency.code().to_owned(),
            due_at,
        })
        .audit("invoice.finalized", invoice.id.to_string(), None, Some(serde_json::json!({"number": number})))
}

/// The number as it is printed.
pub fn identifier(number: u64) -> String {
    format!("INV-{number:06}")
}
