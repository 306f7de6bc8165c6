//! The endpoint of simulations.

use std::collections::BTreeMap;
use std::sync::Arc;

use rating::{BillingInterval, Currency, Money, Quantity};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::rules;
use super::rules::{PERIODS_MAX, Replayed, Simulated};
use crate::billing::charging::account::Account;
use crate::billing::charging::compose::Terms;
use crate::billing::charging::lines::Subscribed;
use crate::billing::invoices::views::{BillingPeriodView, DiscountView, LineView, TaxView};
use crate::billing::subscriptions::rules::QUANTITY_MAX;
use crate::billing::subscriptions::subscription::{Shape, Subscription};
use crate::billing::{invoices, subscriptions};
use crate::catalog::plans;
use crate::catalog::plans::plan::Plan;
use crate::http::money::MoneyView;
use crate::http::quantity::QuantityDocument;
use crate::http::reply::Reply;
use crate::http::request::Input;
use crate::identity::callers::actors::Authorized;
use crate::identity::permissions::needs;
use crate::kernel::error::{Error, OrInternal, Result};
use crate::kernel::problem::Problem;
use crate::kernel::tenant::Tenant;
use crate::kernel::time::Timestamp;
use crate::meter::client;

/// Closed periods of a simulation without a range: a quarter.
const PERIODS_BY_DEFAULT: usize = 3;

/// The subscription to simulate. An absent field keeps the value of the current subscription.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewSimulation {
    /// The key of the plan.
    #[schema(example = "enterprise")]
    pub plan: Option<String>,
    /// The version of the plan. Defaults to the newest one.
    #[schema(minimum = 1, example = 2)]
    pub plan_version: Option<u32>,
    /// The length of the billing period.
    #[schema(value_type = Option<String>, example = "month")]
    pub billing_period: Option<BillingInterval>,
    /// The number of units of the plan that are sold, such as seats.
    #[schema(minimum = 1, example = 10)]
    pub quantity: Option<u32>,
    /// The quantity of each add-on, by its key.
    #[schema(example = json!({"extra-users": 2}))]
    pub add_ons: Option<BTreeMap<String, u32>>,
    /// The start of the range: usage periods that start at or after it are simulated. Defaults to the last three closed periods.
    pub from: Option<Timestamp>,
    /// The end of the range: usage periods that start before it are simulated. Defaults to now. Periods that have not ended are projected
    /// with `usage`.
    pub to: Option<Timestamp>,
    /// The usage of each projected period, by metric. Defaults to the usage of the last closed period.
    #[schema(value_type = Option<BTreeMap<String, QuantityDocument>>, example = json!({"apiCalls": 120000}))]
    pub usage: Option<BTreeMap<String, Quantity>>,
}

/// The cost of one usage period.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SimulatedPeriod {
    /// The usage period.
    pub period: BillingPeriodView,
    /// Whether the usage is projected instead of counted.
    #[schema(example = false)]
    pub is_supposed: bool,
    /// The lines of the invoice.
    pub lines: Vec<LineView>,
    /// The discounts of the invoice.
    pub discount: Vec<DiscountView>,
    /// The taxes of the invoice.
    pub taxes: Vec<TaxView>,
    /// The total of the invoice, before credit.
    pub total: MoneyView,
}

/// The simulated cost of a subscription, and the amount that was charged for the same periods.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Simulation {
    /// The type of the resource.
    #[serde(rename = "$type")]
    #[schema(example = "Simulation")]
    pub type_name: &'static str,
    /// The key of the plan.
    #[schema(example = "enterprise")]
    pub plan: String,
    /// The version of the plan.
    #[schema(example = 2)]
    pub plan_version: u32,
    /// The length of the billing period.
    #[schema(value_type = String, example = "month")]
    pub billing_period: BillingInterval,
    /// The number of units of the plan that are sold, such as seats.
    #[schema(example = 10)]
    pub quantity: u32,
    /// The quantity of each add-on, by its key.
    #[schema(example = json!({"extra-users": 2}))]
    pub add_ons: BTreeMap<String, u32>,
    /// The simulated periods, oldest first.
    pub periods: Vec<SimulatedPeriod>,
    /// The total of all periods, before credit. A base price counts in the period in which its billing period begins.
    pub total: MoneyView,
    /// The amount that invoices charged for the closed periods.
    pub charged: MoneyView,
    /// The simulated total of the closed periods less `charged`: above zero, the simulated subscription is more expensive.
    pub difference: MoneyView,
}

