//! The calls to an organization's Meter. Each may be repeated: a repeated call changes nothing.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;

use super::contract::{
    Call, ChainedCommit, ClosedPeriod, Closing, ClosingCommit, Closings, CurrentUsage, Done, Erased, ExportPage, KeyUses, PendingFacts,
    RolledUp, SeatAnswer, SeatUsage,
};
use crate::kernel::error::{Error, OrInternal, Result};
use crate::kernel::ids::{KeyId, OrganizationId, ReservationId};
use crate::kernel::period::Period;
use crate::kernel::ports::App;
use crate::kernel::tenant::Tenant;
use crate::kernel::time::Timestamp;

pub async fn call<Answer: DeserializeOwned>(tenant: &Tenant, call: Call) -> Result<Answer> {
    let text = serde_json::to_string(&call).or_internal()?;
    let answer = tenant.app().meters.call(tenant.organization(), text).await?;
    serde_json::from_str(&answer).map_err(|error| Error::internal(format!("the Meter answered {answer}: {error}")))
}

pub async fn set_clock(tenant: &Tenant, now: Timestamp) -> Result<()> {
    call::<Done>(tenant, Call::SetClock { now }).await.map(|_| ())
}

/// Erases the Meter of an organization.
pub async fn erase(app: &App, organization: OrganizationId) -> Result<Erased> {
    let call = serde_json::to_string(&Call::Erase).or_internal()?;
    let answer = app.meters.call(organization, call).await?;
    serde_json::from_str(&answer).map_err(|error| Error::internal(format!("the Meter answered {answer}: {error}")))
}

pub async fn remove_key(tenant: &Tenant, key: KeyId) -> Result<()> {
    call::<Done>(tenant, Call::RemoveKey { key }).await.map(|_| ())
}

/// The last use of each of these keys on the hot path.
pub async fn key_uses(tenant: &Tenant, keys: Vec<KeyId>) -> Result<BTreeMap<KeyId, Timestamp>> {
    if keys.is_empty() {
        return Ok(BTreeMap::new());
    }
    Ok(call::<KeyUses>(tenant, Call::KeyUses { keys }).await?.uses)
}

/// Holds a seat for an invitation that is about to be created.
pub async fn hold_seat(tenant: &Tenant, seat: ReservationId) -> Result<SeatAnswer> {
    call(tenant, Call::HoldSeat { seat }).await
}

pub async fn seats(tenant: &Tenant) -> Result<SeatUsage> {
    call(tenant, Call::Seats).await
}

/// Freezes a period as it is billed.
pub async fn close_period(tenant: &Tenant, period: Period) -> Result<Closing> {
    call(tenant, Call::ClosePeriod { starts_at: period.starts_at, ends_at: period.ends_at }).await
}

/// The closing that a period would have now, without closing it.
pub async fn peek_period(tenant: &Tenant, period: Period) -> Result<Closing> {
    call(tenant, Call::PeekPeriod { starts_at: period.starts_at, ends_at: period.ends_at }).await
}

/// The closings of periods that start in [from, to), oldest first.
pub async fn closings(tenant: &Tenant, from: Timestamp, to: Timestamp) -> Result<Vec<ClosedPeriod>> {
    Ok(call::<Closings>(tenant, Call::Closings { from, to }).await?.closings)
}

/// The commit that closed the period which starts there, if it is closed.
pub async fn closing_commit(tenant: &Tenant, starts_at: Timestamp) -> Result<Option<ChainedCommit>> {
    Ok(call::<ClosingCommit>(tenant, Call::ClosingCommit { starts_at }).await?.commit)
}

pub async fn pending_facts(tenant: &Tenant) -> Result<PendingFacts> {
    call(tenant, Call::PendingFacts).await
}

pub async fn acknowledge_facts(tenant: &Tenant, through: u64) -> Result<()> {
    call::<Done>(tenant, Call::AcknowledgeFacts { through }).await.map(|_| ())
}

pub async fn current_usage(tenant: &Tenant) -> Result<CurrentUsage> {
    call(tenant, Call::CurrentUsage).await
}

/// The buckets that are not stored yet, a page of them.
pub async fn roll_up(tenant: &Tenant) -> Result<RolledUp> {
    call(tenant, Call::RollUp).await
}

pub async fn acknowledge_buckets(tenant: &Tenant, through: u64) -> Result<()> {
    call::<Done>(tenant, Call::AcknowledgeBuckets { through }).await.map(|_| ())
}

/// A page of an export.
pub async fn export(tenant: &Tenant, wanted: Call) -> Result<ExportPage> {
    call(tenant, wanted).await
}
