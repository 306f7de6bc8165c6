//! Clients, grants and OAuth errors as clients read and write them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::client::OauthClient;
use super::secret::prefix;
use crate::kernel::ids::ClientId;
use crate::kernel::time::Timestamp;

/// An OAuth client to create.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = NewOAuthClient)]
pub struct NewOauthClient {
    /// What the client is for; shown in lists.
    #[schema(example = "nightly reports", min_length = 1, max_length = 200)]
    pub name: String,
    /// The permissions that its tokens may have; see `GET /v1/permissions`.
    #[schema(example = json!(["usage.read"]), min_items = 1, max_items = 50)]
    pub scopes: Vec<String>,
}

/// An OAuth client: a machine that gets access tokens from `POST /oauth/token`.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OAuthClient)]
pub struct OauthClientView {
    /// The type of the resource: `OAuthClient`.
    #[serde(rename = "$type")]
    #[schema(example = "OAuthClient")]
    pub type_name: &'static str,
    /// The id; the `client_id` of OAuth.
    #[serde(rename = "$id")]
    pub id: ClientId,
    /// What the client is for.
    #[schema(example = "nightly reports")]
    pub name: String,
    /// The permissions that its tokens may have.
    #[schema(example = json!(["usage.read"]))]
    pub scopes: Vec<String>,
    /// The first characters of the secret. They identify the client and grant no access.
    #[schema(example = "tk_client_01h2xcejqtf2nbrexx3vqjhp41")]
    pub prefix: String,
    /// The `client_secret`. Returned once, when the client is created or its secret is rotated.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "tk_client_...")]
    pub secret: Option<String>,
    /// The number of the secret; each rotation increases it by one.
    #[schema(example = 1)]
    pub secret_version: u32,
    /// Until when the previous secret is accepted, too; `null` if it is not.
    pub previous_secret_until: Option<Timestamp>,
    /// Who created it: `platform`, or the id of a member, API key or OAuth client.
    #[schema(example = "platform")]
    pub created_by: String,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last got a token, accurate to 5 minutes; `null` if it never did.
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

/// A request for an access token (RFC 6749, section 4.4.2). Unknown parameters are ignored.
#[derive(Clone, Debug, ToSchema)]
#[allow(dead_code, reason = "describes the form; grants.rs reads it pair by pair")]
pub struct TokenRequest {
    /// The grant type: `client_credentials`.
    #[schema(example = "client_credentials")]
    pub grant_type: String,
    /// Scopes of the client, separated by spaces; all of its scopes when absent.
    #[schema(example = "usage.read")]
    pub scope: Option<String>,
    /// The API that the token is for (RFC 8707): the `issuer` of the authorization server metadata, which is also the value when absent.
    #[schema(example = "https://api.example.com")]
    pub resource: Option<String>,
    /// The id of the client, unless sent by HTTP Basic authentication.
    #[schema(example = "client_01h2xcejqtf2nbrexx3vqjhp41")]
    pub client_id: Option<String>,
    /// The secret of the client, unless sent by HTTP Basic authentication.
    #[schema(example = "tk_client_...")]
    pub client_secret: Option<String>,
}

/// An access token (RFC 6749, section 5.1).
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TokenResponse {
    /// The token, a JWT, for `Authorization: Bearer`.
    #[schema(example = "eyJhbGciOiJFZERTQSJ9...")]
    pub access_token: String,
    /// The token type: `Bearer`.
    #[schema(example = "Bearer")]
    pub token_type: &'static str,
    /// How long the token is valid, in seconds.
    #[schema(example = 600)]
    pub expires_in: u64,
    /// The scopes of the token, separated by spaces.
    #[schema(example = "usage.read")]
    pub scope: String,
}

/// An OAuth error (RFC 6749, section 5.2), returned by `POST /oauth/token` only.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = OAuthError)]
pub struct OauthError {
    /// The error code: `invalid_request`, `invalid_client`, `unsupported_grant_type`, `invalid_scope`, `invalid_target`,
    /// `temporarily_unavailable` or `server_error`.
    #[schema(example = "invalid_client")]
    pub error: &'static str,
    /// The cause and the remedy, for people.
    #[schema(example = "The client or its secret is unknown.")]
    pub error_description: String,
}
