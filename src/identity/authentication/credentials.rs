//! All credentials: the vendor's platform keys, an organization's API keys, and access tokens of members and machines.

use futures::future::{BoxFuture, FutureExt};

use super::bearers::member_in_session;
use crate::identity::access_tokens::Subject;
use crate::identity::api_keys::token::OrganizationToken;
use crate::identity::callers::authenticate::{Authenticate, Authenticated, unknown_credential};
use crate::identity::callers::identity::{Holder, Identity};
use crate::identity::key_lifecycle::rules::is_use_to_be_noted;
use crate::identity::platform_keys::token::PLATFORM_PREFIX;
use crate::identity::{access_tokens, api_keys, oauth, platform_keys};
use crate::kernel::audit::Behalf;
use crate::kernel::error::Result;
use crate::kernel::ids::{OrganizationId, PersonId, RequestId};
use crate::kernel::platform::Platform;
use crate::kernel::ports::App;
use crate::kernel::tenant::{Actor, Tenant};

/// The port's answer, with the stores of all credentials.
pub struct Credentials;

impl Authenticate for Credentials {
    fn authenticate<'a>(&'a self, app: &'a App, credential: &'a str, request: RequestId) -> BoxFuture<'a, Result<Authenticated>> {
        async move {
            if credential.starts_with(PLATFORM_PREFIX) {
                let actor = platform_keys::callers::find(app, credential).await?.ok_or_else(unknown_credential)?;
                return Ok(Authenticated::Vendor(actor));
            }
            let identity = if access_tokens::jwt::resembles_token(credential) {
                bearer_of_token(app, credential, request).await?
            } else {
                holder_of_key(app, credential, request).await?
            };
            Ok(Authenticated::Organization(identity))
        }
        .boxed()
    }
}

/// An organization's key: the MAC says whose it is, the organization's database whether it is still good.
async fn holder_of_key(app: &App, text: &str, request: RequestId) -> Result<Identity> {
    let token = OrganizationToken::verify(text, &app.settings.secret).ok_or_else(unknown_credential)?;
    let now = app.moment().now;
    let tenant = open(app, token.organization, Actor::ApiKey(token.key), request).await?;
    let key = api_keys::store::find(&tenant, token.key).await?.filter(|key| key.is_usable(now)).ok_or_else(unknown_credential)?;
    if is_use_to_be_noted(key.last_used_at, now) {
        // For people to look at: a call does not fail because of it.
        let _noted = tenant.run(vec![api_keys::store::note_use(key.id, now)]).await;
    }
    Ok(Identity { tenant: for_person(tenant, key.person), holder: Holder::Scopes(key.scopes) })
}

/// The bearer of an access token: the signature says who it is, the organization's database whether they still are. A session that was
/// revoked, a member who was removed and a machine that was deleted are refused at once.
async fn bearer_of_token(app: &App, text: &str, request: RequestId) -> Result<Identity> {
    let claims = access_tokens::verify(app, text).await?.ok_or_else(unknown_credential)?;
    match claims.subject {
        Subject::Person { person, session } => {
            let tenant = open(app, claims.organization, Actor::Person(person, session), request).await?;
            let standing = member_in_session(&tenant, person, session).await?.ok_or_else(unknown_credential)?;
            Ok(Identity { tenant, holder: Holder::Person(standing) })
        }
        Subject::Client { client, scopes } => {
            let tenant = open(app, claims.organization, Actor::Client(client), request).await?;
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
async fn open(app: &App, organization: OrganizationId, actor: Actor, request: RequestId) -> Result<Tenant> {
    Platform::open(app.clone()).tenant(organization, actor, Some(request)).await?.ok_or_else(unknown_credential)
}
