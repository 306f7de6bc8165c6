//! The endpoints of the subscription.

pub use super::beginning::*;
pub use super::changes::*;
pub use super::endings::*;
pub use super::pauses::*;
use super::requests::SubscriptionSettings;
use super::rules::set;
pub use super::suspensions::*;
use super::views::SubscriptionView;
use crate::billing::subscriptions::store;
use crate::http::reply::{Reply, change};
use crate::http::request::{Command, Filter, NoParameters};
use crate::identity::callers::actors::Authorized;
use crate::identity::permissions::needs;
use crate::kernel::error::Result;

/// Get the subscription
///
/// The current subscription, or the last one after it ended.
#[utoipa::path(get, path = "/v1/subscription", operation_id = "getSubscription",
    responses((status = 200, description = "The subscription", body = SubscriptionView)))]
pub async fn get(caller: Authorized<needs::SubscriptionRead>, _: Filter<NoParameters>) -> Result<Reply> {
    let subscription = store::require(&caller.tenant).await?;
    Reply::ok(&SubscriptionView::load(caller.tenant.app(), subscription).await?)
}

/// Update the subscription
///
/// Changes the renewal and the payment method; no amount changes. For another plan, quantity or add-on, change the subscription.
#[utoipa::path(patch, path = "/v1/subscription", operation_id = "updateSubscription",
    request_body = SubscriptionSettings,
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
