//! Actors: who calls. A handler that takes one can't run without it: the argument list is the authorization.

use std::marker::PhantomData;
use std::ops::Deref;

use axum::extract::FromRequestParts;
use http::request::Parts;
use http::{HeaderMap, Method};
use utoipa::openapi::security::SecurityRequirement;

use super::authenticate::{Authenticated, authenticate};
use super::identity::{Holder, Identity};
use super::status::{permits_writing, refusal, status};
use crate::http::request::{Surroundings, text_header};
use crate::http::security;
use crate::http::security::Secured;
use crate::identity::permissions::Need;
use crate::kernel::error::{Error, Result};
use crate::kernel::follow_up;
use crate::kernel::ids::{OrganizationId, PersonId, RequestId};
use crate::kernel::organization::Status;
use crate::kernel::platform::Platform;
use crate::kernel::ports::App;
use crate::kernel::problem::Problem;
use crate::kernel::tenant::{Actor, Tenant};

/// The vendor, with a platform key.
pub struct Vendor {
    pub platform: Platform,
    pub request_id: RequestId,
}

impl Vendor {
    /// Acts for one organization.
    pub async fn organization(&self, id: OrganizationId) -> Result<Tenant> {
        let tenant = follow_up::open_finished(&self.platform, id, self.request_id).await?;
        tenant.ok_or_else(|| Problem::not_found("organization").into())
    }
}

/// The vendor, acting for the organization that the header names: what nobody of the organization itself may do.
pub struct VendorFor {
    pub tenant: Tenant,
}

/// Who calls in an organization: the vendor naming it, its key, or an access token. Everything else is 401.
async fn identify<S: Send + Sync>(parts: &mut Parts, state: &S) -> Result<Identity> {
    match authenticate(parts, state).await? {
        (around, Authenticated::Vendor(actor)) => {
            let tenant = vendor_in_organization(around, actor, &parts.headers).await?;
            Ok(Identity { tenant, holder: Holder::Scopes(vec!["*".to_owned()]) })
        }
        (_, Authenticated::Organization(identity)) => Ok(identity),
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Identity {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let identity = identify(parts, state).await?;
        if let Some(status) = status_for_writing(&identity.tenant, &parts.method).await? {
            refusal(status).map_or(Ok(()), Err)?;
        }
        Ok(identity)
    }
}

/// Where the organization stands, for somebody of its own who wants to write; None for reads, and for the vendor, who may do everything.
async fn status_for_writing(tenant: &Tenant, method: &Method) -> Result<Option<Status>> {
    if method.is_safe() || tenant.actor().is_vendor() {
        return Ok(None);
    }
    status(tenant).await.map(Some)
}

/// Somebody who may do `N` everywhere in one organization.
pub struct Authorized<N: Need> {
    pub tenant: Tenant,
    /// What the credential holds; it can't hand out more.
    pub holder: Holder,
    need: PhantomData<N>,
}

impl<N: Need> Authorized<N> {
    /// Nobody grants what they don't hold.
    pub fn may_grant(&self, wanted: &[String]) -> Result<()> {
        self.holder.may_grant(wanted, None)
    }

    /// The member who calls; None for keys, machines and the vendor.
    pub fn person(&self) -> Option<PersonId> {
        self.identity().person()
    }

    pub fn identity(&self) -> Identity {
        Identity { tenant: self.tenant.clone(), holder: self.holder.clone() }
    }
}

/// A member for what is their own, and everybody who may do `N`. Which it is, the handler finds out.
pub struct SelfOr<N: Need> {
    identity: Identity,
    need: PhantomData<N>,
}

impl<N: Need> SelfOr<N> {
    /// Refuses who may not do `N` everywhere in the organization.
    pub fn check(&self) -> Result<()> {
        self.identity.need(N::PERMISSION, None)
    }

    /// Nobody needs a permission for what is their own.
    pub fn check_unless_self(&self, person: PersonId) -> Result<()> {
        if self.is(person) { Ok(()) } else { self.check() }
    }
}

impl<N: Need> Deref for SelfOr<N> {
    type Target = Identity;

    fn deref(&self) -> &Identity {
        &self.identity
    }
}

/// Anybody with a good credential, whatever it permits.
pub struct Caller {
    pub app: App,
    /// Whose credential it is; None: the vendor's.
    pub organization: Option<OrganizationId>,
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let (around, authenticated) = authenticate(parts, state).await?;
        let organization = match authenticated {
            Authenticated::Vendor(_) => None,
            Authenticated::Organization(identity) => Some(identity.tenant.organization()),
        };
        Ok(Self { app: around.app, organization })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Vendor {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        match authenticate(parts, state).await? {
            (around, Authenticated::Vendor(actor)) => {
                Ok(Self { platform: Platform::open(around.app).acting_as(actor), request_id: around.request_id })
            }
            (_, Authenticated::Organization(_)) => Err(only_the_vendor().into()),
        }
    }
}

impl Secured for Vendor {
    fn accepts() -> Vec<SecurityRequirement> {
        vec![security::platform_key()]
    }
}

impl Secured for VendorFor {
    fn accepts() -> Vec<SecurityRequirement> {
        vec![security::platform_key()]
    }
}

impl Secured for Caller {
    fn accepts() -> Vec<SecurityRequirement> {
        security::of_organization(&[])
    }
}

impl<N: Need> Secured for Authorized<N> {
    fn accepts() -> Vec<SecurityRequirement> {
        security::of_organization(&[N::PERMISSION.wire_name()])
    }
}

impl<N: Need> Secured for SelfOr<N> {
    fn accepts() -> Vec<SecurityRequirement> {
        security::of_organization(&[N::PERMISSION.wire_name()])
    }
}

impl<N: Need, S: Send + Sync> FromRequestParts<S> for SelfOr<N> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        Ok(Self { identity: Identity::from_request_parts(parts, state).await?, need: PhantomData })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for VendorFor {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let tenant = identify(parts, state).await?.tenant;
        if tenant.actor().is_vendor() { Ok(Self { tenant }) } else { Err(only_the_vendor().into()) }
    }
}

fn only_the_vendor() -> Problem {
    Problem::forbidden("This endpoint is the vendor's. Use a platform key (tk_platform_...).")
}

impl<N: Need, S: Send + Sync> FromRequestParts<S> for Authorized<N> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let identity = identify(parts, state).await?;
        identity.need(N::PERMISSION, None)?;
        if let Some(status) = status_for_writing(&identity.tenant, &parts.method).await? {
            permits_writing(status, N::PERMISSION)?;
        }
        Ok(Self { tenant: identity.tenant, holder: identity.holder, need: PhantomData })
    }
}

/// The vendor acts for the organization that the header names.
async fn vendor_in_organization(around: Surroundings, actor: Actor, headers: &HeaderMap) -> Result<Tenant> {
    let named = text_header(headers, "tenantry-organization");
    if named.is_empty() {
        let detail = "A platform key acts for one organization at a time here. Send the header Tenantry-Organization: org_....";
        return Err(Problem::refused("Tenantry-Organization", "organization_required", detail).into());
    }
    let organization: OrganizationId = named.parse().map_err(|_| Problem::not_found("organization"))?;
    let platform = Platform::open(around.app).acting_as(actor);
    let tenant = follow_up::open_finished(&platform, organization, around.request_id).await?;
    tenant.ok_or_else(|| Problem::not_found("organization").into())
}
