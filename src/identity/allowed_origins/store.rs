//! All SQL of the allowed origins: one row of the directory.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;

use super::origins::Origins;
use crate::kernel::audit::Audit;
use crate::kernel::error::Result;
use crate::kernel::platform::{Platform, common_rows};
use crate::kernel::ports::App;
use crate::kernel::sql;
use crate::kernel::time::{Timestamp, seconds};
use crate::{platform_sql, stale_if};

/// The stored list.
#[derive(Clone, Debug, Deserialize)]
pub struct Kept {
    #[serde(deserialize_with = "sql::json::deserialize")]
    pub origins: Origins,
    #[serde(deserialize_with = "sql::millis::deserialize")]
    pub updated_at: Timestamp,
    version: u32,
}

/// None until it is set. It holds for requests of everybody, also without a credential, so it is read without an actor.
pub async fn find(app: &App) -> Result<Option<Kept>> {
    let select = platform_sql!("SELECT origins, updated_at, version FROM allowed_origins WHERE id = 1");
    Ok(common_rows(app, select).await?.into_iter().next())
}

/// How long an isolate keeps the list: an origin that was removed is refused by then.
const REMEMBERED: Duration = seconds(60);
const NAME: &str = "allowed origins";

/// The list for a request: up to a minute old, except for changes by this isolate.
pub async fn remembered(app: &App) -> Result<Arc<Origins>> {
    let now = app.moment().now;
    if let Some(origins) = app.memory.recall::<Origins>(NAME, now) {
        return Ok(origins);
    }
    let origins = Arc::new(find(app).await?.map(|kept| kept.origins).unwrap_or_default());
    app.memory.keep(NAME, now.plus(REMEMBERED), Arc::clone(&origins));
    Ok(origins)
}

/// Replaces the stored list `found`; stale where another one has replaced it.
pub async fn save(platform: &Platform, found: Option<&Kept>, origins: &Origins, now: Timestamp) -> Result<()> {
    let version = found.map_or(0, |kept| kept.version);
    let guard = stale_if!(directory, "coalesce((SELECT version FROM allowed_origins WHERE id = 1), 0) <> ?1", version);
    let write = platform_sql!(
        "INSERT INTO allowed_origins (id, origins, updated_at, version)
         VALUES (1, ?1, ?2, ?3)
         ON CONFLICT (id) DO UPDATE
         SET origins = excluded.origins, updated_at = excluded.updated_at, version = excluded.version",
        serde_json::json!(origins).to_string(),
        now,
        version.saturating_add(1)
    );
    let summary = |origins: &Origins| serde_json::json!({"origins": origins});
    let (before, after) = (found.map(|kept| summary(&kept.origins)), Some(summary(origins)));
    let entry = Audit { action: "allowedOrigins.updated", target: "allowedOrigins".to_owned(), before, after };
    platform.commit(vec![guard, write], vec![entry]).await?;
    platform.app().memory.forget(NAME);
    Ok(())
}
