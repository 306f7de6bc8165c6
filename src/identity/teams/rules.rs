//! What the tree of teams may become, and who may be on it.

use serde_json::json;

use super::team::{Contents, DEPTH_MAX, Settings, TEAMS_MAX, Team, TeamMember};
use super::{member_store, store};
use crate::events::{TeamCreated, TeamDeleted, TeamMemberAdded, TeamMemberRemoved, TeamMemberUpdated, TeamUpdated};
use crate::identity::members;
use crate::identity::permissions::standing::TeamPath;
use crate::identity::roles::role::{Role, Roles};
use crate::identity::roles::rules::check_texts;
use crate::kernel::decision::Decision;
use crate::kernel::ids::{Moment, TeamId};
use crate::kernel::problem::Problem;

/// A team as clients write it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTeam {
    pub name: String,
    pub description: Option<String>,
    pub settings: Settings,
}

/// What is to be changed of a team; what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    pub name: Option<String>,
    pub description: Option<Option<String>>,
    pub allowed_roles: Option<Option<Vec<String>>>,
    pub default_role: Option<Option<String>>,
}

/// Another place for a team.
pub struct Move<'a> {
    /// The new parent; None: topmost.
    pub to: Option<&'a Team>,
    /// The depth of the deepest team at or below the one that moves.
    pub deepest: u32,
}

/// A new team below `parent` (None: topmost). `count` is how many there are.
pub fn create(wanted: &NewTeam, parent: Option<&Team>, count: u32, roles: &Roles, moment: Moment<'_>) -> Result<(Team, Decision), Problem> {
    check_texts(Some(&wanted.name), wanted.description.as_deref())?;
    check_settings(&wanted.settings, roles)?;
    if count >= TEAMS_MAX {
        let detail = format!("An organization has at most {TEAMS_MAX} teams. Delete one that is empty.");
        return Err(Problem::conflict("too_many_teams", detail));
    }
    let depth = parent.map_or(1, |parent| parent.depth.saturating_add(1));
    check_depth(depth)?;
    let id = TeamId::new(moment);
    let team = Team {
        id,
        name: wanted.name.trim().to_owned(),
        description: wanted.description.clone(),
        parent: parent.map(|parent| parent.id),
        path: TeamPath::of(id, parent.map(|parent| &parent.path)),
        depth,
        settings: wanted.settings.clone(),
        created_at: moment.now,
        version: 1,
    };
    let mut decision = Decision::new().guard(store::has_room()).guard(store::roles_are_there(&team.settings));
    if let Some(parent) = parent {
        decision = decision.guard(store::is_still_at(parent));
    }
    let decision = decision.write(store::insert(&team)).raise(TeamCreated { team: id, parent_team: team.parent }).audit(
        "team.created",
        id.to_string(),
        None,
        Some(team.facts()),
    );
    Ok((team, decision))
}

/// Changes a team, and moves it with all that is below it; nothing happens when it is as wanted already.
pub fn update(team: &Team, wanted: &Changes, moved: Option<&Move<'_>>, roles: &Roles) -> Result<(Team, Decision), Problem> {
    check_texts(wanted.name.as_deref(), wanted.description.as_ref().and_then(Option::as_deref))?;
    let mut next = Team {
        name: wanted.name.as_ref().map_or_else(|| team.name.clone(), |name| name.trim().to_owned()),
        description: wanted.description.clone().unwrap_or_else(|| team.description.clone()),
        settings: Settings {
            allowed_roles: wanted.allowed_roles.clone().unwrap_or_else(|| team.settings.allowed_roles.clone()),
            default_role: wanted.default_role.clone().unwrap_or_else(|| team.settings.default_role.clone()),
        },
        ..team.clone()
    };
    check_settings(&next.settings, roles)?;
    let mut decision = Decision::new().guard(store::unchanged(team));
    if let Some(moved) = moved.filter(|moved| moved.to.map(|to| to.id) != team.parent) {
        let (path, depth) = place(team, moved)?;
        decision = decision.guard(store::is_no_deeper(&team.path, moved.deepest));
        if let Some(to) = moved.to {
            decision = decision.guard(store::is_still_at(to));
        }
        decision = decision.write(store::relocate(team, &path, depth));
        next = Team { parent: moved.to.map(|to| to.id), path, depth, ..next };
    }
    if next == *team {
        return Ok((next, Decision::new()));
    }
    if next.settings != team.settings {
        decision = decision.guard(store::roles_are_there(&next.settings));
    }
    let next = Team { version: team.version.saturating_add(1), ..next };
    let decision = decision.write(store::update(&next)).raise(TeamUpdated { team: team.id, fields: changed(team, &next) }).audit(
        "team.updated",
        team.id.to_string(),
        Some(team.facts()),
        Some(next.facts()),
    );
    Ok((next, decision))
}

