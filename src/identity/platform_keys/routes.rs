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

/// A platform key to create.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewPlatformKey {
    /// What the key is for; shown in lists.
    #[schema(example = "deployment", min_length = 1, max_length = 200)]
    pub name: String,
    /// When the key stops working; it does not expire when absent.
    pub expires_at: Option<Timestamp>,
}

/// A platform key: a key of the vendor.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PlatformKey)]
pub struct PlatformKeyView {
    /// The type of the resource: `PlatformKey`.
    #[serde(rename = "$type")]
    #[schema(example = "PlatformKey")]
    pub type_name: &'static str,
    /// The id.
    #[serde(rename = "$id")]
    pub id: PlatformKeyId,
    /// What the key is for.
    #[schema(example = "deployment")]
    pub name: String,
    /// The first characters of the secret. They identify the key and grant no access.
    #[schema(example = "tk_platform_01h2xcejqtf2nbrexx3vqjhp41")]
    pub prefix: String,
    /// The key itself, for `Authorization: Bearer`. Returned once, when the key is created.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "tk_platform_...")]
    pub secret: Option<String>,
    /// Who created it: `platform` (the root key), or the id of another platform key.
    #[schema(example = "platform")]
    pub created_by: String,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it stops working; `null` if it does not expire.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked; `null` if it was not.
    pub revoked_at: Option<Timestamp>,
    /// When it was last used, accurate to 5 minutes; `null` if it never was.
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
/// A platform key may do everything the vendor may. The secret is returned once. A retry with the same `Idempotency-Key` returns the same
/// secret; it is derived again, not stored.
#[utoipa::path(post, path = "/v1/platform-keys", operation_id = "createPlatformKey", request_body = NewPlatformKey,
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

/// List platform keys
///
/// All platform keys, newest first, without secrets. The root key is configured, not stored, and is not in the list.
#[utoipa::path(get, path = "/v1/platform-keys", operation_id = "listPlatformKeys",
    params(PageQuery),
    responses((status = 200, description = "Newest first, never with secrets", body = Page<PlatformKeyView>)))]
pub async fn list(vendor: Vendor, Filter(query): Filter<PageQuery>) -> Result<Reply> {
    let app = vendor.platform.app();
    let find = async |id| store::find(app, id).await;
    let list = async |from: Start<_>| store::list(app, &from.before, from.fetch).await;
    Reply::ok(&page::list(&query, find, list, |key| key.id, PlatformKeyView::from).await?)
}

/// Get a platform key
///
/// The key without its secret.
#[utoipa::path(
    get, path = "/v1/platform-keys/{id}", operation_id = "getPlatformKey",
    params(("id" = String, Path, description = "The id of the platform key: `platformkey_...`")),
    responses((status = 200, description = "The key, without its secret", body = PlatformKeyView))
)]
pub async fn get(vendor: Vendor, IdInPath(id): IdInPath<PlatformKeyId>) -> Result<Reply> {
    Reply::ok(&PlatformKeyView::from(find(&vendor, id).await?))
}

/// Rotate a platform key
///
/// Creates a key with the same name. The old key stays valid for the overlap. Returns 409 `key_ended` if the key is expired or revoked.
#[utoipa::path(
    post, path = "/v1/platform-keys/{id}/rotations", operation_id = "rotatePlatformKey", request_body = NewRotation,
    params(("id" = String, Path, description = "The id of the platform key: `platformkey_...`")),
    responses((status = 201, description = "The new key with its secret", body = PlatformKeyView))
)]
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
/// The key stops working before the response is sent where the request is served, and everywhere within one minute.
#[utoipa::path(
    delete, path = "/v1/platform-keys/{id}", operation_id = "revokePlatformKey",
    params(("id" = String, Path, description = "The id of the platform key: `platformkey_...`")),
    responses((status = 204, description = "Revoked"))
)]
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
