//! All SQL of teams.

use serde::Deserialize;

use super::rules::TEAMS_MAX;
use super::team::{Contents, Settings, Team, TeamMember};
use crate::identity::roles;
use crate::identity::roles::role::TeamPath;
use crate::kernel::error::{Error, Result};
use crate::kernel::ids::{PersonId, TeamId};
use crate::kernel::sql;
use crate::kernel::sql::decode;
use crate::kernel::tenant::{Tenant, TenantStatement};
use crate::kernel::time::Timestamp;
use crate::{stale_if, tenant_sql, unchanged};

#[derive(Deserialize)]
struct TeamRow {
    id: TeamId,
    name: String,
    description: Option<String>,
    parent_id: Option<TeamId>,
    path: String,
    depth: u32,
    #[serde(deserialize_with = "sql::json::deserialize")]
    settings: Settings,
    #[serde(deserialize_with = "sql::millis::deserialize")]
    created_at: Timestamp,
    version: i64,
}

impl From<TeamRow> for Team {
    fn from(row: TeamRow) -> Self {
        Self {
            id: row.id,
            name: row.name,
            description: row.description,
            parent: row.parent_id,
            path: TeamPath(row.path),
            depth: row.depth,
            settings: row.settings,
            created_at: row.created_at,
            version: row.version,
        }
    }
}

#[derive(Deserialize)]
struct MemberRow {
    team_id: TeamId,
    person_id: PersonId,
    role: String,
    assigned_by: String,
    #[serde(deserialize_with = "sql::millis::deserialize")]
    start_date: Timestamp,
}

impl From<MemberRow> for TeamMember {
    fn from(row: MemberRow) -> Self {
        Self { team: row.team_id, person: row.person_id, role: row.role, assigned_by: row.assigned_by, start_date: row.start_date }
    }
}

/// Which teams a list shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    /// The team below which, directly; `Some(None)`: the topmost ones.
    pub parent: Option<Option<TeamId>>,
    /// What the name begins with, in lower case.
    pub name: String,
    /// The teams at or below one of these paths; an empty path is above all.
    pub reach: Vec<String>,
}

pub async fn find(tenant: &Tenant, id: TeamId) -> Result<Option<Team>> {
    let statement = tenant_sql!(
        "SELECT organization_id, id, name, description, parent_id, path, depth, settings, created_at, version
         FROM teams
         WHERE organization_id = ?1 AND id = ?2",
        id
    );
    Ok(tenant.row::<TeamRow>(statement).await?.map(Team::from))
}

/// A page of teams, newest first.
pub async fn list(tenant: &Tenant, shown: &Shown, before: &str, fetch: u32) -> Result<Vec<Team>> {
    // After every name that begins so.
    let name_end = format!("{}{}", shown.name, char::MAX);
    let reach = serde_json::Value::from(shown.reach.clone()).to_string();
    let name = shown.name.as_str();
    let statement = match (shown.parent, name) {
        (Some(parent), _) => tenant_sql!(
            "SELECT organization_id, id, name, description, parent_id, path, depth, settings, created_at, version
             FROM teams
             WHERE organization_id = ?1
               AND parent_id IS ?2
               AND id < ?3
               AND search_name >= ?4
               AND search_name < ?5
               AND EXISTS (SELECT 1 FROM json_each(?6) WHERE substr(teams.path, 1, length(value)) = value)
             ORDER BY id DESC
             LIMIT ?7",
            parent,
            before,
            name,
            name_end,
            reach,
            fetch
        ),
        (None, "") => tenant_sql!(
            "SELECT organization_id, id, name, description, parent_id, path, depth, settings, created_at, version
             FROM teams
             WHERE organization_id = ?1
               AND id < ?2
               AND EXISTS (SELECT 1 FROM json_each(?3) WHERE substr(teams.path, 1, length(value)) = value)
             ORDER BY id DESC
             LIMIT ?4",
            before,
            reach,
            fetch
        ),
        (None, _) => tenant_sql!(
            "SELECT organization_id, id, name, description, parent_id, path, depth, settings, created_at, version
             FROM teams INDEXED BY teams_by_name
             WHERE organization_id = ?1
               AND id < ?2
               AND search_name >= ?3
               AND search_name < ?4
               AND EXISTS (SELECT 1 FROM json_each(?5) WHERE substr(teams.path, 1, length(value)) = value)
             ORDER BY id DESC
             LIMIT ?6",
            before,
            name,
            name_end,
            reach,
            fetch
        ),
    };
    Ok(tenant.rows::<TeamRow>(statement).await?.into_iter().map(Team::from).collect())
}

