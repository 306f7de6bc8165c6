//! All SQL of roles.

use serde::Deserialize;

use super::rules::{Assignment, Standing, TeamPath, built_in};
use crate::kernel::error::{Error, Result};
use crate::kernel::ids::{PersonId, TeamId};
use crate::kernel::sql::{self, Row, decode};
use crate::kernel::tenant::{Tenant, TenantStatement};
use crate::tenant_sql;

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
        "SELECT organization_id, role, (SELECT permissions FROM roles WHERE organization_id = ?1 AND key = members.role) AS permissions, NULL AS team_id, NULL AS path FROM members WHERE organization_id = ?1 AND id = ?2",
        person
    );
    let on_teams = tenant_sql!(
        "SELECT organization_id, role, (SELECT permissions FROM roles WHERE organization_id = ?1 AND key = team_members.role) AS permissions, team_id, (SELECT path FROM teams WHERE organization_id = ?1 AND id = team_members.team_id) AS path FROM team_members WHERE organization_id = ?1 AND person_id = ?2 ORDER BY team_id",
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
