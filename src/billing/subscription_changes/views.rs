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

/// A stretch of time; `end` is not part of it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Period)]
pub struct PeriodView {
    pub start: Timestamp,
    pub end: Timestamp,
}

impl From<Period> for PeriodView {
    fn from(period: Period) -> Self {
        Self { start: period.starts_at, end: period.ends_at }
    }
}

/// What is subscribed to.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SubscriptionShape)]
pub struct ShapeView {
    #[schema(example = "professional")]
    pub plan: String,
    pub plan_version: u32,
    #[schema(value_type = String, example = "month")]
    pub billing_period: BillingInterval,
    /// How many of the plan: seats, where it is sold by the seat.
    pub quantity: u32,
    /// How many of each add-on, by its key.
    pub add_ons: BTreeMap<String, u32>,
}

impl From<Shape> for ShapeView {
    fn from(shape: Shape) -> Self {
        let Shape { plan, plan_version, interval, quantity, add_ons } = shape;
        Self { plan, plan_version, billing_period: interval, quantity, add_ons }
    }
}

/// A change that waits for the end of the billing period.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ScheduledChange)]
pub struct ScheduledChangeView {
    pub to: ShapeView,
    pub effective_at: Timestamp,
    pub requested_at: Timestamp,
}

impl From<ScheduledChange> for ScheduledChangeView {
    fn from(change: ScheduledChange) -> Self {
        Self { to: change.to.into(), effective_at: change.effective_at, requested_at: change.requested_at }
    }
}

/// The end of a subscription: one that waits, or one that has come.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SubscriptionCancellation)]
pub struct CancellationView {
    pub effective_at: Timestamp,
    pub requested_at: Timestamp,
    pub reason: Option<String>,
}

impl From<Cancellation> for CancellationView {
    fn from(cancellation: Cancellation) -> Self {
        let Cancellation { effective_at, requested_at, reason } = cancellation;
        Self { effective_at, requested_at, reason }
    }
}

/// A pause.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SubscriptionPause)]
pub struct PauseView {
    pub paused_at: Timestamp,
    /// When it ends by itself; null until somebody ends it.
    pub resumes_at: Option<Timestamp>,
    pub policy: PausePolicy,
}

impl From<Pause> for PauseView {
    fn from(pause: Pause) -> Self {
        Self { paused_at: pause.paused_at, resumes_at: pause.resumes_at, policy: pause.policy }
    }
}

/// A subscription.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Subscription)]
pub struct SubscriptionView {
    #[serde(rename = "$type")]
    pub type_name: &'static str,
    #[serde(rename = "$id")]
    pub id: SubscriptionId,
    #[schema(example = "Professional Plan")]
    pub name: String,
    /// Base price of a billing period.
    #[schema(example = "199.00")]
    pub price: String,
    pub price_currency: String,
    /// What everything is charged in.
    pub currency: String,
    #[schema(value_type = String, example = "month")]
    pub billing_period: BillingInterval,
    /// How many of the plan.
    pub quantity: u32,
    /// How many of each add-on, by its key.
    pub add_ons: BTreeMap<String, u32>,
    pub start_date: Timestamp,
    pub end_date: Option<Timestamp>,
    pub is_trial: bool,
    pub trial_end_date: Option<Timestamp>,
    pub plan: PlanView,
    pub plan_version: u32,
    pub payment_method: Option<String>,
    pub status: Status,
    pub auto_renew: bool,
    /// What the base price is charged for; the trial while on trial.
    pub current_period: PeriodView,
    /// What limits and metered charges go by: a month, also where the billing period is a year.
    pub usage_period: PeriodView,
    pub scheduled_change: Option<ScheduledChangeView>,
    pub cancellation: Option<CancellationView>,
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

/// A change, and what it bills.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SubscriptionChange)]
pub struct ChangeView {
    #[serde(rename = "$type")]
    pub type_name: &'static str,
    pub effective_at: Timestamp,
    pub from: ShapeView,
    pub to: ShapeView,
    /// What is billed at once; nothing for a change that waits.
    pub lines: Vec<LineView>,
    pub discounts: Vec<DiscountView>,
    pub taxes: Vec<TaxView>,
    /// The lines before discounts and taxes; below zero where more comes back than is charged.
    pub subtotal: MoneyView,
    /// With discounts and taxes, never below zero.
    pub total: MoneyView,
    /// What credit pays of the total.
    pub credit_applied: MoneyView,
    /// What is below zero, and becomes credit.
    pub credit_issued: MoneyView,
    pub total_payment_due: MoneyView,
    /// The invoice, of a change that billed something.
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
