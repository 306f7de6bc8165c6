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
use crate::http::request::Command;
use crate::identity::callers::actors::Authorized;
use crate::identity::callers::permissions::needs;
use crate::kernel::error::Result;

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
