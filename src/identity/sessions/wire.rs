//! Sessions as clients write and read them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::session::Session;
use crate::kernel::ids::{OrganizationId, PersonId, SessionId};
use crate::kernel::time::Timestamp;

/// A login: either the email with the code that was mailed to it, or the token of the link in that mail.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewSession {
    #[schema(example = "ada@acme.example", format = Email)]
    pub email: Option<String>,
    /// The six digits.
    #[schema(example = "012345")]
    pub code: Option<String>,
    /// In place of email and code.
    pub token: Option<String>,
    /// For people who belong to several organizations.
    #[schema(example = "org_01m0000000000000000000000")]
    pub organization: Option<OrganizationId>,
    /// For people who have a second factor: the code of their authenticator app, or a recovery code.
    pub second_factor_code: Option<String>,
}

/// The refresh token that the session gave out last.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewRefreshment {
    pub refresh_token: String,
}

/// A session with its tokens. They are in this answer only.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SessionWithTokens)]
pub struct GrantedView {
    #[serde(flatten)]
    pub session: SessionView,
    pub organization: OrganizationId,
    /// For `Authorization: Bearer`; a JWT.
    pub access_token: String,
    #[schema(example = "Bearer")]
    pub token_type: &'static str,
    /// Seconds for which the access token is good.
    #[schema(value_type = i64, example = 600)]
    pub expires_in: u64,
    /// Opens the next access token at `POST /v1/session-refreshments`, once.
    pub refresh_token: String,
}

/// A session.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Session)]
pub struct SessionView {
    #[serde(rename = "$type")]
    pub type_name: &'static str,
    #[serde(rename = "$id")]
    pub id: SessionId,
    pub person: PersonId,
    pub created_at: Timestamp,
    /// The login or the last refresh.
    pub last_used_at: Timestamp,
    /// When it ends unless it is refreshed before.
    pub idle_until: Timestamp,
    /// When it ends, however much it is used.
    pub expires_at: Timestamp,
    /// Where the login came from.
    pub ip: Option<String>,
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
