//! The endpoints of roles, and the answer to who may do what, and why.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::role::{Assignment, Role, Standing};
use super::rules::{Definition, Redefinition};
use super::{rules, store};
use crate::http::reply::{Reply, change, once};
use crate::http::request::{Command, Filter, IdInPath};
use crate::identity::callers::actors::{Authorized, Holder, Identity, SelfOr};
use crate::identity::callers::permissions::{Permission, needs};
use crate::identity::callers::team_actors::lacks;
use crate::identity::teams;
use crate::identity::teams::team::Team;
use crate::kernel::error::Result;
use crate::kernel::ids::{PersonId, RoleId, TeamId};
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

/// A question: may that person do that there?
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckQuery {
    permission: String,
    team: Option<String>,
    person: Option<String>,
}

/// Whether somebody may do something, and why.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PermissionCheck {
    pub allowed: bool,
    pub permission: &'static str,
    pub person: PersonId,
    /// `null`: organization-wide.
    pub team: Option<TeamId>,
    /// The assignment because of which they may.
    pub reason: Option<PermissionReason>,
    /// What they lack, when they may not.
    pub missing: Option<MissingPermission>,
}

/// An assignment that permits something.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PermissionReason {
    /// The key of the role.
    pub role: String,
    /// Which of its permissions includes the one in question.
    pub scope: String,
    /// Where they hold the role: `organization`, or a team.
    pub assigned_on: String,
    /// The same when it reaches the team in question from above; `null` when they hold it there.
    pub inherited_from: Option<String>,
}

/// What somebody lacks.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MissingPermission {
    pub permission: &'static str,
    pub detail: String,
    /// Teams on which they do hold it: none of them is above the team in question.
    pub held_on: Vec<TeamId>,
}

/// Check a permission
///
/// Everybody may ask about themselves; to ask about others needs `members.read`, organization-wide or on the team in question.
#[utoipa::path(get, path = "/v1/permissions/check", tag = "roles", operation_id = "checkPermission",
    params(("permission" = String, Query, description = "One of `GET /v1/permissions`"), ("team" = Option<String>, Query, description = "`team_...`; organization-wide when absent"),
        ("person" = Option<String>, Query, description = "`user_...`; the caller when absent")),
    responses((status = 200, description = "The answer, and its reason", body = PermissionCheck)))]
pub async fn check(caller: SelfOr<needs::MembersRead>, Filter(query): Filter<CheckQuery>) -> Result<Reply> {
    if let (Holder::Scopes(_), false) = (&caller.holder, caller.holder.may(Permission::MembersRead, None)) {
        return Err(lacks(Permission::MembersRead, None).into());
    }
    let permission = permission(&query.permission)?;
    let team = match &query.team {
        None => None,
        Some(id) => Some(team_of(&caller, id).await?),
    };
    let standing = asked_about(&caller, query.person.as_deref(), team.as_ref()).await?;
    Reply::ok(&answer(permission, &standing, team.as_ref()))
}

fn permission(name: &str) -> Result<Permission> {
    let found = Permission::ALL.iter().copied().find(|permission| permission.wire_name() == name);
    let detail = "Send one permission; GET /v1/permissions lists them.";
    found.ok_or_else(|| Problem::refused("permission", "unknown_permission", detail).into())
}

async fn team_of(caller: &Identity, id: &str) -> Result<Team> {
    let unknown = || Problem::not_found("team");
    Ok(teams::store::find(&caller.tenant, id.parse().map_err(|_| unknown())?).await?.ok_or_else(unknown)?)
}

/// All roles of the person in question, if the caller may know.
async fn asked_about(caller: &Identity, person: Option<&str>, team: Option<&Team>) -> Result<Standing> {
    let own = if let Holder::Person(standing) = &caller.holder { Some(standing) } else { None };
    let Some(person) = person else {
        let detail = "A key is no person. Name one: person=user_....";
        return own.cloned().ok_or_else(|| Problem::refused("person", "person_required", detail).into());
    };
    if let Some(own) = own.filter(|own| own.person.to_string() == person) {
        return Ok(own.clone());
    }
    let on = team.map(|team| &team.path);
    if !caller.holder.may(Permission::MembersRead, on) {
        return Err(lacks(Permission::MembersRead, on).into());
    }
    let unknown = || Problem::not_found("member");
    Ok(store::standing(&caller.tenant, person.parse().map_err(|_| unknown())?).await?.ok_or_else(unknown)?)
}

fn answer(permission: Permission, standing: &Standing, team: Option<&Team>) -> PermissionCheck {
    let reason = standing.reason(permission, team.map(|team| &team.path)).map(|assignment| reason(permission, assignment, team));
    let missing = if reason.is_none() { Some(missing(permission, standing, team)) } else { None };
    PermissionCheck {
        allowed: reason.is_some(),
        permission: permission.wire_name(),
        person: standing.person,
        team: team.map(|team| team.id),
        reason,
        missing,
    }
}

fn reason(permission: Permission, assignment: &Assignment, team: Option<&Team>) -> PermissionReason {
    let held_on = assignment.team.as_ref().map(|(id, _)| *id);
    let assigned_on = held_on.map_or_else(|| "organization".to_owned(), |id| id.to_string());
    let is_inherited = held_on != team.map(|team| team.id);
    PermissionReason {
        role: assignment.role.clone(),
        scope: assignment.scope_for(permission).cloned().unwrap_or_default(),
        inherited_from: is_inherited.then(|| assigned_on.clone()),
        assigned_on,
    }
}

fn missing(permission: Permission, standing: &Standing, team: Option<&Team>) -> MissingPermission {
    let name = permission.wire_name();
    let place =
        team.map_or_else(|| "organization-wide".to_owned(), |team| format!("on {}, on a team above it or organization-wide", team.id));
    let holding = standing.assignments.iter().filter(|assignment| assignment.scope_for(permission).is_some());
    MissingPermission {
        permission: name,
        detail: format!("No role that this person holds {place} includes {name}. Give them one that does; GET /v1/roles lists them."),
        held_on: holding.filter_map(|assignment| assignment.team.as_ref()).map(|(id, _)| *id).collect(),
    }
}
