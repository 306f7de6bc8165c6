//! The endpoints of permissions: which there are, and whether a member has one, and why.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::reply::Reply;
use crate::http::request::Filter;
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

/// The permissions there are.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PermissionList {
    pub data: Vec<&'static str>,
}

/// List the permissions
#[utoipa::path(get, path = "/v1/permissions", tag = "access", operation_id = "listPermissions",
    responses((status = 200, description = "All permissions; `resource.*` and `*` may be used as scopes too", body = PermissionList)))]
pub async fn permissions(_caller: Caller) -> Result<Reply> {
    Reply::ok(&PermissionList { data: Permission::ALL.iter().map(|permission| permission.wire_name()).collect() })
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
        detail: format!("No role that this person holds {place} includes {name}. Give them one that does; GET /v1/roles lists them."),
        held_on: holding.filter_map(|assignment| assignment.team.as_ref()).map(|(id, _)| *id).collect(),
    }
}
