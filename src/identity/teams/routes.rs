//! The endpoints of teams and of their members.

use serde::Deserialize;

use super::actors::{OnTeam, OnTeams};
use super::rules::Move;
use super::store::Shown;
use super::team::{Contents, Team, TeamMember};
use super::wire::{NewTeam, NewTeamRole, TeamChanges, TeamMemberView, TeamView};
use super::{member_store, rules, store};
use crate::http::reply::{Reply, change, once};
use crate::http::request::{Command, Filter, IdsInPath};
use crate::identity::permissions::{Need, needs};
use crate::identity::roles::role::{Role, Roles};
use crate::identity::{members, roles};
use crate::kernel::error::{Error, Result};
use crate::kernel::ids::{PersonId, TeamId};
use crate::kernel::page;
use crate::kernel::page::{Page, PageQuery, Start};
use crate::kernel::problem::Problem;
use crate::kernel::tenant::Tenant;

/// A filter by name is no longer than a name.
const SEARCH_LENGTH_MAX: usize = 200;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TeamsQuery {
    limit: Option<String>,
    cursor: Option<String>,
    parent_team: Option<String>,
    q: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeleteQuery {
    reassign_to: Option<String>,
}

/// List teams
///
/// Callers without an organization-wide `teams.read` get only the teams on which they have it, and the teams below those. Newest first.
#[utoipa::path(
    get, path = "/v1/teams", operation_id = "listTeams",
    params(
        PageQuery, ("parentTeam" = Option<String>, Query, description = "Only child teams of `team_...`; `none` for top-level teams"),
        ("q" = Option<String>, Query, description = "Only teams whose name begins with this text, ignoring case")
    ),
    responses((status = 200, description = "Newest first", body = Page<TeamView>))
)]
pub async fn list(caller: OnTeams<needs::TeamsRead>, Filter(query): Filter<TeamsQuery>) -> Result<Reply> {
    let tenant = caller.tenant();
    let shown = Shown { parent: below(&query)?, name: search(&query)?, reach: caller.reach() };
    let find = async |id| store::find(tenant, id).await;
    let list = async |from: Start<_>| store::list(tenant, &shown, &from.before, from.fetch).await;
    let view = |team| TeamView::new(team, tenant.organization());
    let query = PageQuery { limit: query.limit, cursor: query.cursor };
    Reply::ok(&page::list(&query, find, list, |team: &Team| team.id, view).await?)
}

/// The filter `parentTeam` of a list. A team that does not exist has no child teams.
fn below(query: &TeamsQuery) -> Result<Option<Option<TeamId>>> {
    match query.parent_team.as_deref() {
        None => Ok(None),
        Some("none") => Ok(Some(None)),
        Some(id) => {
            let detail = "This is not the id of a team. Send the id of a team (team_...), or none for top-level teams.";
            let id = id.parse().map_err(|_| Problem::invalid("parentTeam", "invalid_value", detail))?;
            Ok(Some(Some(id)))
        }
    }
}

fn search(query: &TeamsQuery) -> Result<String> {
    let text = query.q.as_deref().unwrap_or_default();
    if text.chars().count() > SEARCH_LENGTH_MAX {
        return Err(
            Problem::invalid("q", "invalid_value", format!("The text is too long. Send at most {SEARCH_LENGTH_MAX} characters.")).into()
        );
    }
    Ok(text.to_lowercase())
}

/// Create a team
///
/// Needs `teams.write` on the parent team, or organization-wide for a top-level team. Teams are nested at most 8 levels deep; an
/// organization has at most 1,000 teams.
#[utoipa::path(post, path = "/v1/teams", operation_id = "createTeam", request_body = NewTeam,
    responses((status = 201, description = "The team", body = TeamView)))]
pub async fn create(caller: OnTeams<needs::TeamsWrite>, command: Command<NewTeam>) -> Result<Reply> {
    let (tenant, body, claim) = (caller.tenant(), &command.body, command.claim.as_ref());
    once(tenant, claim, || async {
        let parent = named(&caller, body.parent_team, "/parentTeam").await?;
        let (count, roles) = (store::count(tenant).await?, roles::store::all(tenant).await?);
        let (team, decision) = rules::create(&body.wanted(), parent.as_ref(), count, &roles, tenant.moment())?;
        let reply = Reply::created(&TeamView::new(team, tenant.organization()))?;
        tenant.commit(decision, reply.stored(claim).as_ref()).await?;
        Ok(reply)
    })
    .await
}