/// Where the team is after the move.
fn place(team: &Team, moved: &Move<'_>) -> Result<(TeamPath, u32), Problem> {
    if moved.to.is_some_and(|to| team.path.reaches(&to.path)) {
        let detail = "A team can't be below itself. Send a parentTeam that is neither this team nor below it.";
        return Err(Problem::conflict("team_cycle", detail));
    }
    let depth = moved.to.map_or(1, |to| to.depth.saturating_add(1));
    check_depth(moved.deepest.saturating_sub(team.depth).saturating_add(depth))?;
    Ok((TeamPath::of(team.id, moved.to.map(|to| &to.path)), depth))
}

/// Deletes a team that is empty, or whose children and members go to `target`. Who is on both keeps the role they have there.
pub fn delete(team: &Team, contents: &Contents, target: Option<&Team>) -> Result<Decision, Problem> {
    let decision = Decision::new().guard(store::unchanged(team));
    let decision = match target {
        None => decision.and(delete_empty(team, contents)?),
        Some(target) => decision.and(merge(team, contents, target)?),
    };
    let after = target.map(|target| json!({"reassignedTo": target.id}));
    Ok(decision.write(store::delete(team.id)).raise(TeamDeleted { team: team.id, reassigned_to: target.map(|target| target.id) }).audit(
        "team.deleted",
        team.id.to_string(),
        Some(team.facts()),
        after,
    ))
}

fn delete_empty(team: &Team, contents: &Contents) -> Result<Decision, Problem> {
    let Contents { has_children, roles, is_invited_to, .. } = contents;
    let places = [(*has_children, "teams below it"), (!roles.is_empty(), "members"), (*is_invited_to, "pending invitations")];
    let has: Vec<&str> = places.into_iter().filter(|(has, _)| *has).map(|(_, what)| what).collect();
    if has.is_empty() {
        return Ok(Decision::new().guard(store::is_empty(team.id)));
    }
    let detail =
        format!("The team has {}. Move or remove them, or name the team that takes them over: ?reassignTo=team_....", has.join(", "));
    Err(Problem::conflict("team_not_empty", detail))
}

fn merge(team: &Team, contents: &Contents, target: &Team) -> Result<Decision, Problem> {
    if team.path.reaches(&target.path) {
        let detail = "Send a team that is neither the one to be deleted nor below it.";
        return Err(Problem::refused("reassignTo", "team_cycle", detail));
    }
    // The teams below come one below the target, as they were one below the team.
    check_depth(contents.deepest.saturating_sub(team.depth).saturating_add(target.depth))?;
    contents.roles.iter().try_for_each(|role| target.settings.check_allows(role))?;
    Ok(Decision::new()
        .guard(store::unchanged(target))
        .guard(store::is_no_deeper(&team.path, contents.deepest))
        .guard(member_store::has_no_other_roles(team.id, &contents.roles))
        .write(store::hand_over_children(team, target))
        .write(member_store::hand_over_members(team.id, target.id))
        .write(member_store::remove_members(team.id))
        .write(store::hand_over_invitations(team.id, target.id)))
}

