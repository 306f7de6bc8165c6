//! The endpoint that rotates the master key.

use serde::Serialize;
use utoipa::ToSchema;

use crate::http::reply::{Reply, once_for_vendor};
use crate::http::request::IdempotencyKey;
use crate::identity::callers::actors::Vendor;
use crate::kernel::error::Result;
use crate::sealing::rotation;

/// The progress of a rotation.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SealingKeyRotation {
    #[serde(rename = "$type")]
    pub type_name: &'static str,
    /// The number of keys that this call wrapped under the newest master key.
    #[schema(example = 42)]
    pub rewrapped: usize,
    /// Whether keys under an older master key are left. Repeat the call if so.
    #[schema(example = false)]
    pub has_more: bool,
}

/// Rotate the sealing keys
///
/// Wraps at most 100 sealing keys under the newest master key; repeat the call until `hasMore` is false. The older secrets can then be
/// removed from `TENANTRY_MASTER_KEYS`.
#[utoipa::path(post, path = "/v1/sealing-keys/rotations", operation_id = "rotateSealingKeys",
    responses((status = 200, description = "The progress of the rotation", body = SealingKeyRotation)))]
pub async fn rotate(vendor: Vendor, IdempotencyKey(claim): IdempotencyKey) -> Result<Reply> {
    let (platform, claim) = (&vendor.platform, claim.as_ref());
    once_for_vendor(platform, claim, || async {
        let (progress, mut statements) = rotation::advance(platform).await?;
        let view = SealingKeyRotation { type_name: "SealingKeyRotation", rewrapped: progress.rewrapped, has_more: progress.has_more };
        let reply = Reply::ok(&view)?;
        let answer = reply.stored(claim);
        statements.extend(answer.into_iter().flat_map(|answer| answer.record_for_vendor(platform.app().moment().now)));
        platform.commit(statements, vec![rotation::audit(platform, progress)?]).await?;
        Ok(reply)
    })
    .await
}
