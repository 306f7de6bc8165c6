//! The endpoints of the allowed origins, for the vendor.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::origins::Origins;
use super::store;
use crate::http::reply::Reply;
use crate::http::request::Command;
use crate::identity::callers::actors::Vendor;
use crate::kernel::error::Result;
use crate::kernel::tenant::until_fresh;
use crate::kernel::time::Timestamp;

/// The origins of the browser applications that may call the API.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewAllowedOrigins {
    /// Exact origins: `https://`, the host in lower case and, unless it is the default, the port. No path and no wildcard; `http://` is
    /// accepted for localhost only. An empty list allows none.
    #[schema(max_items = 100, example = json!(["https://app.example.com", "http://localhost:5173"]))]
    pub origins: Vec<String>,
}

/// The origins of the browser applications that may call the API.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AllowedOrigins)]
pub struct AllowedOriginsView {
    /// The type of the resource.
    #[serde(rename = "$type")]
    #[schema(example = "AllowedOrigins")]
    pub type_name: &'static str,
    /// The allowed origins, in the order in which they were set.
    #[schema(example = json!(["https://app.example.com", "http://localhost:5173"]))]
    pub origins: Vec<String>,
    /// The instant of the last update. Null until the list is set.
    pub updated_at: Option<Timestamp>,
}

impl AllowedOriginsView {
    fn of(origins: Origins, updated_at: Option<Timestamp>) -> Self {
        Self { type_name: "AllowedOrigins", origins: origins.0, updated_at }
    }
}

/// Get the allowed origins
///
/// The browser applications whose scripts may call the API with access tokens (CORS). Empty until it is set.
#[utoipa::path(get, path = "/v1/allowed-origins", operation_id = "getAllowedOrigins",
    responses((status = 200, description = "The allowed origins", body = AllowedOriginsView)))]
pub async fn get(vendor: Vendor) -> Result<Reply> {
    let found = store::find(vendor.platform.app()).await?;
    let (origins, updated_at) = found.map(|kept| (kept.origins, kept.updated_at)).unzip();
    Reply::ok(&AllowedOriginsView::of(origins.unwrap_or_default(), updated_at))
}

/// Set the allowed origins
///
/// Replaces the list. Answers to scripts of these origins carry CORS headers when the request has an access token or no credential; a
/// request with a key never gets them, because a key does not belong in a browser. A change takes effect within a minute.
#[utoipa::path(put, path = "/v1/allowed-origins", operation_id = "putAllowedOrigins", request_body = NewAllowedOrigins,
    responses((status = 200, description = "The allowed origins", body = AllowedOriginsView)))]
pub async fn put(vendor: Vendor, command: Command<NewAllowedOrigins>) -> Result<Reply> {
    let (platform, origins) = (&vendor.platform, Origins(command.body.origins));
    origins.check()?;
    until_fresh(|| async {
        let now = platform.app().moment().now;
        let found = store::find(platform.app()).await?;
        store::save(platform, found.as_ref(), &origins, now).await?;
        Reply::ok(&AllowedOriginsView::of(origins.clone(), Some(now)))
    })
    .await
}