#[derive(Deserialize)]
struct CountRow {
    count: u32,
}

pub async fn count(tenant: &Tenant) -> Result<u32> {
    let statement = tenant_sql!("SELECT ?1 AS organization_id, count(*) AS count FROM teams WHERE organization_id = ?1");
    Ok(tenant.row::<CountRow>(statement).await?.map_or(0, |row| row.count))
}

#[derive(Deserialize)]
struct ContentsRow {
    #[serde(deserialize_with = "sql::truth::deserialize")]
    has_children: bool,
    deepest: Option<u32>,
    #[serde(deserialize_with = "sql::truth::deserialize")]
    is_invited_to: bool,
}

#[derive(Deserialize)]
struct RoleRow {
    role: String,
}

/// What is in the team.
pub async fn contents(tenant: &Tenant, team: &Team) -> Result<Contents> {
    let facts = tenant_sql!(
        "SELECT ?1 AS organization_id,
           EXISTS (SELECT 1 FROM teams WHERE organization_id = ?1 AND parent_id = ?2) AS has_children,
           (SELECT max(depth) FROM teams WHERE organization_id = ?1 AND path >= ?3 AND path < ?4) AS deepest,
           EXISTS (
             SELECT 1
             FROM invitations
             WHERE organization_id = ?1 AND status = 'pending' AND instr(teams, ?2) > 0
           ) AS is_invited_to",
        team.id,
        team.path.0.as_str(),
        team.path.end()
    );
    let roles = tenant_sql!("SELECT DISTINCT organization_id, role FROM team_members WHERE organization_id = ?1 AND team_id = ?2", team.id);
    let mut read = tenant.run(vec![facts, roles]).await?.into_iter();
    let mut rows = || read.next().unwrap_or_default().into_iter();
    let facts: ContentsRow = decode(rows().next().ok_or_else(|| Error::internal("the contents of a team gave no row"))?)?;
    let roles = rows().map(|row| decode::<RoleRow>(row).map(|row| row.role)).collect::<std::result::Result<_, _>>()?;
    Ok(Contents {
        has_children: facts.has_children,
        deepest: facts.deepest.unwrap_or(team.depth),
        roles,
        is_invited_to: facts.is_invited_to,
    })
}

/// The roles that people hold on any of these teams, each once.
pub async fn roles_on(tenant: &Tenant, teams: &[TeamId]) -> Result<Vec<String>> {
    let teams: Vec<String> = teams.iter().map(TeamId::to_string).collect();
    let statement = tenant_sql!(
        "SELECT DISTINCT organization_id, role
         FROM team_members
         WHERE organization_id = ?1
           AND team_id IN (SELECT value FROM json_each(?2))",
        serde_json::Value::from(teams).to_string()
    );
    Ok(tenant.rows::<RoleRow>(statement).await?.into_iter().map(|row| row.role).collect())
}

/// Guard: the team is as it was read, also where it is.
pub fn unchanged(team: &Team) -> TenantStatement {
    unchanged!("teams", team.id, team.version)
}

/// Guard: the team is where it was; it may be called differently.
pub fn is_still_at(team: &Team) -> TenantStatement {
    stale_if!("NOT EXISTS (SELECT 1 FROM teams WHERE organization_id = ?1 AND id = ?2 AND path = ?3)", team.id, team.path.0.as_str())
}

