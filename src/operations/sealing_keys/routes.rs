//! The endpoint that rotates the master key.

use serde::Serialize;
use utoipa::ToSchema;

use crate::http::reply::Reply;
use crate::identity::callers::actors::Vendor;
use crate::kernel::error::Result;
use crate::sealing::rotation;

/// How far a rotation is.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SealingKeyRotation {
    #[serde(rename = "$type")]
    pub type_name: &'static str,
    /// Keys that this call wrapped under the newest master key.
    pub rewrapped: usize,
    /// Call again: there are more.
    pub has_more: bool,
}

/// Wrap the sealing keys under the newest master key
///
/// A step of at most 100 keys; repeat until `hasMore` is false. From then on the older secrets may be removed from `TENANTRY_MASTER_KEYS`.
#[utoipa::path(post, path = "/v1/sealing-keys/rotations", tag = "operations", operation_id = "rotateSealingKeys",
    responses((status = 200, description = "What this step did", body = SealingKeyRotation)))]
pub async fn rotate(vendor: Vendor) -> Result<Reply> {
    let progress = rotation::advance(&vendor.platform).await?;
    Reply::ok(&SealingKeyRotation { type_name: "SealingKeyRotation", rewrapped: progress.rewrapped, has_more: progress.has_more })
}
