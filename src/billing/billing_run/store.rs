//! All SQL of the billing run.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::page::BillingCursor;
use crate::kernel::error::{Error, Result};
use crate::kernel::ids::{OrganizationId, SubscriptionId, TestClockId};
use crate::kernel::platform::Platform;
use crate::kernel::ports::Message;
use crate::kernel::sql;
use crate::kernel::sql::Value;
use crate::kernel::tenant::{Tenant, TenantStatement};
use crate::kernel::time::Timestamp;
use crate::{platform_sql, stale_if, tenant_sql};

/// A subscription that is due.
#[derive(Clone, Debug, Deserialize)]
pub struct Due {
    pub organization_id: OrganizationId,
    pub id: SubscriptionId,
    #[serde(deserialize_with = "sql::millis::deserialize")]
    pub next_billing_at: Timestamp,
    pub test_clock_id: Option<TestClockId>,
}

impl Due {
    /// The position after this subscription.
    pub fn cursor(&self) -> BillingCursor {
        BillingCursor {
            clock: self.test_clock_id,
            next_billing_at: self.next_billing_at,
            organization: Some(self.organization_id),
            subscription: Some(self.id),
        }
    }
}

/// The columns of a cursor; the first position is before every row.
fn place(after: Option<&BillingCursor>) -> (i64, String, String) {
    after.map_or((-1, String::new(), String::new()), |after| {
        // A cursor without an organization stands after all rows of its instant.
        let organization = after.organization.map_or_else(|| "~".to_owned(), |organization| organization.to_string());
        (after.next_billing_at.as_millis(), organization, after.subscription.map(|id| id.to_string()).unwrap_or_default())
    })
}

/// Subscriptions of one shard that are due in real time, after `after`, without those that wait for a retry or are dead letters.
pub async fn due(platform: &Platform, shard: usize, after: Option<&BillingCursor>, limit: u32) -> Result<Vec<Due>> {
    let text = "SELECT organization_id, id, next_billing_at, test_clock_id
                FROM subscriptions
                WHERE next_billing_at <= ?1
                  AND test_clock_id IS NULL
                  AND (next_billing_at, organization_id, id) > (?2, ?3, ?4)
                  AND NOT EXISTS (
                    SELECT 1
                    FROM billing_failures f
                    WHERE f.organization_id = subscriptions.organization_id
                      AND f.subscription_id = subscriptions.id
                      AND (f.next_attempt_at IS NULL OR f.next_attempt_at > ?1)
                  )
                ORDER BY next_billing_at, organization_id, id
                LIMIT ?5";
    let (at, organization, id) = place(after);
    let now = platform.app().moment().now;
    platform.one_shard(shard, text, &[now.into(), at.into(), organization.into(), id.into(), limit.into()]).await
}

/// The same in the time of these test clocks.
pub async fn due_on_clocks(
    platform: &Platform,
    shard: usize,
    clocks: &BTreeMap<TestClockId, Timestamp>,
    after: Option<&BillingCursor>,
    limit: u32,
) -> Result<Vec<Due>> {
    let text = "SELECT organization_id, subscriptions.id AS id, next_billing_at, test_clock_id
                FROM json_each(?1) clock
                CROSS JOIN subscriptions
                WHERE test_clock_id = clock.key
                  AND next_billing_at <= clock.value
                  AND (test_clock_id, next_billing_at, organization_id, subscriptions.id) > (?2, ?3, ?4, ?5)
                  AND NOT EXISTS (
                    SELECT 1
                    FROM billing_failures f
                    WHERE f.organization_id = subscriptions.organization_id
                      AND f.subscription_id = subscriptions.id
                      AND (f.next_attempt_at IS NULL OR f.next_attempt_at > ?6)
                  )
                ORDER BY test_clock_id, next_billing_at, organization_id, subscriptions.id
                LIMIT ?7";
    let times: serde_json::Map<String, serde_json::Value> =
        clocks.iter().map(|(id, now)| (id.to_string(), now.as_millis().into())).collect();
    let clock = after.and_then(|after| after.clock).map(|clock| clock.to_string()).unwrap_or_default();
    let (at, organization, id) = place(after);
    let now = platform.app().moment().now;
    let times = serde_json::Value::Object(times).to_string();
    let params = [times.into(), clock.into(), at.into(), organization.into(), id.into(), now.into(), limit.into()];
    platform.one_shard(shard, text, &params).await
}

