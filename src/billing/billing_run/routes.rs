//! The endpoint of the billing run's check, for the vendor.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::check;
use super::check::{Finding, Kind, Place};
use crate::http::reply::Reply;
use crate::http::request::Filter;
use crate::identity::callers::actors::Vendor;
use crate::kernel::error::Result;
use crate::kernel::ids::{OrganizationId, SubscriptionId};
use crate::kernel::page::foreign_cursor;
use crate::kernel::problem::Problem;
use crate::kernel::time::{Timestamp, hours};

/// By how much the run may be late before that is a finding, when nothing else is asked for: it comes each hour, and one failure may pause
/// a subscription for twenty minutes.
const GRACE_HOURS_DEFAULT: u64 = 2;
/// A month: later than that, everything is late.
const GRACE_HOURS_MAX: u64 = 744;

/// The page to check and the allowed delay.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct AuditQuery {
    pub grace_hours: Option<String>,
    pub cursor: Option<String>,
}

/// A subscription with a billing problem.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = BillingFinding)]
pub struct FindingView {
    /// The organization.
    pub organization: OrganizationId,
    /// The subscription.
    pub subscription: SubscriptionId,
    /// `overdue`: due for longer than `graceHours`, neither billed nor a dead letter. `missingInvoice`: a period without an invoice.
    pub kind: Kind,
    /// The instant at which it was due, or the start of the period.
    pub since: Timestamp,
}

/// The findings on one page of subscriptions.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = BillingAudit)]
pub struct AuditView {
    /// The type of the resource.
    #[serde(rename = "$type")]
    #[schema(example = "BillingAudit")]
    pub type_name: &'static str,
    /// The number of subscriptions that were checked.
    #[schema(example = 500)]
    pub subscriptions: usize,
    /// The findings; empty where everything is billed.
    pub findings: Vec<FindingView>,
    /// The `cursor` of the next page. Null on the last page.
    #[schema(example = "0:org_01kaz3h8v5e0m9r6y2q4t7wxzb:sub_01kaz3h8v5e0m9r6y2q4t7wxzb")]
    pub next_cursor: Option<String>,
}

impl From<Finding> for FindingView {
    fn from(finding: Finding) -> Self {
        Self { organization: finding.organization, subscription: finding.subscription, kind: finding.kind, since: finding.since }
    }
}

/// Audit the billing run
///
/// Checks one page of subscriptions: every period that ended has an invoice, or the subscription is a dead letter (`GET /v1/dead-letters`).
/// Changes nothing.
#[utoipa::path(get, path = "/v1/billing/audit", operation_id = "auditBilling",
    params(
        ("graceHours" = Option<u32>, Query, description = "The allowed delay of the hourly run in hours: 0 to 744, 2 when absent"),
        ("cursor" = Option<String>, Query, description = "nextCursor of the page before")
    ),
    responses((status = 200, description = "The findings; empty where everything is billed", body = AuditView)))]
pub async fn audit(vendor: Vendor, Filter(query): Filter<AuditQuery>) -> Result<Reply> {
    let place = query.cursor.as_deref().map_or_else(|| Ok(Place::default()), place)?;
    if place.shard >= vendor.platform.app().shards.len() {
        return Err(foreign_cursor().into());
    }
    let checked = check::page(&vendor.platform, &place, hours(grace_hours(query.grace_hours.as_deref())?)).await?;
    Reply::ok(&AuditView {
        type_name: "BillingAudit",
        subscriptions: checked.subscriptions,
        findings: checked.findings.into_iter().map(FindingView::from).collect(),
        next_cursor: checked.next.as_ref().map(cursor),
    })
}

fn grace_hours(text: Option<&str>) -> Result<u64> {
    let Some(text) = text else { return Ok(GRACE_HOURS_DEFAULT) };
    let hours = text.parse().ok().filter(|hours| *hours <= GRACE_HOURS_MAX);
    let refusal = || Problem::invalid("graceHours", "invalid_grace_hours", format!("Send graceHours from 0 to {GRACE_HOURS_MAX}."));
    hours.ok_or_else(|| refusal().into())
}

/// `shard`, or `shard:organization:subscription`.
fn cursor(place: &Place) -> String {
    match place.after {
        Some((organization, subscription)) => format!("{}:{organization}:{subscription}", place.shard),
        None => place.shard.to_string(),
    }
}

fn place(cursor: &str) -> Result<Place> {
    let read = || {
        let mut parts = cursor.split(':');
        let shard = parts.next()?.parse().ok()?;
        let after = match (parts.next(), parts.next(), parts.next()) {
            (None, ..) => None,
            (Some(organization), Some(subscription), None) => Some((organization.parse().ok()?, subscription.parse().ok()?)),
            _ => return None,
        };
        Some(Place { shard, after })
    };
    read().ok_or_else(|| foreign_cursor().into())
}