/// Simulate another subscription
///
/// Computes the cost of past and projected usage under another plan, quantity or set of add-ons, by the code that bills, with the current
/// discounts and taxes. Changes nothing.
#[utoipa::path(post, path = "/v1/simulations", operation_id = "simulate", request_body = NewSimulation,
    responses((status = 200, description = "The simulated cost", body = Simulation)))]
pub async fn create(caller: Authorized<needs::SubscriptionRead>, Input(body): Input<NewSimulation>) -> Result<Reply> {
    let tenant = &caller.tenant;
    let subscription = subscriptions::store::require(tenant).await?;
    let account = Account::load(tenant, subscription.id).await?.ok_or_else(|| Error::internal("the subscription is gone"))?;
    let subscribed = supposed(tenant, &account, &body).await?;
    let periods = periods(tenant, &account.subscription, &body).await?;
    // Credit does not change the price.
    let terms = Terms { credits: Vec::new(), ..account.terms };
    let simulated = rules::simulate(&account.subscription, &subscribed, &periods, &terms, tenant.moment())?;
    let charged = charged(tenant, &periods, account.subscription.currency).await?;
    Reply::ok(&shown(&subscribed, simulated, charged)?)
}

/// The simulated subscription.
async fn supposed(tenant: &Tenant, account: &Account, wanted: &NewSimulation) -> Result<Subscribed> {
    let now = &account.subscribed()?.shape;
    let plan = plan(tenant, now, wanted).await?;
    let (currency, interval) = (account.subscription.currency, wanted.billing_period.unwrap_or(now.interval));
    let is_same_plan = plan.key == now.plan;
    let add_ons = wanted.add_ons.clone().unwrap_or_else(|| if is_same_plan { now.add_ons.clone() } else { BTreeMap::new() });
    let quantity = wanted.quantity.unwrap_or(now.quantity);
    if quantity == 0 || quantity > QUANTITY_MAX || add_ons.values().any(|count| *count == 0 || *count > QUANTITY_MAX) {
        return Err(Problem::refused("/quantity", "invalid_quantity", format!("Send a quantity from 1 to {QUANTITY_MAX}.")).into());
    }
    if plan.price(currency, interval).is_none() {
        let detail = format!(
            "{} is not sold in {} by the {}. GET /v1/plans/{} lists its prices.",
            plan.key,
            currency.code(),
            interval.name(),
            plan.key
        );
        return Err(Problem::refused("/plan", "plan_not_sold_in_currency", detail).into());
    }
    if let Some(unknown) = add_ons.keys().find(|key| plan.add_on(key).is_none_or(|add_on| add_on.price(currency, interval).is_none())) {
        let detail = format!(
            "{} v{} does not sell {unknown} in this currency and billing period. GET /v1/plans/{} lists its add-ons.",
            plan.key, plan.version, plan.key
        );
        return Err(Problem::refused("/addOns", "unknown_add_on", detail).into());
    }
    let shape = Shape { plan: plan.key.clone(), plan_version: plan.version, interval, quantity, add_ons };
    Ok(Subscribed { shape, plan: Arc::new(plan) })
}

