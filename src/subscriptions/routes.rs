//! The endpoints of the subscription.

use serde::Serialize;
use utoipa::ToSchema;

use super::rules::{Period, Shape, Status, Subscription};
use super::store;
use crate::access::permissions::needs;
use crate::catalog;
use crate::catalog::routes::PlanView;
use crate::catalog::rules::Plan;
use crate::http::actors::Authorized;
use crate::http::reply::Reply;
use crate::kernel::error::Result;
use crate::kernel::ids::SubscriptionId;
use crate::kernel::ports::App;
use crate::kernel::time::Timestamp;

/// A stretch of time; `end` is not part of it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Period)]
pub struct PeriodView {
    #[schema(value_type = String, format = DateTime)]
    pub start: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    pub end: Timestamp,
}

impl From<Period> for PeriodView {
    fn from(period: Period) -> Self {
        Self { start: period.starts_at, end: period.ends_at }
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
    #[schema(value_type = String)]
    pub id: SubscriptionId,
    #[schema(example = "Professional Plan")]
    pub name: String,
    /// Base price of a billing period.
    #[schema(example = "199.00")]
    pub price: String,
    pub price_currency: String,
    #[schema(value_type = String, example = "month")]
    pub billing_period: rating::BillingInterval,
    /// How many of the plan.
    pub quantity: u32,
    #[schema(value_type = String, format = DateTime)]
    pub start_date: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub end_date: Option<Timestamp>,
    pub is_trial: bool,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub trial_end_date: Option<Timestamp>,
    pub plan: PlanView,
    pub payment_method: Option<String>,
    pub status: Status,
    pub auto_renew: bool,
    pub current_period: PeriodView,
}

impl SubscriptionView {
    pub async fn load(app: &App, subscription: Subscription) -> Result<Self> {
        let plan = catalog::store::pinned(app, &subscription.shape.plan, subscription.shape.plan_version).await?;
        Self::new(subscription, &plan)
    }

    pub fn new(subscription: Subscription, plan: &Plan) -> Result<Self> {
        let Shape { interval, quantity, .. } = subscription.shape;
        let (currency, is_trial, current_period) = (subscription.currency, subscription.is_trial(), subscription.current_billing_period()?);
        Ok(Self {
            type_name: "Subscription",
            id: subscription.id,
            name: format!("{} Plan", plan.name),
            price: plan.base_price(currency, interval, quantity)?.to_decimal_string(),
            price_currency: currency.code().to_owned(),
            billing_period: interval,
            quantity,
            start_date: subscription.started_at,
            end_date: subscription.ended_at,
            is_trial,
            trial_end_date: subscription.trial_ends_at,
            plan: PlanView::sold(plan, currency, interval)?,
            payment_method: subscription.payment_method,
            status: subscription.status,
            auto_renew: subscription.auto_renew,
            current_period: current_period.into(),
        })
    }
}

/// Read the subscription
#[utoipa::path(get, path = "/v1/subscription", tag = "subscription", operation_id = "getSubscription",
    responses((status = 200, description = "The subscription", body = SubscriptionView)), security(("organizationKey" = ["subscription.read"]), ("platformKey" = [])))]
pub async fn get(caller: Authorized<needs::SubscriptionRead>) -> Result<Reply> {
    let subscription = store::require(&caller.tenant).await?;
    Reply::ok(&SubscriptionView::load(caller.tenant.app(), subscription).await?)
}
