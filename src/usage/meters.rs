//! The calls to an organization's Meter. Each may be repeated: the Meter recognizes what it knows.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;

use super::meter::{
    Call, ChainedCommit, ClosedPeriod, Closing, ClosingCommit, Closings, CurrentUsage, Done, Erased, ExportPage, Grant, HotReply,
    HotRequest, KeyUses, LimitOverride, PendingFacts, RolledUp, SeatAnswer, SeatStanding, TELL_METRICS,
};
use crate::access::rules::ApiKey;
use crate::catalog;
use crate::kernel::error::{Error, OrInternal, Result};
use crate::kernel::ids::{KeyId, OrganizationId, ReservationId};
use crate::kernel::ports::App;
use crate::kernel::tenant::Tenant;
use crate::kernel::time::Timestamp;
use crate::limits::rules::Limits;
use crate::metrics;
use crate::organizations::rules::Organization;
use crate::people::seats::Seats;
use crate::subscriptions::entitlements;
use crate::subscriptions::rules::{Period, Subscription};

async fn call<Answer: DeserializeOwned>(tenant: &Tenant, call: Call) -> Result<Answer> {
    let text = serde_json::to_string(&call).or_internal()?;
    let answer = tenant.app().meters.call(tenant.organization(), text).await?;
    serde_json::from_str(&answer).map_err(|error| Error::internal(format!("the Meter answered {answer}: {error}")))
}

/// Tells the Meter what the subscription entitles to.
pub async fn configure(tenant: &Tenant, subscription: &Subscription) -> Result<()> {
    let clock = tenant.test_clock().map(|_| tenant.moment().now);
    let plan = catalog::store::pinned(tenant.app(), &subscription.shape.plan, subscription.shape.plan_version).await?;
    let entitlements = entitlements::of(subscription, &plan, clock)?;
    call::<Done>(tenant, Call::Configure { entitlements }).await.map(|_| ())
}

pub async fn set_clock(tenant: &Tenant, now: Timestamp) -> Result<()> {
    call::<Done>(tenant, Call::SetClock { now }).await.map(|_| ())
}

/// Tells the Meter of a key, or that it is revoked.
pub async fn put_key(tenant: &Tenant, key: &ApiKey) -> Result<()> {
    if key.revoked_at.is_some() {
        return remove_key(tenant, key.id).await;
    }
    call::<Done>(tenant, Call::PutKey { key: key.id, scopes: key.scopes.clone(), expires_at: key.expires_at }).await.map(|_| ())
}

/// Tells the Meter whether the organization's keys may write.
pub async fn put_status(tenant: &Tenant, organization: &Organization) -> Result<()> {
    call::<Done>(tenant, Call::PutStatus { version: organization.version, status: organization.status }).await.map(|_| ())
}

/// Has the Meter of an organization forget everything.
pub async fn erase(app: &App, organization: OrganizationId) -> Result<Erased> {
    let call = serde_json::to_string(&Call::Erase).or_internal()?;
    let answer = app.meters.call(organization, call).await?;
    serde_json::from_str(&answer).map_err(|error| Error::internal(format!("the Meter answered {answer}: {error}")))
}

pub async fn remove_key(tenant: &Tenant, key: KeyId) -> Result<()> {
    call::<Done>(tenant, Call::RemoveKey { key }).await.map(|_| ())
}

/// When these keys were last used on the hot path.
pub async fn key_uses(tenant: &Tenant, keys: Vec<KeyId>) -> Result<BTreeMap<KeyId, Timestamp>> {
    if keys.is_empty() {
        return Ok(BTreeMap::new());
    }
    Ok(call::<KeyUses>(tenant, Call::KeyUses { keys }).await?.uses)
}

/// Tells the Meter every metric that the vendor has defined; their number is the version. Where there is none, there is nothing to tell.
pub async fn put_metrics(tenant: &Tenant) -> Result<()> {
    let defined = metrics::store::defined(tenant.app()).await?;
    if defined.is_empty() {
        return Ok(());
    }
    let version = i64::try_from(defined.len()).unwrap_or(i64::MAX);
    let metrics = defined.iter().map(|metric| (metric.key.clone(), metric.rule())).collect();
    let event_types = defined.into_iter().filter_map(|metric| Some((metric.event_type?, metric.key))).collect();
    call::<Done>(tenant, Call::PutMetrics { version, metrics, event_types }).await.map(|_| ())
}

/// Tells the Meter all that is agreed with the organization beside its plan.
pub async fn put_limits(tenant: &Tenant, limits: &Limits) -> Result<()> {
    let overrides = limits
        .overrides
        .iter()
        .map(|(metric, given)| (metric.clone(), LimitOverride { limit: given.limit, enforcement: given.enforcement }))
        .collect();
    let grants = limits
        .grants
        .iter()
        .map(|grant| Grant {
            id: grant.id.to_string(),
            metric: grant.metric.clone(),
            amount: grant.amount,
            starts_at: grant.starts_at,
            ends_at: grant.ends_at,
        })
        .collect();
    call::<Done>(tenant, Call::PutLimits { version: limits.version, overrides, grants }).await.map(|_| ())
}

/// Holds a seat for somebody who is about to be invited.
pub async fn hold_seat(tenant: &Tenant, seat: ReservationId) -> Result<SeatAnswer> {
    call(tenant, Call::HoldSeat { seat }).await
}

/// Tells the Meter how many members there are, and every seat that is held.
pub async fn put_seats(tenant: &Tenant, seats: Seats) -> Result<()> {
    call::<Done>(tenant, Call::PutSeats { version: seats.version, members: seats.members, held: seats.held }).await.map(|_| ())
}

pub async fn seats(tenant: &Tenant) -> Result<SeatStanding> {
    call(tenant, Call::Seats).await
}

/// Hands a hot request to the Meter. One that names a metric the Meter doesn't know is handed to it again when the Meter knows them all.
pub async fn serve(tenant: &Tenant, mut request: HotRequest<'_>) -> Result<HotReply> {
    let meters = &tenant.app().meters;
    let mut text = meters.serve(tenant.organization(), request.to_wire()).await?;
    if text == TELL_METRICS {
        put_metrics(tenant).await?;
        request.is_told = true;
        text = meters.serve(tenant.organization(), request.to_wire()).await?;
    }
    HotReply::from_wire(&text).ok_or_else(|| Error::internal("the Meter's answer can't be read"))
}

/// Freezes a period as it is billed.
pub async fn close_period(tenant: &Tenant, period: Period) -> Result<Closing> {
    call(tenant, Call::ClosePeriod { starts_at: period.starts_at, ends_at: period.ends_at }).await
}

/// What a period is billed by if it is closed now.
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

/// A page of `wanted`, one of the exports.
pub async fn export(tenant: &Tenant, wanted: Call) -> Result<ExportPage> {
    call(tenant, wanted).await
}
