//! The endpoints of API keys.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::api_key::ApiKey;
use super::token::{OrganizationToken, prefix};
use super::{rules, store};
use crate::http::reply::{Reply, change, id_of, once};
use crate::http::request::{Command, Filter, IdInPath};
use crate::identity::callers::actors::Authorized;
use crate::identity::key_lifecycle::maker::Maker;
use crate::identity::key_lifecycle::rules::check_overlap;
use crate::identity::key_lifecycle::wire::NewRotation;
use crate::identity::permissions::needs;
use crate::kernel::error::Result;
use crate::kernel::ids::KeyId;
use crate::kernel::page;
use crate::kernel::page::{Page, PageQuery, Start};
use crate::kernel::problem::Problem;
use crate::kernel::tenant::Tenant;
use crate::kernel::time::Timestamp;
use crate::meter::client;

/// An API key to create.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewApiKey {
    /// What the key is for; shown in lists.
    #[schema(example = "production backend", min_length = 1, max_length = 200)]
    pub name: String,
    /// The permissions of the key; see `GET /v1/permissions`.
    #[schema(example = json!(["usage.read", "usage.write"]), min_items = 1, max_items = 50)]
    pub scopes: Vec<String>,
    /// When the key stops working; it does not expire when absent.
    pub expires_at: Option<Timestamp>,
}

/// An API key.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ApiKey)]
pub struct KeyView {
    /// The type of the resource: `ApiKey`.
    #[serde(rename = "$type")]
    #[schema(example = "ApiKey")]
    pub type_name: &'static str,
    /// The id.
    #[serde(rename = "$id")]
    pub id: KeyId,
    /// What the key is for.
    #[schema(example = "production backend")]
    pub name: String,
    /// The permissions of the key.
    #[schema(example = json!(["usage.read", "usage.write"]))]
    pub scopes: Vec<String>,
    /// The first characters of the secret. They identify the key and grant no access.
    #[schema(example = "tk_org_01h2xcejqtf2nbrexx3vqjhp41")]
    pub prefix: String,
    /// The key itself, for `Authorization: Bearer`. Returned once, when the key is created.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "tk_org_...")]
    pub secret: Option<String>,
    /// Who created it: `platform`, or the id of a member, API key or OAuth client; `null` if that was not recorded.
    #[schema(example = "platform")]
    pub created_by: Option<String>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it stops working; `null` if it does not expire.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked; `null` if it was not.
    pub revoked_at: Option<Timestamp>,
    /// When it was last used, accurate to 5 minutes; `null` if it never was.
    pub last_used_at: Option<Timestamp>,
}

impl From<ApiKey> for KeyView {
    fn from(key: ApiKey) -> Self {
        Self {
            type_name: "ApiKey",
            id: key.id,
            name: key.name,
            scopes: key.scopes,
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

/// Create an API key
///
/// The scopes are limited to what the caller holds; the key keeps them when the caller's role changes. A key that was created by a member,
/// or with a key of that member, is revoked when the membership ends. The secret is returned once. A retry with the same `Idempotency-Key`
/// returns the same secret; it is derived again, not stored.
#[utoipa::path(post, path = "/v1/api-keys", operation_id = "createApiKey", request_body = NewApiKey,
    responses((status = 201, description = "The key with its secret", body = KeyView)))]
pub async fn create(caller: Authorized<needs::ApiKeysWrite>, command: Command<NewApiKey>) -> Result<Reply> {
    let (tenant, body, claim) = (&caller.tenant, &command.body, command.claim.as_ref());
    caller.may_grant(&body.scopes)?;
    let reply = once(tenant, claim, || async {
        let (key, decision) = rules::create(&body.name, body.scopes.clone(), body.expires_at, Maker::of(tenant), tenant.app().moment())?;
        let reply = Reply::created(&KeyView::from(key.clone()))?;
        tenant.commit(decision, reply.stored(claim).as_ref()).await?;
        super::meter::put_key(tenant, &key).await?;
        Ok(reply)
    })
    .await?;
    with_secret(reply, tenant)
}

/// The stored answer names the key; its secret is derived from that.
fn with_secret(reply: Reply, tenant: &Tenant) -> Result<Reply> {
    let (organization, app) = (tenant.organization(), tenant.app());
    reply.with_secret(|view| Some(OrganizationToken { organization, key: id_of(view)? }.mint(&app.settings.secret)))
}

/// List API keys
///
/// All keys of the organization, revoked and expired ones included, newest first. Secrets are never shown.
#[utoipa::path(get, path = "/v1/api-keys", operation_id = "listApiKeys",
    params(PageQuery),
    responses((status = 200, description = "Newest first, never with secrets", body = Page<KeyView>)))]
