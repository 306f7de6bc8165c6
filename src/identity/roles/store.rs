//! All SQL of roles.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::built_in::built_in;
use super::role::{ROLES_MAX, Role, Roles, Uses};
use crate::identity::permissions::standing::{Assignment, Standing, TeamPath};
use crate::kernel::error::{Error, Result};
use crate::kernel::ids::{PersonId, RoleId, TeamId};
use crate::kernel::sql;
use crate::kernel::sql::{Row, decode};
use crate::kernel::tenant::{Tenant, TenantStatement};
use crate::kernel::time::Timestamp;
use crate::{stale_if, tenant_sql, unchanged};

#[derive(Deserialize)]
struct HeldRow {
    role: Option<String>,
    #[serde(deserialize_with = "sql::optional_json::deserialize")]
    permissions: Option<Vec<String>>,
    team_id: Option<TeamId>,
    path: Option<String>,
}

impl HeldRow {
    /// A role that was deleted while somebody held it permits nothing.
    fn assignment(self) -> Option<Assignment> {
        let role = self.role?;
        let built_in = built_in(&role).map(|built_in| built_in.permissions.iter().map(|scope| (*scope).to_owned()).collect());
        let permissions = built_in.or(self.permissions).unwrap_or_default();
        Some(Assignment { role, permissions, team: self.team_id.zip(self.path.map(TeamPath)) })
    }
}

/// What a member's roles come to, as they are now; None for somebody who is no member.
pub async fn standing(tenant: &Tenant, person: PersonId) -> Result<Option<Standing>> {
    standing_from(person, tenant.run(select_standing(person).into()).await?)
}

/// The statements of [`standing`], for reading it together with something else; [`standing_from`] takes their rows.
pub fn select_standing(person: PersonId) -> [TenantStatement; 2] {
    let everywhere = tenant_sql!(
        "SELECT organization_id, role,
           (SELECT permissions FROM roles WHERE organization_id = ?1 AND key = members.role) AS permissions,
           NULL AS team_id, NULL AS path
         FROM members
         WHERE organization_id = ?1 AND id = ?2",
        person
    );
    let on_teams = tenant_sql!(
        "SELECT organization_id, role,
           (
             SELECT permissions FROM roles WHERE organization_id = ?1 AND key = team_members.role
           ) AS permissions,
           team_id,
           (SELECT path FROM teams WHERE organization_id = ?1 AND id = team_members.team_id) AS path
         FROM team_members
         WHERE organization_id = ?1 AND person_id = ?2
         ORDER BY team_id",
        person
    );
    [everywhere, on_teams]
}

pub fn standing_from(person: PersonId, read: impl IntoIterator<Item = Vec<Row>>) -> Result<Option<Standing>> {
    let mut read = read.into_iter();
    let mut rows = || read.next().unwrap_or_default().into_iter().map(|row| decode::<HeldRow>(row).map_err(Error::from));
    let Some(member) = rows().next().transpose()? else { return Ok(None) };
    let mut assignments: Vec<Assignment> = member.assignment().into_iter().collect();
    for row in rows() {
        assignments.extend(row?.assignment());
    }
    Ok(Some(Standing { person, assignments }))
}

#[derive(Deserialize)]
struct RoleRow {
    id: RoleId,
    key: String,
    name: String,
    description: Option<String>,
    #[serde(deserialize_with = "sql::json::deserialize")]
    permissions: Vec<String>,
    #[serde(deserialize_with = "sql::millis::deserialize")]
    created_at: Timestamp,
    version: i64,
}

impl From<RoleRow> for Role {
    fn from(row: RoleRow) -> Self {
        Self {
            id: row.id,
            key: row.key,
            name: row.name,
            description: row.description,
            permissions: row.permissions,
            created_at: Some(row.created_at),
            version: row.version,
        }
    }
}

/// All roles there are in the organization, also the built-in ones.
pub async fn all(tenant: &Tenant) -> Result<Roles> {
    let statement = tenant_sql!(
        "SELECT organization_id, id, key, name, description, permissions, created_at, version
         FROM roles
         WHERE organization_id = ?1
         ORDER BY id DESC"
    );
    Ok(Roles::new(tenant.rows::<RoleRow>(statement).await?.into_iter().map(Role::from).collect()))
}

#[derive(Deserialize)]
struct PermissionsRow {
    key: String,
    #[serde(deserialize_with = "sql::json::deserialize")]
    permissions: Vec<String>,
}

/// What the roles of these keys permit, of those that there are.
pub async fn permissions_of(tenant: &Tenant, keys: impl IntoIterator<Item = &str>) -> Result<BTreeMap<String, Vec<String>>> {
    let mut known = BTreeMap::new();
    let mut custom = Vec::new();
    for key in keys {
        match built_in(key) {
            Some(role) => drop(known.insert(key.to_owned(), role.permissions.iter().map(|scope| (*scope).to_owned()).collect())),
            None => custom.push(key.to_owned()),
        }
    }
    if !custom.is_empty() {
        let statement = tenant_sql!(
            "SELECT organization_id, key, permissions
             FROM roles
             WHERE organization_id = ?1
               AND key IN (SELECT value FROM json_each(?2))",
            serde_json::Value::from(custom).to_string()
        );
        known.extend(tenant.rows::<PermissionsRow>(statement).await?.into_iter().map(|row| (row.key, row.permissions)));
    }
    Ok(known)
}

