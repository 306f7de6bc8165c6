//! All SQL of plans. Custom contracts are filtered by the organization that reads.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::json;

use super::built_in::{built_in, built_in_plans};
use super::offer::{Offer, PlanStatus, PlanVisibility};
use super::plan::Plan;
use crate::kernel::audit::Audit;
use crate::kernel::error::{Error, Result};
use crate::kernel::idempotency::Answer;
use crate::kernel::ids::OrganizationId;
use crate::kernel::platform::{Platform, common_rows};
use crate::kernel::ports::App;
use crate::kernel::sql;
use crate::kernel::time::Timestamp;
use crate::{platform_sql, stale_if};

#[derive(Deserialize)]
struct VersionRow {
    #[serde(deserialize_with = "sql::json::deserialize")]
    document: Plan,
}

/// A pinned version of a plan. It never changes, so an isolate reads it once.
pub async fn pinned(app: &App, key: &str, version: u32) -> Result<Arc<Plan>> {
    if let Some(plan) = built_in(key).filter(|plan| plan.version == version) {
        return Ok(Arc::new(plan));
    }
    let name = format!("plan:{key}:{version}");
    let now = app.moment().now;
    if let Some(plan) = app.memory.recall::<Plan>(&name, now) {
        return Ok(plan);
    }
    let statement = platform_sql!("SELECT document FROM plan_versions WHERE key = ?1 AND version = ?2", key, version);
    let row = common_rows::<VersionRow>(app, statement).await?.into_iter().next();
    let plan = Arc::new(row.ok_or_else(|| Error::internal(format!("{key} v{version} is pinned and not in the catalogue")))?.document);
    app.memory.keep(&name, Timestamp::LATEST, plan.clone());
    Ok(plan)
}

/// A version of a plan, published or built in.
pub async fn find(app: &App, key: &str, version: u32) -> Result<Option<Plan>> {
    if let Some(plan) = built_in(key).filter(|plan| plan.version == version) {
        return Ok(Some(plan));
    }
    let statement = platform_sql!("SELECT document FROM plan_versions WHERE key = ?1 AND version = ?2", key, version);
    Ok(common_rows::<VersionRow>(app, statement).await?.into_iter().next().map(|row| row.document))
}

/// The newest version of a plan.
pub async fn newest(app: &App, key: &str) -> Result<Option<Plan>> {
    let statement = platform_sql!("SELECT document FROM plan_versions WHERE key = ?1 ORDER BY version DESC LIMIT 1", key);
    let published = common_rows::<VersionRow>(app, statement).await?.into_iter().next();
    Ok(published.map(|row| row.document).or_else(|| built_in(key)))
}

#[derive(Deserialize)]
struct OfferRow {
    key: String,
    #[serde(flatten)]
    offer: Offer,
}

/// The offers of some plans, in their order.
async fn offers(app: &App, keys: &[String]) -> Result<Vec<Offer>> {
    let statement = platform_sql!(
        "SELECT key, status, visibility FROM plan_offers WHERE key IN (SELECT value FROM json_each(?1))",
        json!(keys).to_string()
    );
    let rows = common_rows::<OfferRow>(app, statement).await?;
    Ok(keys.iter().map(|key| rows.iter().find(|row| row.key == *key).map(|row| row.offer).unwrap_or_default()).collect())
}

/// The offer of a plan.
pub async fn offer(app: &App, key: &str) -> Result<Offer> {
    Ok(offers(app, &[key.to_owned()]).await?.into_iter().next().unwrap_or_default())
}

/// Changes the offer of a plan. Stale when it is no longer `before`.
pub async fn put_offer(platform: &Platform, key: &str, before: Offer, after: Offer) -> Result<()> {
    let guard = stale_if!(
        directory,
        "coalesce((SELECT status || ' ' || visibility FROM plan_offers WHERE key = ?1), 'active public') <> ?2 || ' ' || ?3",
        key,
        before.status.wire_name(),
        before.visibility.wire_name()
    );
    let write = platform_sql!(
        "INSERT INTO plan_offers (key, status, visibility, updated_at)
         VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (key) DO UPDATE SET status = excluded.status, visibility = excluded.visibility, updated_at = excluded.updated_at",
        key,
        after.status.wire_name(),
        after.visibility.wire_name(),
        platform.app().moment().now
    );
    let audit = Audit { action: "plan.updated", target: key.to_owned(), before: Some(json!(before)), after: Some(json!(after)) };
    platform.commit(vec![guard, write], vec![audit]).await
}

#[derive(Deserialize)]
struct ListedRow {
    #[serde(deserialize_with = "sql::json::deserialize")]
    document: Plan,
    #[serde(flatten)]
    offer: Offer,
}

