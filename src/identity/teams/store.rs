//! All SQL of teams.

use serde::Deserialize;

use super::team::{Contents, Settings, TEAMS_MAX, Team};
use crate::identity::permissions::standing::TeamPath;
use crate::identity::roles;
use crate::kernel::error::{Error, Result};
use crate::kernel::ids::TeamId;
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
struct SettingsRow {
    id: TeamId,
    #[serde(deserialize_with = "sql::json::deserialize")]
    settings: Settings,
}

/// The settings of those of the named teams that there are.
pub async fn settings_of(tenant: &Tenant, ids: &[TeamId]) -> Result<Vec<(TeamId, Settings)>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<String> = ids.iter().map(TeamId::to_string).collect();
    let statement = tenant_sql!(
        "SELECT organization_id, id, settings
         FROM teams
         WHERE organization_id = ?1
           AND id IN (SELECT value FROM json_each(?2))",
        serde_json::Value::from(ids).to_string()
    );
    Ok(tenant.rows::<SettingsRow>(statement).await?.into_iter().map(|row| (row.id, row.settings)).collect())
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
