//! The endpoints of roles.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::role::Role;
use super::rules::{Definition, Redefinition};
use super::{rules, store};
use crate::http::reply::{Reply, change, once};
use crate::http::request::{Command, Filter, IdInPath};
use crate::identity::callers::actors::Authorized;
use crate::identity::permissions::needs;
use crate::kernel::error::Result;
use crate::kernel::ids::RoleId;
use crate::kernel::json::given;
use crate::kernel::page;
use crate::kernel::page::{Page, PageQuery, Start};
use crate::kernel::problem::Problem;
use crate::kernel::tenant::Tenant;
use crate::kernel::time::Timestamp;

/// A role to be defined.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewRole {
    /// What assignments name it by. It never changes.
    #[schema(example = "release-manager", pattern = "^[a-zA-Z][a-zA-Z0-9_-]{0,63}$")]
    pub key: String,
    #[schema(example = "Release manager", min_length = 1, max_length = 200)]
    pub name: String,
    #[schema(max_length = 2000)]
    pub description: Option<String>,
    /// See `GET /v1/permissions`. The caller must hold all of it.
    #[schema(example = json!(["usage.read", "teams.*"]), min_items = 1, max_items = 50)]
    pub permissions: Vec<String>,
}

/// Changes: what is absent stays, `null` clears what may be absent (JSON merge patch, RFC 7396).
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RoleChanges {
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false, min_length = 1, max_length = 200)]
    pub name: Option<String>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, max_length = 2000)]
    pub description: Option<Option<String>>,
    /// All of them; the caller must hold those that are added.
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false, min_items = 1, max_items = 50)]
    pub permissions: Option<Vec<String>>,
}

/// A role.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Role)]
pub struct RoleView {
    #[serde(rename = "$type")]
    pub type_name: &'static str,
    #[serde(rename = "$id")]
    pub id: RoleId,
    pub key: String,
    pub name: String,
    pub description: Option<String>,
    pub permissions: Vec<String>,
    /// Whether every organization has it; then it can't be changed.
    pub built_in: bool,
    /// `null` when built in.
    pub created_at: Option<Timestamp>,
}

impl From<Role> for RoleView {
    fn from(role: Role) -> Self {
        Self {
            type_name: "Role",
            id: role.id,
            built_in: role.is_built_in(),
            key: role.key,
            name: role.name,
            description: role.description,
            permissions: role.permissions,
            created_at: role.created_at,
        }
    }
}

/// List the roles
///
/// The organization's own, newest first, then the built-in ones.
#[utoipa::path(get, path = "/v1/roles", tag = "roles", operation_id = "listRoles",
    params(PageQuery),
    responses((status = 200, description = "Own ones newest first, then the built-in ones", body = Page<RoleView>)))]
pub async fn list(caller: Authorized<needs::RolesRead>, Filter(query): Filter<PageQuery>) -> Result<Reply> {
    // All roles are few, and the built-in ones are in no table.
    let roles = store::all(&caller.tenant).await?.0;
    let find = async |id: RoleId| Ok(roles.iter().position(|role| role.id == id));
    let list = async |from: Start<usize>| Ok(from.of(&roles));
    Reply::ok(&page::list(&query, find, list, |role: &Role| role.id, RoleView::from).await?)
}

/// Define a role
#[utoipa::path(post, path = "/v1/roles", tag = "roles", operation_id = "createRole", request_body = NewRole,
    responses((status = 201, description = "The role", body = RoleView)))]
pub async fn create(caller: Authorized<needs::RolesWrite>, command: Command<NewRole>) -> Result<Reply> {
    let (tenant, claim) = (&caller.tenant, command.claim.as_ref());
    let NewRole { key, name, description, permissions } = command.body;
    let wanted = Definition { key, name, description, permissions };
    once(tenant, claim, || async {
        let (role, decision) = rules::define(&wanted, &store::all(tenant).await?, tenant.moment())?;
        caller.may_grant(&role.permissions)?;
        let reply = Reply::created(&RoleView::from(role))?;
        tenant.commit(decision, reply.stored(claim).as_ref()).await?;
        Ok(reply)
    })
    .await
}

/// Get a role
#[utoipa::path(get, path = "/v1/roles/{id}", tag = "roles", operation_id = "getRole", params(("id" = String, Path, description = "`role_...`")),
    responses((status = 200, description = "The role", body = RoleView)))]
pub async fn get(caller: Authorized<needs::RolesRead>, IdInPath(id): IdInPath<RoleId>) -> Result<Reply> {
    Reply::ok(&RoleView::from(find(&caller.tenant, id).await?))
}

async fn find(tenant: &Tenant, id: RoleId) -> Result<Role> {
    store::all(tenant).await?.with_id(id).cloned().ok_or_else(|| Problem::not_found("role").into())
}

/// Change a role
///
/// It means the new thing from the next request on, for everybody who holds it.
#[utoipa::path(patch, path = "/v1/roles/{id}", tag = "roles", operation_id = "updateRole", params(("id" = String, Path, description = "`role_...`")), request_body = RoleChanges,
    responses((status = 200, description = "The role", body = RoleView)))]
pub async fn update(caller: Authorized<needs::RolesWrite>, IdInPath(id): IdInPath<RoleId>, command: Command<RoleChanges>) -> Result<Reply> {
    let tenant = &caller.tenant;
    let RoleChanges { name, description, permissions } = command.body;
    let wanted = Redefinition { name, description, permissions };
    change(tenant, || async {
        let role = find(tenant, id).await?;
        let (next, decision) = rules::redefine(&role, &wanted)?;
        caller.may_grant(&role.added(&next.permissions))?;
        tenant.commit(decision, None).await?;
        Reply::ok(&RoleView::from(next))
    })
    .await
}

/// Delete a role
///
/// Only one that nobody holds, and that no pending invitation and no team's settings name.
#[utoipa::path(delete, path = "/v1/roles/{id}", tag = "roles", operation_id = "deleteRole", params(("id" = String, Path, description = "`role_...`")),
    responses((status = 204, description = "Deleted")))]
pub async fn delete(caller: Authorized<needs::RolesWrite>, IdInPath(id): IdInPath<RoleId>) -> Result<Reply> {
    let tenant = &caller.tenant;
    change(tenant, || async {
        let role = find(tenant, id).await?;
        tenant.commit(rules::delete(&role, store::uses(tenant, &role.key).await?)?, None).await?;
        Ok(Reply::no_content())
    })
    .await
}