/// Guard: nothing at or below `path` is deeper than `deepest`.
pub fn is_no_deeper(path: &TeamPath, deepest: u32) -> TenantStatement {
    stale_if!(
        "EXISTS (SELECT 1 FROM teams WHERE organization_id = ?1 AND path >= ?2 AND path < ?3 AND depth > ?4)",
        path.0.as_str(),
        path.end(),
        deepest
    )
}

/// Guard: there is room for one more team.
pub fn has_room() -> TenantStatement {
    stale_if!("(SELECT count(*) FROM teams WHERE organization_id = ?1) >= ?2", TEAMS_MAX)
}

/// Guard: the roles that the settings name are still there.
pub fn roles_are_there(settings: &Settings) -> TenantStatement {
    roles::store::are_there(&settings.roles())
}

/// Guard: nothing and nobody is in the team.
pub fn is_empty(team: TeamId) -> TenantStatement {
    stale_if!(
        "EXISTS (SELECT 1 FROM teams WHERE organization_id = ?1 AND parent_id = ?2)
         OR EXISTS (SELECT 1 FROM team_members WHERE organization_id = ?1 AND team_id = ?2)
         OR EXISTS (
           SELECT 1
           FROM invitations
           WHERE organization_id = ?1 AND status = 'pending' AND instr(teams, ?2) > 0
         )",
        team
    )
}

/// Guard: nobody holds a role on the team but these.
pub fn has_no_other_roles(team: TeamId, roles: &[String]) -> TenantStatement {
    stale_if!(
        "EXISTS (
           SELECT 1
           FROM team_members
           WHERE organization_id = ?1
             AND team_id = ?2
             AND role NOT IN (SELECT value FROM json_each(?3))
         )",
        team,
        serde_json::Value::from(roles.to_vec()).to_string()
    )
}

/// Guard: the person is a member of the organization.
pub fn is_member(person: PersonId) -> TenantStatement {
    stale_if!("NOT EXISTS (SELECT 1 FROM members WHERE organization_id = ?1 AND id = ?2)", person)
}

/// Guard: the member holds that role on the team.
pub fn holds(member: &TeamMember) -> TenantStatement {
    stale_if!(
        "NOT EXISTS (
           SELECT 1
           FROM team_members
           WHERE organization_id = ?1 AND team_id = ?2 AND person_id = ?3 AND role = ?4
         )",
        member.team,
        member.person,
        member.role.as_str()
    )
}

