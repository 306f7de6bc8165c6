//! Where machines find everything: authorization server metadata (RFC 8414).

use serde::Serialize;
use utoipa::ToSchema;

use crate::identity::permissions::Permission;

/// What an OAuth client library reads first.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AuthorizationServer {
    pub issuer: String,
    pub token_endpoint: String,
    pub jwks_uri: String,
    pub scopes_supported: Vec<&'static str>,
    /// None: people log in with a code or link by email, not by redirects.
    pub response_types_supported: [&'static str; 0],
    pub grant_types_supported: [&'static str; 1],
    pub token_endpoint_auth_methods_supported: [&'static str; 2],
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
            grant_types_supported: ["client_credentials"],
            token_endpoint_auth_methods_supported: ["client_secret_basic", "client_secret_post"],
            service_documentation: format!("{issuer}/docs"),
        }
    }
}
