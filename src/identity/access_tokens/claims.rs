//! The claims of an access token.

use serde::{Deserialize, Serialize};

use crate::kernel::ids::{ClientId, Moment, OrganizationId, PersonId, SessionId, TokenId};
use crate::kernel::time::{Timestamp, minutes};

/// How long a token is valid.
pub const LIFETIME: std::time::Duration = minutes(10);

/// The subject of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A member, in a session. What they may do is looked up at each use.
    Person { person: PersonId, session: SessionId },
    /// A machine, and the scopes that it was granted.
    Client { client: ClientId, scopes: Vec<String> },
}

/// One access token, for one organization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    pub organization: OrganizationId,
    pub subject: Subject,
    pub id: TokenId,
    /// In whole seconds, as is the end.
    pub issued_at: Timestamp,
    pub expires_at: Timestamp,
}

impl Claims {
    /// A token that is valid from `moment` of the wall clock on: tokens protect real systems, so no test clock counts.
    pub fn new(organization: OrganizationId, subject: Subject, moment: Moment<'_>) -> Self {
        let issued_at = Timestamp::from_millis(moment.now.as_millis().div_euclid(1_000).saturating_mul(1_000));
        Self { organization, subject, id: TokenId::new(moment), issued_at, expires_at: issued_at.plus(LIFETIME) }
    }
}

/// The `client_id` of a member's tokens: no OAuth client gets them, `POST /v1/sessions` does.
const SESSIONS: &str = "sessions";

/// The claims as they are written (RFC 9068), beside `iat` and `exp`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Wire {
    pub iss: String,
    /// The API that the token opens: this one, so it has the name of the issuer.
    pub aud: String,
    pub sub: String,
    pub client_id: String,
    pub org: OrganizationId,
    pub jti: TokenId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<SessionId>,
    /// Separated by spaces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
}

impl Wire {
    pub fn of(claims: &Claims, issuer: &str) -> Self {
        let (sub, client_id, sid, scope) = match &claims.subject {
            Subject::Person { person, session } => (person.to_string(), SESSIONS.to_owned(), Some(*session), None),
            Subject::Client { client, scopes } => (client.to_string(), client.to_string(), None, Some(scopes.join(" "))),
        };
        let (iss, aud) = (issuer.to_owned(), issuer.to_owned());
        Self { iss, aud, sub, client_id, org: claims.organization, jti: claims.id, sid, scope }
    }

    /// Whether the token is from `issuer` and for its own API.
    pub fn is_between(&self, issuer: &str) -> bool {
        self.iss == issuer && self.aud == issuer
    }

    /// The subject; None for claims that are not written here.
    pub fn subject(&self) -> Option<Subject> {
        match (self.sid, &self.scope) {
            (Some(session), None) if self.client_id == SESSIONS => Some(Subject::Person { person: self.sub.parse().ok()?, session }),
            (None, Some(scope)) if self.client_id == self.sub => {
                let scopes = scope.split(' ').filter(|scope| !scope.is_empty()).map(str::to_owned).collect();
                Some(Subject::Client { client: self.sub.parse().ok()?, scopes })
            }
            _ => None,
        }
    }
}
