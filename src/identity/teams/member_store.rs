//! All SQL of the roles that members hold on teams.

use serde::Deserialize;

use super::team::TeamMember;
use crate::kernel::error::Result;
use crate::kernel::ids::{PersonId, TeamId};
use crate::kernel::sql;
use crate::kernel::tenant::{Tenant, TenantStatement};
use crate::kernel::time::Timestamp;
use crate::tenant_sql;

#[derive(Deserialize)]
struct TeamMemberRow {
    team_id: TeamId,
    person_id: PersonId,
    role: String,
    assigned_by: String,
    #[serde(deserialize_with = "sql::millis::deserialize")]
    start_date: Timestamp,
}

impl From<TeamMemberRow> for TeamMember {
    fn from(row: TeamMemberRow) -> Self {
        Self { team: row.team_id, person: row.person_id, role: row.role, assigned_by: row.assigned_by, start_date: row.start_date }
    }
}

pub async fn find_member(tenant: &Tenant, team: TeamId, person: PersonId) -> Result<Option<TeamMember>> {
    let statement = tenant_sql!(
        "SELECT organization_id, team_id, person_id, role, assigned_by, start_date
         FROM team_members
         WHERE organization_id = ?1 AND team_id = ?2 AND person_id = ?3",
        team,
        person
    );
    Ok(tenant.row::<TeamMemberRow>(statement).await?.map(TeamMember::from))
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
    Ok(tenant.rows::<TeamMemberRow>(statement).await?.into_iter().map(TeamMember::from).collect())
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

#[derive(Deserialize)]
struct RoleRow {
    role: String,
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

/// Guard: nobody holds a role on the team but these.
pub fn has_no_other_roles(team: TeamId, roles: &[String]) -> TenantStatement {
    tenant_sql!(
        "INSERT INTO stale_guards (organization_id, fresh)
         SELECT ?1, 0
         WHERE EXISTS (
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

/// Guard: the member holds that role on the team.
pub fn holds(member: &TeamMember) -> TenantStatement {
    tenant_sql!(
        "INSERT INTO stale_guards (organization_id, fresh)
         SELECT ?1, 0
         WHERE NOT EXISTS (
           SELECT 1
           FROM team_members
           WHERE organization_id = ?1 AND team_id = ?2 AND person_id = ?3 AND role = ?4
         )",
        member.team,
        member.person,
        member.role.as_str()
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