/// A page of the plans with this status in their newest versions, as `viewer` sees them (None: the vendor): the built-in ones first, then
/// by key. `after` is the key of the last one shown.
pub async fn page(
    app: &App,
    viewer: Option<OrganizationId>,
    status: PlanStatus,
    after: Option<&str>,
    fetch: u32,
) -> Result<Vec<(Plan, Offer)>> {
    let built_in = built_in_plans();
    let passed = built_in.iter().position(|plan| after == Some(plan.key.as_str())).map(|position| position.saturating_add(1));
    let skipped = passed.unwrap_or(if after.is_some() { built_in.len() } else { 0 });
    let fetched = usize::try_from(fetch).unwrap_or(usize::MAX);
    let mut plans = Vec::new();
    let keys: Vec<String> = built_in.iter().map(|plan| plan.key.clone()).collect();
    let offered = built_in.into_iter().zip(offers(app, &keys).await?).skip(skipped);
    let is_listed = |offer: &Offer| offer.status == status && (viewer.is_none() || offer.visibility == PlanVisibility::Public);
    for (plan, offer) in offered.filter(|(_, offer)| is_listed(offer)).take(fetched) {
        plans.push((newest(app, &plan.key).await?.unwrap_or(plan), offer));
    }
    let after = after.filter(|_| passed.is_none()).unwrap_or_default();
    let left = fetch.saturating_sub(u32::try_from(plans.len()).unwrap_or(u32::MAX));
    let statement = platform_sql!(
        "SELECT p.document, coalesce(f.status, 'active') AS status, coalesce(f.visibility, 'public') AS visibility
         FROM plan_versions p
         LEFT JOIN plan_offers f ON f.key = p.key
         WHERE p.key > ?1
           AND p.version = (SELECT max(version) FROM plan_versions o WHERE o.key = p.key)
           AND p.key NOT IN (SELECT value FROM json_each(?2))
           AND (?3 OR p.organization_id IS NULL OR p.organization_id = ?4)
           AND coalesce(f.status, 'active') = ?6
           AND (?3 OR coalesce(f.visibility, 'public') = 'public')
         ORDER BY p.key
         LIMIT ?5",
        after,
        json!(keys).to_string(),
        viewer.is_none(),
        viewer,
        left,
        status.wire_name()
    );
    plans.extend(common_rows::<ListedRow>(app, statement).await?.into_iter().map(|row| (row.document, row.offer)));
    Ok(plans)
}

/// A page of a plan's versions, newest first, those before `before`.
pub async fn versions(app: &App, key: &str, before: u32, fetch: u32) -> Result<Vec<Plan>> {
    let statement = platform_sql!(
        "SELECT document FROM plan_versions WHERE key = ?1 AND version < ?2 ORDER BY version DESC LIMIT ?3",
        key,
        before,
        fetch
    );
    let mut versions: Vec<Plan> = common_rows::<VersionRow>(app, statement).await?.into_iter().map(|row| row.document).collect();
    let is_full = u32::try_from(versions.len()).unwrap_or(u32::MAX) >= fetch;
    versions.extend(built_in(key).filter(|plan| !is_full && plan.version < before));
    Ok(versions)
}

/// Publishes a version, together with the answer to the request for it. Stale when the newest one is no longer `newest` (0: none).
pub async fn publish(platform: &Platform, plan: &Plan, newest: u32, answer: Option<&Answer>) -> Result<()> {
    let own = built_in(&plan.key).map_or(0, |plan| plan.version);
    let guard =
        stale_if!(directory, "coalesce((SELECT max(version) FROM plan_versions WHERE key = ?1), ?2) <> ?3", plan.key.as_str(), own, newest);
    let document = serde_json::to_string(plan).map_err(|error| Error::internal(format!("a plan does not serialize: {error}")))?;
    let insert = platform_sql!(
        "INSERT INTO plan_versions (key, version, document, organization_id, published_at)
         VALUES (?1, ?2, ?3, ?4, ?5)",
        plan.key.as_str(),
        plan.version,
        document,
        plan.organization,
        plan.published_at
    );
    let answer = answer.into_iter().flat_map(|answer| answer.record_for_vendor(platform.app().moment().now));
    // The answer first: of two requests with one key the second gets the first answer, not a conflict.
    platform.commit(answer.chain([guard, insert]).collect(), vec![published(plan)]).await
}

fn published(plan: &Plan) -> Audit {
    let after = json!({"version": plan.version, "name": plan.name, "organization": plan.organization});
    Audit { action: "plan.published", target: plan.key.clone(), before: None, after: Some(after) }
}