/// The simulated plan: the named one, in its newest version unless a version is named; the current one by default.
async fn plan(tenant: &Tenant, now: &Shape, wanted: &NewSimulation) -> Result<Plan> {
    let app = tenant.app();
    let found = match (&wanted.plan, wanted.plan_version) {
        (None, None) => plans::store::find(app, &now.plan, now.plan_version).await?,
        (Some(key), None) => plans::store::newest(app, key).await?,
        (key, Some(version)) => plans::store::find(app, key.as_ref().unwrap_or(&now.plan), version).await?,
    };
    let open = found.filter(|plan| plan.is_open_to(tenant.organization()));
    open.ok_or_else(|| Problem::refused("/plan", "unknown_plan", "Send the key and version of a plan; GET /v1/plans lists them.").into())
}

/// The simulated periods: closed ones, then projected ones.
async fn periods(tenant: &Tenant, subscription: &Subscription, wanted: &NewSimulation) -> Result<Vec<Replayed>> {
    let now = tenant.moment().now;
    let to = wanted.to.unwrap_or(now);
    if wanted.from.is_some_and(|from| from >= to) {
        return Err(Problem::invalid_range().into());
    }
    let from = wanted.from.unwrap_or(subscription.started_at);
    let mut closed = rules::closed(subscription, client::closings(tenant, from, to).await?);
    if wanted.from.is_none() {
        let skipped = closed.len().saturating_sub(PERIODS_BY_DEFAULT);
        closed.drain(..skipped);
    }
    let usage = wanted.usage.clone().or_else(|| closed.last().map(|last| last.closing.used.clone())).unwrap_or_default();
    if to > now && subscription.ended_at.is_none() {
        closed.extend(rules::supposed(subscription, &usage, from, to)?);
    }
    if closed.len() > PERIODS_MAX {
        return Err(Problem::refused("/to", "too_many_periods", format!("Send a range of at most {PERIODS_MAX} months.")).into());
    }
    if closed.is_empty() {
        let detail = "The range contains no completed period. Choose an earlier `from`, or a later `to` to project usage.";
        return Err(Problem::refused("/from", "nothing_to_simulate", detail).into());
    }
    Ok(closed)
}

/// The amount that invoices charged for the closed periods: each line counts where its period starts.
async fn charged(tenant: &Tenant, periods: &[Replayed], currency: Currency) -> Result<Money> {
    let closed: Vec<&Replayed> = periods.iter().filter(|replayed| !replayed.is_supposed).collect();
    let (Some(first), Some(last)) = (closed.first(), closed.last()) else { return Ok(Money::zero(currency)) };
    let span = (first.period.starts_at, last.period.ends_at);
    let amounts = invoices::store::charged_between(tenant, span.0, span.1).await?;
    Money::sum(amounts.into_iter().map(|minor| Money::new(minor, currency)), currency).or_internal()
}

fn shown(subscribed: &Subscribed, simulated: Vec<Simulated>, charged: Money) -> Result<Simulation> {
    let currency = charged.currency();
    let total = rules::total(&simulated, currency)?;
    let closed: Vec<Simulated> = simulated.iter().filter(|simulated| !simulated.is_supposed).cloned().collect();
    let difference = rules::total(&closed, currency)?.checked_sub(charged).or_internal()?;
    let Shape { plan, plan_version, interval, quantity, add_ons } = subscribed.shape.clone();
    Ok(Simulation {
        type_name: "Simulation",
        plan,
        plan_version,
        billing_period: interval,
        quantity,
        add_ons,
        periods: simulated.into_iter().map(|simulated| period(simulated, currency)).collect(),
        total: total.into(),
        charged: charged.into(),
        difference: difference.into(),
    })
}

fn period(simulated: Simulated, currency: Currency) -> SimulatedPeriod {
    let Simulated { period, is_supposed, bill } = simulated;
    SimulatedPeriod {
        period: BillingPeriodView { start_date: period.starts_at, end_date: period.ends_at },
        is_supposed,
        discount: bill.discounts.iter().map(|taken| DiscountView::new(taken, currency)).collect(),
        taxes: bill.taxes.iter().map(|tax| TaxView::new(tax, currency)).collect(),
        lines: bill.lines.into_iter().map(|line| LineView::new(line, currency)).collect(),
        total: bill.totals.total.into(),
    }
}