/// Get a team
///
/// The team with its path and settings.
#[utoipa::path(
    get, path = "/v1/teams/{id}", operation_id = "getTeam",
    params(("id" = String, Path, description = "The id of the team: `team_...`")),
    responses((status = 200, description = "The team", body = TeamView))
)]
pub async fn get(caller: OnTeam<needs::TeamsRead>) -> Result<Reply> {
    let organization = caller.tenant().organization();
    Reply::ok(&TeamView::new(caller.team, organization))
}

/// Update a team
///
/// A JSON merge patch (RFC 7396). A new `parentTeam` moves the team with all teams below it. Moving needs `teams.write` on the old and the
/// new parent, or organization-wide where that is the top level. Members with a role on the new parents get it on the team, too, so the
/// caller must hold what these roles permit.
#[utoipa::path(
    patch, path = "/v1/teams/{id}", operation_id = "updateTeam",
    params(("id" = String, Path, description = "The id of the team: `team_...`")), request_body = TeamChanges,
    responses((status = 200, description = "The team", body = TeamView))
)]
pub async fn update(caller: OnTeam<needs::TeamsWrite>, command: Command<TeamChanges>) -> Result<Reply> {
    let (tenant, body) = (caller.tenant(), &command.body);
    change(tenant, || async {
        let team = caller.fresh().await?;
        let roles = roles::store::all(tenant).await?;
        let parent = match body.parent_team.filter(|parent| *parent != team.parent) {
            None => None,
            Some(parent) => Some(new_parent(&caller.somewhere, &team, parent, &roles).await?),
        };
        let deepest = if parent.is_some() { store::contents(tenant, &team).await?.deepest } else { team.depth };
        let moved = parent.as_ref().map(|to| Move { to: to.as_ref(), deepest });
        let (team, decision) = rules::update(&team, &body.wanted(), moved.as_ref(), &roles)?;
        tenant.commit(decision, None).await?;
        Reply::ok(&TeamView::new(team, tenant.organization()))
    })
    .await
}

/// Delete a team
///
/// Returns 409 `team_not_empty` if the team has child teams, members or pending invitations, unless `reassignTo` names the team that takes
/// them over. A member of both teams keeps the role on that team.
#[utoipa::path(
    delete, path = "/v1/teams/{id}", operation_id = "deleteTeam",
    params(
        ("id" = String, Path, description = "The id of the team: `team_...`"),
        ("reassignTo" = Option<String>, Query, description = "The team that takes over children, members and invitations: `team_...`")
    ),
    responses((status = 204, description = "Deleted"))
)]
pub async fn delete(caller: OnTeam<needs::TeamsWrite>, Filter(query): Filter<DeleteQuery>) -> Result<Reply> {
    let tenant = caller.tenant();
    change(tenant, || async {
        let team = caller.fresh().await?;
        let contents = store::contents(tenant, &team).await?;
        let target = heir(&caller.somewhere, &team, &contents, query.reassign_to.as_deref()).await?;
        tenant.commit(rules::delete(&team, &contents, target.as_ref())?, None).await?;
        Ok(Reply::no_content())
    })
    .await
}

/// List the members of a team
///
/// Members with a role on this team itself, the latest to be added first. Roles on the teams above apply to this team, too; they are
/// listed there.
#[utoipa::path(get, path = "/v1/teams/{id}/members", operation_id = "listTeamMembers",
    params(("id" = String, Path, description = "The id of the team: `team_...`"), PageQuery),
    responses((status = 200, description = "The latest to be added first", body = Page<TeamMemberView>)))]
pub async fn list_members(caller: OnTeam<needs::TeamsRead>, Filter(query): Filter<PageQuery>) -> Result<Reply> {
    let (tenant, team) = (caller.tenant(), caller.team.id);
    let find = async |person| member_store::find_member(tenant, team, person).await;
    let list = async |from: Start<TeamMember>| member_store::list_members(tenant, team, from.found.as_ref(), from.fetch).await;
    Reply::ok(&page::list(&query, find, list, |member| member.person, TeamMemberView::from).await?)
}

