//! The endpoints of platform keys.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::platform_key::PlatformKey;
use super::token::{PlatformToken, prefix};
use super::{callers, rules, store};
use crate::http::reply::{Reply, id_of, once_for_vendor};
use crate::http::request::{Command, Filter, IdInPath};
use crate::identity::callers::actors::Vendor;
use crate::identity::key_lifecycle::rules::check_overlap;
use crate::identity::key_lifecycle::wire::NewRotation;
use crate::kernel::error::Result;
use crate::kernel::ids::PlatformKeyId;
use crate::kernel::page;
use crate::kernel::page::{Page, PageQuery, Start};
use crate::kernel::ports::App;
use crate::kernel::problem::Problem;
use crate::kernel::tenant::until_fresh;
use crate::kernel::time::Timestamp;

/// A key of the vendor to be made.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewPlatformKey {
    #[schema(example = "deployment", min_length = 1, max_length = 200)]
    pub name: String,
    /// The key stops working then; never when absent.
    pub expires_at: Option<Timestamp>,
}

/// A key of the vendor.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PlatformKey)]
pub struct PlatformKeyView {
    #[serde(rename = "$type")]
    pub type_name: &'static str,
    #[serde(rename = "$id")]
    pub id: PlatformKeyId,
    pub name: String,
    /// The first characters of the secret; they name the key and open nothing.
    pub prefix: String,
    /// The key itself. Shown once, when it is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// `platform` for the root key, or the id of another platform key.
    pub created_by: String,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
    /// To a few minutes.
    pub last_used_at: Option<Timestamp>,
}

impl From<PlatformKey> for PlatformKeyView {
    fn from(key: PlatformKey) -> Self {
        Self {
            type_name: "PlatformKey",
            id: key.id,
            name: key.name,
            prefix: prefix(key.id),
            secret: None,
            created_by: key.created_by,
            created_at: key.created_at,
            expires_at: key.expires_at,
            revoked_at: key.revoked_at,
            last_used_at: key.last_used_at,
        }
    }
}

/// Create a platform key
///
/// It may do all that the vendor may. The secret is in this answer only; a retry of the same `Idempotency-Key` mints it again.
#[utoipa::path(post, path = "/v1/platform-keys", tag = "access", operation_id = "createPlatformKey", request_body = NewPlatformKey,
    responses((status = 201, description = "The key with its secret", body = PlatformKeyView)))]
pub async fn create(vendor: Vendor, command: Command<NewPlatformKey>) -> Result<Reply> {
    let (platform, body, claim) = (&vendor.platform, &command.body, command.claim.as_ref());
    let reply = once_for_vendor(platform, claim, || async {
        let moment = platform.app().moment();
        let (key, audit) = rules::create(&body.name, body.expires_at, platform.actor().name(), moment)?;
        let reply = Reply::created(&PlatformKeyView::from(key.clone()))?;
        let answer = reply.stored(claim).into_iter().flat_map(|answer| answer.record_for_vendor(moment.now));
        platform.commit(answer.chain([store::insert(&key)]).collect(), vec![audit]).await?;
        Ok(reply)
    })
    .await?;
    with_secret(reply, platform.app())
}

/// The stored answer names the key; its secret follows from that.
fn with_secret(reply: Reply, app: &App) -> Result<Reply> {
    reply.with_secret(|view| Some(PlatformToken(id_of(view)?).mint(&app.settings.secret)))
}

/// List the platform keys
///
/// Without the root key, which is configured and not stored.
#[utoipa::path(get, path = "/v1/platform-keys", tag = "access", operation_id = "listPlatformKeys",
    params(PageQuery),
    responses((status = 200, description = "Newest first, never with secrets", body = Page<PlatformKeyView>)))]
pub async fn list(vendor: Vendor, Filter(query): Filter<PageQuery>) -> Result<Reply> {
    let app = vendor.platform.app();
    let find = async |id| store::find(app, id).await;
    let list = async |from: Start<_>| store::list(app, &from.before, from.fetch).await;
    Reply::ok(&page::list(&query, find, list, |key| key.id, PlatformKeyView::from).await?)
}

/// Read a platform key
#[utoipa::path(get, path = "/v1/platform-keys/{id}", tag = "access", operation_id = "getPlatformKey", params(("id" = String, Path, description = "`platformkey_...`")),
    responses((status = 200, description = "The key, without its secret", body = PlatformKeyView)))]
pub async fn get(vendor: Vendor, IdInPath(id): IdInPath<PlatformKeyId>) -> Result<Reply> {
    Reply::ok(&PlatformKeyView::from(find(&vendor, id).await?))
}

/// Rotate a platform key
///
/// Makes a key with the same name. The old one stays good for the overlap.
#[utoipa::path(post, path = "/v1/platform-keys/{id}/rotations", tag = "access", operation_id = "rotatePlatformKey", request_body = NewRotation, params(("id" = String, Path, description = "`platformkey_...`")),
    responses((status = 201, description = "The new key with its secret", body = PlatformKeyView)))]
pub async fn rotate(vendor: Vendor, IdInPath(id): IdInPath<PlatformKeyId>, command: Command<NewRotation>) -> Result<Reply> {
    let (platform, claim) = (&vendor.platform, command.claim.as_ref());
    let reply = once_for_vendor(platform, claim, || {
        until_fresh(|| async {
            let (old, moment) = (find(&vendor, id).await?, platform.app().moment());
            let overlap = check_overlap(command.body.overlap_seconds)?;
            let (key, ending, audit) = rules::rotate(&old, overlap, platform.actor().name(), moment)?;
            let reply = Reply::created(&PlatformKeyView::from(key.clone()))?;
            let answer = reply.stored(claim).into_iter().flat_map(|answer| answer.record_for_vendor(moment.now));
            let writes = [store::is_as_read(&old), store::insert(&key), store::end_at(id, ending.expires_at)];
            platform.commit(answer.chain(writes).collect(), vec![audit]).await?;
            Ok(reply)
        })
    })
    .await?;
    callers::forget(platform.app(), id);
    with_secret(reply, platform.app())
}

/// Revoke a platform key
///
/// It stops working here before the answer arrives, and everywhere within a minute.
#[utoipa::path(delete, path = "/v1/platform-keys/{id}", tag = "access", operation_id = "revokePlatformKey", params(("id" = String, Path, description = "`platformkey_...`")),
    responses((status = 204, description = "Revoked")))]
pub async fn revoke(vendor: Vendor, IdInPath(id): IdInPath<PlatformKeyId>) -> Result<Reply> {
    let key = find(&vendor, id).await?;
    if let Some(audit) = rules::revoke(&key) {
        vendor.platform.commit(vec![store::revoke(id, vendor.platform.app().moment().now)], vec![audit]).await?;
    }
    callers::forget(vendor.platform.app(), id);
    Ok(Reply::no_content())
}

async fn find(vendor: &Vendor, id: PlatformKeyId) -> Result<PlatformKey> {
    store::find(vendor.platform.app(), id).await?.ok_or_else(|| Problem::not_found("platform key").into())
}
