//! Where organizations live: the directory's side of a sign-up.

use serde::Deserialize;

use super::rules::{self, Organization};
use crate::business::runner;
use crate::kernel::error::{Error, Result};
use crate::kernel::idempotency::Answer;
use crate::kernel::ids::{OrganizationId, RequestId, TestClockId};
use crate::kernel::platform::Platform;
use crate::kernel::problem::Problem;
use crate::kernel::sql::{self, Statement};
use crate::kernel::tenant::{Actor, Tenant};
use crate::kernel::time::{Timestamp, minutes};
use crate::platform_sql;

/// Sign-ups that are still not placed after this long were cut off.
const CUT_OFF_AFTER: std::time::Duration = minutes(1);

/// The shard of a new organization: spread evenly, decided once, then remembered.
fn choose_shard(organization: OrganizationId, shards: usize) -> usize {
    let [.., last] = organization.to_bytes();
    usize::from(last).checked_rem(shards).unwrap_or(0)
}

/// Enters a new organization into the directory, with the answer to its sign-up; from here on it will exist.
pub async fn enter(platform: &Platform, organization: &Organization, answer: Option<&Answer>) -> Result<()> {
    let now = platform.app().moment().now;
    let shard = choose_shard(organization.id, platform.app().shards.len());
    let request = serde_json::to_string(organization).map_err(|error| Error::internal(error.to_string()))?;
    let mut batch = vec![platform_sql!(
        "INSERT INTO organizations (id, shard, status, test_clock_id, request, created_at) VALUES (?1, ?2, 'provisioning', ?3, ?4, ?5)",
        organization.id,
        u32::try_from(shard).unwrap_or(0),
        organization.test_clock,
        request,
        now
    )];
    batch.extend(answer.into_iter().flat_map(|answer| answer.record_for_vendor(now)));
    platform.directory(batch).await.map(|_| ())
}

/// Gives an entered organization its own rows, unless it has them. Repeating it changes nothing.
pub async fn place(platform: &Platform, organization: &Organization, actor: Actor) -> Result<()> {
    let request = if let Actor::System(_) = actor { None } else { platform.app().origin().request };
    let tenant =
        platform.tenant(organization.id, actor, request).await?.ok_or_else(|| Error::internal("an entered organization is gone"))?;
    match tenant.commit(rules::sign_up(organization), None).await {
        // Stale: it was placed by the attempt that was cut off.
        Ok(()) | Err(Error::Stale) => {}
        Err(error) => return Err(error),
    }
    platform.directory(vec![platform_sql!("UPDATE organizations SET status = 'placed' WHERE id = ?1", organization.id)]).await.map(|_| ())
}

/// Opens an organization for the vendor; None when there is no such organization. A sign-up that was cut off is finished first, so that
/// whoever knows an organization's id finds all of it.
pub async fn open(platform: &Platform, id: OrganizationId, request: RequestId) -> Result<Option<Tenant>> {
    let tenant = platform.tenant(id, Actor::Platform, Some(request)).await?;
    if tenant.as_ref().is_some_and(|tenant| !tenant.is_placed()) {
        for row in platform.directory_rows::<CutOff>(cut_off(id)).await? {
            place(platform, &row.request, Actor::System("finish_sign_up")).await?;
        }
        finish(platform, id).await?;
    }
    Ok(tenant)
}

/// Runs what follows from a sign-up, as far as it was not run.
pub async fn finish(platform: &Platform, id: OrganizationId) -> Result<()> {
    if let Some(tenant) = platform.tenant(id, Actor::System("finish_sign_up"), None).await? {
        runner::settle_or_leave(&tenant).await;
    }
    Ok(())
}

fn cut_off(id: OrganizationId) -> Statement {
    platform_sql!("SELECT request FROM organizations WHERE id = ?1 AND status = 'provisioning'", id)
}

#[derive(Deserialize)]
struct CutOff {
    #[serde(deserialize_with = "sql::json::deserialize")]
    request: Organization,
}

/// Finishes sign-ups that were cut off between the directory and the tenant's database. Run each minute.
pub async fn finish_cut_off(platform: &Platform) -> Result<usize> {
    let before = platform.app().moment().now.minus(CUT_OFF_AFTER);
    let statement = platform_sql!(
        "SELECT request FROM organizations WHERE status = 'provisioning' AND created_at <= ?1 ORDER BY created_at LIMIT 50",
        before
    );
    let cut_off = platform.directory_rows::<CutOff>(statement).await?;
    for row in &cut_off {
        place(platform, &row.request, Actor::System("finish_sign_up")).await?;
    }
    Ok(cut_off.len())
}

#[derive(Deserialize)]
struct ClockRow {
    id: TestClockId,
    #[serde(deserialize_with = "sql::millis::deserialize")]
    now: Timestamp,
}

/// The test clock a sign-up names, and its time.
pub async fn test_clock(platform: &Platform, text: &str) -> Result<(TestClockId, Timestamp)> {
    let unknown = || Problem::invalid("/testClock", "unknown_test_clock", "Send the $id of a test clock made by POST /v1/test-clocks.");
    let id: TestClockId = text.parse().map_err(|_| unknown())?;
    let rows = platform.directory_rows::<ClockRow>(platform_sql!("SELECT id, now FROM test_clocks WHERE id = ?1", id)).await?;
    rows.into_iter().next().map(|row| (row.id, row.now)).ok_or_else(|| unknown().into())
}

#[derive(Deserialize)]
pub struct ListedRow {
    pub id: OrganizationId,
}

/// A page of all organizations, newest first.
pub async fn list(platform: &Platform, before: &str, fetch: u32) -> Result<Vec<OrganizationId>> {
    let statement =
        platform_sql!("SELECT id FROM organizations WHERE status = 'placed' AND id < ?1 ORDER BY id DESC LIMIT ?2", before, fetch);
    Ok(platform.directory_rows::<ListedRow>(statement).await?.into_iter().map(|row| row.id).collect())
}
