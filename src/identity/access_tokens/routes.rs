//! The endpoints of signing keys: the published halves, and the vendor's rotation.

use axum::response::{IntoResponse, Response};
use base64ct::{Base64UrlUnpadded, Encoding};
use http::header;
use serde::Serialize;
use utoipa::ToSchema;

use super::keys;
use super::rules::{PUBLISHED_FOR, Ring, SigningKey};
use crate::http::reply::Reply;
use crate::http::request::{Filter, NoParameters, RequestContext};
use crate::identity::callers::actors::Vendor;
use crate::kernel::error::{OrInternal, Result};
use crate::kernel::ids::SigningKeyId;
use crate::kernel::page::Page;
use crate::kernel::time::Timestamp;

/// A public key as RFC 8037 writes it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct JsonWebKey {
    /// `OKP`
    pub kty: &'static str,
    /// `Ed25519`
    pub crv: &'static str,
    pub x: String,
    pub kid: SigningKeyId,
    /// `EdDSA`
    pub alg: &'static str,
    /// `sig`
    #[serde(rename = "use")]
    pub usage: &'static str,
}

/// The keys by which access tokens are verified.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct JsonWebKeySet {
    pub keys: Vec<JsonWebKey>,
}

impl From<&SigningKey> for JsonWebKey {
    fn from(key: &SigningKey) -> Self {
        let x = Base64UrlUnpadded::encode_string(&key.public);
        Self { kty: "OKP", crv: "Ed25519", x, kid: key.id, alg: "EdDSA", usage: "sig" }
    }
}

/// Read the keys that verify access tokens
///
/// A JSON Web Key Set (RFC 7517). May be kept for as long as `Cache-Control` says: a key is here an hour before it signs.
#[utoipa::path(get, path = "/.well-known/jwks.json", tag = "tokens", operation_id = "getJsonWebKeySet",
    responses((status = 200, description = "The public keys", body = JsonWebKeySet)))]
pub async fn jwks(context: RequestContext) -> Result<Response> {
    let now = context.app.moment().now;
    let ring = keys::ring(&context.app).await?;
    let set = JsonWebKeySet { keys: ring.published(now).map(JsonWebKey::from).collect() };
    let body = serde_json::to_string(&set).or_internal()?;
    let kept = format!("public, max-age={}", PUBLISHED_FOR.as_secs());
    Ok(([(header::CONTENT_TYPE, "application/json".to_owned()), (header::CACHE_CONTROL, kept)], body).into_response())
}

/// A key that signs access tokens, without its private half.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SigningKey)]
pub struct SigningKeyView {
    #[serde(rename = "$type")]
    pub type_name: &'static str,
    /// The `kid` of its tokens.
    #[serde(rename = "$id")]
    pub id: SigningKeyId,
    /// `waiting`, `signing` or `verifying`.
    pub status: &'static str,
    pub created_at: Timestamp,
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

/// Rotate the key that signs access tokens
///
/// The new key is published at once and signs an hour later; the one before verifies until its last token has expired. While one waits,
/// no other is made. Without this call a key is replaced after 90 days.
#[utoipa::path(post, path = "/v1/signing-keys", tag = "operations", operation_id = "createSigningKey",
    responses((status = 201, description = "The key that signs next", body = SigningKeyView)))]
pub async fn create(vendor: Vendor) -> Result<Reply> {
    let (app, key) = (vendor.platform.app(), keys::rotate(&vendor.platform).await?);
    Reply::created(&view(&key, &*keys::ring(app).await?, app.moment().now))
}

/// List the keys that sign and verify access tokens
#[utoipa::path(get, path = "/v1/signing-keys", tag = "operations", operation_id = "listSigningKeys",
    responses((status = 200, description = "Newest first", body = Page<SigningKeyView>)))]
pub async fn list(vendor: Vendor, Filter(NoParameters {}): Filter<NoParameters>) -> Result<Reply> {
    let app = vendor.platform.app();
    let (ring, now) = (keys::ring(app).await?, app.moment().now);
    let mut data: Vec<SigningKeyView> = ring.published(now).map(|key| view(key, &ring, now)).collect();
    data.reverse();
    Reply::ok(&Page { data, has_more: false, next_cursor: None })
}
