//! All SQL of members and seats.

use serde::Deserialize;

use super::member::{Member, Profile, TeamRole};
use crate::kernel::error::Result;
use crate::kernel::ids::{PersonId, TeamId};
use crate::kernel::sql;
use crate::kernel::tenant::{Tenant, TenantStatement};
use crate::kernel::time::Timestamp;
use crate::{stale_if, tenant_sql, unchanged};

#[derive(Deserialize)]
struct MemberRow {
    id: PersonId,
    email: String,
    given_name: Option<String>,
    family_name: Option<String>,
    job_title: Option<String>,
    telephone: Option<String>,
    role: Option<String>,
    #[serde(deserialize_with = "sql::json::deserialize")]
    teams: Vec<TeamRole>,
    invited_by: Option<String>,
    #[serde(deserialize_with = "sql::millis::deserialize")]
    joined_at: Timestamp,
    #[serde(deserialize_with = "sql::optional_millis::deserialize")]
    email_verified_at: Option<Timestamp>,
    #[serde(deserialize_with = "sql::optional_millis::deserialize")]
    last_login_at: Option<Timestamp>,
    version: i64,
}

impl From<MemberRow> for Member {
    fn from(row: MemberRow) -> Self {
        let mut teams = row.teams;
        teams.sort();
        Self {
            id: row.id,
            email: row.email,
            profile: Profile {
                given_name: row.given_name,
                family_name: row.family_name,
                job_title: row.job_title,
                telephone: row.telephone,
            },
            role: row.role,
            teams,
            invited_by: row.invited_by,
            joined_at: row.joined_at,
            email_verified_at: row.email_verified_at,
            last_login_at: row.last_login_at,
            version: row.version,
        }
    }
}

pub async fn member(tenant: &Tenant, person: PersonId) -> Result<Option<Member>> {
    let statement = tenant_sql!(
        "SELECT organization_id, id, email, given_name, family_name, job_title, telephone, role,
           (
             SELECT json_group_array(json_object('team', team_id, 'role', role))
             FROM team_members
             WHERE organization_id = ?1 AND person_id = members.id
           ) AS teams,
           invited_by, joined_at, email_verified_at, last_login_at, version
         FROM members
         WHERE organization_id = ?1 AND id = ?2",
        person
    );
    Ok(tenant.row::<MemberRow>(statement).await?.map(Member::from))
}

/// `email` in lower case.
pub async fn member_by_email(tenant: &Tenant, email: &str) -> Result<Option<Member>> {
    let statement = tenant_sql!(
        "SELECT organization_id, id, email, given_name, family_name, job_title, telephone, role,
           (
             SELECT json_group_array(json_object('team', team_id, 'role', role))
             FROM team_members
             WHERE organization_id = ?1 AND person_id = members.id
           ) AS teams,
           invited_by, joined_at, email_verified_at, last_login_at, version
         FROM members
         WHERE organization_id = ?1 AND email = ?2",
        email
    );
    Ok(tenant.row::<MemberRow>(statement).await?.map(Member::from))
}

/// Which members are listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    pub role: Option<String>,
    pub team: Option<TeamId>,
    /// The first and the last email, in the order of texts.
    pub emails: Option<(String, String)>,
}

/// When the last member of the page before joined, and their id.
type Before<'a> = (Timestamp, &'a str);

/// A page of members, newest first, from those who joined before `before`. Each way to filter goes by an index of its own.
pub async fn list(tenant: &Tenant, filter: &Filter, before: Before<'_>, fetch: u32) -> Result<Vec<Member>> {
    let statement = match filter {
        Filter { emails: Some(emails), .. } => by_email(emails, filter, before, fetch),
        Filter { team: Some(team), role, .. } => by_team(*team, role.as_deref(), before, fetch),
        Filter { role: Some(role), .. } => by_role(role, before, fetch),
        Filter { .. } => by_joining(before, fetch),
    };
    Ok(tenant.rows::<MemberRow>(statement).await?.into_iter().map(Member::from).collect())
}