#[derive(Deserialize)]
struct ClockRow {
    id: TestClockId,
    #[serde(deserialize_with = "sql::millis::deserialize")]
    now: Timestamp,
}

/// Test clocks from `from` on, by id.
pub async fn clocks(platform: &Platform, from: Option<TestClockId>, limit: u32) -> Result<BTreeMap<TestClockId, Timestamp>> {
    let from = from.map(|id| id.to_string()).unwrap_or_default();
    let statement = platform_sql!("SELECT id, now FROM test_clocks WHERE id >= ?1 ORDER BY id LIMIT ?2", from, limit);
    Ok(platform.directory_rows::<ClockRow>(statement).await?.into_iter().map(|row| (row.id, row.now)).collect())
}

/// Messages for failed subscriptions whose retry is due.
pub async fn paused(platform: &Platform, limit: u32) -> Result<Vec<Message>> {
    #[derive(Deserialize)]
    struct PausedRow {
        organization_id: OrganizationId,
        subscription_id: SubscriptionId,
    }
    let text = "SELECT organization_id, subscription_id
                FROM billing_failures
                WHERE next_attempt_at <= ?1
                ORDER BY next_attempt_at
                LIMIT ?2";
    let rows: Vec<PausedRow> = platform.every_shard(text, &[Value::from(platform.app().moment().now), Value::from(limit)]).await?;
    let message = |row: PausedRow| Message::Billing { organization: row.organization_id, subscription: row.subscription_id };
    Ok(rows.into_iter().map(message).collect())
}

/// The failures of a subscription, and whether it is a dead letter.
#[derive(Debug, Deserialize)]
pub struct Failure {
    pub attempts: u32,
    #[serde(deserialize_with = "sql::optional_millis::deserialize")]
    pub given_up_at: Option<Timestamp>,
}

pub async fn failure(tenant: &Tenant, subscription: SubscriptionId) -> Result<Option<Failure>> {
    tenant
        .load_row(tenant_sql!(
            "SELECT organization_id, attempts, given_up_at
             FROM billing_failures
             WHERE organization_id = ?1 AND subscription_id = ?2",
            subscription
        ))
        .await
}

/// Records a failure; without a next attempt the subscription becomes a dead letter.
pub async fn record_failure(
    tenant: &Tenant,
    subscription: SubscriptionId,
    attempts: u32,
    error: &Error,
    next_attempt_at: Option<Timestamp>,
) -> Result<()> {
    let now = tenant.app().moment().now;
    let given_up_at = next_attempt_at.is_none().then_some(now);
    let statement = tenant_sql!(
        "INSERT INTO billing_failures
           (organization_id, subscription_id, attempts, last_error, failed_at, next_attempt_at, given_up_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT (organization_id, subscription_id) DO UPDATE
         SET attempts = excluded.attempts, last_error = excluded.last_error, failed_at = excluded.failed_at,
           next_attempt_at = excluded.next_attempt_at, given_up_at = excluded.given_up_at",
        subscription,
        attempts,
        error.for_the_record(),
        now,
        next_attempt_at,
        given_up_at
    );
    tenant.run(vec![statement]).await.map(|_| ())
}

/// Deletes the failures of a subscription, in the commit that bills it.
/// The guard of a replay: no other one has taken the dead letter.
pub fn is_given_up(subscription: SubscriptionId) -> TenantStatement {
    stale_if!(
        "NOT EXISTS (
           SELECT 1
           FROM billing_failures
           WHERE organization_id = ?1 AND subscription_id = ?2 AND given_up_at IS NOT NULL
         )",
        subscription
    )
}

pub fn forget_failure(subscription: SubscriptionId) -> TenantStatement {
    tenant_sql!("DELETE FROM billing_failures WHERE organization_id = ?1 AND subscription_id = ?2", subscription)
}

