//! All SQL of test clocks.

use serde::Deserialize;
use serde_json::json;

use crate::kernel::audit::Audit;
use crate::kernel::error::Result;
use crate::kernel::idempotency::Answer;
use crate::kernel::ids::{OrganizationId, TestClockId};
use crate::kernel::platform::Platform;
use crate::kernel::sql;
use crate::kernel::tenant::{Actor, Tenant};
use crate::kernel::time::Timestamp;
use crate::platform_sql;

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct TestClock {
    pub id: TestClockId,
    #[serde(deserialize_with = "sql::millis::deserialize")]
    pub now: Timestamp,
    #[serde(deserialize_with = "sql::millis::deserialize")]
    pub created_at: Timestamp,
}

/// Creates a clock and stores the answer, in one commit.
pub async fn insert(platform: &Platform, clock: &TestClock, answer: Option<&Answer>) -> Result<()> {
    let insert = platform_sql!("INSERT INTO test_clocks (id, now, created_at) VALUES (?1, ?2, ?3)", clock.id, clock.now, clock.created_at);
    let answer = answer.into_iter().flat_map(|answer| answer.record_for_vendor(platform.app().moment().now));
    let after = Some(json!({"now": clock.now}));
    let entry = Audit { action: "testClock.created", target: clock.id.to_string(), before: None, after };
    platform.commit([insert].into_iter().chain(answer).collect(), vec![entry]).await
}

/// Records the advance in the audit log before it begins, because it may stop half-way.
pub async fn note_advance(platform: &Platform, clock: &TestClock, target: Timestamp) -> Result<()> {
    let (before, after) = (Some(json!({"now": clock.now})), Some(json!({"now": target})));
    platform.commit(Vec::new(), vec![Audit { action: "testClock.advanced", target: clock.id.to_string(), before, after }]).await
}

pub async fn find(platform: &Platform, id: TestClockId) -> Result<Option<TestClock>> {
    let rows = platform.directory_rows(platform_sql!("SELECT id, now, created_at FROM test_clocks WHERE id = ?1", id)).await?;
    Ok(rows.into_iter().next())
}

pub async fn all(platform: &Platform) -> Result<Vec<TestClock>> {
    platform.directory_rows(platform_sql!("SELECT id, now, created_at FROM test_clocks ORDER BY id")).await
}

/// Moves a clock forward, never back: the later of two concurrent times wins.
pub async fn set(platform: &Platform, id: TestClockId, now: Timestamp) -> Result<()> {
    platform.directory(vec![platform_sql!("UPDATE test_clocks SET now = max(now, ?2) WHERE id = ?1", id, now)]).await.map(|_| ())
}

#[derive(Deserialize)]
struct Unfinished {
    organization_id: OrganizationId,
}

/// The `members` with facts that wait for their steps or with unsent mails.
pub async fn unfinished(platform: &Platform, members: &[Tenant]) -> Result<Vec<OrganizationId>> {
    let ids: Vec<String> = members.iter().map(|member| member.organization().to_string()).collect();
    let text = "SELECT organization_id
                FROM events
                WHERE dispatched_at IS NULL
                  AND organization_id IN (SELECT value FROM json_each(?1))
                UNION
                SELECT organization_id
                FROM mails
                WHERE next_attempt_at IS NOT NULL
                  AND organization_id IN (SELECT value FROM json_each(?1))";
    let rows: Vec<Unfinished> = platform.every_shard(text, &[serde_json::Value::from(ids).to_string().into()]).await?;
    Ok(rows.into_iter().map(|row| row.organization_id).collect())
}

/// The organizations on a clock, with their current placement and time.
pub async fn members(platform: &Platform, id: TestClockId) -> Result<Vec<Tenant>> {
    platform.tenants_on(id, Actor::System("test_clock")).await
}
