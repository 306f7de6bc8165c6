//! Moving a plan's subscribers from one version to another: what is asked for, a page of them, and what is answered.

use rating::Quantity;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::subscribers;
use super::subscribers::{Comparison, Fate, LimitChange, Obstacle, Skip};
use crate::billing::subscriptions;
use crate::billing::subscriptions::subscription::Subscription;
use crate::catalog::plans::plan::Plan;
use crate::catalog::plans::store;
use crate::http::money::MoneyView;
use crate::http::quantity::QuantityDocument;
use crate::identity::callers::actors::Vendor;
use crate::kernel::error::Result;
use crate::kernel::ids::{OrganizationId, SubscriptionId};
use crate::kernel::page::{LIMIT_DEFAULT, LIMIT_MAX, Page, PageRequest};
use crate::kernel::platform::Platform;
use crate::kernel::problem::Problem;
use crate::kernel::tenant::until_fresh;
use crate::kernel::time::Timestamp;

/// From which version to which, and which page of the subscribers.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Migration {
    #[schema(example = 1)]
    pub from: u32,
    #[schema(example = 2)]
    pub to: u32,
    /// Subscriptions that are looked at: 1 to 100, 20 when absent.
    #[schema(minimum = 1, maximum = 100)]
    pub limit: Option<u32>,
    /// `nextCursor` of the page before.
    pub cursor: Option<String>,
}

/// The same, to be done.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMigration {
    #[schema(example = 1)]
    pub from: u32,
    #[schema(example = 2)]
    pub to: u32,
    pub effective: Effective,
    /// Subscriptions that are moved by this call: 1 to 100, 20 when absent.
    #[schema(minimum = 1, maximum = 100)]
    pub limit: Option<u32>,
    /// `nextCursor` of the page before.
    pub cursor: Option<String>,
}

/// When a migration changes a subscription.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = MigrationTime)]
pub enum Effective {
    /// Where its billing period ends.
    PeriodEnd,
}

impl From<NewMigration> for Migration {
    fn from(NewMigration { from, to, effective: Effective::PeriodEnd, limit, cursor }: NewMigration) -> Self {
        Self { from, to, limit, cursor }
    }
}

/// What a migration means for one subscription.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = MigratedSubscription)]
pub struct SubscriberView {
    pub organization: OrganizationId,
    pub subscription: SubscriptionId,
    /// `moves`: would change (preview only). `scheduled`: will. `skipped`: is left alone. `refused`: can't.
    #[schema(example = "moves")]
    pub status: &'static str,
    /// Of skipped: `change_scheduled`, `ends`, `paused`. Of refused: `not_sold` in its currency at its interval, `add_on_gone`.
    pub reason: Option<&'static str>,
    /// The add-on that is gone.
    pub add_on: Option<String>,
    pub effective_at: Timestamp,
    /// What a billing period costs it, add-ons among it.
    pub price_before: MoneyView,
    pub price_after: Option<MoneyView>,
    /// Those that differ.
    pub limits: Vec<LimitChangeView>,
    /// Keys of features that it would no longer have.
    pub features_lost: Vec<String>,
}

/// A limit that differs; -1 is unlimited.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = LimitChange)]
pub struct LimitChangeView {
    pub metric: String,
    #[schema(value_type = QuantityDocument)]
    pub before: Quantity,
    #[schema(value_type = QuantityDocument)]
    pub after: Quantity,
    pub is_lower: bool,
}

impl From<LimitChange> for LimitChangeView {
    fn from(change: LimitChange) -> Self {
        let shown = |limit: Option<Quantity>| limit.unwrap_or_else(|| Quantity::from(-1));
        Self { is_lower: change.is_lower(), before: shown(change.before), after: shown(change.after), metric: change.metric }
    }
}

impl SubscriberView {
    pub fn is_scheduled(&self) -> bool {
        self.status == "scheduled"
    }

