//! The tokens of a session: derived from what is stored, and stored nowhere.

use super::session::Session;
use super::token::RefreshToken;
use super::wire::{GrantedView, SessionView};
use crate::http::reply::Reply;
use crate::identity::access_tokens;
use crate::identity::access_tokens::{Claims, Subject};
use crate::kernel::error::Result;
use crate::kernel::tenant::Tenant;

/// The session with an access token and the refresh token of its generation.
pub async fn reply(tenant: &Tenant, session: Session) -> Result<Reply> {
    let (app, organization) = (tenant.app(), tenant.organization());
    let claims = Claims::new(organization, Subject::Person { person: session.person, session: session.id }, app.moment());
    let refresh_token = RefreshToken { organization, session: session.id, generation: session.generation };
    Reply::created(&GrantedView {
        organization,
        access_token: access_tokens::mint(app, &claims).await?,
        token_type: "Bearer",
        expires_in: access_tokens::LIFETIME.as_secs(),
        refresh_token: refresh_token.mint(&app.settings.secret),
        session: SessionView::from(session),
    })
}
