//! The port of authentication: from the credential of a request to who calls.
//!
//! The actors ask it, and `authentication/` answers it with the stores of all credentials. So a slice takes an actor without knowing any
//! store, and a store's own endpoints may take actors, too.

use futures::future::BoxFuture;
use http::HeaderMap;
use http::request::Parts;

use super::identity::Identity;
use crate::http::request::{Surroundings, text_header};
use crate::kernel::error::{Error, Result};
use crate::kernel::ids::RequestId;
use crate::kernel::ports::App;
use crate::kernel::problem::Problem;
use crate::kernel::tenant::Actor;

/// Whose credential a request carries.
pub enum Authenticated {
    /// The vendor's; not for any organization yet.
    Vendor(Actor),
    /// An organization's, opened for that organization.
    Organization(Identity),
}

/// Finds out whose a credential is. What is unknown, forged, expired or revoked is [`unknown_credential`].
pub trait Authenticate: Send + Sync {
    fn authenticate<'a>(&'a self, app: &'a App, credential: &'a str, request: RequestId) -> BoxFuture<'a, Result<Authenticated>>;
}

/// The port as every request carries it in its extensions.
#[derive(Clone, Copy)]
pub struct Authenticator(pub &'static dyn Authenticate);

/// Whose the credential of this request is, and where it came in.
pub async fn authenticate<S: Send + Sync>(parts: &mut Parts, state: &S) -> Result<(Surroundings, Authenticated)> {
    let around = <Surroundings as axum::extract::FromRequestParts<S>>::from_request_parts(parts, state).await?;
    let port = parts.extensions.get::<Authenticator>().copied();
    let port = port.ok_or_else(|| Error::internal("the request did not come through api::handle"))?;
    let credential = bearer(&parts.headers)?;
    let authenticated = port.0.authenticate(&around.app, &credential, around.request_id).await?;
    Ok((around, authenticated))
}

/// The text behind `Authorization: Bearer`.
fn bearer(headers: &HeaderMap) -> Result<String> {
    let header = text_header(headers, "authorization");
    match header.split_once(' ') {
        Some((scheme, text)) if scheme.eq_ignore_ascii_case("bearer") => Ok(text.trim().to_owned()),
        _ => {
            let detail = "Send the header Authorization: Bearer tk_org_... (or tk_platform_..., or an access token).";
            Err(Problem::unauthenticated(detail).into())
        }
    }
}

/// The same for unknown, forged, expired and revoked ones, so that nobody learns which it was.
pub fn unknown_credential() -> Error {
    Problem::unauthenticated(
        "This credential is unknown, expired or revoked. Create a new key with POST /v1/api-keys, or get a new access token.",
    )
    .into()
}
