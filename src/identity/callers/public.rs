//! The actor of the endpoints that need no credential. Requests are throttled before anything is read.

use std::marker::PhantomData;

use axum::extract::FromRequestParts;
use http::request::Parts;
use utoipa::openapi::security::SecurityRequirement;

use crate::http::request::{RequestContext, text_header};
use crate::http::security;
use crate::http::security::Secured;
use crate::identity::throttle;
use crate::identity::throttle::quotas::Throttled;
use crate::identity::throttle::{Address, Admission};
use crate::kernel::error::{Error, Result};
use crate::kernel::ids::RequestId;
use crate::kernel::platform::Platform;
use crate::kernel::ports::{App, Settings};
use crate::kernel::tenant::Actor;

/// Letters of `User-Agent` that are kept.
const USER_AGENT_LETTERS_MAX: usize = 300;

/// A caller without a credential, at the endpoint `E`. It can do nothing before it is [admitted](Self::admit).
pub struct Public<E: Throttled> {
    app: App,
    pub request_id: RequestId,
    pub client: Client,
    endpoint: PhantomData<E>,
}

/// What a request says of its sender.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    pub address: Address,
    /// `CF-Connecting-IP` as sent, for people to recognize their own sessions by.
    pub ip: Option<String>,
    pub user_agent: Option<String>,
}

impl Client {
    pub fn of(parts: &Parts) -> Self {
        let ip = text_header(&parts.headers, "cf-connecting-ip");
        let user_agent: String = text_header(&parts.headers, "user-agent").chars().take(USER_AGENT_LETTERS_MAX).collect();
        let given = |text: String| Some(text).filter(|text| !text.is_empty());
        Self { address: Address::read(&ip), ip: given(ip), user_agent: given(user_agent) }
    }
}

impl<E: Throttled> Public<E> {
    /// For the MACs of tokens, which are checked before anything is counted or read.
    pub fn settings(&self) -> &Settings {
        &self.app.settings
    }

    /// Counts the request against its address and against its target, and opens the platform for it.
    pub async fn admit(&self, target: Option<&str>) -> Result<(Platform, Admission)> {
        let admission = throttle::check(&self.app, E::ENDPOINT, &self.client.address, target).await?;
        Ok((Platform::open(self.app.clone()).acting_as(Actor::System(E::ENDPOINT.name())), admission))
    }
}

impl<E: Throttled> Secured for Public<E> {
    fn accepts() -> Vec<SecurityRequirement> {
        vec![security::nothing()]
    }
}

impl<E: Throttled, S: Send + Sync> FromRequestParts<S> for Public<E> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let RequestContext { app, request_id } = RequestContext::from_request_parts(parts, state).await?;
        Ok(Self { app, request_id, client: Client::of(parts), endpoint: PhantomData })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Client {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        Ok(Self::of(parts))
    }
}