    fn new(organization: OrganizationId, subscription: SubscriptionId, comparison: Comparison) -> Self {
        let (status, reason, add_on) = match comparison.fate {
            Fate::Moves => ("moves", None, None),
            Fate::Scheduled => ("scheduled", None, None),
            Fate::Skipped(Skip::ChangeScheduled) => ("skipped", Some("change_scheduled"), None),
            Fate::Skipped(Skip::Ends) => ("skipped", Some("ends"), None),
            Fate::Skipped(Skip::Paused) => ("skipped", Some("paused"), None),
            Fate::Refused(Obstacle::NotSold) => ("refused", Some("not_sold"), None),
            Fate::Refused(Obstacle::AddOnGone(key)) => ("refused", Some("add_on_gone"), Some(key)),
        };
        Self {
            organization,
            subscription,
            status,
            reason,
            add_on,
            effective_at: comparison.effective_at,
            price_before: comparison.price_before.into(),
            price_after: comparison.price_after.map(MoneyView::from),
            limits: comparison.limits.into_iter().map(LimitChangeView::from).collect(),
            features_lost: comparison.features_lost,
        }
    }
}

/// Both versions, and which page of the subscribers.
pub struct Between {
    from: Plan,
    to: Plan,
    request: PageRequest,
}

impl Between {
    pub async fn load(platform: &Platform, key: &str, asked: &Migration) -> Result<Self> {
        let app = platform.app();
        store::newest(app, key).await?.ok_or_else(|| Problem::not_found("plan"))?;
        if asked.from == asked.to {
            return Err(Problem::refused("/to", "same_version", "Send another version than `from`.").into());
        }
        let unknown = |pointer: &str| {
            Problem::refused(pointer, "unknown_version", format!("There is no such version. GET /v1/plans/{key}/versions lists them."))
        };
        let from = store::find(app, key, asked.from).await?.ok_or_else(|| unknown("/from"))?;
        let to = store::find(app, key, asked.to).await?.ok_or_else(|| unknown("/to"))?;
        let limit = asked.limit.unwrap_or(LIMIT_DEFAULT);
        if !(1..=LIMIT_MAX).contains(&limit) {
            return Err(Problem::invalid("/limit", "invalid_limit", format!("Send a limit from 1 to {LIMIT_MAX}.")).into());
        }
        if asked.cursor.as_ref().is_some_and(|cursor| cursor.parse::<OrganizationId>().is_err()) {
            return Err(Problem::invalid("/cursor", "invalid_cursor", "Send the nextCursor of an earlier page, unchanged.").into());
        }
        Ok(Self { from, to, request: PageRequest { limit, before: asked.cursor.clone() } })
    }

    /// The page of those who pin `from`, by organization.
    pub async fn subscribers(&self, platform: &Platform) -> Result<Page<(OrganizationId, Subscription)>> {
        let after = self.request.before.as_deref().unwrap_or_default();
        let found = super::migration_store::subscribers(platform, (&self.from.key, self.from.version), after, self.request.fetch()).await?;
        Ok(Page::of(found, &self.request, |(organization, _)| organization.to_string(), |row| row))
    }

    pub fn view(&self, organization: OrganizationId, subscription: &Subscription) -> Result<SubscriberView> {
        Ok(SubscriberView::new(organization, subscription.id, subscribers::compare(subscription, &self.from, &self.to)?))
    }

    /// Schedules the change of one subscription, decided on what it is now. None when it no longer pins the version, or its organization
    /// is gone.
    pub async fn schedule(&self, vendor: &Vendor, organization: OrganizationId) -> Result<Option<SubscriberView>> {
        let platform = &vendor.platform;
        let opened = platform.tenant(organization, platform.actor().clone(), Some(vendor.request_id)).await?;
        let Some(tenant) = opened else { return Ok(None) };
        until_fresh(|| async {
            let current = subscriptions::store::current(&tenant).await?;
            let Some(subscription) = current.filter(|current| self.is_pinned_by(current)) else { return Ok(None) };
            let comparison = subscribers::compare(&subscription, &self.from, &self.to)?;
            tenant.commit(subscribers::schedule(&subscription, &comparison, tenant.moment().now), None).await?;
            let fate = if comparison.fate == Fate::Moves { Fate::Scheduled } else { comparison.fate.clone() };
            Ok(Some(SubscriberView::new(organization, subscription.id, Comparison { fate, ..comparison })))
        })
        .await
    }

    fn is_pinned_by(&self, subscription: &Subscription) -> bool {
        subscription.shape.plan == self.from.key && subscription.shape.plan_version == self.from.version
    }
}
