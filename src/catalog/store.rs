//! All SQL of the catalogue. Plans are everybody's to read; custom contracts are sorted out by who asks.

use std::sync::Arc;

use serde::Deserialize;

use super::built_in::{built_in, built_in_plans};
use super::rules::Plan;
use crate::kernel::error::{Error, Result};
use crate::kernel::platform::common_rows;
use crate::kernel::ports::App;
use crate::kernel::sql;
use crate::kernel::time::Timestamp;
use crate::platform_sql;

#[derive(Deserialize)]
struct VersionRow {
    #[serde(deserialize_with = "sql::json::deserialize")]
    document: Plan,
}

/// The version of a plan that somebody pinned. It never changes, so an isolate asks for it once.
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

/// The newest version of every plan: the built-in ones in ascending order, then the vendor's by key.
pub async fn all_newest(app: &App) -> Result<Vec<Plan>> {
    let statement = platform_sql!(
        "SELECT document FROM plan_versions p WHERE version = (SELECT max(version) FROM plan_versions o WHERE o.key = p.key) ORDER BY key"
    );
    let mut published: Vec<Plan> = common_rows::<VersionRow>(app, statement).await?.into_iter().map(|row| row.document).collect();
    let mut plans = Vec::new();
    for plan in built_in_plans() {
        let replaced = published.iter().position(|newer| newer.key == plan.key);
        plans.push(replaced.map_or(plan, |position| published.remove(position)));
    }
    plans.extend(published);
    Ok(plans)
}