pub async fn list(caller: Authorized<needs::ApiKeysRead>, Filter(query): Filter<PageQuery>) -> Result<Reply> {
    let tenant = &caller.tenant;
    let find = async |id| store::find(tenant, id).await;
    let list = async |from: Start<_>| with_uses(tenant, store::list(tenant, &from.before, from.fetch).await?).await;
    Reply::ok(&page::list(&query, find, list, |key| key.id, KeyView::from).await?)
}

/// Get an API key
///
/// The key without its secret.
#[utoipa::path(
    get, path = "/v1/api-keys/{id}", operation_id = "getApiKey",
    params(("id" = String, Path, description = "The id of the API key: `key_...`")),
    responses((status = 200, description = "The key, without its secret", body = KeyView))
)]
pub async fn get(caller: Authorized<needs::ApiKeysRead>, IdInPath(id): IdInPath<KeyId>) -> Result<Reply> {
    let key = store::find(&caller.tenant, id).await?.ok_or_else(|| Problem::not_found("API key"))?;
    let key = with_uses(&caller.tenant, vec![key]).await?.into_iter().next().ok_or_else(|| Problem::not_found("API key"))?;
    Reply::ok(&KeyView::from(key))
}

/// When each was last used: the Meter knows of the hot path, the row of everything else.
async fn with_uses(tenant: &Tenant, mut keys: Vec<ApiKey>) -> Result<Vec<ApiKey>> {
    let uses = client::key_uses(tenant, keys.iter().map(|key| key.id).collect()).await?;
    for key in &mut keys {
        key.last_used_at = key.last_used_at.max(uses.get(&key.id).copied());
    }
    Ok(keys)
}

/// Rotate an API key
///
/// Creates a key with the same name and scopes. The old key stays valid for the overlap, so that the new one can be deployed without
/// failing requests. The caller must hold the scopes of the key. Returns 409 `key_ended` if the key is expired or revoked.
#[utoipa::path(
    post, path = "/v1/api-keys/{id}/rotations", operation_id = "rotateApiKey", request_body = NewRotation,
    params(("id" = String, Path, description = "The id of the API key: `key_...`")),
    responses((status = 201, description = "The new key with its secret", body = KeyView))
)]
pub async fn rotate(
    caller: Authorized<needs::ApiKeysWrite>,
    IdInPath(id): IdInPath<KeyId>,
    command: Command<NewRotation>,
) -> Result<Reply> {
    let (tenant, claim) = (&caller.tenant, command.claim.as_ref());
    let reply = once(tenant, claim, || async {
        let old = store::find(tenant, id).await?.ok_or_else(|| Problem::not_found("API key"))?;
        caller.may_grant(&old.scopes)?;
        let overlap = check_overlap(command.body.overlap_seconds)?;
        let (key, ending, decision) = rules::rotate(&old, overlap, Maker::of(tenant), tenant.app().moment())?;
        let reply = Reply::created(&KeyView::from(key.clone()))?;
        tenant.commit(decision, reply.stored(claim).as_ref()).await?;
        super::meter::put_key(tenant, &key).await?;
        super::meter::put_key(tenant, &ending).await?;
        Ok(reply)
    })
    .await?;
    with_secret(reply, tenant)
}

/// Revoke an API key
///
/// The key stops working before the response is sent. Revoking a revoked key changes nothing.
#[utoipa::path(
    delete, path = "/v1/api-keys/{id}", operation_id = "revokeApiKey",
    params(("id" = String, Path, description = "The id of the API key: `key_...`")), responses((status = 204, description = "Revoked"))
)]
pub async fn revoke(caller: Authorized<needs::ApiKeysWrite>, IdInPath(id): IdInPath<KeyId>) -> Result<Reply> {
    let tenant = &caller.tenant;
    change(tenant, || async {
        let key = store::find(tenant, id).await?.ok_or_else(|| Problem::not_found("API key"))?;
        tenant.commit(rules::revoke(&key, tenant.app().moment()), None).await?;
        client::remove_key(tenant, id).await?;
        Ok(Reply::no_content())
    })
    .await
}
