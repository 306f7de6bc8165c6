//! Clients, grants and their refusals as they are written.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::client::OauthClient;
use super::secret::prefix;
use crate::kernel::ids::ClientId;
use crate::kernel::time::Timestamp;

/// A client to be made.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = NewOAuthClient)]
pub struct NewOauthClient {
    #[schema(example = "nightly reports", min_length = 1, max_length = 200)]
    pub name: String,
    /// Permissions that its tokens may have, see `GET /v1/permissions`.
    #[schema(example = json!(["usage.read"]), min_items = 1, max_items = 50)]
    pub scopes: Vec<String>,
}

/// A machine that gets access tokens from `POST /oauth/token`.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OAuthClient)]
pub struct OauthClientView {
    #[serde(rename = "$type")]
    pub type_name: &'static str,
    /// The `client_id`.
    #[serde(rename = "$id")]
    pub id: ClientId,
    pub name: String,
    pub scopes: Vec<String>,
    /// The first characters of the secret; they name the client and open nothing.
    pub prefix: String,
    /// The `client_secret`. Shown once, when it is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// Grows by one with each rotation.
    pub secret_version: u32,
    /// Until when the secret before this one gets tokens, too.
    pub previous_secret_until: Option<Timestamp>,
    /// `platform`, or the id of the person, key or client that made it.
    pub created_by: String,
    pub created_at: Timestamp,
    /// When it got a token last, to a few minutes.
    pub last_used_at: Option<Timestamp>,
}

impl From<OauthClient> for OauthClientView {
    fn from(client: OauthClient) -> Self {
        Self {
            type_name: "OAuthClient",
            id: client.id,
            name: client.name,
            scopes: client.scopes,
            prefix: prefix(client.id),
            secret: None,
            secret_version: client.generation,
            previous_secret_until: client.previous_until,
            created_by: client.created_by,
            created_at: client.created_at,
            last_used_at: client.last_used_at,
        }
    }
}

/// What the token endpoint reads (RFC 6749, 4.4.2). What it does not know it ignores.
#[derive(Clone, Debug, ToSchema)]
#[allow(dead_code, reason = "describes the form; grants.rs reads it pair by pair")]
pub struct TokenRequest {
    /// `client_credentials`
    #[schema(example = "client_credentials")]
    pub grant_type: String,
    /// Some of the client's scopes, separated by spaces; all of them when absent.
    #[schema(example = "usage.read")]
    pub scope: Option<String>,
    /// Here, or by HTTP Basic authentication.
    pub client_id: Option<String>,
    pub client_secret: Option<String>,
}

/// An access token (RFC 6749, 5.1).
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TokenResponse {
    pub access_token: String,
    /// `Bearer`
    pub token_type: &'static str,
    /// Seconds.
    pub expires_in: u64,
    pub scope: String,
}

/// Why there is no token (RFC 6749, 5.2). Only this endpoint answers so.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = OAuthError)]
pub struct OauthError {
    /// `invalid_request`, `invalid_client`, `unsupported_grant_type`, `invalid_scope`, `temporarily_unavailable` or `server_error`.
    pub error: &'static str,
    pub error_description: String,
}
