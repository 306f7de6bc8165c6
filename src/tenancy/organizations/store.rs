//! All SQL of organizations.

use serde::Deserialize;

use super::organization::{Cancellation, Details, Life, Organization, Settings, Suspension};
use crate::kernel::error::{Error, Result};
use crate::kernel::ids::{OrganizationId, TestClockId};
use crate::kernel::organization::Status;
use crate::kernel::sql;
use crate::kernel::sql::decode;
use crate::kernel::tenant::{Tenant, TenantStatement};
use crate::kernel::time::Timestamp;
use crate::{stale_if, tenant_sql};

/// A row of `organizations`.
#[derive(Deserialize)]
pub struct OrganizationRow {
    organization_id: OrganizationId,
    name: String,
    email: String,
    #[serde(deserialize_with = "sql::json::deserialize")]
    details: Details,
    #[serde(deserialize_with = "sql::json::deserialize")]
    settings: Settings,
    status: Status,
    test_clock_id: Option<TestClockId>,
    #[serde(deserialize_with = "sql::millis::deserialize")]
    created_at: Timestamp,
    #[serde(deserialize_with = "sql::optional_millis::deserialize")]
    onboarded_at: Option<Timestamp>,
    version: i64,
}

impl From<OrganizationRow> for Organization {
    fn from(row: OrganizationRow) -> Self {
        Self {
            id: row.organization_id,
            name: row.name,
            email: row.email,
            details: row.details,
            settings: row.settings,
            status: row.status,
            test_clock: row.test_clock_id,
            created_at: row.created_at,
            onboarded_at: row.onboarded_at,
            version: row.version,
        }
    }
}

/// The statement that reads the organization, for one batch with other reads.
pub fn select() -> TenantStatement {
    tenant_sql!(
        "SELECT organization_id, name, email, details, settings, status, test_clock_id, created_at, onboarded_at,
           version
         FROM organizations
         WHERE organization_id = ?1"
    )
}

pub async fn load(tenant: &Tenant) -> Result<Organization> {
    let row = tenant.row::<OrganizationRow>(select()).await?;
    row.map(Organization::from).ok_or_else(|| Error::Unavailable("the organization is still being set up".into()))
}

pub fn insert(organization: &Organization) -> TenantStatement {
    tenant_sql!(
        "INSERT INTO organizations
           (organization_id, name, email, details, settings, status, test_clock_id, created_at, onboarded_at, version)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 1)",
        organization.name.as_str(),
        organization.email.as_str(),
        to_json(&organization.details),
        to_json(&organization.settings),
        organization.status.wire_name(),
        organization.test_clock,
        organization.created_at,
        organization.onboarded_at
    )
}

pub fn update(organization: &Organization) -> TenantStatement {
    tenant_sql!(
        "UPDATE organizations
         SET name = ?2, email = ?3, details = ?4, settings = ?5, status = ?6, onboarded_at = ?7, version = version + 1
         WHERE organization_id = ?1",
        organization.name.as_str(),
        organization.email.as_str(),
        to_json(&organization.details),
        to_json(&organization.settings),
        organization.status.wire_name(),
        organization.onboarded_at
    )
}

/// Guard: the organization is unchanged since it was read.
pub fn unchanged(organization: &Organization) -> TenantStatement {
    stale_if!("NOT EXISTS (SELECT 1 FROM organizations WHERE organization_id = ?1 AND version = ?2)", organization.version)
}

/// Guard: the organization is not in this database yet.
pub fn not_placed_yet() -> TenantStatement {
    stale_if!("EXISTS (SELECT 1 FROM organizations WHERE organization_id = ?1)")
}

#[derive(Deserialize)]
struct SuspensionRow {
    reason: String,
    #[serde(deserialize_with = "sql::millis::deserialize")]
    started_at: Timestamp,
}

#[derive(Deserialize)]
struct CancellationRow {
    reason: Option<String>,
    #[serde(deserialize_with = "sql::millis::deserialize")]
    cancelled_at: Timestamp,
    #[serde(deserialize_with = "sql::millis::deserialize")]
    erases_at: Timestamp,
}

impl From<CancellationRow> for Cancellation {
    fn from(row: CancellationRow) -> Self {
        Self { reason: row.reason, cancelled_at: row.cancelled_at, erases_at: row.erases_at }
    }
}

fn select_cancellation() -> TenantStatement {
    tenant_sql!(
        "SELECT organization_id, reason, cancelled_at, erases_at
         FROM cancellations
         WHERE organization_id = ?1"
    )
}

/// The organization with its suspension and cancellation, read in one transaction.
pub async fn load_life(tenant: &Tenant) -> Result<Life> {
    let suspension = tenant_sql!("SELECT organization_id, reason, started_at FROM suspensions WHERE organization_id = ?1");
    let mut read = tenant.run(vec![select(), suspension, select_cancellation()]).await?.into_iter();
    let mut first = || read.next().unwrap_or_default().into_iter().next();
    let organization = first().map(decode::<OrganizationRow>).transpose()?.map(Organization::from);
    let organization = organization.ok_or_else(|| Error::Unavailable("the organization is still being set up".into()))?;
    let suspension = first().map(decode::<SuspensionRow>).transpose()?;
    let suspension = suspension.map(|row| Suspension { reason: row.reason, started_at: row.started_at });
    let cancellation = first().map(decode::<CancellationRow>).transpose()?.map(Cancellation::from);
    Ok(Life { organization, suspension, cancellation })
}

pub async fn cancellation(tenant: &Tenant) -> Result<Option<Cancellation>> {
    Ok(tenant.row::<CancellationRow>(select_cancellation()).await?.map(Cancellation::from))
}

pub fn put_suspension(suspension: &Suspension) -> TenantStatement {
    tenant_sql!(
        "INSERT INTO suspensions (organization_id, reason, started_at)
         VALUES (?1, ?2, ?3)
         ON CONFLICT (organization_id) DO UPDATE
         SET reason = excluded.reason",
        suspension.reason.as_str(),
        suspension.started_at
    )
}

pub fn delete_suspension() -> TenantStatement {
    tenant_sql!("DELETE FROM suspensions WHERE organization_id = ?1")
}

pub fn insert_cancellation(cancellation: &Cancellation) -> TenantStatement {
    tenant_sql!(
        "INSERT INTO cancellations (organization_id, reason, cancelled_at, erases_at) VALUES (?1, ?2, ?3, ?4)",
        cancellation.reason.as_deref(),
        cancellation.cancelled_at,
        cancellation.erases_at
    )
}

pub fn delete_cancellation() -> TenantStatement {
    tenant_sql!("DELETE FROM cancellations WHERE organization_id = ?1")
}

fn to_json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned())
}
