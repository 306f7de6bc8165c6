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

/// A role to create.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewRole {
    /// The key that assignments name. It never changes.
    #[schema(example = "release-manager", pattern = "^[a-zA-Z][a-zA-Z0-9_-]{0,63}$")]
    pub key: String,
    /// The name of the role.
    #[schema(example = "Release manager", min_length = 1, max_length = 200)]
    pub name: String,
    /// What the role is for.
    #[schema(example = "Plans and ships releases", max_length = 2000)]
    pub description: Option<String>,
    /// The permissions of the role; see `GET /v1/permissions`. The caller must hold all of them.
    #[schema(example = json!(["usage.read", "teams.*"]), min_items = 1, max_items = 50)]
    pub permissions: Vec<String>,
}

/// Changes: what is absent stays, `null` clears what may be absent (JSON merge patch, RFC 7396).
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RoleChanges {
    /// The name of the role.
    #[serde(default, deserialize_with = "given")]
    #[schema(example = "Release manager", nullable = false, min_length = 1, max_length = 200)]
    pub name: Option<String>,
    /// What the role is for; `null` removes it.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, example = "Plans and ships releases", max_length = 2000)]
    pub description: Option<Option<String>>,
    /// All permissions of the role. The caller must hold those that are added.
    #[serde(default, deserialize_with = "given")]
    #[schema(example = json!(["usage.read", "teams.*"]), nullable = false, min_items = 1, max_items = 50)]
    pub permissions: Option<Vec<String>>,
}

/// A role.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Role)]
pub struct RoleView {
    /// The type of the resource: `Role`.
    #[serde(rename = "$type")]
    #[schema(example = "Role")]
    pub type_name: &'static str,
    /// The id.
    #[serde(rename = "$id")]
    pub id: RoleId,
    /// The key that assignments name.
    #[schema(example = "release-manager")]
    pub key: String,
    /// The name of the role.
    #[schema(example = "Release manager")]
    pub name: String,
    /// What the role is for.
    #[schema(example = "Plans and ships releases")]
    pub description: Option<String>,
    /// The permissions of the role.
    #[schema(example = json!(["usage.read", "teams.*"]))]
    pub permissions: Vec<String>,
    /// Whether the role is built in: every organization has it, and it cannot be changed.
    #[schema(example = false)]
    pub built_in: bool,
    /// When the role was created; `null` for a built-in role.
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

/// List roles
///
/// The organization's own roles, newest first, then the built-in roles.
#[utoipa::path(get, path = "/v1/roles", operation_id = "listRoles",
    params(PageQuery),
    responses((status = 200, description = "The organization's own roles, newest first, then the built-in roles", body = Page<RoleView>)))]
pub async fn list(caller: Authorized<needs::RolesRead>, Filter(query): Filter<PageQuery>) -> Result<Reply> {
    // All roles are few, and the built-in ones are in no table.
    let roles = store::all(&caller.tenant).await?.0;
    let find = async |id: RoleId| Ok(roles.iter().position(|role| role.id == id));
    let list = async |from: Start<usize>| Ok(from.of(&roles));
    Reply::ok(&page::list(&query, find, list, |role: &Role| role.id, RoleView::from).await?)
}

/// Create a role
///
/// Defines a role of the organization. The caller must hold all permissions of the role. An organization has at most 100 roles of its own.
#[utoipa::path(post, path = "/v1/roles", operation_id = "createRole", request_body = NewRole,
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
///
/// A role of the organization or a built-in role.
#[utoipa::path(
    get, path = "/v1/roles/{id}", operation_id = "getRole",
    params(("id" = String, Path, description = "The id of the role: `role_...`")),
    responses((status = 200, description = "The role", body = RoleView))
)]
pub async fn get(caller: Authorized<needs::RolesRead>, IdInPath(id): IdInPath<RoleId>) -> Result<Reply> {
    Reply::ok(&RoleView::from(find(&caller.tenant, id).await?))
}

async fn find(tenant: &Tenant, id: RoleId) -> Result<Role> {
    store::all(tenant).await?.with_id(id).cloned().ok_or_else(|| Problem::not_found("role").into())
}

/// Update a role
///
/// A JSON merge patch (RFC 7396). The change applies to everyone who holds the role, from the next request on. The caller must hold the
/// permissions that are added. Returns 409 `built_in_role` for a built-in role.
#[utoipa::path(
    patch, path = "/v1/roles/{id}", operation_id = "updateRole",
    params(("id" = String, Path, description = "The id of the role: `role_...`")), request_body = RoleChanges,
    responses((status = 200, description = "The role", body = RoleView))
)]
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
/// Returns 409 `role_in_use` if a member holds the role, or a pending invitation or the settings of a team name it.
#[utoipa::path(
    delete, path = "/v1/roles/{id}", operation_id = "deleteRole",
    params(("id" = String, Path, description = "The id of the role: `role_...`")), responses((status = 204, description = "Deleted"))
)]
pub async fn delete(caller: Authorized<needs::RolesWrite>, IdInPath(id): IdInPath<RoleId>) -> Result<Reply> {
    let tenant = &caller.tenant;
    change(tenant, || async {
        let role = find(tenant, id).await?;
        tenant.commit(rules::delete(&role, store::uses(tenant, &role.key).await?)?, None).await?;
        Ok(Reply::no_content())
    })
    .await
}
