//! Actors: who calls. A handler that takes one can't run without it: the argument list is the authorization.

use std::marker::PhantomData;
use std::ops::Deref;

use axum::extract::FromRequestParts;
use http::request::Parts;
use http::{HeaderMap, Method};
use utoipa::openapi::security::SecurityRequirement;

use super::permissions::{Need, Permission, lacking, permits};
use crate::http::request::{Surroundings, text_header};
use crate::http::security;
use crate::http::security::Secured;
use crate::identity::access_tokens::Subject;
use crate::identity::api_keys::rules::is_to_be_noted;
use crate::identity::api_keys::store;
use crate::identity::api_keys::token::{ORGANIZATION_PREFIX, OrganizationToken, PLATFORM_PREFIX};
use crate::identity::roles::role::{Standing, TeamPath};
use crate::identity::{access_tokens, oauth, platform_keys};
use crate::kernel::audit::Behalf;
use crate::kernel::error::{Error, Result};
use crate::kernel::follow_up;
use crate::kernel::ids::{OrganizationId, PersonId, RequestId, SessionId};
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

/// What a credential holds in its organization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holder {
    /// The scopes of a key or of a machine's token; `*` for the vendor. They count on every team.
    Scopes(Vec<String>),
    /// The roles of a member.
    Person(Standing),
}

impl Holder {
    /// Whether `permission` is held on the team at `on` (None: organization-wide).
    pub fn may(&self, permission: Permission, on: Option<&TeamPath>) -> bool {
        match self {
            Self::Scopes(scopes) => scopes.iter().any(|scope| permits(scope, permission)),
            Self::Person(standing) => standing.reason(permission, on).is_some(),
        }
    }

    pub fn scopes(&self, on: Option<&TeamPath>) -> Vec<String> {
        match self {
            Self::Scopes(scopes) => scopes.clone(),
            Self::Person(standing) => standing.scopes(on),
        }
    }

    /// Nobody grants what they don't hold.
    pub fn may_grant(&self, wanted: &[String], on: Option<&TeamPath>) -> Result<()> {
        lacking(&self.scopes(on), wanted).map_or(Ok(()), |scope| Err(Problem::lacks_permission(scope).into()))
    }
}

/// Who calls, in which organization, and what they hold there. What they may do is not checked yet.
#[derive(Clone)]
pub struct Identity {
    pub tenant: Tenant,
    pub holder: Holder,
}

impl Identity {
    /// The member who calls; None for keys, machines and the vendor.
    pub fn person(&self) -> Option<PersonId> {
        match self.tenant.actor() {
            Actor::Person(person, _) => Some(*person),
            _ => None,
        }
    }

    /// The session in which a member calls.
    pub fn session(&self) -> Option<SessionId> {
        match self.tenant.actor() {
            Actor::Person(_, session) => Some(*session),
            _ => None,
        }
    }

    /// Whether this is that person.
    pub fn is(&self, person: PersonId) -> bool {
        self.person() == Some(person)
    }

    /// Refuses who does not hold `permission` on the team at `on` (None: organization-wide).
    pub fn need(&self, permission: Permission, on: Option<&TeamPath>) -> Result<()> {
        if self.holder.may(permission, on) { Ok(()) } else { Err(Problem::lacks_permission(permission.wire_name()).into()) }
    }
}

/// Finds out who calls: the vendor naming an organization, an organization's key, or an access token. Everything else is 401.
pub async fn identify<S: Send + Sync>(parts: &mut Parts, state: &S) -> Result<Identity> {
    let Surroundings { app, request_id } = Surroundings::from_request_parts(parts, state).await?;
    let text = bearer(&parts.headers)?;
    if text.starts_with(PLATFORM_PREFIX) {
        let tenant = vendor_in_organization(app, &text, &parts.headers, request_id).await?;
        return Ok(Identity { tenant, holder: Holder::Scopes(vec!["*".to_owned()]) });
    }
    of_organization(app, &text, request_id).await
}

impl<S: Send + Sync> FromRequestParts<S> for Identity {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let identity = identify(parts, state).await?;
        if let Some(status) = status_for_writing(&identity.tenant, &parts.method).await? {
            status.refusal().map_or(Ok(()), Err)?;
        }
        Ok(identity)
    }
}

/// Where the organization stands, for somebody of its own who wants to write; None for reads, and for the vendor, who may do everything.
async fn status_for_writing(tenant: &Tenant, method: &Method) -> Result<Option<Status>> {
    if method.is_safe() || tenant.actor().is_vendor() {
        return Ok(None);
    }
    super::status::status(tenant).await.map(Some)
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
        let Surroundings { app, request_id } = Surroundings::from_request_parts(parts, state).await?;
        let text = bearer(&parts.headers)?;
        let organization = match platform_keys::callers::find(&app, &text).await? {
            Some(_) => None,
            None => Some(of_organization(app.clone(), &text, request_id).await?.tenant.organization()),
        };
        Ok(Self { app, organization })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Vendor {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let Surroundings { app, request_id } = Surroundings::from_request_parts(parts, state).await?;
        let text = bearer(&parts.headers)?;
        if let Some(actor) = platform_keys::callers::find(&app, &text).await? {
            return Ok(Self { platform: Platform::open(app).acting_as(actor), request_id });
        }
        of_organization(app, &text, request_id).await?;
        Err(only_the_vendor().into())
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
            status.permits_writing(N::PERMISSION)?;
        }
        Ok(Self { tenant: identity.tenant, holder: identity.holder, need: PhantomData })
    }
}

