//! The endpoints of permissions: which there are, and whether a member has one, and why.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::reply::Reply;
use crate::http::request::{Filter, NoParameters};
use crate::identity::callers::actors::{Caller, SelfOr};
use crate::identity::callers::identity::{Holder, Identity};
use crate::identity::permissions::standing::{Assignment, Standing};
use crate::identity::permissions::{Permission, needs};
use crate::identity::roles;
use crate::identity::teams;
use crate::identity::teams::actors::lacks;
use crate::identity::teams::team::Team;
use crate::kernel::error::Result;
use crate::kernel::ids::{PersonId, TeamId};
use crate::kernel::problem::Problem;

/// All permissions.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PermissionList {
    /// The names of the permissions.
    #[schema(example = json!(["usage.read", "usage.write"]))]
    pub data: Vec<&'static str>,
}

/// List permissions
///
/// All permissions. As scopes, `resource.*` (all permissions of a resource) and `*` (all permissions) are accepted, too.
#[utoipa::path(get, path = "/v1/permissions", operation_id = "listPermissions",
    responses((status = 200, description = "All permissions", body = PermissionList)))]
pub async fn permissions(_caller: Caller, _: Filter<NoParameters>) -> Result<Reply> {
    Reply::ok(&PermissionList { data: Permission::ALL.iter().map(|permission| permission.wire_name()).collect() })
}

/// The permission, team and person in question, as sent.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckQuery {
    permission: String,
    team: Option<String>,
    person: Option<String>,
}

/// Whether a member has a permission, and why.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PermissionCheck {
    /// Whether the member has the permission.
    #[schema(example = true)]
    pub allowed: bool,
    /// The permission in question.
    #[schema(example = "teams.write")]
    pub permission: &'static str,
    /// The member in question.
    pub person: PersonId,
    /// The team in question; `null` for organization-wide.
    pub team: Option<TeamId>,
    /// The role assignment that gives the permission; `null` if none does.
    pub reason: Option<PermissionReason>,
    /// What is missing; `null` if the member has the permission.
    pub missing: Option<MissingPermission>,
}

/// A role assignment that gives a permission.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PermissionReason {
    /// The key of the role.
    #[schema(example = "admin")]
    pub role: String,
    /// The scope of the role that includes the permission.
    #[schema(example = "teams.*")]
    pub scope: String,
    /// Where the role is assigned: `organization`, or the id of a team.
    #[schema(example = "organization")]
    pub assigned_on: String,
    /// The same if the assignment applies to the team in question from above; `null` if it is on that team itself.
    #[schema(example = "organization")]
    pub inherited_from: Option<String>,
}

/// A permission that is missing.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MissingPermission {
    /// The permission in question.
    #[schema(example = "teams.write")]
    pub permission: &'static str,
    /// Where the permission is missing, and how to grant it.
    #[schema(
        example = "No role of this person organization-wide includes teams.write. Assign a role that does; GET /v1/roles lists them."
    )]
    pub detail: String,
    /// Teams on which the member has the permission. None of them is above the team in question.
    pub held_on: Vec<TeamId>,
}

/// Check a permission
///
/// Tells whether a member has a permission, and which role assignment gives it or what is missing. Members may check themselves. Checking
/// another member needs `members.read`, organization-wide or on the team in question.
#[utoipa::path(
    get, path = "/v1/permissions/check", operation_id = "checkPermission",
    params(
        ("permission" = String, Query, description = "The permission, one of `GET /v1/permissions`"),
        ("team" = Option<String>, Query, description = "The team, `team_...`; organization-wide when absent"),
        ("person" = Option<String>, Query, description = "The member, `user_...`; the caller when absent")
    ),
    responses((status = 200, description = "Whether the member has the permission, and why", body = PermissionCheck))
)]
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
    let detail = "This permission does not exist. Send one that GET /v1/permissions lists.";
    found.ok_or_else(|| Problem::refused("permission", "unknown_permission", detail).into())
}

async fn team_of(caller: &Identity, id: &str) -> Result<Team> {
    let unknown = || Problem::not_found("team");
    Ok(teams::store::find(&caller.tenant, id.parse().map_err(|_| unknown())?).await?.ok_or_else(unknown)?)
}

/// The standing of the person in question, if the caller may read it.
async fn asked_about(caller: &Identity, person: Option<&str>, team: Option<&Team>) -> Result<Standing> {
    let own = if let Holder::Person(standing) = &caller.holder { Some(standing) } else { None };
    let Some(person) = person else {
        let detail = "The caller is a key or a client, not a person. Send the member to check: person=user_....";
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
    Ok(roles::store::standing(&caller.tenant, person.parse().map_err(|_| unknown())?).await?.ok_or_else(unknown)?)
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
        detail: format!("No role of this person {place} includes {name}. Assign a role that does; GET /v1/roles lists them."),
        held_on: holding.filter_map(|assignment| assignment.team.as_ref()).map(|(id, _)| *id).collect(),
    }
}
