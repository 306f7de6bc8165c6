//! SQL of the organization-wide role of members, for what changes nothing else of them.

use serde::Deserialize;

use crate::kernel::error::Result;
use crate::kernel::ids::PersonId;
use crate::kernel::tenant::{Tenant, TenantStatement};
use crate::{tenant_sql, unchanged};

/// A member without the profile and the teams.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Holder {
    pub id: PersonId,
    pub email: String,
    pub role: Option<String>,
    pub version: i64,
}

/// The holders of a role, and this person where they are a member.
pub async fn holders_and(tenant: &Tenant, role: &str, person: PersonId) -> Result<Vec<Holder>> {
    let statement = tenant_sql!(
        "SELECT organization_id, id, email, role, version
         FROM members
         WHERE organization_id = ?1 AND (role = ?2 OR id = ?3)",
        role,
        person
    );
    tenant.rows(statement).await
}

/// The members among these people.
pub async fn among(tenant: &Tenant, people: &[PersonId]) -> Result<Vec<Holder>> {
    let statement = tenant_sql!(
        "SELECT organization_id, id, email, role, version
         FROM members
         WHERE organization_id = ?1
           AND id IN (SELECT value FROM json_each(?2))
         ORDER BY id",
        serde_json::to_string(people).unwrap_or_default()
    );
    tenant.rows(statement).await
}

/// Guard: the member is as they were read.
pub fn unchanged(holder: &Holder) -> TenantStatement {
    unchanged!("members", holder.id, holder.version)
}

/// Gives a member another role.
pub fn put(person: PersonId, role: &str) -> TenantStatement {
    tenant_sql!("UPDATE members SET role = ?3, version = version + 1 WHERE organization_id = ?1 AND id = ?2", person, role)
}
