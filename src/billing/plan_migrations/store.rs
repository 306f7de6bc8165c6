//! All SQL of plan migrations.

use serde::Deserialize;
use serde_json::json;

use crate::billing::subscriptions::store::SubscriptionRow;
use crate::billing::subscriptions::subscription::Subscription;
use crate::kernel::audit::Audit;
use crate::kernel::error::Result;
use crate::kernel::idempotency::Answer;
use crate::kernel::ids::OrganizationId;
use crate::kernel::platform::Platform;
use crate::kernel::sql::Value;

/// A subscription that pins a version, and its organization.
#[derive(Deserialize)]
struct SubscriberRow {
    organization_id: OrganizationId,
    #[serde(flatten)]
    subscription: SubscriptionRow,
}

/// A page of the subscribers of a plan version on all shards, by organization, after `after`.
pub async fn subscribers(
    platform: &Platform,
    (key, version): (&str, u32),
    after: &str,
    fetch: u32,
) -> Result<Vec<(OrganizationId, Subscription)>> {
    let text = "SELECT *
                FROM subscriptions
                WHERE plan = ?1
                  AND plan_version = ?2
                  AND ended_at IS NULL
                  AND organization_id > ?3
                  AND NOT EXISTS (
                    SELECT 1
                    FROM fences
                    WHERE fences.organization_id = subscriptions.organization_id
                      AND fences.state = 'left'
                  )
                ORDER BY organization_id
                LIMIT ?4";
    let params = [Value::from(key), Value::from(version), Value::from(after), Value::from(fetch)];
    let mut rows = platform.every_shard::<SubscriberRow>(text, &params).await?;
    rows.sort_by_key(|row| row.organization_id);
    let fetched = usize::try_from(fetch).unwrap_or(usize::MAX);
    Ok(rows.into_iter().take(fetched).map(|row| (row.organization_id, row.subscription.into())).collect())
}

/// Records one page of a migration in the audit log of the vendor, with the stored response.
pub async fn note_migration(
    platform: &Platform,
    key: &str,
    (from, to): (u32, u32),
    scheduled: usize,
    answer: Option<&Answer>,
) -> Result<()> {
    let (before, after) = (json!({"version": from}), json!({"version": to, "scheduled": scheduled}));
    let audit = Audit { action: "plan.migrated", target: key.to_owned(), before: Some(before), after: Some(after) };
    let answer = answer.into_iter().flat_map(|answer| answer.record_for_vendor(platform.app().moment().now));
    platform.commit(answer.collect(), vec![audit]).await
}
