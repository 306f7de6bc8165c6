//! Replies of handlers, and the one execution of a `POST`.

use std::str::FromStr;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use serde_json::Value as Json;

use super::refusal::Refused;
use crate::kernel::error::{Error, OrInternal, Result};
use crate::kernel::idempotency::{Answer, Claim};
use crate::kernel::platform::Platform;
use crate::kernel::tenant::{Tenant, until_fresh};

/// A JSON answer, kept as text so that a replay is identical to the byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    pub status: u16,
    pub body: String,
    pub replayed: bool,
    /// Further headers, such as `RateLimit`. They are not part of a stored answer.
    pub headers: Vec<(&'static str, String)>,
}

impl Reply {
    pub fn json(status: u16, view: &impl Serialize) -> Result<Self> {
        let body = serde_json::to_string(view).map_err(|error| Error::internal(format!("a view does not serialize: {error}")))?;
        Ok(Self { status, body, replayed: false, headers: Vec::new() })
    }

    pub fn ok(view: &impl Serialize) -> Result<Self> {
        Self::json(200, view)
    }

    pub fn created(view: &impl Serialize) -> Result<Self> {
        Self::json(201, view)
    }

    pub fn no_content() -> Self {
        Self { status: 204, body: String::new(), replayed: false, headers: Vec::new() }
    }

    #[must_use]
    pub fn with_headers(mut self, headers: impl IntoIterator<Item = (&'static str, String)>) -> Self {
        self.headers.extend(headers);
        self
    }

    /// The reply with a member `secret`. The stored answer has none: `mint` derives it again from the view.
    pub fn with_secret(mut self, mint: impl FnOnce(&Json) -> Option<String>) -> Result<Self> {
        let mut view = self.view()?;
        let secret = mint(&view);
        if let (Some(secret), Some(members)) = (secret, view.as_object_mut()) {
            members.insert("secret".into(), secret.into());
        }
        self.body = view.to_string();
        Ok(self)
    }

    /// The view in the reply.
    pub fn view(&self) -> Result<Json> {
        serde_json::from_str(&self.body).or_internal()
    }

    /// The answer to store under the request's idempotency key.
    pub fn stored(&self, claim: Option<&Claim>) -> Option<Answer> {
        claim.map(|claim| Answer { claim: claim.clone(), status: self.status, body: self.body.clone() })
    }
}

impl From<Answer> for Reply {
    fn from(answer: Answer) -> Self {
        Self { status: answer.status, body: answer.body, replayed: true, headers: Vec::new() }
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or(StatusCode::OK);
        if response.status() != StatusCode::NO_CONTENT {
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        if self.replayed {
            response.headers_mut().insert("idempotent-replayed", HeaderValue::from_static("true"));
        }
        for (name, value) in self.headers {
            if let Ok(value) = HeaderValue::from_str(&value) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::empty());
        response.extensions_mut().insert(super::refusal::Cause(self.clone()));
        response.extensions_mut().insert(Refused(self.into_problem()));
        response
    }
}

/// The `$id` of a view.
pub fn id_of<Id: FromStr>(view: &Json) -> Option<Id> {
    view.get("$id")?.as_str()?.parse().ok()
}

/// Executes a `POST` of a tenant once: a repeated idempotency key gets the first answer. `work` loads, decides and commits, and stores its
/// reply in that commit. The steps that follow are run before the answer, so that the client reads its own writes.
pub async fn once<Work, Attempt>(tenant: &Tenant, claim: Option<&Claim>, work: Work) -> Result<Reply>
where
    Work: FnMut() -> Attempt,
    Attempt: Future<Output = Result<Reply>>,
{
    if let Some(answer) = answered(tenant, claim).await? {
        return Ok(answer.into());
    }
    match until_fresh(work).await {
        Err(Error::AlreadyAnswered) => answered(tenant, claim).await?.map(Reply::from).ok_or(Error::AlreadyAnswered),
        Err(error) => Err(error),
        Ok(reply) => {
            tenant.follow_up_or_leave().await;
            Ok(reply)
        }
    }
}

/// The same for a request of the vendor without an organization; its answer is stored in the directory.
pub async fn once_for_vendor<Work, Attempt>(platform: &Platform, claim: Option<&Claim>, work: Work) -> Result<Reply>
where
    Work: FnOnce() -> Attempt,
    Attempt: Future<Output = Result<Reply>>,
{
    let Some(claim) = claim else { return work().await };
    if let Some(answer) = platform.answered(claim).await? {
        return Ok(answer.into());
    }
    match work().await {
        // Of two concurrent requests, the second may be refused because of the first one's effect: then it gets the first answer.
        Err(error @ (Error::AlreadyAnswered | Error::Refused(_))) => platform.answered(claim).await?.map(Reply::from).ok_or(error),
        other => other,
    }
}

/// Executes a write that is idempotent by itself (`PUT`, `PATCH`, `DELETE`), again after a concurrent commit.
pub async fn change<Work, Attempt>(tenant: &Tenant, work: Work) -> Result<Reply>
where
    Work: FnMut() -> Attempt,
    Attempt: Future<Output = Result<Reply>>,
{
    once(tenant, None, work).await
}

async fn answered(tenant: &Tenant, claim: Option<&Claim>) -> Result<Option<Answer>> {
    match claim {
        Some(claim) => tenant.answered(claim).await,
        None => Ok(None),
    }
}
