//! All SQL of the seller.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;

use super::party::Seller;
use crate::kernel::audit::Audit;
use crate::kernel::error::Result;
use crate::kernel::platform::{Platform, common_rows};
use crate::kernel::ports::App;
use crate::kernel::sql;
use crate::kernel::time::Timestamp;
use crate::{platform_sql, stale_if};

/// The stored seller.
#[derive(Clone, Debug, Deserialize)]
pub struct Kept {
    #[serde(rename = "document", deserialize_with = "sql::json::deserialize")]
    pub seller: Seller,
    #[serde(deserialize_with = "sql::millis::deserialize")]
    pub updated_at: Timestamp,
    version: u32,
}

/// None until it is set. Invoices of every organization show it, so it is read without an actor.
pub async fn find(app: &App) -> Result<Option<Kept>> {
    Ok(common_rows(app, platform_sql!("SELECT document, updated_at, version FROM seller WHERE id = 1")).await?.into_iter().next())
}

/// How long an isolate keeps the seller: a billing run numbers many invoices and reads it once a minute.
const REMEMBERED: Duration = Duration::from_secs(60);
const NAME: &str = "seller";

/// The seller for a new invoice: up to a minute old, except for changes by this isolate.
pub async fn remembered(app: &App) -> Result<Arc<Seller>> {
    let now = app.moment().now;
    if let Some(seller) = app.memory.recall::<Seller>(NAME, now) {
        return Ok(seller);
    }
    let seller = Arc::new(load(app).await?);
    app.memory.keep(NAME, now.plus(REMEMBERED), Arc::clone(&seller));
    Ok(seller)
}

/// The current seller.
pub async fn load(app: &App) -> Result<Seller> {
    Ok(find(app).await?.map(|kept| kept.seller).unwrap_or_default())
}

/// Replaces the stored seller `found`; stale where another one has replaced it.
pub async fn save(platform: &Platform, found: Option<&Kept>, seller: &Seller, now: Timestamp) -> Result<()> {
    let version = found.map_or(0, |kept| kept.version);
    let guard = stale_if!(directory, "coalesce((SELECT version FROM seller WHERE id = 1), 0) <> ?1", version);
    let write = platform_sql!(
        "INSERT INTO seller (id, document, updated_at, version)
         VALUES (1, ?1, ?2, ?3)
         ON CONFLICT (id) DO UPDATE
         SET document = excluded.document, updated_at = excluded.updated_at, version = excluded.version",
        serde_json::json!(seller).to_string(),
        now,
        version.saturating_add(1)
    );
    let (before, after) = (found.map(|kept| kept.seller.summary()), Some(seller.summary()));
    let entry = Audit { action: "seller.updated", target: "seller".to_owned(), before, after };
    platform.commit(vec![guard, write], vec![entry]).await?;
    platform.app().memory.forget(NAME);
    Ok(())
}