/// Set the role of a member on a team
///
/// The role also applies to the teams below. The caller must hold all permissions of the role on the team. Returns 409 `role_not_allowed`
/// if the settings of the team do not allow the role.
#[utoipa::path(
    put, path = "/v1/teams/{id}/members/{member}", operation_id = "putTeamMember",
    params(
        ("id" = String, Path, description = "The id of the team: `team_...`"),
        ("member" = String, Path, description = "The id of the member: `user_...`")
    ),
    request_body = NewTeamRole, responses((status = 200, description = "The role on the team", body = TeamMemberView))
)]
pub async fn put_member(
    caller: OnTeam<needs::TeamsWrite>,
    IdsInPath(_, person): IdsInPath<TeamId, PersonId>,
    command: Command<NewTeamRole>,
) -> Result<Reply> {
    let tenant = caller.tenant();
    change(tenant, || async {
        let team = caller.fresh().await?;
        if !members::store::is_member(tenant, person).await? {
            return Err(Problem::not_found("member").into());
        }
        let roles = roles::store::all(tenant).await?;
        let role = rules::role_to_assign(&team, command.body.role.as_deref(), &roles)?;
        caller.somewhere.may_grant(&role.permissions, &team.path)?;
        let present = member_store::find_member(tenant, team.id, person).await?;
        let (member, decision) = rules::put_member(present.as_ref(), &assignment(tenant, &team, person, role), &team);
        tenant.commit(decision, None).await?;
        Reply::ok(&TeamMemberView::from(member))
    })
    .await
}

/// Remove a member from a team
///
/// The person stays a member of the organization, and of the teams below on which they have a role of their own.
#[utoipa::path(
    delete, path = "/v1/teams/{id}/members/{member}", operation_id = "removeTeamMember",
    params(
        ("id" = String, Path, description = "The id of the team: `team_...`"),
        ("member" = String, Path, description = "The id of the member: `user_...`")
    ),
    responses((status = 204, description = "Removed from the team"))
)]
pub async fn remove_member(caller: OnTeam<needs::TeamsWrite>, IdsInPath(_, person): IdsInPath<TeamId, PersonId>) -> Result<Reply> {
    let tenant = caller.tenant();
    change(tenant, || async {
        let team = caller.fresh().await?;
        let present = member_store::find_member(tenant, team.id, person).await?.ok_or_else(|| Problem::not_found("member"))?;
        tenant.commit(rules::remove_member(&present), None).await?;
        Ok(Reply::no_content())
    })
    .await
}

fn assignment(tenant: &Tenant, team: &Team, person: PersonId, role: &Role) -> TeamMember {
    let start_date = tenant.moment().now;
    TeamMember { team: team.id, person, role: role.key.clone(), assigned_by: tenant.actor().name(), start_date }
}

/// The team that a client named at `pointer`, if the caller may write there; None: organization-wide.
async fn named<N: Need>(caller: &OnTeams<N>, id: Option<TeamId>, pointer: &str) -> Result<Option<Team>> {
    let Some(id) = id else {
        caller.check(None)?;
        return Ok(None);
    };
    match caller.team(id).await {
        Err(Error::Refused(problem)) if problem.status == 404 => {
            Err(Problem::refused(pointer, "unknown_team", "This team does not exist. GET /v1/teams lists the teams.").into())
        }
        other => other.map(Some),
    }
}

/// Where the team goes (None: to the top), if the caller may take it away and put it there.
async fn new_parent<N: Need>(caller: &OnTeams<N>, team: &Team, id: Option<TeamId>, roles: &Roles) -> Result<Option<Team>> {
    caller.check(team.path.above().as_ref())?;
    let parent = named(caller, id, "/parentTeam").await?;
    if let Some(parent) = &parent {
        may_subject(caller, team, parent, roles).await?;
    }
    Ok(parent)
}

/// Members with a role on the path to `parent` get it on the team, too, unless they have it there. The caller must hold what it permits.
async fn may_subject<N: Need>(caller: &OnTeams<N>, team: &Team, parent: &Team, roles: &Roles) -> Result<()> {
    for key in member_store::roles_on(caller.tenant(), &team.path.new_ancestors_below(&parent.path)).await? {
        let permissions = roles.find(&key).map(|role| role.permissions.as_slice()).unwrap_or_default();
        caller.may_grant(permissions, &team.path)?;
    }
    Ok(())
}

/// The team that takes over what is in the one to be deleted, if the caller may give it all that: its teams come under the roles on the way
/// there, and its members get their roles there.
async fn heir<N: Need>(caller: &OnTeams<N>, team: &Team, contents: &Contents, id: Option<&str>) -> Result<Option<Team>> {
    let Some(id) = id else { return Ok(None) };
    let unknown = || Problem::refused("reassignTo", "unknown_team", "This team does not exist. GET /v1/teams lists the teams.");
    let Some(target) = named(caller, Some(id.parse().map_err(|_| unknown())?), "reassignTo").await? else { return Ok(None) };
    let roles = roles::store::all(caller.tenant()).await?;
    if contents.has_children {
        may_subject(caller, team, &target, &roles).await?;
    }
    for key in &contents.roles {
        let permissions = roles.find(key).map(|role| role.permissions.as_slice()).unwrap_or_default();
        caller.may_grant(permissions, &target.path)?;
    }
    Ok(Some(target))
}
