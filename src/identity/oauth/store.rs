//! All SQL of clients.

use serde::Deserialize;

use super::client::OauthClient;
use crate::kernel::error::Result;
use crate::kernel::ids::{ClientId, PersonId};
use crate::kernel::sql;
use crate::kernel::tenant::{Tenant, TenantStatement};
use crate::kernel::time::Timestamp;
use crate::{stale_if, tenant_sql};

#[derive(Deserialize)]
struct ClientRow {
    id: ClientId,
    name: String,
    #[serde(deserialize_with = "sql::json::deserialize")]
    scopes: Vec<String>,
    generation: u32,
    #[serde(deserialize_with = "sql::optional_millis::deserialize")]
    previous_until: Option<Timestamp>,
    created_by: String,
    person_id: Option<PersonId>,
    #[serde(deserialize_with = "sql::millis::deserialize")]
    created_at: Timestamp,
    #[serde(deserialize_with = "sql::optional_millis::deserialize")]
    revoked_at: Option<Timestamp>,
    #[serde(deserialize_with = "sql::optional_millis::deserialize")]
    last_used_at: Option<Timestamp>,
}

impl From<ClientRow> for OauthClient {
    fn from(row: ClientRow) -> Self {
        Self {
            id: row.id,
            name: row.name,
            scopes: row.scopes,
            generation: row.generation,
            previous_until: row.previous_until,
            created_by: row.created_by,
            person: row.person_id,
            created_at: row.created_at,
            revoked_at: row.revoked_at,
            last_used_at: row.last_used_at,
        }
    }
}

/// A client that was not deleted.
pub async fn find(tenant: &Tenant, id: ClientId) -> Result<Option<OauthClient>> {
    Ok(find_any(tenant, id).await?.filter(|client| client.revoked_at.is_none()))
}

/// A client, deleted ones included.
pub async fn find_any(tenant: &Tenant, id: ClientId) -> Result<Option<OauthClient>> {
    let statement = tenant_sql!(
        "SELECT organization_id, id, name, scopes, generation, previous_until, created_by, person_id, created_at,
           revoked_at, last_used_at
         FROM oauth_clients
         WHERE organization_id = ?1 AND id = ?2",
        id
    );
    Ok(tenant.row::<ClientRow>(statement).await?.map(OauthClient::from))
}

/// A page of clients, newest first.
pub async fn list(tenant: &Tenant, before: &str, fetch: u32) -> Result<Vec<OauthClient>> {
    let statement = tenant_sql!(
        "SELECT organization_id, id, name, scopes, generation, previous_until, created_by, person_id, created_at,
           revoked_at, last_used_at
         FROM oauth_clients
         WHERE organization_id = ?1 AND id < ?2 AND revoked_at IS NULL
         ORDER BY id DESC
         LIMIT ?3",
        before,
        fetch
    );
    Ok(tenant.rows::<ClientRow>(statement).await?.into_iter().map(OauthClient::from).collect())
}

pub fn insert(client: &OauthClient) -> TenantStatement {
    tenant_sql!(
        "INSERT INTO oauth_clients (organization_id, id, name, scopes, generation, created_by, person_id, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        client.id,
        client.name.as_str(),
        serde_json::Value::from(client.scopes.clone()).to_string(),
        client.generation,
        client.created_by.as_str(),
        client.person,
        client.created_at
    )
}

pub fn renew(client: &OauthClient) -> TenantStatement {
    tenant_sql!(
        "UPDATE oauth_clients SET generation = ?3, previous_until = ?4 WHERE organization_id = ?1 AND id = ?2",
        client.id,
        client.generation,
        client.previous_until
    )
}

pub fn revoke(id: ClientId, at: Timestamp) -> TenantStatement {
    tenant_sql!(
        "UPDATE oauth_clients
         SET revoked_at = ?3
         WHERE organization_id = ?1 AND id = ?2 AND revoked_at IS NULL",
        id,
        at
    )
}

/// Revokes every client of a member, for the decision that removes them.
pub fn revoke_all_of(person: PersonId, at: Timestamp) -> TenantStatement {
    tenant_sql!(
        "UPDATE oauth_clients
         SET revoked_at = ?3
         WHERE organization_id = ?1 AND person_id = ?2 AND revoked_at IS NULL",
        person,
        at
    )
}

pub fn note_use(id: ClientId, at: Timestamp) -> TenantStatement {
    tenant_sql!("UPDATE oauth_clients SET last_used_at = ?3 WHERE organization_id = ?1 AND id = ?2", id, at)
}

/// Guard: the client's secret is the one that was read.
pub fn is_as_read(client: &OauthClient) -> TenantStatement {
    stale_if!(
        "NOT EXISTS (
           SELECT 1
           FROM oauth_clients
           WHERE organization_id = ?1
             AND id = ?2
             AND revoked_at IS NULL
             AND generation = ?3
         )",
        client.id,
        client.generation
    )
}