fn by_email(emails: &(String, String), filter: &Filter, before: Before<'_>, fetch: u32) -> TenantStatement {
    tenant_sql!(
        "SELECT organization_id, id, email, given_name, family_name, job_title, telephone, role,
           (
             SELECT json_group_array(json_object('team', team_id, 'role', role))
             FROM team_members
             WHERE organization_id = ?1 AND person_id = members.id
           ) AS teams,
           invited_by, joined_at, email_verified_at, last_login_at, version
         FROM members
         WHERE organization_id = ?1
           AND email >= ?2
           AND email <= ?3
           AND (+joined_at, +id) < (?4, ?5)
           AND (?6 IS NULL OR +role = ?6)
           AND (
             ?7 IS NULL
             OR EXISTS (
               SELECT 1
               FROM team_members
               WHERE organization_id = ?1 AND team_id = ?7 AND person_id = members.id
             )
           )
         ORDER BY +joined_at DESC, +id DESC
         LIMIT ?8",
        emails.0.as_str(),
        emails.1.as_str(),
        before.0,
        before.1,
        filter.role.as_deref(),
        filter.team,
        fetch
    )
}

fn by_team(team: TeamId, role: Option<&str>, before: Before<'_>, fetch: u32) -> TenantStatement {
    tenant_sql!(
        "SELECT organization_id, id, email, given_name, family_name, job_title, telephone, role,
           (
             SELECT json_group_array(json_object('team', team_id, 'role', role))
             FROM team_members
             WHERE organization_id = ?1 AND person_id = members.id
           ) AS teams,
           invited_by, joined_at, email_verified_at, last_login_at, version
         FROM members
         WHERE organization_id = ?1
           AND id IN (SELECT person_id FROM team_members WHERE organization_id = ?1 AND team_id = ?2)
           AND (+joined_at, +id) < (?3, ?4)
           AND (?5 IS NULL OR +role = ?5)
         ORDER BY +joined_at DESC, +id DESC
         LIMIT ?6",
        team,
        before.0,
        before.1,
        role,
        fetch
    )
}

fn by_role(role: &str, before: Before<'_>, fetch: u32) -> TenantStatement {
    tenant_sql!(
        "SELECT organization_id, id, email, given_name, family_name, job_title, telephone, role,
           (
             SELECT json_group_array(json_object('team', team_id, 'role', role))
             FROM team_members
             WHERE organization_id = ?1 AND person_id = members.id
           ) AS teams,
           invited_by, joined_at, email_verified_at, last_login_at, version
         FROM members
         WHERE organization_id = ?1 AND role = ?2 AND (joined_at, id) < (?3, ?4)
         ORDER BY joined_at DESC, id DESC
         LIMIT ?5",
        role,
        before.0,
        before.1,
        fetch
    )
}

fn by_joining(before: Before<'_>, fetch: u32) -> TenantStatement {
    tenant_sql!(
        "SELECT organization_id, id, email, given_name, family_name, job_title, telephone, role,
           (
             SELECT json_group_array(json_object('team', team_id, 'role', role))
             FROM team_members
             WHERE organization_id = ?1 AND person_id = members.id
           ) AS teams,
           invited_by, joined_at, email_verified_at, last_login_at, version
         FROM members
         WHERE organization_id = ?1 AND (joined_at, id) < (?2, ?3)
         ORDER BY joined_at DESC, id DESC
         LIMIT ?4",
        before.0,
        before.1,
        fetch
    )
}

#[derive(Deserialize)]
struct CountRow {
    count: i64,
}

/// Whether the person is a member.
pub async fn is_member(tenant: &Tenant, person: PersonId) -> Result<bool> {
    let statement =
        tenant_sql!("SELECT ?1 AS organization_id, count(*) AS count FROM members WHERE organization_id = ?1 AND id = ?2", person);
    Ok(tenant.row::<CountRow>(statement).await?.is_some_and(|row| row.count > 0))
}

/// Whether nobody but `person` owns the organization.
pub async fn is_last_owner(tenant: &Tenant, person: PersonId) -> Result<bool> {
    let statement = tenant_sql!(
        "SELECT ?1 AS organization_id,
           EXISTS (SELECT 1 FROM members WHERE organization_id = ?1 AND role = 'owner' AND id <> ?2) AS count",
        person
    );
    Ok(tenant.row::<CountRow>(statement).await?.is_none_or(|row| row.count == 0))
}

