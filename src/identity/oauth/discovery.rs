//! Authorization server metadata (RFC 8414): where OAuth client libraries find the endpoints.

use serde::Serialize;
use utoipa::ToSchema;

use crate::identity::permissions::Permission;

/// Authorization server metadata (RFC 8414).
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AuthorizationServer {
    /// The issuer of the access tokens: their `iss` and, because they open this API, their `aud`.
    #[schema(example = "https://api.example.com")]
    pub issuer: String,
    /// The address of the token endpoint.
    #[schema(example = "https://api.example.com/oauth/token")]
    pub token_endpoint: String,
    /// The address of the public keys.
    #[schema(example = "https://api.example.com/.well-known/jwks.json")]
    pub jwks_uri: String,
    /// All permissions.
    #[schema(example = json!(["usage.read", "usage.write"]))]
    pub scopes_supported: Vec<&'static str>,
    /// Empty: people log in with a code or a link from an email, not by redirects.
    #[schema(example = json!([]))]
    pub response_types_supported: [&'static str; 0],
    /// Empty: without redirects, no response is returned by one.
    #[schema(example = json!([]))]
    pub response_modes_supported: [&'static str; 0],
    /// The grant types of the token endpoint.
    #[schema(example = json!(["client_credentials"]))]
    pub grant_types_supported: [&'static str; 1],
    /// How clients authenticate at the token endpoint.
    #[schema(example = json!(["client_secret_basic", "client_secret_post"]))]
    pub token_endpoint_auth_methods_supported: [&'static str; 2],
    /// The APIs that the access tokens open (RFC 9728).
    #[schema(example = json!(["https://api.example.com"]))]
    pub protected_resources: [String; 1],
    /// The address of the API documentation.
    #[schema(example = "https://api.example.com/docs")]
    pub service_documentation: String,
}

impl AuthorizationServer {
    pub fn at(issuer: &str) -> Self {
        Self {
            issuer: issuer.to_owned(),
            token_endpoint: format!("{issuer}/oauth/token"),
            jwks_uri: format!("{issuer}/.well-known/jwks.json"),
            scopes_supported: Permission::ALL.iter().map(|permission| permission.wire_name()).collect(),
            response_types_supported: [],
            response_modes_supported: [],
            grant_types_supported: ["client_credentials"],
            token_endpoint_auth_methods_supported: ["client_secret_basic", "client_secret_post"],
            protected_resources: [issuer.to_owned()],
            service_documentation: format!("{issuer}/docs"),
        }
    }
}
