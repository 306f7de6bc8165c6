//! All SQL of seats.

use serde::Deserialize;

use crate::kernel::error::Result;
use crate::kernel::ids::{OrganizationId, ReservationId};
use crate::kernel::platform::Platform;
use crate::kernel::sql::{Row, Value, decode};
use crate::kernel::tenant::{Tenant, TenantStatement};
use crate::tenant_sql;

/// Organizations that one sweep gives; the next one gives the rest.
const SWEEP_MAX: u32 = 500;

/// How many members there are, and which seats are held, as this organization's database has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seats {
    /// 0 before there was anybody.
    pub version: i64,
    /// As it is counted along.
    pub taken: u32,
    /// As the rows of the members are.
    pub members: u32,
    /// Of pending invitations.
    pub held: Vec<ReservationId>,
}

#[derive(Deserialize)]
struct SeatsRow {
    version: i64,
    taken: u32,
}

#[derive(Deserialize)]
struct MembersRow {
    count: u32,
}

#[derive(Deserialize)]
struct HeldRow {
    seat: ReservationId,
}

/// The statement that reads how many seats are taken, for reading it together with others; no row before there was anybody.
pub fn select() -> TenantStatement {
    tenant_sql!("SELECT organization_id, taken, version FROM seats WHERE organization_id = ?1")
}

/// How many seats are taken, from a row of [`select`].
pub fn taken(row: Row) -> Result<u32> {
    Ok(decode::<SeatsRow>(row)?.taken)
}

/// Of the last change of members or invitations; 0 before there was one.
pub async fn version(tenant: &Tenant) -> Result<i64> {
    Ok(tenant.row::<SeatsRow>(select()).await?.map_or(0, |row| row.version))
}

/// All of it in one transaction.
pub async fn load(tenant: &Tenant) -> Result<Seats> {
    let statements = vec![
        select(),
        tenant_sql!("SELECT ?1 AS organization_id, count(*) AS count FROM members WHERE organization_id = ?1"),
        tenant_sql!(
            "SELECT organization_id, seat
             FROM invitations
             WHERE organization_id = ?1 AND status = 'pending'
             ORDER BY seat"
        ),
    ];
    let mut read = tenant.run(statements).await?.into_iter();
    let mut rows = || read.next().unwrap_or_default().into_iter();
    let seats = rows().next().map(decode::<SeatsRow>).transpose()?;
    let members = rows().next().map(decode::<MembersRow>).transpose()?.map_or(0, |row| row.count);
    let held = rows().map(|row| decode::<HeldRow>(row).map(|row| row.seat)).collect::<std::result::Result<_, _>>()?;
    Ok(Seats { version: seats.as_ref().map_or(0, |row| row.version), taken: seats.map_or(0, |row| row.taken), members, held })
}

/// Notes that the Meter knows the seats of `version`.
pub fn note_told(version: i64) -> TenantStatement {
    tenant_sql!("UPDATE seats SET told_version = max(told_version, ?2) WHERE organization_id = ?1", version)
}

#[derive(Deserialize)]
struct OutdatedRow {
    organization_id: OrganizationId,
}

/// Organizations whose Meter does not know their present seats, of all of them.
pub async fn outdated(platform: &Platform) -> Result<Vec<OrganizationId>> {
    let text = "SELECT organization_id FROM seats WHERE told_version < version LIMIT ?1";
    let rows: Vec<OutdatedRow> = platform.every_shard(text, &[Value::from(SWEEP_MAX)]).await?;
    Ok(rows.into_iter().map(|row| row.organization_id).collect())
}
