//! All SQL of subscriptions.

use std::collections::BTreeMap;

use rating::{BillingInterval, Currency, Quantity};
use serde::{Deserialize, Serialize};

use super::lifecycle::Status;
use super::subscription::{Advance, Cancellation, Pause, Phase, ScheduledChange, Shape, Subscription};
use crate::kernel::error::Result;
use crate::kernel::ids::{OrganizationId, SubscriptionId, TestClockId};
use crate::kernel::period::Period;
use crate::kernel::platform::Platform;
use crate::kernel::problem::Problem;
use crate::kernel::sql;
use crate::kernel::sql::Value;
use crate::kernel::tenant::{Tenant, TenantStatement};
use crate::kernel::time::Timestamp;
use crate::{stale_if, tenant_sql, unchanged};

#[derive(Deserialize)]
pub struct SubscriptionRow {
    id: SubscriptionId,
    plan: String,
    plan_version: u32,
    billing_period: BillingInterval,
    quantity: u32,
    #[serde(deserialize_with = "sql::json::deserialize")]
    add_ons: BTreeMap<String, u32>,
    currency: Currency,
    status: Status,
    #[serde(deserialize_with = "sql::optional_millis::deserialize")]
    trial_ends_at: Option<Timestamp>,
    #[serde(deserialize_with = "sql::millis::deserialize")]
    started_at: Timestamp,
    #[serde(deserialize_with = "sql::optional_millis::deserialize")]
    ended_at: Option<Timestamp>,
    time_zone: String,
    #[serde(deserialize_with = "sql::optional_millis::deserialize")]
    anchored_at: Option<Timestamp>,
    period_index: u32,
    #[serde(deserialize_with = "sql::millis::deserialize")]
    period_starts_at: Timestamp,
    #[serde(deserialize_with = "sql::millis::deserialize")]
    period_ends_at: Timestamp,
    #[serde(deserialize_with = "sql::json::deserialize")]
    earlier_periods: Vec<i64>,
    #[serde(deserialize_with = "sql::optional_millis::deserialize")]
    next_billing_at: Option<Timestamp>,
    #[serde(deserialize_with = "sql::optional_json::deserialize")]
    scheduled: Option<ScheduledChange>,
    #[serde(deserialize_with = "sql::optional_json::deserialize")]
    cancellation: Option<Cancellation>,
    #[serde(deserialize_with = "sql::optional_json::deserialize")]
    pause: Option<Pause>,
    #[serde(deserialize_with = "sql::json::deserialize")]
    advance: Vec<Advance>,
    #[serde(deserialize_with = "sql::json::deserialize")]
    usage_billed: BTreeMap<String, Quantity>,
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
            shape: Shape {
                plan: row.plan,
                plan_version: row.plan_version,
                interval: row.billing_period,
                quantity: row.quantity,
                add_ons: row.add_ons,
            },
            currency: row.currency,
            status: row.status,
            trial_ends_at: row.trial_ends_at,
            started_at: row.started_at,
            ended_at: row.ended_at,
            time_zone: row.time_zone,
            anchored_at: row.anchored_at,
            period_index: row.period_index,
            period: Period { starts_at: row.period_starts_at, ends_at: row.period_ends_at },
            earlier_periods: row.earlier_periods.into_iter().map(Timestamp::from_millis).collect(),
            next_billing_at: row.next_billing_at,
            scheduled: row.scheduled,
            cancellation: row.cancellation,
            pause: row.pause,
            advance: row.advance,
            usage_billed: row.usage_billed,
            payment_method: row.payment_method,
            auto_renew: row.auto_renew,
            test_clock: row.test_clock_id,
            version: row.version,
        }
    }
}

/// The running subscription, or else the newest: ids sort by creation.
pub fn select() -> TenantStatement {
    tenant_sql!(
        "SELECT *
         FROM subscriptions
         WHERE organization_id = ?1
         ORDER BY ended_at IS NULL DESC, id DESC
         LIMIT 1"
    )
}