/// A subscription as the audit of the billing run reads it.
#[derive(Debug, Deserialize)]
pub struct Billed {
    pub organization_id: OrganizationId,
    pub id: SubscriptionId,
    pub test_clock_id: Option<TestClockId>,
    #[serde(deserialize_with = "sql::optional_millis::deserialize")]
    pub next_billing_at: Option<Timestamp>,
    #[serde(deserialize_with = "sql::truth::deserialize")]
    pub is_dead_letter: bool,
    /// The start of the current paid period, if it has no invoice.
    #[serde(deserialize_with = "sql::optional_millis::deserialize")]
    pub present_without: Option<Timestamp>,
    /// The start of the first period without an invoice before a later one with an invoice.
    #[serde(deserialize_with = "sql::optional_millis::deserialize")]
    pub gap_at: Option<Timestamp>,
}

/// A page of the subscriptions of a shard, after `after`. Gaps are searched where every month has an invoice: a monthly price in advance
/// that was never changed or paused, so that its periods are counted from the first one. For all others, only overdue billing is found.
pub async fn billed(platform: &Platform, shard: usize, after: (&str, &str), limit: u32) -> Result<Vec<Billed>> {
    let text = "WITH page AS (
                  SELECT s.*,
                    (
                      SELECT count(*)
                      FROM subscription_phases p
                      WHERE p.organization_id = s.organization_id AND p.subscription_id = s.id
                    ) = 1
                    AND s.billing_period = 'month'
                    AND EXISTS (
                      SELECT 1
                      FROM invoices i
                      WHERE i.organization_id = s.organization_id
                        AND i.subscription_id = s.id
                        AND i.billing_reason = 'subscription_create'
                        AND i.period_starts_at = s.anchored_at
                    ) AS is_regular
                  FROM subscriptions s
                  WHERE (s.organization_id, s.id) > (?1, ?2)
                  ORDER BY s.organization_id, s.id
                  LIMIT ?3
                )
                SELECT s.organization_id, s.id, s.test_clock_id, s.next_billing_at,
                  EXISTS (
                    SELECT 1
                    FROM billing_failures f
                    WHERE f.organization_id = s.organization_id
                      AND f.subscription_id = s.id
                      AND f.given_up_at IS NOT NULL
                  ) AS is_dead_letter,
                  CASE
                    WHEN s.is_regular
                      AND s.ended_at IS NULL
                      AND NOT EXISTS (
                        SELECT 1
                        FROM invoices i
                        WHERE i.organization_id = s.organization_id
                          AND i.subscription_id = s.id
                          AND i.period_starts_at = s.period_starts_at
                      )
                    THEN s.period_starts_at
                  END AS present_without,
                  CASE
                    WHEN s.is_regular THEN (
                      SELECT i.period_ends_at
                      FROM invoices i
                      WHERE i.organization_id = s.organization_id
                        AND i.subscription_id = s.id
                        AND EXISTS (
                          SELECT 1
                          FROM invoices later
                          WHERE later.organization_id = s.organization_id
                            AND later.subscription_id = s.id
                            AND later.period_starts_at > i.period_starts_at
                        )
                        AND NOT EXISTS (
                          SELECT 1
                          FROM invoices next
                          WHERE next.organization_id = s.organization_id
                            AND next.subscription_id = s.id
                            AND next.period_starts_at = i.period_ends_at
                        )
                      ORDER BY i.period_starts_at
                      LIMIT 1
                    )
                  END AS gap_at
                FROM page s
                ORDER BY s.organization_id, s.id";
    platform.one_shard(shard, text, &[after.0.into(), after.1.into(), limit.into()]).await
}

/// The current time of some test clocks.
pub async fn times(platform: &Platform, clocks: &[TestClockId]) -> Result<BTreeMap<TestClockId, Timestamp>> {
    if clocks.is_empty() {
        return Ok(BTreeMap::new());
    }
    let ids: Vec<String> = clocks.iter().map(TestClockId::to_string).collect();
    let statement = platform_sql!(
        "SELECT id, now FROM test_clocks WHERE id IN (SELECT value FROM json_each(?1))",
        serde_json::Value::from(ids).to_string()
    );
    Ok(platform.directory_rows::<ClockRow>(statement).await?.into_iter().map(|row| (row.id, row.now)).collect())
}