/// Gives a member a role on a team (None: its default role). That the caller holds all of it there is checked by who knows the caller.
pub fn role_to_give<'a>(team: &Team, wanted: Option<&str>, roles: &'a Roles) -> Result<&'a Role, Problem> {
    let Some(key) = wanted.or(team.settings.default_role.as_deref()) else {
        let detail = "The team has no default role. Send a role; GET /v1/roles lists the keys.";
        return Err(Problem::refused("/role", "role_required", detail));
    };
    let role = roles.require(key, "/role")?;
    team.settings.check_allows(key)?;
    Ok(role)
}

/// The member has that role on the team; nothing happens when they have it already.
pub fn put_member(present: Option<&TeamMember>, wanted: &TeamMember, team: &Team) -> (TeamMember, Decision) {
    let target = format!("{}/{}", wanted.team, wanted.person);
    let decision = Decision::new()
        .guard(store::unchanged(team))
        .guard(crate::identity::roles::store::are_there(&[&wanted.role]))
        .guard(members::store::is_still_member(wanted.person));
    match present {
        Some(present) if present.role == wanted.role => (present.clone(), Decision::new()),
        Some(present) => {
            let next = TeamMember { start_date: present.start_date, ..wanted.clone() };
            let decision = decision
                .guard(member_store::holds(present))
                .write(member_store::put_member(&next))
                .raise(TeamMemberUpdated { team: next.team, person: next.person, role: next.role.clone() })
                .audit("teamMember.updated", target, Some(present.facts()), Some(next.facts()));
            (next, decision)
        }
        None => {
            let decision = decision
                .write(member_store::put_member(wanted))
                .raise(TeamMemberAdded { team: wanted.team, person: wanted.person, role: wanted.role.clone() })
                .audit("teamMember.added", target, None, Some(wanted.facts()));
            (wanted.clone(), decision)
        }
    }
}

/// The member holds no role on the team any more.
pub fn remove_member(present: &TeamMember) -> Decision {
    Decision::new()
        .guard(member_store::holds(present))
        .write(member_store::remove_member(present.team, present.person))
        .raise(TeamMemberRemoved { team: present.team, person: present.person })
        .audit("teamMember.removed", format!("{}/{}", present.team, present.person), Some(present.facts()), None)
}

fn check_depth(depth: u32) -> Result<(), Problem> {
    if depth <= DEPTH_MAX {
        return Ok(());
    }
    let detail = format!("Teams are nested at most {DEPTH_MAX} deep. Choose a parent further up.");
    Err(Problem::conflict("team_too_deep", detail))
}

fn check_settings(settings: &Settings, roles: &Roles) -> Result<(), Problem> {
    let allowed = settings.allowed_roles.as_deref().unwrap_or_default();
    if settings.allowed_roles.is_some() && (allowed.is_empty() || allowed.len() > roles.0.len()) {
        let detail = "Send the keys of the roles that may be given on this team, or null for all.";
        return Err(Problem::invalid("/settings/allowedRoles", "invalid_value", detail));
    }
    for (index, key) in allowed.iter().enumerate() {
        roles.require(key, &format!("/settings/allowedRoles/{index}"))?;
    }
    let Some(key) = &settings.default_role else { return Ok(()) };
    roles.require(key, "/settings/defaultRole")?;
    if settings.check_allows(key).is_err() {
        let detail = "The default role must be one of the allowed ones. Send it among settings.allowedRoles, or another one.";
        return Err(Problem::refused("/settings/defaultRole", "role_not_allowed", detail));
    }
    Ok(())
}

fn changed(before: &Team, after: &Team) -> Vec<String> {
    let fields = [
        (before.name != after.name, "name"),
        (before.description != after.description, "description"),
        (before.parent != after.parent, "parentTeam"),
        (before.settings != after.settings, "settings"),
    ];
    fields.into_iter().filter(|(is_changed, _)| *is_changed).map(|(_, field)| field.to_owned()).collect()
}
