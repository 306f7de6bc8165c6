//! All SQL of sessions.

use serde::Deserialize;

use super::session::{IDLE_MAX, Session};
use crate::events::SessionEndReason;
use crate::kernel::error::Result;
use crate::kernel::ids::{PersonId, SessionId};
use crate::kernel::platform::Platform;
use crate::kernel::sql;
use crate::kernel::sql::Value;
use crate::kernel::tenant::{Tenant, TenantStatement};
use crate::kernel::time::{Timestamp, days};
use crate::{stale_if, tenant_sql};

/// A row of `sessions`.
#[derive(Deserialize)]
pub struct SessionRow {
    id: SessionId,
    person_id: PersonId,
    generation: u32,
    #[serde(deserialize_with = "sql::millis::deserialize")]
    created_at: Timestamp,
    #[serde(deserialize_with = "sql::millis::deserialize")]
    last_used_at: Timestamp,
    #[serde(deserialize_with = "sql::millis::deserialize")]
    expires_at: Timestamp,
    ip: Option<String>,
    user_agent: Option<String>,
    #[serde(deserialize_with = "sql::optional_millis::deserialize")]
    ended_at: Option<Timestamp>,
    ended_because: Option<SessionEndReason>,
}

impl From<SessionRow> for Session {
    fn from(row: SessionRow) -> Self {
        Self {
            id: row.id,
            person: row.person_id,
            generation: row.generation,
            created_at: row.created_at,
            last_used_at: row.last_used_at,
            expires_at: row.expires_at,
            ip: row.ip,
            user_agent: row.user_agent,
            ended: row.ended_at.zip(row.ended_because),
        }
    }
}

/// The statement that reads one, for reading it together with others.
pub fn select(id: SessionId) -> TenantStatement {
    tenant_sql!(
        "SELECT organization_id, id, person_id, generation, created_at, last_used_at, expires_at, ip, user_agent,
           ended_at, ended_because
         FROM sessions
         WHERE organization_id = ?1 AND id = ?2",
        id
    )
}

pub async fn find(tenant: &Tenant, id: SessionId) -> Result<Option<Session>> {
    Ok(tenant.row::<SessionRow>(select(id)).await?.map(Session::from))
}

/// The session if it is neither ended nor expired at `now` of the wall clock.
pub async fn find_live(tenant: &Tenant, id: SessionId, now: Timestamp) -> Result<Option<Session>> {
    Ok(find(tenant, id).await?.filter(|session| session.is_live(now)))
}

/// A page of the live sessions of everybody, newest first.
pub async fn list(tenant: &Tenant, now: Timestamp, before: &str, fetch: u32) -> Result<Vec<Session>> {
    let statement = tenant_sql!(
        "SELECT organization_id, id, person_id, generation, created_at, last_used_at, expires_at, ip, user_agent,
           ended_at, ended_because
         FROM sessions
         WHERE organization_id = ?1
           AND id < ?2
           AND ended_at IS NULL
           AND expires_at > ?3
           AND last_used_at > ?4
         ORDER BY id DESC
         LIMIT ?5",
        before,
        now,
        now.minus(IDLE_MAX),
        fetch
    );
    Ok(tenant.rows::<SessionRow>(statement).await?.into_iter().map(Session::from).collect())
}

/// A page of one person's live sessions, newest first.
pub async fn list_of(tenant: &Tenant, person: PersonId, now: Timestamp, before: &str, fetch: u32) -> Result<Vec<Session>> {
    let statement = tenant_sql!(
        "SELECT organization_id, id, person_id, generation, created_at, last_used_at, expires_at, ip, user_agent,
           ended_at, ended_because
         FROM sessions
         WHERE organization_id = ?1
           AND person_id = ?2
           AND id < ?3
           AND ended_at IS NULL
           AND expires_at > ?4
           AND last_used_at > ?5
         ORDER BY id DESC
         LIMIT ?6",
        person,
        before,
        now,
        now.minus(IDLE_MAX),
        fetch
    );
    Ok(tenant.rows::<SessionRow>(statement).await?.into_iter().map(Session::from).collect())
}

pub fn insert(session: &Session) -> TenantStatement {
    tenant_sql!(
        "INSERT INTO sessions
           (organization_id, id, person_id, generation, created_at, last_used_at, expires_at, ip, user_agent)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        session.id,
        session.person,
        session.generation,
        session.created_at,
        session.last_used_at,
        session.expires_at,
        session.ip.as_deref(),
        session.user_agent.as_deref()
    )
}

pub fn renew(session: &Session) -> TenantStatement {
    tenant_sql!(
        "UPDATE sessions SET generation = ?3, last_used_at = ?4 WHERE organization_id = ?1 AND id = ?2",
        session.id,
        session.generation,
        session.last_used_at
    )
}

pub fn end(id: SessionId, because: SessionEndReason, at: Timestamp) -> TenantStatement {
    tenant_sql!(
        "UPDATE sessions
         SET ended_at = ?3, ended_because = ?4
         WHERE organization_id = ?1 AND id = ?2 AND ended_at IS NULL",
        id,
        at,
        sql::word(&because)
    )
}

/// Ends all sessions of a person, for the decision that removes them.
pub fn end_all_of(person: PersonId, because: SessionEndReason, at: Timestamp) -> TenantStatement {
    tenant_sql!(
        "UPDATE sessions
         SET ended_at = ?3, ended_because = ?4
         WHERE organization_id = ?1 AND person_id = ?2 AND ended_at IS NULL",
        person,
        at,
        sql::word(&because)
    )
}

/// Guard: the session is as it was read.
pub fn unchanged(session: &Session) -> TenantStatement {
    stale_if!(
        "NOT EXISTS (
           SELECT 1
           FROM sessions
           WHERE organization_id = ?1 AND id = ?2 AND generation = ?3 AND ended_at IS NULL
         )",
        session.id,
        session.generation
    )
}

/// Guard: there is no such session yet.
pub fn not_begun_yet(id: SessionId) -> TenantStatement {
    stale_if!("EXISTS (SELECT 1 FROM sessions WHERE organization_id = ?1 AND id = ?2)", id)
}

/// Sessions forgotten at once on each database; the next day forgets the rest.
const FORGOTTEN_MAX: u32 = 10_000;

/// Forgets sessions that would have expired a month ago, of all organizations; the audit log remembers them.
pub async fn forget_expired(platform: &Platform) -> Result<usize> {
    let before = platform.app().moment().now.minus(days(30));
    let text = "DELETE FROM sessions
                WHERE rowid IN (SELECT rowid FROM sessions WHERE expires_at <= ?1 LIMIT ?2)
                RETURNING id";
    let forgotten: Vec<serde_json::Value> = platform.every_shard(text, &[Value::from(before), Value::from(FORGOTTEN_MAX)]).await?;
    Ok(forgotten.len())
}
