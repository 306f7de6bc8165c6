//! All SQL of invitations.

use serde::Deserialize;

use super::invitation::{Invitation, Known, Status, Team, Wanted, roles_given};
use crate::identity::members::member::TeamRole;
use crate::identity::members::rules::normalized;
use crate::identity::{members, roles, teams};
use crate::kernel::error::Result;
use crate::kernel::ids::{InvitationId, ReservationId, TeamId};
use crate::kernel::sql;
use crate::kernel::tenant::{Tenant, TenantStatement};
use crate::kernel::time::Timestamp;
use crate::{stale_if, tenant_sql, unchanged};

#[derive(Deserialize)]
struct InvitationRow {
    id: InvitationId,
    email: String,
    role: Option<String>,
    #[serde(deserialize_with = "sql::json::deserialize")]
    teams: Vec<TeamRole>,
    status: Status,
    generation: u32,
    invited_by: String,
    #[serde(deserialize_with = "sql::millis::deserialize")]
    created_at: Timestamp,
    #[serde(deserialize_with = "sql::millis::deserialize")]
    expires_at: Timestamp,
    #[serde(deserialize_with = "sql::optional_millis::deserialize")]
    ended_at: Option<Timestamp>,
    seat: ReservationId,
    version: i64,
}

impl From<InvitationRow> for Invitation {
    fn from(row: InvitationRow) -> Self {
        Self {
            id: row.id,
            email: row.email,
            role: row.role,
            teams: row.teams,
            status: row.status,
            generation: row.generation,
            invited_by: row.invited_by,
            created_at: row.created_at,
            expires_at: row.expires_at,
            ended_at: row.ended_at,
            seat: row.seat,
            version: row.version,
        }
    }
}

pub async fn find(tenant: &Tenant, id: InvitationId) -> Result<Option<Invitation>> {
    let statement = tenant_sql!(
        "SELECT organization_id, id, email, role, teams, status, generation, invited_by, created_at, expires_at,
           ended_at, seat, version
         FROM invitations
         WHERE organization_id = ?1 AND id = ?2",
        id
    );
    Ok(tenant.row::<InvitationRow>(statement).await?.map(Invitation::from))
}

/// What waits for an address, in lower case.
async fn pending(tenant: &Tenant, email: &str) -> Result<Option<Invitation>> {
    let statement = tenant_sql!(
        "SELECT organization_id, id, email, role, teams, status, generation, invited_by, created_at, expires_at,
           ended_at, seat, version
         FROM invitations
         WHERE organization_id = ?1 AND email = ?2 AND status = 'pending'",
        email
    );
    Ok(tenant.row::<InvitationRow>(statement).await?.map(Invitation::from))
}

/// A page of invitations, newest first. One that is pending only because nobody noticed its end counts as expired.
pub async fn list(tenant: &Tenant, status: Option<Status>, before: &str, fetch: u32) -> Result<Vec<Invitation>> {
    let statement = tenant_sql!(
        "SELECT organization_id, id, email, role, teams, status, generation, invited_by, created_at, expires_at,
           ended_at, seat, version
         FROM invitations
         WHERE organization_id = ?1
           AND id < ?2
           AND (?3 IS NULL OR ?3 = CASE WHEN status = 'pending' AND expires_at <= ?4 THEN 'expired' ELSE status END)
         ORDER BY id DESC
         LIMIT ?5",
        before,
        status.map(|status| sql::word(&status)),
        tenant.moment().now,
        fetch
    );
    Ok(tenant.rows::<InvitationRow>(statement).await?.into_iter().map(Invitation::from).collect())
}

/// Those of the named teams that there are.
async fn invited_teams(tenant: &Tenant, ids: Vec<TeamId>) -> Result<Vec<Team>> {
    let found = teams::store::settings_of(tenant, &ids).await?.into_iter();
    Ok(found.map(|(id, settings)| Team { id, allowed_roles: settings.allowed_roles, default_role: settings.default_role }).collect())
}

/// What is to be known for an invitation to be made.
pub async fn known(tenant: &Tenant, wanted: &Wanted) -> Result<Known> {
    let email = normalized(&wanted.email);
    let teams = invited_teams(tenant, wanted.teams.iter().map(|(team, _)| *team).collect()).await?;
    let roles = roles_given(wanted, &teams)?;
    Ok(Known {
        permissions: roles::store::permissions_of(tenant, roles.iter().map(|(_, role)| role.as_str())).await?,
        is_member: members::store::member_by_email(tenant, &email).await?.is_some(),
        pending: pending(tenant, &email).await?,
        version: members::seat_store::version(tenant).await?,
        teams,
    })
}

/// What is to be known for it to be accepted: which of its roles and teams there still are.
pub async fn still_there(tenant: &Tenant, invitation: &Invitation) -> Result<Known> {
    let permissions = roles::store::permissions_of(tenant, invitation.role_keys()).await?;
    let teams = invited_teams(tenant, invitation.teams.iter().map(|given| given.team).collect()).await?;
    Ok(Known {
        permissions,
        teams,
        is_member: members::store::member_by_email(tenant, &invitation.email).await?.is_some(),
        ..Known::default()
    })
}

pub fn insert(invitation: &Invitation) -> TenantStatement {
    tenant_sql!(
        "INSERT INTO invitations
           (organization_id, id, email, role, teams, status, generation, invited_by, created_at, expires_at, seat)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        invitation.id,
        invitation.email.as_str(),
        invitation.role.as_deref(),
        serde_json::to_string(&invitation.teams).unwrap_or_else(|_| "[]".to_owned()),
        sql::word(&invitation.status),
        invitation.generation,
        invitation.invited_by.as_str(),
        invitation.created_at,
        invitation.expires_at,
        invitation.seat
    )
}

pub fn update(invitation: &Invitation) -> TenantStatement {
    tenant_sql!(
        "UPDATE invitations
         SET status = ?3, generation = ?4, expires_at = ?5, ended_at = ?6, version = version + 1
         WHERE organization_id = ?1 AND id = ?2",
        invitation.id,
        sql::word(&invitation.status),
        invitation.generation,
        invitation.expires_at,
        invitation.ended_at
    )
}

/// Guard: nobody with this email is a member or invited, but for the invitation that is ended with this commit.
pub fn is_free(email: &str, ended: Option<InvitationId>) -> TenantStatement {
    stale_if!(
        "EXISTS (SELECT 1 FROM members WHERE organization_id = ?1 AND email = ?2)
         OR EXISTS (
           SELECT 1
           FROM invitations
           WHERE organization_id = ?1
             AND email = ?2
             AND status = 'pending'
             AND id IS NOT ?3
         )",
        email,
        ended
    )
}

/// Guard: the invitation is as it was read.
pub fn unchanged(invitation: &Invitation) -> TenantStatement {
    unchanged!("invitations", invitation.id, invitation.version)
}
