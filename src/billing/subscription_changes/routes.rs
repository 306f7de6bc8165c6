//! The endpoints of the subscription.

use serde::Deserialize;
use utoipa::ToSchema;

pub use super::beginning::*;
pub use super::changes::*;
pub use super::endings::*;
pub use super::pauses::*;
pub use super::suspensions::*;
use super::wire::SubscriptionView;
use crate::billing::subscriptions::store;
use crate::billing::subscriptions::subscription::Subscription;
use crate::billing::subscriptions::waiting::{decided, following};
use crate::http::reply::{Reply, change};
use crate::http::request::Command;
use crate::identity::callers::actors::Authorized;
use crate::identity::permissions::needs;
use crate::kernel::decision::Decision;
use crate::kernel::error::Result;
use crate::kernel::json::given;
use crate::kernel::problem::Problem;

/// What may be changed without another bill: what is absent stays, `null` clears what may be absent (JSON merge patch, RFC 7396).
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SubscriptionSettings {
    /// Whether another billing period begins when this one ends; it expires otherwise.
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false)]
    pub auto_renew: Option<bool>,
    /// What pays, as your payment provider names it; null for none.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 200)]
    pub payment_method: Option<Option<String>>,
}

/// Longest name of a payment method.
const PAYMENT_METHOD_LENGTH_MAX: usize = 200;

/// Read the subscription
#[utoipa::path(get, path = "/v1/subscription", tag = "subscription", operation_id = "getSubscription",
    responses((status = 200, description = "The subscription", body = SubscriptionView)))]
pub async fn get(caller: Authorized<needs::SubscriptionRead>) -> Result<Reply> {
    let subscription = store::require(&caller.tenant).await?;
    Reply::ok(&SubscriptionView::load(caller.tenant.app(), subscription).await?)
}

/// Set how the subscription is renewed and paid
#[utoipa::path(patch, path = "/v1/subscription", tag = "subscription", operation_id = "updateSubscription", request_body = SubscriptionSettings,
    responses((status = 200, description = "The subscription", body = SubscriptionView)))]
pub async fn update(caller: Authorized<needs::SubscriptionWrite>, command: Command<SubscriptionSettings>) -> Result<Reply> {
    let tenant = &caller.tenant;
    change(tenant, || async {
        let subscription = store::require(tenant).await?;
        let (next, decision) = set(&subscription, &command.body)?;
        tenant.commit(decision, None).await?;
        Reply::ok(&SubscriptionView::load(tenant.app(), next).await?)
    })
    .await
}

fn set(subscription: &Subscription, wanted: &SubscriptionSettings) -> Result<(Subscription, Decision)> {
    if subscription.ended_at.is_some() {
        let detail = "The subscription is over. Begin another one with POST /v1/subscription.";
        return Err(Problem::conflict("subscription_ended", detail).into());
    }
    let payment_method = wanted.payment_method.clone().unwrap_or_else(|| subscription.payment_method.clone());
    if payment_method.as_ref().is_some_and(|name| name.trim().is_empty() || name.chars().count() > PAYMENT_METHOD_LENGTH_MAX) {
        return Err(Problem::invalid("/paymentMethod", "invalid_value", "Send 1 to 200 characters, or null for none.").into());
    }
    let auto_renew = wanted.auto_renew.unwrap_or(subscription.auto_renew);
    if (auto_renew, &payment_method) == (subscription.auto_renew, &subscription.payment_method) {
        return Ok((subscription.clone(), Decision::new()));
    }
    let next = Subscription { auto_renew, payment_method, ..following(subscription) };
    let shown = |of: &Subscription| Some(serde_json::json!({"autoRenew": of.auto_renew, "paymentMethod": of.payment_method}));
    let decision = decided(subscription, &next).audit("subscription.updated", next.id.to_string(), shown(subscription), shown(&next));
    Ok((next, decision))
}
