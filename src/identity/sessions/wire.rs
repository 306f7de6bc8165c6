//! Sessions as clients write and read them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::session::Session;
use crate::kernel::ids::{OrganizationId, PersonId, SessionId};
use crate::kernel::time::Timestamp;

/// A login: either the email address with the code that was sent to it, or the token of the link in that email.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewSession {
    /// The email address of the person; sent together with `code`.
    #[schema(example = "ada@acme.example", format = Email)]
    pub email: Option<String>,
    /// The six digits from the login email.
    #[schema(example = "012345")]
    pub code: Option<String>,
    /// The token from the link in the login email, in place of `email` and `code`.
    #[schema(example = "tk_login_...")]
    pub token: Option<String>,
    /// The organization to log in to; required if the person belongs to several.
    pub organization: Option<OrganizationId>,
    /// The code of the authenticator app, or a recovery code; required if the person has a confirmed second factor.
    #[schema(example = "012345")]
    pub second_factor_code: Option<String>,
}

/// A refresh token to exchange.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewRefreshment {
    /// The latest refresh token of the session.
    #[schema(example = "tk_refresh_...")]
    pub refresh_token: String,
}

/// A session with its tokens, which are returned once.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SessionWithTokens)]
pub struct GrantedView {
    #[serde(flatten)]
    pub session: SessionView,
    /// The organization of the session.
    pub organization: OrganizationId,
    /// The access token, a JWT, for `Authorization: Bearer`.
    #[schema(example = "eyJhbGciOiJFZERTQSJ9...")]
    pub access_token: String,
    /// The token type: `Bearer`.
    #[schema(example = "Bearer")]
    pub token_type: &'static str,
    /// How long the access token is valid, in seconds.
    #[schema(value_type = i64, example = 600)]
    pub expires_in: u64,
    /// The refresh token; `POST /v1/session-refreshments` accepts it once.
    #[schema(example = "tk_refresh_...")]
    pub refresh_token: String,
}

/// A session.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Session)]
pub struct SessionView {
    /// The type of the resource: `Session`.
    #[serde(rename = "$type")]
    #[schema(example = "Session")]
    pub type_name: &'static str,
    /// The id.
    #[serde(rename = "$id")]
    pub id: SessionId,
    /// The person who logged in.
    pub person: PersonId,
    /// When the person logged in.
    pub created_at: Timestamp,
    /// When the session was last refreshed, or created.
    pub last_used_at: Timestamp,
    /// When it ends unless it is refreshed before.
    pub idle_until: Timestamp,
    /// When it ends even if it is refreshed.
    pub expires_at: Timestamp,
    /// The IP address of the login.
    #[schema(example = "203.0.113.7")]
    pub ip: Option<String>,
    /// The `User-Agent` header of the login.
    #[schema(example = "Mozilla/5.0")]
    pub user_agent: Option<String>,
}

impl From<Session> for SessionView {
    fn from(session: Session) -> Self {
        Self {
            type_name: "Session",
            id: session.id,
            person: session.person,
            created_at: session.created_at,
            last_used_at: session.last_used_at,
            idle_until: session.idle_until().min(session.expires_at),
            expires_at: session.expires_at,
            ip: session.ip,
            user_agent: session.user_agent,
        }
    }
}
