//! The next tokens of a session.

use serde::{Deserialize, Serialize};

use super::rules::Refresh;
use super::token::RefreshToken;
use super::{granted, rules, store};
use crate::http::reply::Reply;
use crate::identity::members;
use crate::kernel::error::{Error, OrInternal, Result};
use crate::kernel::idempotency::{Answer, Claim};
use crate::kernel::problem::Problem;
use crate::kernel::tenant::{Actor, Tenant, until_fresh};

/// What is kept for a retry: which generation the answer gave out. It holds no token.
#[derive(Debug, Serialize, Deserialize)]
struct Renewed {
    generation: u32,
}

/// Renews the session that `token` names, or says why not. A reused token ends it.
pub async fn refresh(tenant: &Tenant, token: RefreshToken, claim: Option<&Claim>) -> Result<Reply> {
    match until_fresh(|| attempt(tenant, token, claim)).await {
        Err(Error::AlreadyAnswered) => attempt(tenant, token, claim).await,
        other => other,
    }
}

async fn attempt(tenant: &Tenant, token: RefreshToken, claim: Option<&Claim>) -> Result<Reply> {
    let now = tenant.app().moment().now;
    let session = store::find(tenant, token.session).await?.ok_or_else(invalid_refresh_token)?;
    let tenant = &tenant.acting_as(Actor::Person(session.person, session.id));
    if let Some(answer) = answered(tenant, claim).await? {
        let renewed: Renewed = serde_json::from_str(&answer.body).or_internal()?;
        if renewed.generation != session.generation || !session.is_live(now) {
            return Err(invalid_refresh_token().into());
        }
        return Ok(Reply { replayed: true, ..granted::reply(tenant, session).await? });
    }
    if !members::store::is_member(tenant, session.person).await? {
        return Err(invalid_refresh_token().into());
    }
    match rules::refresh(&session, token.generation, now) {
        Refresh::Renewed(next, decision) => {
            let answer = Reply::created(&Renewed { generation: next.generation })?.stored(claim);
            tenant.commit(decision, answer.as_ref()).await?;
            granted::reply(tenant, next).await
        }
        Refresh::Reused(decision) => {
            tenant.commit(decision, None).await?;
            Err(invalid_refresh_token().into())
        }
        Refresh::TooLate => Err(refreshed_meanwhile().into()),
        Refresh::Over => Err(invalid_refresh_token().into()),
    }
}

async fn answered(tenant: &Tenant, claim: Option<&Claim>) -> Result<Option<Answer>> {
    match claim {
        Some(claim) => tenant.answered(claim).await,
        None => Ok(None),
    }
}

/// 401, the same for a token that is forged, was used before, or whose session is over.
pub fn invalid_refresh_token() -> Problem {
    let detail = "This refresh token was used before, or its session is over. Log in again with POST /v1/login.";
    Problem::new(401, "invalid_refresh_token", "The refresh token is not valid", detail)
        .with_header("WWW-Authenticate", "Bearer realm=\"tenantry\"")
}

fn refreshed_meanwhile() -> Problem {
    let detail = "Another request of yours used this refresh token a moment ago. Go on with the tokens that it got.";
    Problem::conflict("refreshed_meanwhile", detail)
}