pub fn insert(member: &Member) -> TenantStatement {
    let Profile { given_name, family_name, job_title, telephone } = &member.profile;
    tenant_sql!(
        "INSERT INTO members
           (organization_id, id, email, given_name, family_name, job_title, telephone, role, invited_by, joined_at,
            email_verified_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        member.id,
        member.email.as_str(),
        given_name.as_deref(),
        family_name.as_deref(),
        job_title.as_deref(),
        telephone.as_deref(),
        member.role.as_deref(),
        member.invited_by.as_deref(),
        member.joined_at,
        member.email_verified_at
    )
}

pub fn insert_team_role(member: &Member, given: &TeamRole) -> TenantStatement {
    tenant_sql!(
        "INSERT INTO team_members (organization_id, team_id, person_id, role, assigned_by, start_date)
         SELECT ?1, id, ?3, ?4, ?5, ?6
         FROM teams
         WHERE organization_id = ?1 AND id = ?2",
        given.team,
        member.id,
        given.role.as_str(),
        member.invited_by.as_deref().unwrap_or("system"),
        member.joined_at
    )
}

pub fn update(member: &Member) -> TenantStatement {
    let Profile { given_name, family_name, job_title, telephone } = &member.profile;
    tenant_sql!(
        "UPDATE members
         SET given_name = ?3, family_name = ?4, job_title = ?5, telephone = ?6, role = ?7, version = version + 1
         WHERE organization_id = ?1 AND id = ?2",
        member.id,
        given_name.as_deref(),
        family_name.as_deref(),
        job_title.as_deref(),
        telephone.as_deref(),
        member.role.as_deref()
    )
}

/// Notes a login; to be committed with its session.
pub fn logged_in(person: PersonId, at: Timestamp) -> TenantStatement {
    tenant_sql!(
        "UPDATE members
         SET email_verified_at = coalesce(email_verified_at, ?3), last_login_at = ?3
         WHERE organization_id = ?1 AND id = ?2",
        person,
        at
    )
}

/// All rows of a member that go with them.
pub fn delete(person: PersonId) -> [TenantStatement; 2] {
    [
        tenant_sql!("DELETE FROM team_members WHERE organization_id = ?1 AND person_id = ?2", person),
        tenant_sql!("DELETE FROM members WHERE organization_id = ?1 AND id = ?2", person),
    ]
}

/// Guard: the person is a member.
pub fn is_still_member(person: PersonId) -> TenantStatement {
    tenant_sql!(
        "INSERT INTO stale_guards (organization_id, fresh)
         SELECT ?1, 0
         WHERE NOT EXISTS (SELECT 1 FROM members WHERE organization_id = ?1 AND id = ?2)",
        person
    )
}

/// Guard: neither this person nor anybody with this email is a member.
pub fn not_a_member(member: &Member) -> TenantStatement {
    stale_if!(
        "EXISTS (SELECT 1 FROM members WHERE organization_id = ?1 AND id = ?2)
         OR EXISTS (SELECT 1 FROM members WHERE organization_id = ?1 AND email = ?3)",
        member.id,
        member.email.as_str()
    )
}

/// Guard: the member is as they were read.
pub fn unchanged(member: &Member) -> TenantStatement {
    unchanged!("members", member.id, member.version)
}

/// Guard: somebody else owns the organization, too.
pub fn another_owner(beside: PersonId) -> TenantStatement {
    stale_if!("NOT EXISTS (SELECT 1 FROM members WHERE organization_id = ?1 AND role = 'owner' AND id <> ?2)", beside)
}

/// `by` more members; 0 when only the invitations changed. Each change is a version.
pub fn change_seats(by: i64) -> TenantStatement {
    tenant_sql!(
        "INSERT INTO seats (organization_id, taken, version)
         VALUES (?1, max(?2, 0), 1)
         ON CONFLICT (organization_id) DO UPDATE
         SET taken = taken + ?2, version = version + 1",
        by
    )
}
