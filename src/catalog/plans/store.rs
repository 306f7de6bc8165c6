//! All SQL of plans. Custom contracts are filtered by the organization that reads.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::json;

use super::built_in::{built_in, built_in_plans};
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

/// A page of plans in their newest versions, as `viewer` sees them (None: the vendor): the built-in ones first, then by key. `after` is
/// the key of the last one shown.
pub async fn page(app: &App, viewer: Option<OrganizationId>, after: Option<&str>, fetch: u32) -> Result<Vec<Plan>> {
    let built_in = built_in_plans();
    let passed = built_in.iter().position(|plan| after == Some(plan.key.as_str())).map(|position| position.saturating_add(1));
    let skipped = passed.unwrap_or(if after.is_some() { built_in.len() } else { 0 });
    let fetched = usize::try_from(fetch).unwrap_or(usize::MAX);
    let mut plans = Vec::new();
    for plan in built_in.into_iter().skip(skipped).take(fetched) {
        plans.push(newest(app, &plan.key).await?.unwrap_or(plan));
    }
    let after = after.filter(|_| passed.is_none()).unwrap_or_default();
    let left = fetch.saturating_sub(u32::try_from(plans.len()).unwrap_or(u32::MAX));
    let keys: Vec<String> = built_in_plans().into_iter().map(|plan| plan.key).collect();
    let statement = platform_sql!(
        "SELECT document
         FROM plan_versions p
         WHERE key > ?1
           AND version = (SELECT max(version) FROM plan_versions o WHERE o.key = p.key)
           AND key NOT IN (SELECT value FROM json_each(?2))
           AND (?3 OR organization_id IS NULL OR organization_id = ?4)
         ORDER BY key
         LIMIT ?5",
        after,
        serde_json::json!(keys).to_string(),
        viewer.is_none(),
        viewer,
        left
    );
    plans.extend(common_rows::<VersionRow>(app, statement).await?.into_iter().map(|row| row.document));
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
