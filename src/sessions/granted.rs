//! What a session gives out: tokens, made from what is stored and stored nowhere.

use super::rules::Session;
use super::token::RefreshToken;
use super::wire::{GrantedView, SessionView};
use crate::http::reply::Reply;
use crate::kernel::error::Result;
use crate::kernel::tenant::Tenant;
use crate::tokens::{self, Claims, Subject};

/// The session with an access token and the refresh token of its generation.
pub async fn reply(tenant: &Tenant, session: Session) -> Result<Reply> {
    let (app, organization) = (tenant.app(), tenant.organization());
    let claims = Claims::new(organization, Subject::Person { person: session.person, session: session.id }, app.moment());
    let refresh_token = RefreshToken { organization, session: session.id, generation: session.generation };
    Reply::created(&GrantedView {
        organization,
        access_token: tokens::mint(app, &claims).await?,
        token_type: "Bearer",
        expires_in: tokens::LIFETIME.as_secs(),
        refresh_token: refresh_token.mint(&app.settings.secret),
        session: SessionView::from(session),
    })
}
