//! Seats: what the Meter knows of members and invitations. See decision 22.

use rating::Quantity;

use super::rules::no_seat;
use super::seat_store;
use super::seat_store::Seats;
use crate::kernel::decision::Decision;
use crate::kernel::error::Result;
use crate::kernel::ids::ReservationId;
use crate::kernel::platform::Platform;
use crate::kernel::problem::Problem;
use crate::kernel::tenant::{Actor, Tenant};
use crate::meter::client;
use crate::meter::client::call;
use crate::meter::contract::{Call, Done, SeatAnswer, SeatUsage};

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

/// Sends the Meter how many members there are and every seat that is held; to be committed: that it knows.
pub async fn update_meter(tenant: &Tenant) -> Result<Decision> {
    let Seats { version, members, held, .. } = seat_store::load(tenant).await?;
    if version == 0 {
        return Ok(Decision::new());
    }
    call::<Done>(tenant, Call::PutSeats { version, members, held }).await?;
    Ok(Decision::new().write(seat_store::note_told(version)))
}

/// The same for the organizations whose step failed for good. Run each hour.
pub async fn update_outdated_meters(platform: &Platform) -> Result<usize> {
    let organizations = seat_store::outdated(platform).await?;
    for organization in &organizations {
        if let Some(tenant) = platform.tenant(*organization, Actor::System("tell_seats"), None).await? {
            tenant.commit(update_meter(&tenant).await?, None).await?;
        }
    }
    Ok(organizations.len())
}

/// The seats as the Meter counts them.
pub async fn in_the_meter(tenant: &Tenant) -> Result<SeatUsage> {
    client::seats(tenant).await
}

/// Whether the rows of the members, their count, and what the Meter counts and holds are the same.
pub fn is_consistent(seats: &Seats, meter: &SeatUsage) -> bool {
    let counted = seats.version == 0 || meter.taken == Quantity::from(seats.members) || !meter.is_counted && seats.members == 0;
    seats.members == seats.taken && seats.version == meter.version && counted && seats.held == meter.held
}