/// The vendor acts for the organization that the header names.
async fn vendor_in_organization(app: App, text: &str, headers: &HeaderMap, request_id: RequestId) -> Result<Tenant> {
    let actor = platform_keys::callers::find(&app, text).await?.ok_or_else(unknown_credential)?;
    let named = text_header(headers, "tenantry-organization");
    if named.is_empty() {
        let detail = "A platform key acts for one organization at a time here. Send the header Tenantry-Organization: org_....";
        return Err(Problem::refused("Tenantry-Organization", "organization_required", detail).into());
    }
    let organization: OrganizationId = named.parse().map_err(|_| Problem::not_found("organization"))?;
    let tenant = follow_up::open_finished(&Platform::open(app).acting_as(actor), organization, request_id).await?;
    tenant.ok_or_else(|| Problem::not_found("organization").into())
}

/// A credential of one organization: its key, or an access token.
async fn of_organization(app: App, text: &str, request_id: RequestId) -> Result<Identity> {
    if access_tokens::jwt::resembles_token(text) {
        bearer_of_token(app, text, request_id).await
    } else {
        holder_of_key(app, text, request_id).await
    }
}

/// An organization's key: the MAC says whose it is, the organization's database whether it is still good.
async fn holder_of_key(app: App, text: &str, request_id: RequestId) -> Result<Identity> {
    let token = OrganizationToken::verify(text, &app.settings.secret).ok_or_else(unknown_credential)?;
    let now = app.moment().now;
    let tenant = open(app, token.organization, Actor::ApiKey(token.key), request_id).await?;
    let key = store::find(&tenant, token.key).await?.filter(|key| key.is_usable(now)).ok_or_else(unknown_credential)?;
    if is_to_be_noted(key.last_used_at, now) {
        // For people to look at: a call does not fail because of it.
        let _noted = tenant.run(vec![store::note_use(key.id, now)]).await;
    }
    Ok(Identity { tenant: for_person(tenant, key.person), holder: Holder::Scopes(key.scopes) })
}

/// The bearer of an access token: the signature says who it is, the organization's database whether they still are. A session that was
/// revoked, a member who was removed and a machine that was deleted are refused at once.
async fn bearer_of_token(app: App, text: &str, request_id: RequestId) -> Result<Identity> {
    let claims = access_tokens::verify(&app, text).await?.ok_or_else(unknown_credential)?;
    match claims.subject {
        Subject::Person { person, session } => {
            let tenant = open(app, claims.organization, Actor::Person(person, session), request_id).await?;
            let standing = access_tokens::bearers::member_in_session(&tenant, person, session).await?.ok_or_else(unknown_credential)?;
            Ok(Identity { tenant, holder: Holder::Person(standing) })
        }
        Subject::Client { client, scopes } => {
            let tenant = open(app, claims.organization, Actor::Client(client), request_id).await?;
            let known = oauth::store::find(&tenant, client).await?.ok_or_else(unknown_credential)?;
            Ok(Identity { tenant: for_person(tenant, known.person), holder: Holder::Scopes(scopes) })
        }
    }
}

/// What a key or a client does, it does for the person in whose hands it is.
fn for_person(tenant: Tenant, person: Option<PersonId>) -> Tenant {
    person.map_or_else(|| tenant.clone(), |person| tenant.on_behalf_of(Behalf::Person(person)))
}

/// The organization that a credential names. One that is not there is as good as a credential that is not.
async fn open(app: App, organization: OrganizationId, actor: Actor, request_id: RequestId) -> Result<Tenant> {
    Platform::open(app).tenant(organization, actor, Some(request_id)).await?.ok_or_else(unknown_credential)
}

/// The text behind `Authorization: Bearer`.
fn bearer(headers: &HeaderMap) -> Result<String> {
    let header = text_header(headers, "authorization");
    match header.split_once(' ') {
        Some((scheme, text)) if scheme.eq_ignore_ascii_case("bearer") => Ok(text.trim().to_owned()),
        _ => Err(Problem::unauthenticated(format!(
            "Send the header Authorization: Bearer {ORGANIZATION_PREFIX}... (or {PLATFORM_PREFIX}..., or an access token)."
        ))
        .into()),
    }
}

/// The same for unknown, forged, expired and revoked ones, so that nobody learns which it was.
fn unknown_credential() -> Error {
    Problem::unauthenticated(
        "This credential is unknown, expired or revoked. Create a new key with POST /v1/api-keys, or get a new access token.",
    )
    .into()
}
