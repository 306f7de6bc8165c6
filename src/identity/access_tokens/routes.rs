//! The endpoints of signing keys: the public keys, and the rotation by the vendor.

use axum::response::{IntoResponse, Response};
use base64ct::{Base64UrlUnpadded, Encoding};
use http::header;
use serde::Serialize;
use utoipa::ToSchema;

use super::keys;
use super::rules::{PUBLISHED_FOR, Ring, SigningKey};
use crate::http::reply::{Reply, once_for_vendor};
use crate::http::request::{Filter, IdempotencyKey, NoParameters, RequestContext};
use crate::identity::callers::actors::Vendor;
use crate::kernel::error::{OrInternal, Result};
use crate::kernel::ids::SigningKeyId;
use crate::kernel::page::Page;
use crate::kernel::time::Timestamp;

/// A public key (RFC 8037).
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct JsonWebKey {
    /// Key type: `OKP`.
    #[schema(example = "OKP")]
    pub kty: &'static str,
    /// Curve: `Ed25519`.
    #[schema(example = "Ed25519")]
    pub crv: &'static str,
    /// The public key, in base64url without padding.
    #[schema(example = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")]
    pub x: String,
    /// The id by which tokens name the key in their header.
    pub kid: SigningKeyId,
    /// Algorithm: `EdDSA`.
    #[schema(example = "EdDSA")]
    pub alg: &'static str,
    /// Use: `sig`, signatures only.
    #[serde(rename = "use")]
    #[schema(example = "sig")]
    pub usage: &'static str,
}

/// The public keys that verify access tokens.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct JsonWebKeySet {
    /// All keys that verify now or sign soon.
    pub keys: Vec<JsonWebKey>,
}

impl From<&SigningKey> for JsonWebKey {
    fn from(key: &SigningKey) -> Self {
        let x = Base64UrlUnpadded::encode_string(&key.public);
        Self { kty: "OKP", crv: "Ed25519", x, kid: key.id, alg: "EdDSA", usage: "sig" }
    }
}

/// Get the public keys of access tokens
///
/// A JSON Web Key Set (RFC 7517) with the keys that verify access tokens. It may be cached for as long as `Cache-Control` says: a new key
/// is published one hour before it signs.
#[utoipa::path(get, path = "/.well-known/jwks.json", operation_id = "getJsonWebKeySet",
    responses((status = 200, description = "The public keys", body = JsonWebKeySet)))]
pub async fn jwks(context: RequestContext) -> Result<Response> {
    let now = context.app.moment().now;
    let ring = keys::ring(&context.app).await?;
    let set = JsonWebKeySet { keys: ring.published(now).map(JsonWebKey::from).collect() };
    let body = serde_json::to_string(&set).or_internal()?;
    let kept = format!("public, max-age={}", PUBLISHED_FOR.as_secs());
    Ok(([(header::CONTENT_TYPE, "application/json".to_owned()), (header::CACHE_CONTROL, kept)], body).into_response())
}

/// A signing key of access tokens, without its private half.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SigningKey)]
pub struct SigningKeyView {
    /// The type of the resource: `SigningKey`.
    #[serde(rename = "$type")]
    #[schema(example = "SigningKey")]
    pub type_name: &'static str,
    /// The id; the `kid` of the tokens that it signs.
    #[serde(rename = "$id")]
    pub id: SigningKeyId,
    /// `waiting` until it signs, `signing`, or `verifying` once it was replaced.
    #[schema(example = "signing")]
    pub status: &'static str,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it begins to sign.
    pub signs_from: Timestamp,
}

fn view(key: &SigningKey, ring: &Ring, now: Timestamp) -> SigningKeyView {
    let status = match ring.signer(now) {
        _ if now < key.signs_from => "waiting",
        Some(signer) if signer.id == key.id => "signing",
        _ => "verifying",
    };
    SigningKeyView { type_name: "SigningKey", id: key.id, status, created_at: key.created_at, signs_from: key.signs_from }
}

/// Rotate the signing key of access tokens
///
/// The new key is published at once and signs one hour later. The previous key verifies until the last token it signed has expired. While
/// a new key waits to sign, this returns that key instead of creating another one. A key that is not rotated by this call is replaced
/// after 90 days.
#[utoipa::path(post, path = "/v1/signing-keys", operation_id = "createSigningKey",
    responses((status = 201, description = "The next signing key", body = SigningKeyView)))]
pub async fn create(vendor: Vendor, IdempotencyKey(claim): IdempotencyKey) -> Result<Reply> {
    let (platform, claim) = (&vendor.platform, claim.as_ref());
    once_for_vendor(platform, claim, || async {
        let (app, key) = (platform.app(), keys::rotate(platform).await?);
        let reply = Reply::created(&view(&key, &*keys::ring(app).await?, app.moment().now))?;
        // A rotation is idempotent while the key waits; the answer is kept for retries after that.
        let answer = reply.stored(claim).into_iter().flat_map(|answer| answer.record_for_vendor(app.moment().now));
        platform.directory(answer.collect()).await?;
        Ok(reply)
    })
    .await
}

/// List the signing keys of access tokens
///
/// All keys that verify access tokens now or sign soon, newest first. Private halves are never shown.
#[utoipa::path(get, path = "/v1/signing-keys", operation_id = "listSigningKeys",
    responses((status = 200, description = "Newest first", body = Page<SigningKeyView>)))]
pub async fn list(vendor: Vendor, Filter(NoParameters {}): Filter<NoParameters>) -> Result<Reply> {
    let app = vendor.platform.app();
    let (ring, now) = (keys::ring(app).await?, app.moment().now);
    let mut data: Vec<SigningKeyView> = ring.published(now).map(|key| view(key, &ring, now)).collect();
    data.reverse();
    Reply::ok(&Page { data, has_more: false, next_cursor: None })
}
