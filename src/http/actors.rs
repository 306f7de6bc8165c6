//! Actors: who calls. A handler that takes one can't run without it: the argument list is the authorization.

use std::marker::PhantomData;

use axum::extract::FromRequestParts;
use http::HeaderMap;
use http::request::Parts;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::request::{Surroundings, text_header};
use crate::access::permissions::{Need, Permission, lacking, permits};
use crate::access::store;
use crate::access::token::{ORGANIZATION_PREFIX, OrganizationToken, PLATFORM_PREFIX};
use crate::kernel::error::{Error, Result};
use crate::kernel::ids::{OrganizationId, RequestId};
use crate::kernel::platform::Platform;
use crate::kernel::ports::App;
use crate::kernel::problem::Problem;
use crate::kernel::tenant::{Actor, Tenant};
use crate::organizations::{self, placement};

/// The vendor, with a platform key.
pub struct Vendor {
    pub platform: Platform,
    pub request_id: RequestId,
}

impl Vendor {
    /// Acts for one organization.
    pub async fn organization(&self, id: OrganizationId) -> Result<Tenant> {
        let tenant = placement::open(&self.platform, id, self.request_id).await?;
        tenant.ok_or_else(|| Problem::not_found("organization").into())
    }
}

/// Somebody who may do `N` in one organization: its own key with that scope, or the vendor naming the organization.
pub struct Authorized<N: Need> {
    pub tenant: Tenant,
    /// The scopes the credential holds; it can't hand out more.
    scopes: Vec<String>,
    need: PhantomData<N>,
}

impl<N: Need> Authorized<N> {
    /// Nobody grants what they don't hold.
    pub fn may_grant(&self, wanted: &[String]) -> Result<()> {
        lacking(&self.scopes, wanted).map_or(Ok(()), |scope| Err(Problem::lacks_permission(scope).into()))
    }
}

/// Anybody with a good credential, whatever it permits.
pub struct Caller {
    pub app: App,
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let Surroundings { app, request_id } = Surroundings::from_request_parts(parts, state).await?;
        let text = bearer(&parts.headers)?;
        if !is_platform_key(&text, &app) {
            key_of_organization(app.clone(), &text, None, request_id).await?;
        }
        Ok(Self { app })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Vendor {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let Surroundings { app, request_id } = Surroundings::from_request_parts(parts, state).await?;
        match bearer(&parts.headers)? {
            text if is_platform_key(&text, &app) => Ok(Self { platform: Platform::open(app), request_id }),
            text => {
                key_of_organization(app, &text, None, request_id).await?;
                Err(Problem::forbidden("This endpoint is the vendor's. Use a platform key (tk_platform_...).").into())
            }
        }
    }
}

impl<N: Need, S: Send + Sync> FromRequestParts<S> for Authorized<N> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let Surroundings { app, request_id } = Surroundings::from_request_parts(parts, state).await?;
        let text = bearer(&parts.headers)?;
        let (tenant, scopes) = if text.starts_with(PLATFORM_PREFIX) {
            (vendor_in_organization(app, &text, &parts.headers, request_id).await?, vec!["*".to_owned()])
        } else {
            let (tenant, scopes) = key_of_organization(app, &text, Some(N::PERMISSION), request_id).await?;
            if !parts.method.is_safe() {
                organizations::store::status(&tenant).await?.permits_writing(N::PERMISSION)?;
            }
            (tenant, scopes)
        };
        Ok(Self { tenant, scopes, need: PhantomData })
    }
}

/// The vendor acts for the organization that the header names.
async fn vendor_in_organization(app: App, text: &str, headers: &HeaderMap, request_id: RequestId) -> Result<Tenant> {
    if !is_platform_key(text, &app) {
        return Err(unknown_credential());
    }
    let named = text_header(headers, "tenantry-organization");
    if named.is_empty() {
        let detail = "A platform key acts for one organization at a time here. Send the header Tenantry-Organization: org_....";
        return Err(Problem::refused("Tenantry-Organization", "organization_required", detail).into());
    }
    let organization: OrganizationId = named.parse().map_err(|_| Problem::not_found("organization"))?;
    let tenant = placement::open(&Platform::open(app), organization, request_id).await?;
    tenant.ok_or_else(|| Problem::not_found("organization").into())
}

/// An organization's key: the MAC says whose it is, the organization's database whether it is still good.
async fn key_of_organization(app: App, text: &str, permission: Option<Permission>, request_id: RequestId) -> Result<(Tenant, Vec<String>)> {
    let token = OrganizationToken::verify(text, &app.settings.secret).ok_or_else(unknown_credential)?;
    let now = app.moment().now;
    let tenant =
        Platform::open(app).tenant(token.organization, Actor::ApiKey(token.key), Some(request_id)).await?.ok_or_else(unknown_credential)?;
    let key = store::find(&tenant, token.key).await?.ok_or_else(unknown_credential)?;
    if !key.is_usable(now) {
        return Err(unknown_credential());
    }
    match permission {
        Some(permission) if !key.scopes.iter().any(|scope| permits(scope, permission)) => {
            Err(Problem::lacks_permission(permission.wire_name()).into())
        }
        _ => Ok((tenant, key.scopes)),
    }
}

/// The text behind `Authorization: Bearer`.
fn bearer(headers: &HeaderMap) -> Result<String> {
    let header = text_header(headers, "authorization");
    match header.split_once(' ') {
        Some((scheme, text)) if scheme.eq_ignore_ascii_case("bearer") => Ok(text.trim().to_owned()),
        _ => Err(Problem::unauthenticated(format!(
            "Send the header Authorization: Bearer {ORGANIZATION_PREFIX}... (or {PLATFORM_PREFIX}...)."
        ))
        .into()),
    }
}

/// The same for unknown, forged, expired and revoked ones, so that nobody learns which it was.
fn unknown_credential() -> Error {
    Problem::unauthenticated("This credential is unknown, expired or revoked. Create a new key with POST /v1/api-keys.").into()
}

/// Whether this is the root platform key, of which only the hash is configured. Compared in constant time.
fn is_platform_key(text: &str, app: &App) -> bool {
    if !text.starts_with(PLATFORM_PREFIX) {
        return false;
    }
    let hash: String = Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    bool::from(hash.as_bytes().ct_eq(app.settings.root_platform_key_hash.as_bytes()))
}
