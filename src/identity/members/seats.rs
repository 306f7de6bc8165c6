//! Seats: what the Meter is told of members and invitations, and whether it has understood. See decision 22.

use rating::Quantity;
use serde::Deserialize;

use super::rules::no_seat;
use crate::kernel::decision::Decision;
use crate::kernel::error::Result;
use crate::kernel::ids::{OrganizationId, ReservationId};
use crate::kernel::platform::Platform;
use crate::kernel::problem::Problem;
use crate::kernel::sql::{Row, Value, decode};
use crate::kernel::tenant::{Actor, Tenant, TenantStatement};
use crate::meter::client;
use crate::meter::client::call;
use crate::meter::contract::{Call, Done, SeatAnswer, SeatUsage};
use crate::tenant_sql;

/// Organizations that one sweep tells; the next one tells the rest.
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

/// Holds a seat for somebody who is about to be invited. It lapses within the hour unless the invitation is committed.
pub async fn hold(tenant: &Tenant, seat: ReservationId) -> Result<()> {
    match client::hold_seat(tenant, seat).await? {
        SeatAnswer::Hold(hold) if hold.is_held => Ok(()),
        SeatAnswer::Hold(hold) => Err(no_seat(hold.taken, hold.held, hold.limit.unwrap_or_default()).into()),
        SeatAnswer::Refused(refused) if refused.refused == "too_many_seats_held" => {
            let detail = "Too many invitations are pending. Revoke some, or wait until some are accepted or expire.";
            Err(Problem::conflict("too_many_invitations", detail).into())
        }
        SeatAnswer::Refused(_) => {
            let detail = "This organization has no subscription yet, so there are no seats to give. A new one gets its trial within a minute of its sign-up; then send the request again.";
            Err(Problem::conflict("no_subscription", detail).into())
        }
    }
}

/// Makes the Meter know the members and the seats that are held, as they stand now; to be committed: that it knows.
pub async fn tell(tenant: &Tenant) -> Result<Decision> {
    let seats = load(tenant).await?;
    if seats.version == 0 {
        return Ok(Decision::new());
    }
    let version = seats.version;
    super::seats::put_seats(tenant, seats).await?;
    let told = tenant_sql!("UPDATE seats SET told_version = max(told_version, ?2) WHERE organization_id = ?1", version);
    Ok(Decision::new().write(told))
}

/// The same as the Meter has it.
pub async fn in_the_meter(tenant: &Tenant) -> Result<SeatUsage> {
    client::seats(tenant).await
}

/// Whether both say the same: the rows of the members, their count, and what the Meter counts and holds.
pub fn is_consistent(seats: &Seats, meter: &SeatUsage) -> bool {
    let counted = seats.version == 0 || meter.taken == Quantity::from(seats.members) || !meter.is_counted && seats.members == 0;
    seats.members == seats.taken && seats.version == meter.version && counted && seats.held == meter.held
}

#[derive(Deserialize)]
struct UntoldRow {
    organization_id: OrganizationId,
}

/// Tells the Meters what they were not told because a step was parked. Run each hour.
pub async fn tell_untold(platform: &Platform) -> Result<usize> {
    let text = "SELECT organization_id FROM seats WHERE told_version < version LIMIT ?1";
    let rows: Vec<UntoldRow> = platform.every_shard(text, &[Value::from(SWEEP_MAX)]).await?;
    for row in &rows {
        if let Some(tenant) = platform.tenant(row.organization_id, Actor::System("tell_seats"), None).await? {
            tenant.commit(tell(&tenant).await?, None).await?;
        }
    }
    Ok(rows.len())
}

/// Tells the Meter how many members there are, and every seat that is held.
pub async fn put_seats(tenant: &Tenant, seats: Seats) -> Result<()> {
    call::<Done>(tenant, Call::PutSeats { version: seats.version, members: seats.members, held: seats.held }).await.map(|_| ())
}