/// The current subscription, or the last one after it ended; None before the first.
pub async fn current(tenant: &Tenant) -> Result<Option<Subscription>> {
    Ok(tenant.row::<SubscriptionRow>(select()).await?.map(Subscription::from))
}

/// The same, or a refusal before the first.
pub async fn require(tenant: &Tenant) -> Result<Subscription> {
    current(tenant).await?.ok_or_else(|| {
        Problem::new(
            404,
            "no_subscription",
            "No subscription",
            "The organization has no subscription yet. A new organization gets its trial within a minute; \
             otherwise create one with POST /v1/subscription.",
        )
        .into()
    })
}

pub fn select_by_id(id: SubscriptionId) -> TenantStatement {
    tenant_sql!("SELECT * FROM subscriptions WHERE organization_id = ?1 AND id = ?2", id)
}

pub async fn find(tenant: &Tenant, id: SubscriptionId) -> Result<Option<Subscription>> {
    Ok(tenant.load_row::<SubscriptionRow>(select_by_id(id)).await?.map(Subscription::from))
}

fn text(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

fn optional_text(value: Option<&impl Serialize>) -> Option<String> {
    value.map(text)
}

fn earlier(subscription: &Subscription) -> String {
    text(&subscription.earlier_periods.iter().map(|start| start.as_millis()).collect::<Vec<_>>())
}

/// A new subscription.
pub fn insert(subscription: &Subscription) -> TenantStatement {
    tenant_sql!(
        "INSERT INTO subscriptions
           (organization_id, id, plan, plan_version, billing_period, quantity, add_ons, currency, status, trial_ends_at,
            started_at, time_zone, anchored_at, period_index, period_starts_at, period_ends_at, earlier_periods,
            next_billing_at, advance, usage_billed, payment_method, auto_renew, test_clock_id, version)
         VALUES
           (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23,
            ?24)",
        subscription.id,
        subscription.shape.plan.as_str(),
        subscription.shape.plan_version,
        subscription.shape.interval.name(),
        subscription.shape.quantity,
        text(&subscription.shape.add_ons),
        subscription.currency.code(),
        sql::word(&subscription.status),
        subscription.trial_ends_at,
        subscription.started_at,
        subscription.time_zone.as_str(),
        subscription.anchored_at,
        subscription.period_index,
        subscription.period.starts_at,
        subscription.period.ends_at,
        earlier(subscription),
        subscription.next_billing_at,
        text(&subscription.advance),
        text(&subscription.usage_billed),
        subscription.payment_method.as_deref(),
        subscription.auto_renew,
        subscription.test_clock,
        subscription.version
    )
}

/// Writes everything that may change. Used with [`unchanged`] of the subscription as read.
pub fn update(subscription: &Subscription) -> TenantStatement {
    tenant_sql!(
        "UPDATE subscriptions
         SET plan = ?3, plan_version = ?4, billing_period = ?5, quantity = ?6, add_ons = ?7, status = ?8,
           trial_ends_at = ?9, ended_at = ?10, anchored_at = ?11, period_index = ?12, period_starts_at = ?13,
           period_ends_at = ?14, earlier_periods = ?15, next_billing_at = ?16, scheduled = ?17, cancellation = ?18,
           pause = ?19, advance = ?20, usage_billed = ?21, payment_method = ?22, auto_renew = ?23, version = version + 1
         WHERE organization_id = ?1 AND id = ?2",
        subscription.id,
        subscription.shape.plan.as_str(),
        subscription.shape.plan_version,
        subscription.shape.interval.name(),
        subscription.shape.quantity,
        text(&subscription.shape.add_ons),
        sql::word(&subscription.status),
        subscription.trial_ends_at,
        subscription.ended_at,
        subscription.anchored_at,
        subscription.period_index,
        subscription.period.starts_at,
        subscription.period.ends_at,
        earlier(subscription),
        subscription.next_billing_at,
        optional_text(subscription.scheduled.as_ref()),
        optional_text(subscription.cancellation.as_ref()),
        optional_text(subscription.pause.as_ref()),
        text(&subscription.advance),
        text(&subscription.usage_billed),
        subscription.payment_method.as_deref(),
        subscription.auto_renew
    )
}

/// Guard: the subscription is as it was read.
pub fn unchanged(subscription: &Subscription) -> TenantStatement {
    unchanged!("subscriptions", subscription.id, subscription.version)
}

/// Guard: no subscription of the organization is running.
pub fn none_runs() -> TenantStatement {
    stale_if!("EXISTS (SELECT 1 FROM subscriptions WHERE organization_id = ?1 AND ended_at IS NULL)")
}

/// Starts a phase with the current shape at `starts_at`.
pub fn insert_phase(subscription: &Subscription, starts_at: Timestamp) -> TenantStatement {
    tenant_sql!(
        "INSERT INTO subscription_phases
           (organization_id, subscription_id, starts_at, plan, plan_version, billing_period, quantity, add_ons)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         ON CONFLICT (organization_id, subscription_id, starts_at) DO UPDATE
         SET plan = excluded.plan, plan_version = excluded.plan_version, billing_period = excluded.billing_period,
           quantity = excluded.quantity, add_ons = excluded.add_ons",
        subscription.id,
        starts_at,
        subscription.shape.plan.as_str(),
        subscription.shape.plan_version,
        subscription.shape.interval.name(),
        subscription.shape.quantity,
        text(&subscription.shape.add_ons)
    )
}

#[derive(Deserialize)]
struct PhaseRow {
    #[serde(deserialize_with = "sql::millis::deserialize")]
    starts_at: Timestamp,
    plan: String,
    plan_version: u32,
    billing_period: BillingInterval,
    quantity: u32,
    #[serde(deserialize_with = "sql::json::deserialize")]
    add_ons: BTreeMap<String, u32>,
}

impl From<PhaseRow> for Phase {
    fn from(row: PhaseRow) -> Self {
        let PhaseRow { starts_at, plan, plan_version, billing_period, quantity, add_ons } = row;
        Self { starts_at, shape: Shape { plan, plan_version, interval: billing_period, quantity, add_ons } }
    }
}

/// The statement that reads the phases of a subscription, oldest first; [`phase`] reads a row of it.
pub fn select_phases(id: SubscriptionId) -> TenantStatement {
    tenant_sql!(
        "SELECT *
         FROM subscription_phases
         WHERE organization_id = ?1 AND subscription_id = ?2
         ORDER BY starts_at",
        id
    )
}

pub fn phase(row: sql::Row) -> Result<Phase> {
    Ok(sql::decode::<PhaseRow>(row)?.into())
}

pub async fn phases(tenant: &Tenant, id: SubscriptionId) -> Result<Vec<Phase>> {
    Ok(tenant.rows::<PhaseRow>(select_phases(id)).await?.into_iter().map(Phase::from).collect())
}

/// A subscription that is due.
#[derive(Debug, Deserialize)]
pub struct Due {
    pub organization_id: OrganizationId,
    pub id: SubscriptionId,
    #[serde(deserialize_with = "sql::millis::deserialize")]
    pub next_billing_at: Timestamp,
}

/// The first due subscription of a test clock on each shard, by `now`.
pub async fn due_on_clock(platform: &Platform, clock: TestClockId, now: Timestamp) -> Result<Vec<Due>> {
    let text = "SELECT organization_id, id, next_billing_at
                FROM subscriptions
                WHERE next_billing_at <= ?1 AND test_clock_id = ?2
                ORDER BY next_billing_at
                LIMIT 1";
    platform.every_shard(text, &[Value::from(now), Value::from(clock)]).await
}
