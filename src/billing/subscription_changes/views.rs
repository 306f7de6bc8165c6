//! Subscriptions as clients read them.

use std::collections::BTreeMap;

use rating::BillingInterval;
use serde::Serialize;
use utoipa::ToSchema;

use crate::billing::invoices::bill::Composed;
use crate::billing::invoices::views::{DiscountView, LineView, TaxView};
use crate::billing::subscriptions::lifecycle::Status;
use crate::billing::subscriptions::subscription::{Cancellation, Pause, PausePolicy, ScheduledChange, Shape, Subscription};
use crate::catalog::plans;
use crate::catalog::plans::plan::Plan;
use crate::catalog::plans::routes::PlanView;
use crate::http::money::MoneyView;
use crate::kernel::error::Result;
use crate::kernel::ids::{InvoiceId, SubscriptionId};
use crate::kernel::period::Period;
use crate::kernel::ports::App;
use crate::kernel::time::Timestamp;

/// A period; includes its start, excludes its end.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Period)]
pub struct PeriodView {
    /// The start of the period.
    pub start: Timestamp,
    /// The end of the period, exclusive.
    pub end: Timestamp,
}

impl From<Period> for PeriodView {
    fn from(period: Period) -> Self {
        Self { start: period.starts_at, end: period.ends_at }
    }
}

/// The subscribed plan, its version, quantity and add-ons.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SubscriptionShape)]
pub struct ShapeView {
    /// The key of the plan.
    #[schema(example = "professional")]
    pub plan: String,
    /// The version of the plan.
    #[schema(example = 1)]
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
}

impl From<Shape> for ShapeView {
    fn from(shape: Shape) -> Self {
        let Shape { plan, plan_version, interval, quantity, add_ons } = shape;
        Self { plan, plan_version, billing_period: interval, quantity, add_ons }
    }
}

/// A change that takes effect at the end of the billing period.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ScheduledChange)]
pub struct ScheduledChangeView {
    /// The subscription after the change.
    pub to: ShapeView,
    /// The instant of the change.
    pub effective_at: Timestamp,
    /// The instant of the request.
    pub requested_at: Timestamp,
}

impl From<ScheduledChange> for ScheduledChangeView {
    fn from(change: ScheduledChange) -> Self {
        Self { to: change.to.into(), effective_at: change.effective_at, requested_at: change.requested_at }
    }
}

/// A cancellation: one that is scheduled, or one that has taken effect.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SubscriptionCancellation)]
pub struct CancellationView {
    /// The end of the subscription.
    pub effective_at: Timestamp,
    /// The instant of the request.
    pub requested_at: Timestamp,
    /// The reason that was sent.
    #[schema(example = "We stop the project")]
    pub reason: Option<String>,
}

impl From<Cancellation> for CancellationView {
    fn from(cancellation: Cancellation) -> Self {
        let Cancellation { effective_at, requested_at, reason } = cancellation;
        Self { effective_at, requested_at, reason }
    }
}

/// The pause of a subscription.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SubscriptionPause)]
pub struct PauseView {
    /// The start of the pause.
    pub paused_at: Timestamp,
    /// The instant at which the subscription resumes by itself. Null: it stays paused until it is resumed.
    pub resumes_at: Option<Timestamp>,
    /// The treatment of paid time.
    pub policy: PausePolicy,
}

impl From<Pause> for PauseView {
    fn from(pause: Pause) -> Self {
        Self { paused_at: pause.paused_at, resumes_at: pause.resumes_at, policy: pause.policy }
    }
}

/// The subscription of an organization.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Subscription)]
pub struct SubscriptionView {
    /// The type of the resource.
    #[serde(rename = "$type")]
    #[schema(example = "Subscription")]
    pub type_name: &'static str,
    /// The id of the subscription.
    #[serde(rename = "$id")]
    pub id: SubscriptionId,
    /// The name of the plan, for people.
    #[schema(example = "Professional Plan")]
    pub name: String,
    /// The base price of a billing period in major units, before add-ons, usage and discounts.
    #[schema(example = "199.00")]
    pub price: String,
    /// The ISO 4217 code of the currency of `price`.
    #[schema(example = "USD")]
    pub price_currency: String,
    /// The ISO 4217 code of the currency of all charges.
    #[schema(example = "USD")]
    pub currency: String,
    /// The length of the billing period.
    #[schema(value_type = String, example = "month")]
    pub billing_period: BillingInterval,
    /// The number of units of the plan that are sold, such as seats.
    #[schema(example = 10)]
    pub quantity: u32,
    /// The quantity of each add-on, by its key.
    #[schema(example = json!({"extra-users": 2}))]
    pub add_ons: BTreeMap<String, u32>,
    /// The instant at which the subscription started.
    pub start_date: Timestamp,
    /// The instant at which the subscription ended. Null while it runs.
    pub end_date: Option<Timestamp>,
    /// Whether the subscription is on trial.
    #[schema(example = false)]
    pub is_trial: bool,
    /// The end of the trial. Null without a trial.
    pub trial_end_date: Option<Timestamp>,
    /// The subscribed version of the plan, priced in the currency and billing period of the subscription.
    pub plan: PlanView,
    /// The version of the plan.
    #[schema(example = 1)]
    pub plan_version: u32,
    /// The payment method, as your payment provider names it. Null: none.
    #[schema(example = "pm_1Nf2xT")]
    pub payment_method: Option<String>,
    /// The status of the subscription.
    pub status: Status,
    /// Whether another billing period follows the current one.
    #[schema(example = true)]
    pub auto_renew: bool,
    /// The current billing period, which the base price is charged for; the trial while on trial.
    pub current_period: PeriodView,
    /// The current usage period, which limits and usage charges refer to: a month, also within a yearly billing period.
    pub usage_period: PeriodView,
    /// The change that takes effect at the end of the billing period. Null: none.
    pub scheduled_change: Option<ScheduledChangeView>,
    /// The cancellation. Null: none.
    pub cancellation: Option<CancellationView>,
    /// The pause. Null: not paused.
    pub pause: Option<PauseView>,
}