#[derive(Deserialize)]
struct UsesRow {
    #[serde(deserialize_with = "sql::truth::deserialize")]
    by_members: bool,
    #[serde(deserialize_with = "sql::truth::deserialize")]
    on_teams: bool,
    #[serde(deserialize_with = "sql::truth::deserialize")]
    in_invitations: bool,
    #[serde(deserialize_with = "sql::truth::deserialize")]
    in_settings: bool,
}

/// Where a role is used; [`is_unused`] asks the same again in the commit.
pub async fn uses(tenant: &Tenant, key: &str) -> Result<Uses> {
    let statement = tenant_sql!(
        "SELECT ?1 AS organization_id,
           EXISTS (SELECT 1 FROM members WHERE organization_id = ?1 AND role = ?2) AS by_members,
           EXISTS (SELECT 1 FROM team_members WHERE organization_id = ?1 AND role = ?2) AS on_teams,
           EXISTS (
             SELECT 1
             FROM invitations
             WHERE organization_id = ?1
               AND status = 'pending'
               AND (role = ?2 OR EXISTS (SELECT 1 FROM json_each(teams) WHERE value ->> 'role' = ?2))
           ) AS in_invitations,
           EXISTS (
             SELECT 1
             FROM teams
             WHERE organization_id = ?1
               AND (
                 settings ->> 'defaultRole' = ?2
                 OR EXISTS (SELECT 1 FROM json_each(settings, '$.allowedRoles') WHERE value = ?2)
               )
           ) AS in_settings",
        key
    );
    let row = tenant.row::<UsesRow>(statement).await?.ok_or_else(|| Error::internal("the uses of a role gave no row"))?;
    Ok(Uses { by_members: row.by_members, on_teams: row.on_teams, in_invitations: row.in_invitations, in_settings: row.in_settings })
}

/// Guard: nobody holds the role, and nothing names it.
pub fn is_unused(key: &str) -> TenantStatement {
    stale_if!(
        "EXISTS (SELECT 1 FROM members WHERE organization_id = ?1 AND role = ?2)
         OR EXISTS (SELECT 1 FROM team_members WHERE organization_id = ?1 AND role = ?2)
         OR EXISTS (
           SELECT 1
           FROM invitations
           WHERE organization_id = ?1
             AND status = 'pending'
             AND (role = ?2 OR EXISTS (SELECT 1 FROM json_each(teams) WHERE value ->> 'role' = ?2))
         )
         OR EXISTS (
           SELECT 1
           FROM teams
           WHERE organization_id = ?1
             AND (
               settings ->> 'defaultRole' = ?2
               OR EXISTS (SELECT 1 FROM json_each(settings, '$.allowedRoles') WHERE value = ?2)
             )
         )",
        key
    )
}

/// Guard: the role is as it was read.
pub fn unchanged(role: &Role) -> TenantStatement {
    unchanged!("roles", role.id, role.version)
}

/// Guard: no role has that key, and there is room for one more.
pub fn is_free(key: &str) -> TenantStatement {
    stale_if!(
        "EXISTS (SELECT 1 FROM roles WHERE organization_id = ?1 AND key = ?2)
         OR (SELECT count(*) FROM roles WHERE organization_id = ?1) >= ?3",
        key,
        i64::try_from(ROLES_MAX).unwrap_or(i64::MAX)
    )
}

/// Guard: these roles are still there. Whoever writes down that somebody holds a role, or may, commits it with this: a role that is
/// deleted at the same time is not held afterwards. The built-in ones always are there.
pub fn are_there(keys: &[&str]) -> TenantStatement {
    let own: Vec<&str> = keys.iter().copied().filter(|key| built_in(key).is_none()).collect();
    stale_if!(
        "EXISTS (
           SELECT 1
           FROM json_each(?2)
           WHERE value NOT IN (SELECT key FROM roles WHERE organization_id = ?1)
         )",
        serde_json::Value::from(own).to_string()
    )
}

pub fn insert(role: &Role, at: Timestamp) -> TenantStatement {
    tenant_sql!(
        "INSERT INTO roles (organization_id, id, key, name, description, permissions, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        role.id,
        role.key.as_str(),
        role.name.as_str(),
        role.description.as_deref(),
        serde_json::Value::from(role.permissions.clone()).to_string(),
        at
    )
}

pub fn update(role: &Role) -> TenantStatement {
    tenant_sql!(
        "UPDATE roles
         SET name = ?3, description = ?4, permissions = ?5, version = ?6
         WHERE organization_id = ?1 AND id = ?2",
        role.id,
        role.name.as_str(),
        role.description.as_deref(),
        serde_json::Value::from(role.permissions.clone()).to_string(),
        role.version
    )
}

pub fn delete(id: RoleId) -> TenantStatement {
    tenant_sql!("DELETE FROM roles WHERE organization_id = ?1 AND id = ?2", id)
}