pub fn insert(team: &Team) -> TenantStatement {
    tenant_sql!(
        "INSERT INTO teams
           (organization_id, id, name, search_name, description, parent_id, path, depth, settings, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        team.id,
        team.name.as_str(),
        team.name.to_lowercase(),
        team.description.as_deref(),
        team.parent,
        team.path.0.as_str(),
        team.depth,
        serde_json::to_string(&team.settings).unwrap_or_default(),
        team.created_at
    )
}

/// What a team is apart from its place.
pub fn update(team: &Team) -> TenantStatement {
    tenant_sql!(
        "UPDATE teams
         SET name = ?3, search_name = ?4, description = ?5, parent_id = ?6, settings = ?7, version = ?8
         WHERE organization_id = ?1 AND id = ?2",
        team.id,
        team.name.as_str(),
        team.name.to_lowercase(),
        team.description.as_deref(),
        team.parent,
        serde_json::to_string(&team.settings).unwrap_or_default(),
        team.version
    )
}

/// The team is at `path` now, and what is below it goes with it.
pub fn relocate(team: &Team, path: &TeamPath, depth: u32) -> TenantStatement {
    tenant_sql!(
        "UPDATE teams
         SET path = ?4 || substr(path, length(?2) + 1), depth = depth + ?5, version = version + 1
         WHERE organization_id = ?1 AND path >= ?2 AND path < ?3",
        team.path.0.as_str(),
        team.path.end(),
        path.0.as_str(),
        i64::from(depth).saturating_sub(i64::from(team.depth))
    )
}

/// What is below the team is below `target` now.
pub fn hand_over_children(team: &Team, target: &Team) -> TenantStatement {
    tenant_sql!(
        "UPDATE teams
         SET path = ?4 || substr(path, length(?2) + 1), depth = depth + ?5,
           parent_id = CASE WHEN parent_id = ?6 THEN ?7 ELSE parent_id END, version = version + 1
         WHERE organization_id = ?1 AND path > ?2 AND path < ?3",
        team.path.0.as_str(),
        team.path.end(),
        target.path.0.as_str(),
        i64::from(target.depth).saturating_sub(i64::from(team.depth)),
        team.id,
        target.id
    )
}

/// Who is on both teams keeps the role they have on `target`.
pub fn hand_over_members(team: TeamId, target: TeamId) -> TenantStatement {
    tenant_sql!(
        "INSERT INTO team_members (organization_id, team_id, person_id, role, assigned_by, start_date)
         SELECT ?1, ?3, person_id, role, assigned_by, start_date
         FROM team_members
         WHERE organization_id = ?1 AND team_id = ?2
         ON CONFLICT DO NOTHING",
        team,
        target
    )
}

pub fn remove_members(team: TeamId) -> TenantStatement {
    tenant_sql!("DELETE FROM team_members WHERE organization_id = ?1 AND team_id = ?2", team)
}

/// Who is invited to the team is invited to `target`, unless they are already. Ids are unique texts, so that no other place is meant.
pub fn hand_over_invitations(team: TeamId, target: TeamId) -> TenantStatement {
    tenant_sql!(
        "UPDATE invitations
         SET teams = replace(teams, ?2, ?3), version = version + 1
         WHERE organization_id = ?1
           AND status = 'pending'
           AND instr(teams, ?2) > 0
           AND instr(teams, ?3) = 0",
        team,
        target
    )
}

pub fn delete(team: TeamId) -> TenantStatement {
    tenant_sql!("DELETE FROM teams WHERE organization_id = ?1 AND id = ?2", team)
}

pub async fn find_member(tenant: &Tenant, team: TeamId, person: PersonId) -> Result<Option<TeamMember>> {
    let statement = tenant_sql!(
        "SELECT organization_id, team_id, person_id, role, assigned_by, start_date
         FROM team_members
         WHERE organization_id = ?1 AND team_id = ?2 AND person_id = ?3",
        team,
        person
    );
    Ok(tenant.row::<MemberRow>(statement).await?.map(TeamMember::from))
}

/// A page of who is on a team, who came last first. `before` is the last one shown.
pub async fn list_members(tenant: &Tenant, team: TeamId, before: Option<&TeamMember>, fetch: u32) -> Result<Vec<TeamMember>> {
    let after_all = (sql::INTEGER_MAX, "~".to_owned());
    let (start, person) = before.map_or(after_all, |member| (member.start_date.as_millis(), member.person.to_string()));
    let statement = tenant_sql!(
        "SELECT organization_id, team_id, person_id, role, assigned_by, start_date
         FROM team_members
         WHERE organization_id = ?1
           AND team_id = ?2
           AND (start_date, person_id) < (?3, ?4)
         ORDER BY start_date DESC, person_id DESC
         LIMIT ?5",
        team,
        start,
        person,
        fetch
    );
    Ok(tenant.rows::<MemberRow>(statement).await?.into_iter().map(TeamMember::from).collect())
}

pub fn put_member(member: &TeamMember) -> TenantStatement {
    tenant_sql!(
        "INSERT INTO team_members (organization_id, team_id, person_id, role, assigned_by, start_date)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (organization_id, team_id, person_id) DO UPDATE
         SET role = excluded.role, assigned_by = excluded.assigned_by",
        member.team,
        member.person,
        member.role.as_str(),
        member.assigned_by.as_str(),
        member.start_date
    )
}

pub fn remove_member(team: TeamId, person: PersonId) -> TenantStatement {
    tenant_sql!("DELETE FROM team_members WHERE organization_id = ?1 AND team_id = ?2 AND person_id = ?3", team, person)
}
