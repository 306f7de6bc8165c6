//! All SQL of subscriptions.

use rating::BillingInterval;
use serde::Deserialize;

use super::rules::{Period, Status, Subscription};
use crate::kernel::error::Result;
use crate::kernel::ids::{OrganizationId, SubscriptionId, TestClockId};
use crate::kernel::platform::Platform;
use crate::kernel::problem::Problem;
use crate::kernel::sql::{self, Value};
use crate::kernel::tenant::{Tenant, TenantStatement};
use crate::kernel::time::Timestamp;
use crate::tenant_sql;

#[derive(Deserialize)]
pub struct SubscriptionRow {
    id: SubscriptionId,
    plan: String,
    plan_version: u32,
    status: Status,
    #[serde(deserialize_with = "sql::truth::deserialize")]
    is_trial: bool,
    #[serde(deserialize_with = "sql::optional_millis::deserialize")]
    trial_ends_at: Option<Timestamp>,
    #[serde(deserialize_with = "sql::millis::deserialize")]
    started_at: Timestamp,
    #[serde(deserialize_with = "sql::optional_millis::deserialize")]
    ended_at: Option<Timestamp>,
    billing_period: BillingInterval,
    time_zone: String,
    #[serde(deserialize_with = "sql::optional_millis::deserialize")]
    anchored_at: Option<Timestamp>,
    period_index: u32,
    #[serde(deserialize_with = "sql::millis::deserialize")]
    period_starts_at: Timestamp,
    #[serde(deserialize_with = "sql::millis::deserialize")]
    period_ends_at: Timestamp,
    #[serde(deserialize_with = "sql::optional_millis::deserialize")]
    next_billing_at: Option<Timestamp>,
    payment_method: Option<String>,
    #[serde(deserialize_with = "sql::truth::deserialize")]
    auto_renew: bool,
    test_clock_id: Option<TestClockId>,
    version: i64,
}

impl From<SubscriptionRow> for Subscription {
    fn from(row: SubscriptionRow) -> Self {
        Self {
            id: row.id,
            plan: row.plan,
            plan_version: row.plan_version,
            status: row.status,
            is_trial: row.is_trial,
            trial_ends_at: row.trial_ends_at,
            started_at: row.started_at,
            ended_at: row.ended_at,
            billing_period: row.billing_period,
            time_zone: row.time_zone,
            anchored_at: row.anchored_at,
            period_index: row.period_index,
            period: Period { starts_at: row.period_starts_at, ends_at: row.period_ends_at },
            next_billing_at: row.next_billing_at,
            payment_method: row.payment_method,
            auto_renew: row.auto_renew,
            test_clock: row.test_clock_id,
            version: row.version,
        }
    }
}

pub fn select() -> TenantStatement {
    tenant_sql!("SELECT * FROM subscriptions WHERE organization_id = ?1 AND ended_at IS NULL")
}

/// The organization's present subscription, if it has one.
pub async fn current(tenant: &Tenant) -> Result<Option<Subscription>> {
    Ok(tenant.row::<SubscriptionRow>(select()).await?.map(Subscription::from))
}

/// The organization's present subscription, or a refusal that says so.
pub async fn require(tenant: &Tenant) -> Result<Subscription> {
    current(tenant).await?.ok_or_else(|| {
        Problem::new(
            404,
            "no_subscription",
            "No subscription",
            "The organization has no subscription (yet). A new one gets its trial within a minute.",
        )
        .into()
    })
}

/// One subscription, for a decision on it.
pub async fn find(tenant: &Tenant, id: SubscriptionId) -> Result<Option<Subscription>> {
    let statement = tenant_sql!("SELECT * FROM subscriptions WHERE organization_id = ?1 AND id = ?2", id);
    Ok(tenant.load_row::<SubscriptionRow>(statement).await?.map(Subscription::from))
}

fn status(status: Status) -> &'static str {
    match status {
        Status::Active => "active",
        Status::Paused => "paused",
        Status::Suspended => "suspended",
        Status::Cancelled => "cancelled",
    }
}

pub fn insert(subscription: &Subscription) -> TenantStatement {
    tenant_sql!(
        "INSERT INTO subscriptions (organization_id, id, plan, plan_version, status, is_trial, trial_ends_at, started_at, billing_period, time_zone, period_starts_at, period_ends_at, next_billing_at, auto_renew, test_clock_id) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
        subscription.id,
        subscription.plan.as_str(),
        subscription.plan_version,
        status(subscription.status),
        subscription.is_trial,
        subscription.trial_ends_at,
        subscription.started_at,
        subscription.billing_period.name(),
        subscription.time_zone.as_str(),
        subscription.period.starts_at,
        subscription.period.ends_at,
        subscription.next_billing_at,
        subscription.auto_renew,
        subscription.test_clock
    )
}

/// Writes what a renewal changes.
pub fn renew(subscription: &Subscription) -> TenantStatement {
    tenant_sql!(
        "UPDATE subscriptions SET is_trial = ?3, anchored_at = ?4, period_index = ?5, period_starts_at = ?6, period_ends_at = ?7, next_billing_at = ?8, version = version + 1 WHERE organization_id = ?1 AND id = ?2",
        subscription.id,
        subscription.is_trial,
        subscription.anchored_at,
        subscription.period_index,
        subscription.period.starts_at,
        subscription.period.ends_at,
        subscription.next_billing_at
    )
}

/// Guard: the subscription is as it was read.
pub fn unchanged(subscription: &Subscription) -> TenantStatement {
    tenant_sql!(
        "INSERT INTO stale_guards (organization_id, fresh) SELECT ?1, 0 WHERE NOT EXISTS (SELECT 1 FROM subscriptions WHERE organization_id = ?1 AND id = ?2 AND version = ?3)",
        subscription.id,
        subscription.version
    )
}

/// A subscription that the billing run has to look at.
#[derive(Debug, Deserialize)]
pub struct Due {
    pub organization_id: OrganizationId,
    pub id: SubscriptionId,
    #[serde(deserialize_with = "sql::millis::deserialize")]
    pub next_billing_at: Timestamp,
}

/// What is due first on one test clock by `now`, on each shard.
pub async fn due_on_clock(platform: &Platform, clock: TestClockId, now: Timestamp) -> Result<Vec<Due>> {
    let text = "SELECT organization_id, id, next_billing_at FROM subscriptions WHERE next_billing_at <= ?1 AND test_clock_id = ?2 ORDER BY next_billing_at LIMIT 1";
    platform.every_shard(text, &[Value::from(now), Value::from(clock)]).await
}
