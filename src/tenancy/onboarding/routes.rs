//! The endpoints of onboarding.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::item::Item;
use super::{rules, store};
use crate::events::ItemKey;
use crate::http::reply::{Reply, change};
use crate::http::request::{Command, Filter, NameInPath, NoParameters};
use crate::identity::callers::actors::Authorized;
use crate::identity::permissions::needs;
use crate::kernel::error::Result;
use crate::kernel::ids::OrganizationId;
use crate::kernel::problem::Problem;
use crate::kernel::tenant::Tenant;
use crate::kernel::time::Timestamp;

/// The status of an item of the checklist.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(example = "completed")]
pub enum ItemStatus {
    Pending,
    Completed,
}

/// A change of an item of the checklist.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ItemChange {
    /// The new status. An item can be completed; a completed item stays completed.
    #[schema(example = "completed")]
    pub status: ItemStatus,
}

/// An item of the onboarding checklist (schema.org's ListItem).
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ListItem)]
pub struct ItemView {
    /// The type of the resource.
    #[serde(rename = "$type")]
    #[schema(example = "ListItem")]
    pub type_name: &'static str,
    /// The key of the item.
    pub key: ItemKey,
    /// The title of the item, in English.
    #[schema(example = "Verify email")]
    pub name: &'static str,
    /// The position in the checklist, from 1.
    #[schema(example = 1)]
    pub position: u32,
    /// Whether the item is completed.
    pub status: ItemStatus,
    /// The time at which the item was completed.
    pub completed_at: Option<Timestamp>,
}

/// The onboarding checklist (schema.org's ItemList).
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ItemList)]
pub struct ChecklistView {
    /// The type of the resource.
    #[serde(rename = "$type")]
    #[schema(example = "ItemList")]
    pub type_name: &'static str,
    /// The title of the checklist, in English.
    #[schema(example = "Onboarding Checklist")]
    pub name: &'static str,
    /// The organization whose checklist this is.
    pub organization: OrganizationId,
    /// The items, in order.
    pub item_list_element: Vec<ItemView>,
    /// The completed items in percent of all, from 0 to 100.
    #[schema(example = 40, maximum = 100)]
    pub progress: u8,
}

/// Get the onboarding checklist
///
/// Items are completed by facts, such as the first project; `PUT /v1/onboarding/items/{key}` completes one explicitly.
#[utoipa::path(get, path = "/v1/onboarding", operation_id = "getOnboarding",
    responses((status = 200, description = "The checklist", body = ChecklistView)))]
pub async fn get(caller: Authorized<needs::OnboardingRead>, _: Filter<NoParameters>) -> Result<Reply> {
    Reply::ok(&view(&caller.tenant).await?)
}

/// Update an onboarding item
///
/// Completes one item. When the last one is completed, the organization's status becomes `onboarded` and a mail is sent.
#[utoipa::path(put, path = "/v1/onboarding/items/{key}", operation_id = "completeOnboardingItem",
    params(("key" = String, Path, description = "The key of the item, such as `createFirstProject`")),
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
        ItemStatus::Pending if is_done => {
            Err(Problem::conflict("item_completed", "The item is completed, and a completed item stays completed. Leave it as it is.")
                .into())
        }
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
