//! All SQL of people in the directory: one id for each email address, and an index of their memberships. Each organization's own rows
//! decide who is a member.

use serde::Deserialize;

use crate::kernel::error::{Error, Result};
use crate::kernel::ids::{OrganizationId, PersonId};
use crate::kernel::platform::{Platform, directory_of};
use crate::kernel::sql::{Statement, decode};
use crate::kernel::tenant::Tenant;
use crate::kernel::time::Timestamp;
use crate::platform_sql;

#[derive(Deserialize)]
struct PersonRow {
    id: PersonId,
}

/// The person of an email, in lower case, entered as a possible member of this organization. Before the commit that makes them one;
/// repeating it changes nothing. The caller has verified that the email address is theirs.
pub async fn enter(tenant: &Tenant, email: &str) -> Result<PersonId> {
    let moment = tenant.app().moment();
    let statements = vec![
        platform_sql!(
            "INSERT INTO people (id, email, email_verified_at, created_at)
             VALUES (?1, ?2, ?3, ?3)
             ON CONFLICT (email) DO UPDATE
             SET email_verified_at = coalesce(email_verified_at, excluded.email_verified_at)",
            PersonId::new(moment),
            email,
            moment.now
        ),
        platform_sql!(
            "INSERT INTO memberships (person_id, organization_id)
             SELECT id, ?2
             FROM people
             WHERE email = ?1
             ON CONFLICT DO NOTHING",
            email,
            tenant.organization()
        ),
        platform_sql!("SELECT id FROM people WHERE email = ?1", email),
    ];
    let row = directory_of(tenant, statements).await?.into_iter().flatten().next();
    Ok(decode::<PersonRow>(row.ok_or_else(|| Error::internal("a person who was entered is missing"))?)?.id)
}

/// The statements that enter the first owner of a new organization: the person of the email, known or not, may be a member there.
pub fn enter_first(id: PersonId, email: &str, organization: OrganizationId, now: Timestamp) -> [Statement; 2] {
    [
        platform_sql!("INSERT INTO people (id, email, created_at) VALUES (?1, ?2, ?3) ON CONFLICT (email) DO NOTHING", id, email, now),
        platform_sql!(
            "INSERT INTO memberships (person_id, organization_id) SELECT id, ?2 FROM people WHERE email = ?1",
            email,
            organization
        ),
    ]
}

/// The person of an email, in lower case.
pub async fn find(platform: &Platform, email: &str) -> Result<Option<PersonId>> {
    let rows = platform.directory_rows::<PersonRow>(platform_sql!("SELECT id FROM people WHERE email = ?1", email)).await?;
    Ok(rows.into_iter().next().map(|row| row.id))
}

#[derive(Deserialize)]
struct MembershipRow {
    person_id: String,
}

/// The people who may be a member of this organization and of no other.
pub async fn people_only_of(platform: &Platform, organization: OrganizationId) -> Result<Vec<String>> {
    let statement = platform_sql!(
        "SELECT person_id
         FROM memberships m
         WHERE organization_id = ?1
           AND NOT EXISTS (SELECT 1 FROM memberships o WHERE o.person_id = m.person_id AND o.organization_id <> ?1)",
        organization
    );
    Ok(platform.directory_rows::<MembershipRow>(statement).await?.into_iter().map(|row| row.person_id).collect())
}

/// Adds a membership to the index.
pub async fn note_member(tenant: &Tenant, person: PersonId) -> Result<()> {
    let statement = platform_sql!(
        "INSERT INTO memberships (person_id, organization_id) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
        person,
        tenant.organization()
    );
    directory_of(tenant, vec![statement]).await.map(|_| ())
}

/// Removes a membership from the index.
pub async fn forget_member(tenant: &Tenant, person: PersonId) -> Result<()> {
    let statement = platform_sql!("DELETE FROM memberships WHERE person_id = ?1 AND organization_id = ?2", person, tenant.organization());
    directory_of(tenant, vec![statement]).await.map(|_| ())
}
