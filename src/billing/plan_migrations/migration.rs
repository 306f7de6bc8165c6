//! A migration: its two versions, and one page of subscribers.

use super::comparison;
use super::comparison::{Comparison, Fate};
use super::requests::Migration;
use super::views::SubscriberView;
use crate::billing::subscriptions;
use crate::billing::subscriptions::subscription::Subscription;
use crate::catalog::plans::plan::Plan;
use crate::catalog::plans::store;
use crate::identity::callers::actors::Vendor;
use crate::kernel::error::Result;
use crate::kernel::ids::OrganizationId;
use crate::kernel::page::{LIMIT_DEFAULT, LIMIT_MAX, Page, PageRequest};
use crate::kernel::platform::Platform;
use crate::kernel::problem::Problem;
use crate::kernel::tenant::until_fresh;

/// The two versions and the requested page.
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

    /// The page of subscribers that pin `from`, by organization.
    pub async fn subscribers(&self, platform: &Platform) -> Result<Page<(OrganizationId, Subscription)>> {
        let after = self.request.before.as_deref().unwrap_or_default();
        let found = super::store::subscribers(platform, (&self.from.key, self.from.version), after, self.request.fetch()).await?;
        Ok(Page::of(found, &self.request, |(organization, _)| organization.to_string(), |row| row))
    }

    pub fn view(&self, organization: OrganizationId, subscription: &Subscription) -> Result<SubscriberView> {
        Ok(SubscriberView::new(organization, subscription.id, comparison::compare(subscription, &self.from, &self.to)?))
    }

    /// Schedules the change of one subscription in its current state. None when it no longer pins the version, or its organization is gone.
    pub async fn schedule(&self, vendor: &Vendor, organization: OrganizationId) -> Result<Option<SubscriberView>> {
        let platform = &vendor.platform;
        let opened = platform.tenant(organization, platform.actor().clone(), Some(vendor.request_id)).await?;
        let Some(tenant) = opened else { return Ok(None) };
        until_fresh(|| async {
            let current = subscriptions::store::current(&tenant).await?;
            let Some(subscription) = current.filter(|current| self.is_pinned_by(current)) else { return Ok(None) };
            let comparison = comparison::compare(&subscription, &self.from, &self.to)?;
            tenant.commit(comparison::schedule(&subscription, &comparison, tenant.moment().now), None).await?;
            let fate = if comparison.fate == Fate::Moves { Fate::Scheduled } else { comparison.fate.clone() };
            Ok(Some(SubscriberView::new(organization, subscription.id, Comparison { fate, ..comparison })))
        })
        .await
    }

    fn is_pinned_by(&self, subscription: &Subscription) -> bool {
        subscription.shape.plan == self.from.key && subscription.shape.plan_version == self.from.version
    }
}
