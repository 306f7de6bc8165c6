//! The endpoints of onboarding.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::item::Item;
use super::{rules, store};
use crate::events::ItemKey;
use crate::http::reply::{Reply, change};
use crate::http::request::{Command, NameInPath};
use crate::identity::callers::actors::Authorized;
use crate::identity::permissions::needs;
use crate::kernel::error::Result;
use crate::kernel::ids::OrganizationId;
use crate::kernel::problem::Problem;
use crate::kernel::tenant::Tenant;
use crate::kernel::time::Timestamp;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ItemStatus {
    Pending,
    Completed,
}

/// What an item becomes. Only completing is possible.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ItemChange {
    pub status: ItemStatus,
}

/// schema.org's ListItem.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ListItem)]
pub struct ItemView {
    #[serde(rename = "$type")]
    pub type_name: &'static str,
    pub key: ItemKey,
    pub name: &'static str,
    pub position: u32,
    pub status: ItemStatus,
    pub completed_at: Option<Timestamp>,
}

/// The checklist (schema.org's ItemList).
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ItemList)]
pub struct ChecklistView {
    #[serde(rename = "$type")]
    pub type_name: &'static str,
    pub name: &'static str,
    pub organization: OrganizationId,
    pub item_list_element: Vec<ItemView>,
    /// Done items, from 0 to 1.
    #[schema(value_type = f64)]
    pub progress: serde_json::Number,
}

/// Read the onboarding checklist
#[utoipa::path(get, path = "/v1/onboarding", tag = "onboarding", operation_id = "getOnboarding",
    responses((status = 200, description = "The checklist", body = ChecklistView)))]
pub async fn get(caller: Authorized<needs::OnboardingRead>) -> Result<Reply> {
    Reply::ok(&view(&caller.tenant).await?)
}

/// Complete an item of the checklist
#[utoipa::path(put, path = "/v1/onboarding/items/{key}", tag = "onboarding", operation_id = "completeOnboardingItem", params(("key" = String, Path, description = "`createFirstProject`")),
    request_body = ItemChange, responses((status = 200, description = "The checklist", body = ChecklistView)))]
pub async fn put_item(
    caller: Authorized<needs::OnboardingWrite>,
    NameInPath(name): NameInPath,
    command: Command<ItemChange>,
) -> Result<Reply> {
    let key = ItemKey::read(&name).ok_or_else(|| Problem::not_found("checklist item"))?;
    let tenant = caller.tenant;
    change(&tenant, || async {
        let items = store::load(&tenant).await?;
        tenant.commit(decide(&items, key, command.body.status, &tenant)?, None).await?;
        Ok(Reply::no_content())
    })
    .await?;
    Reply::ok(&view(&tenant).await?)
}

fn decide(items: &[Item], key: ItemKey, status: ItemStatus, tenant: &Tenant) -> Result<crate::kernel::decision::Decision> {
    let is_done = items.iter().any(|item| item.key == key && item.completed_at.is_some());
    match status {
        ItemStatus::Completed => Ok(rules::complete(items, key, tenant.moment())),
        ItemStatus::Pending if is_done => Err(Problem::conflict("item_completed", "A completed item stays completed.").into()),
        ItemStatus::Pending => Ok(crate::kernel::decision::Decision::new()),
    }
}

async fn view(tenant: &Tenant) -> Result<ChecklistView> {
    let items = store::load(tenant).await?;
    Ok(ChecklistView {
        type_name: "ItemList",
        name: "Onboarding Checklist",
        organization: tenant.organization(),
        progress: rules::progress(rules::completed(&items), items.len()),
        item_list_element: items.into_iter().map(ItemView::from).collect(),
    })
}

impl From<Item> for ItemView {
    fn from(item: Item) -> Self {
        Self {
            type_name: "ListItem",
            key: item.key,
            name: item.key.name(),
            position: item.position,
            status: if item.completed_at.is_some() { ItemStatus::Completed } else { ItemStatus::Pending },
            completed_at: item.completed_at,
        }
    }
}