impl SubscriptionView {
    pub async fn load(app: &App, subscription: Subscription) -> Result<Self> {
        let plan = plans::store::pinned(app, &subscription.shape.plan, subscription.shape.plan_version).await?;
        Self::new(subscription, &plan)
    }

    pub fn new(subscription: Subscription, plan: &Plan) -> Result<Self> {
        let (currency, is_trial, current_period) = (subscription.currency, subscription.is_trial(), subscription.current_billing_period()?);
        let usage_period = subscription.current_usage_period()?.into();
        let Shape { interval, quantity, add_ons, plan_version, .. } = subscription.shape;
        Ok(Self {
            type_name: "Subscription",
            id: subscription.id,
            name: format!("{} Plan", plan.name),
            price: plan.base_price(currency, interval, quantity)?.to_decimal_string(),
            price_currency: currency.code().to_owned(),
            currency: currency.code().to_owned(),
            billing_period: interval,
            quantity,
            add_ons,
            start_date: subscription.started_at,
            end_date: subscription.ended_at,
            is_trial,
            trial_end_date: subscription.trial_ends_at,
            plan: PlanView::sold(plan, currency, interval)?,
            plan_version,
            payment_method: subscription.payment_method,
            status: subscription.status,
            auto_renew: subscription.auto_renew,
            current_period: current_period.into(),
            usage_period,
            scheduled_change: subscription.scheduled.map(ScheduledChangeView::from),
            cancellation: subscription.cancellation.map(CancellationView::from),
            pause: subscription.pause.map(PauseView::from),
        })
    }
}

/// A change of a subscription, and its charges.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SubscriptionChange)]
pub struct ChangeView {
    /// The type of the resource.
    #[serde(rename = "$type")]
    #[schema(example = "SubscriptionChange")]
    pub type_name: &'static str,
    /// The instant of the change.
    pub effective_at: Timestamp,
    /// The subscription before the change.
    pub from: ShapeView,
    /// The subscription after the change.
    pub to: ShapeView,
    /// The lines that are invoiced at once; empty for a scheduled change.
    pub lines: Vec<LineView>,
    /// The discounts on these lines.
    pub discounts: Vec<DiscountView>,
    /// The taxes on these lines.
    pub taxes: Vec<TaxView>,
    /// The sum of the lines, before discounts and taxes. Below zero where credit for unused time exceeds the charges.
    pub subtotal: MoneyView,
    /// The amount with discounts and taxes; never below zero.
    pub total: MoneyView,
    /// The amount that credit pays.
    pub credit_applied: MoneyView,
    /// The amount below zero, which becomes credit.
    pub credit_issued: MoneyView,
    /// The total less the applied credit.
    pub total_payment_due: MoneyView,
    /// The invoice of the change. Null for a preview, a scheduled change and a change without charges.
    pub invoice: Option<InvoiceId>,
}

impl ChangeView {
    pub fn new((from, to): (Shape, Shape), effective_at: Timestamp, composed: Composed) -> Self {
        let currency = composed.subtotal.currency();
        let totals = composed.totals;
        Self {
            type_name: "SubscriptionChange",
            effective_at,
            from: from.into(),
            to: to.into(),
            lines: composed.lines.into_iter().map(|line| LineView::new(line, currency)).collect(),
            discounts: composed.discounts.iter().map(|taken| DiscountView::new(taken, currency)).collect(),
            taxes: composed.taxes.iter().map(|tax| TaxView::new(tax, currency)).collect(),
            subtotal: composed.subtotal.into(),
            total: totals.total.into(),
            credit_applied: totals.credit.into(),
            credit_issued: totals.carried.into(),
            total_payment_due: totals.due.into(),
            invoice: None,
        }
    }
}
