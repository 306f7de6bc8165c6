//! Oneself: the actor of what is a person's own, whatever their roles permit.

use axum::extract::FromRequestParts;
use http::request::Parts;
use utoipa::openapi::security::SecurityRequirement;

use super::identity::Identity;
use crate::http::security;
use crate::http::security::Secured;
use crate::kernel::error::{Error, Result};
use crate::kernel::ids::{PersonId, SessionId};
use crate::kernel::problem::Problem;
use crate::kernel::tenant::Tenant;

/// A member, with an access token of a session.
pub struct Oneself {
    pub tenant: Tenant,
    pub person: PersonId,
    pub session: SessionId,
}

impl Secured for Oneself {
    fn accepts() -> Vec<SecurityRequirement> {
        vec![security::access_token(&[])]
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Oneself {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let caller = Identity::from_request_parts(parts, state).await?;
        let (person, session) = caller.person().zip(caller.session()).ok_or_else(not_a_person)?;
        Ok(Self { tenant: caller.tenant, person, session })
    }
}

fn not_a_person() -> Problem {
    Problem::forbidden("This endpoint is a person's own. Use the access token of a session, see POST /v1/sessions.")
}
